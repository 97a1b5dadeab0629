"""People in the admin: their roles, identity, training, sessions and what happened to them."""

from datetime import datetime
from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin import SimpleListFilter
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.safestring import SafeString

from compliance.access import (
    acts,
    credentials,
    gaps,
    identity,
    page_parts,
    passwords,
    people,
    record_admin,
)
from compliance.access.acts import Act, Done, Occasion, ReasonForm
from compliance.access.admin import log_page, segregation_page, training_page
from compliance.access.duties import LABELS, Duty, Role
from compliance.access.models import IdentityProof, ProofMethod, RoleAssignment, User
from compliance.access.page_parts import Facts, Page, Section, Table
from compliance.access.record_admin import RecordAdmin

ROLES = [(role.value, LABELS[role]) for role in Role]


class NewPassword(forms.Form):
    password = forms.CharField(
        label="First password",
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text="At least 12 characters. It must be changed at the first sign-in.",
    )


class PersonForm(NewPassword):
    username = forms.RegexField(
        label="User name",
        regex=r"^[A-Za-z0-9._-]+$",
        max_length=60,
        help_text="Letters, digits, dot, dash and underscore. It is never given to another person.",
    )
    full_name = forms.CharField(max_length=200, help_text="As printed with a signature.")
    roles = forms.MultipleChoiceField(choices=ROLES, widget=forms.CheckboxSelectMultiple)
    reason = ReasonForm.base_fields["reason"]
    field_order = ("username", "full_name", "roles", "password", "reason")


class ResetForm(NewPassword, ReasonForm):
    field_order = ("password", "reason")


class GrantForm(ReasonForm):
    role = forms.ChoiceField(choices=ROLES)
    field_order = ("role", "reason")


class EndRoleForm(ReasonForm):
    assignment = forms.ChoiceField(label="Role")
    field_order = ("assignment", "reason")


class ProofForm(forms.Form):
    method = forms.ChoiceField(
        label="How",
        choices=[one for one in ProofMethod.choices if one[0] != ProofMethod.INSTALLATION],
    )
    document = forms.CharField(
        max_length=200, help_text="What was seen and where its copy is kept: passport, HR-0042."
    )
    proven_at = forms.DateTimeField(
        label="Seen at (UTC)",
        # To the minute: a browser takes no other minute beside seconds that stand there already.
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
    )


class WithdrawForm(ReasonForm):
    proof = forms.ChoiceField()
    field_order = ("proof", "reason")


class LeavingForm(ReasonForm):
    last_day = forms.DateField(
        label="Last day at work",
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}),
        help_text="Empty: stays on.",
    )
    field_order = ("last_day", "reason")


# --- Acts


def _create(occasion: Occasion) -> Done:
    given = occasion.values
    person = people.create(
        username=given["username"],
        full_name=given["full_name"],
        password=given["password"],
        roles=frozenset(given["roles"]),
        actor=occasion.actor,
        at=occasion.at,
        reason=given["reason"],
    )
    return Done(f"{person} may sign in, and must choose a password then.", person)


def _deactivate(occasion: Occasion) -> Done:
    person = people.deactivate(
        occasion.record,
        actor=occasion.actor,
        at=occasion.at,
        reason=occasion.values["reason"],
    )
    return Done(f"{person} is shut out from now on.")


def _grant(occasion: Occasion) -> Done:
    role = Role(occasion.values["role"])
    people.grant(
        occasion.record,
        role=role,
        actor=occasion.actor,
        at=occasion.at,
        reason=occasion.values["reason"],
    )
    return Done(f"{occasion.record} holds the role {LABELS[role]}.")


def _end_role(occasion: Occasion) -> Done:
    assignment = RoleAssignment.objects.get(
        pk=occasion.values["assignment"], user=occasion.record, ended_at=None
    )
    people.end_role(
        assignment, actor=occasion.actor, at=occasion.at, reason=occasion.values["reason"]
    )
    return Done(f"{occasion.record} no longer holds the role {assignment.get_role_display()}.")


def _reset_password(occasion: Occasion) -> Done:
    people.change_password(
        occasion.record,
        new=occasion.values["password"],
        actor=occasion.actor,
        at=occasion.at,
        reason=occasion.values["reason"],
    )
    return Done(f"{occasion.record} must choose a password at the next sign-in.")


def _prove(occasion: Occasion) -> Done:
    identity.prove(
        occasion.record,
        method=ProofMethod(occasion.values["method"]),
        document=occasion.values["document"],
        proven_at=occasion.values["proven_at"],
        actor=occasion.actor,
        at=occasion.at,
    )
    return Done(f"The identity of {occasion.record} is proven; signatures may follow.")


def _withdraw(occasion: Occasion) -> Done:
    proof = IdentityProof.objects.get(pk=occasion.values["proof"], person=occasion.record)
    identity.withdraw(proof, actor=occasion.actor, at=occasion.at, reason=occasion.values["reason"])
    return Done(f"The proof is withdrawn. {occasion.record} signs nothing without another one.")


def _leaving(occasion: Occasion) -> Done:
    last_day = occasion.values["last_day"]
    people.record_leaving(
        occasion.record,
        last_day=last_day,
        actor=occasion.actor,
        at=occasion.at,
        reason=occasion.values["reason"],
    )
    return Done(f"The last day of {occasion.record}: {last_day or 'not known'}.")


def _roles_of(person: User) -> list[tuple[str, str]]:
    held = person.role_assignments.filter(ended_at=None).order_by("role")
    return [(str(one.pk), one.get_role_display()) for one in held]


def _proofs_of(person: User) -> list[tuple[str, str]]:
    return [
        (str(one.pk), f"{one.get_method_display()}, {page_parts.moment(one.proven_at)}")
        for one in person.identity_proofs.filter(withdrawn_at=None).order_by("pk")
    ]


def _now(record: Any) -> dict[str, Any]:
    return {"proven_at": timezone.now()}


def _is_active(record: Any) -> bool:
    return bool(record.is_active)


_ADMINISTER = Duty.ADMINISTER_ACCESS
acts.offer(
    User,
    Act("create", "Create a person", _ADMINISTER, _create, form=PersonForm, is_for_list=True),
    Act("grant-role", "Give a role", _ADMINISTER, _grant, form=GrantForm, is_offered=_is_active),
    Act(
        "end-role", "End a role", _ADMINISTER, _end_role, form=EndRoleForm,
        is_offered=lambda person: bool(person.roles), choices={"assignment": _roles_of},
    ),
    Act(
        "reset-password", "Reset the password", _ADMINISTER, _reset_password, form=ResetForm,
        is_offered=_is_active,
    ),
    Act(
        "deactivate", "Deactivate", _ADMINISTER, _deactivate, is_offered=_is_active, is_grave=True,
        explanation="The person can no longer sign in or sign. The name stays on every record "
        "and is never given to somebody else.",
    ),
    Act("leaving", "Record the last day", _ADMINISTER, _leaving, form=LeavingForm),
    Act(
        "prove-identity", "Prove the identity", Duty.PROVE_IDENTITY, _prove, form=ProofForm,
        is_offered=_is_active, initial=_now,
        explanation="You have seen who this is. Nobody signs before that (21 CFR 11.100(b)).",
    ),
    Act(
        "withdraw-proof", "Withdraw a proof of identity", Duty.PROVE_IDENTITY, _withdraw,
        form=WithdrawForm, is_offered=lambda person: bool(_proofs_of(person)),
        choices={"proof": _proofs_of}, is_grave=True,
    ),
)  # fmt: skip

# --- Pages


class Standing(SimpleListFilter):
    """Find accounts that somebody should look at."""

    title = "standing"
    parameter_name = "standing"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("unproven", "Identity not proven"), ("left", "Has left, still active")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        at = timezone.now()
        match self.value():
            case "unproven":
                return queryset.filter(pk__in=identity.unproven(at=at).values("pk"))
            case "left":
                left = people.leavers_still_active(on=at.date())
                return queryset.filter(pk__in=left.values("pk"))
        return queryset


@admin.register(User)
class UserAdmin(RecordAdmin):
    list_display = ("username", "full_name", "roles_now", "is_active", "leaves_on", "created_at")
    search_fields = ("username", "full_name", "email")
    list_filter = ("is_active", "role_assignments__role", Standing)
    ordering = ("username",)
    pages = (("Segregation of duties", "segregation"),)

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).prefetch_related("role_assignments")

    @admin.display(description="Roles")
    def roles_now(self, person: User) -> str:
        held = [one for one in person.role_assignments.all() if one.ended_at is None]
        return ", ".join(sorted(one.get_role_display() for one in held)) or "no role"

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.segregation)
        return [path("segregation/", view, name="access_segregation"), *super().get_urls()]

    def segregation(self, request: HttpRequest) -> HttpResponse:
        return self.plain_page(request, "Segregation of duties", segregation_page.sections())

    def page(self, record: User, request: HttpRequest) -> Page:
        at = timezone.now()
        return Page(
            title=record.full_name,
            subtitle=f"{record.username}, {record.role_names}",
            badges=_badges(record, at),
            sections=[
                Section("Person", [_facts(record, at)], is_wide=False),
                Section("Roles", [_roles(record)], is_wide=False),
                Section("Identity", [_proofs(record)], is_wide=False),
                Section("Sessions", [_sessions(record)], is_wide=False),
                Section("Training that the roles need", [_needs(record, at)]),
                Section("Trainings", [training_page.trainings(record)]),
                Section("What happened to this account", log_page.of(record)),
            ],
        )


def _badges(person: User, at: datetime) -> list[SafeString]:
    shown = [
        page_parts.badge("Active", "good")
        if person.is_active
        else page_parts.badge("Deactivated", "bad")
    ]
    if person.is_active and person.leaves_on and person.leaves_on < at.date():
        shown.append(page_parts.badge("Has left", "bad"))
    if not identity.is_proven(person, at=at):
        shown.append(page_parts.badge("Identity not proven", "warn"))
    if credentials.is_locked(person.username, at=at):
        shown.append(page_parts.badge("Locked", "bad"))
    return shown


def _facts(person: User, at: datetime) -> Facts:
    source = passwords.source(person, at=at)
    own = "own"
    if people.password_was_set_by_other(person):
        own = "set by somebody else, to be changed at the next sign-in"
    reset = ""
    if source and source.last_reset_at:
        reset = f"{page_parts.moment(source.last_reset_at)} by {source.last_reset_by}"
    return Facts(
        [
            ("Printed name", person.full_name),
            ("User name", person.username),
            ("E-mail", person.email),
            ("Created", page_parts.moment(person.created_at)),
            ("Last day at work", page_parts.day(person.leaves_on)),
            ("Password", own),
            ("Password set by another", reset),
        ]
    )


def _roles(person: User) -> Table:
    return Table(
        ["Role", "From", "Until"],
        [
            [
                one.get_role_display(),
                page_parts.moment(one.granted_at),
                page_parts.moment(one.ended_at) or "now",
            ]
            for one in person.role_assignments.order_by("pk")
        ],
        empty="No role: this person cannot sign in.",
    )


def _proofs(person: User) -> Table:
    return Table(
        ["How", "What was seen", "By", "At", "Withdrawn"],
        [
            [
                one.get_method_display(),
                one.document,
                one.proven_by_name,
                page_parts.moment(one.proven_at),
                page_parts.moment(one.withdrawn_at),
            ]
            for one in person.identity_proofs.order_by("pk")
        ],
        empty="Nobody has established who this is: the person signs nothing.",
    )


def _sessions(person: User) -> Table:
    return Table(
        ["Since", "From", "Until", "Why"],
        [
            [
                page_parts.link(page_parts.moment(one.opened_at), record_admin.url(one)),
                one.address,
                page_parts.moment(one.ended_at) or page_parts.badge("open", "busy"),
                one.get_ended_why_display() if one.ended_why else "",
            ]
            for one in person.sessions.order_by("-pk")[:10]
        ],
        empty="This person has not signed in yet.",
    )


def _needs(person: User, at: datetime) -> Table:
    return training_page.matrix(gaps.matrix([person], at=at), with_person=False)
