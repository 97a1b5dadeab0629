"""Second factors and linked identities in the admin."""

from django import forms
from django.contrib import admin
from django.http import HttpRequest

from compliance.access import acts, credentials, page_parts, record_admin
from compliance.access.acts import Act, Done, Occasion, ReasonForm
from compliance.access.duties import Duty
from compliance.access.models import User
from compliance.access.page_parts import Facts, Page, Section, Table
from compliance.access.record_admin import RecordAdmin
from compliance.signin import factors, links, providers
from compliance.signin.forms import PasswordForm
from compliance.signin.models import FactorUse, IdentityLink, SecondFactor


class RemoveForm(ReasonForm, PasswordForm):
    field_order = ("reason", "password")


class LinkForm(ReasonForm):
    provider = forms.ChoiceField()
    subject = forms.CharField(
        max_length=200,
        help_text="The provider's lasting identifier: sub of OpenID Connect, NameID of SAML.",
    )
    field_order = ("provider", "subject", "reason")

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        self.fields["provider"].choices = list(providers.names().items())  # type: ignore[attr-defined]


def _remove(occasion: Occasion) -> Done:
    credentials.check(
        username=occasion.actor.username,
        password=occasion.values["password"],
        purpose="session",
        address=occasion.address,
        at=occasion.at,
    )
    removed = factors.remove(
        occasion.record, actor=occasion.actor, at=occasion.at, reason=occasion.values["reason"]
    )
    return Done(f"{removed} signs nobody in from now on.")


def _link(occasion: Occasion) -> Done:
    made = links.link(
        occasion.record,
        provider=occasion.values["provider"],
        subject=occasion.values["subject"],
        actor=occasion.actor,
        at=occasion.at,
        reason=occasion.values["reason"],
    )
    return Done(f"{made}.", made)


def _unlink(occasion: Occasion) -> Done:
    ended = links.end(
        occasion.record, actor=occasion.actor, at=occasion.at, reason=occasion.values["reason"]
    )
    return Done(f"{ended.person} does not sign in by it any more.")


acts.offer(
    SecondFactor,
    Act(
        "remove", "Remove", Duty.READ, _remove, form=RemoveForm, is_grave=True,
        is_offered=lambda factor: factor.is_active,
        explanation="Your own factor, or, as an administrator, somebody's lost one. It stays on "
        "record and never signs in again.",
    ),
)  # fmt: skip
acts.offer(
    User,
    Act(
        "link-identity", "Link an identity", Duty.ADMINISTER_ACCESS, _link, form=LinkForm,
        is_offered=lambda person: person.is_active and bool(providers.names()),
        explanation="The person then signs in at the identity provider too. Nobody is signed up "
        "by it: only who is linked here gets in.",
    ),
)  # fmt: skip
acts.offer(
    IdentityLink,
    Act(
        "end", "End the link", Duty.ADMINISTER_ACCESS, _unlink, is_grave=True,
        is_offered=lambda link: link.ended_at is None,
    ),
)  # fmt: skip


@record_admin.section(User, order=20)
def second_factors(person: User, request: HttpRequest) -> Section:
    """The person's factors, removed ones too."""
    rows = [
        [
            record_admin.link(one), page_parts.moment(one.enrolled_at),
            page_parts.moment(one.removed_at) or "in use",
        ]
        for one in person.second_factors.select_related("person").order_by("pk")
    ]  # fmt: skip
    table = Table(["Factor", "Enrolled and tested", "Removed"], rows, empty="None is enrolled.")
    return Section("Second factors", [table])


@admin.register(SecondFactor)
class SecondFactorAdmin(RecordAdmin):
    list_display = ("enrolled_at", "person", "kind", "name", "removed_at")
    search_fields = ("person__username", "person__full_name", "name")
    list_filter = ("kind", "removed_at")
    list_select_related = ("person",)
    date_hierarchy = "enrolled_at"
    ordering = ("-pk",)
    empty_text = "Nobody has a second factor yet. People add theirs under Second factors, above."

    def page(self, record: SecondFactor, request: HttpRequest) -> Page:
        facts = Facts(
            [
                ("Person", record_admin.link(record.person)),
                ("Kind", record.get_kind_display()),
                ("Name", record.name),
                ("Model of the key", record.model_id),
                ("Enrolled", page_parts.moment(record.enrolled_at)),
                ("Tested", page_parts.moment(record.tested_at)),
                ("Removed", page_parts.moment(record.removed_at)),
                ("Removed by", record.removed_by),
            ]
        )
        uses = record.uses.order_by("-pk")[:50]
        rows = [[page_parts.moment(one.used_at), one.address] for one in uses]
        badge = (
            page_parts.badge("In use", "good")
            if record.is_active
            else page_parts.badge("Removed", "quiet")
        )
        return Page(
            title=f"{record.get_kind_display()} “{record.name}”",
            badges=[badge],
            sections=[
                Section("Second factor", [facts], is_wide=False),
                Section("Last uses", [Table(["At", "From"], rows)], is_wide=False),
            ],
        )


@admin.register(FactorUse)
class FactorUseAdmin(RecordAdmin):
    list_display = ("used_at", "factor", "address")
    search_fields = ("factor__person__username", "address")
    list_filter = ("factor__kind",)
    list_select_related = ("factor__person",)
    date_hierarchy = "used_at"
    ordering = ("-pk",)
    empty_text = "No second factor has been used yet."


@admin.register(IdentityLink)
class IdentityLinkAdmin(RecordAdmin):
    list_display = ("linked_at", "person", "provider", "subject", "linked_by", "ended_at")
    search_fields = ("person__username", "subject")
    list_filter = ("provider", "ended_at")
    list_select_related = ("person",)
    date_hierarchy = "linked_at"
    ordering = ("-pk",)
    empty_text = "No identity is linked. Administrators link one on the page of a person."
