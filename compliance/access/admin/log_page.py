"""The access log in the admin: sign-ins, failures, roles, sessions and alarms in one list."""

from django.contrib import admin
from django.http import HttpRequest

from compliance.access import page_parts, record_admin
from compliance.access.models import AccessEvent, SignIn, User
from compliance.access.page_parts import Facts, Page, Part, Section, Table
from compliance.access.record_admin import RecordAdmin

NEWEST = 20


@admin.register(AccessEvent)
class AccessEventAdmin(RecordAdmin):
    list_display = ("at", "username", "kind", "detail", "address")
    search_fields = ("username", "detail", "address")
    list_filter = ("kind",)
    badges = ("kind",)
    date_hierarchy = "at"
    ordering = ("-at", "-id")
    empty_text = "Nothing has happened to an account yet."

    def page(self, record: AccessEvent, request: HttpRequest) -> Page:
        person = User.objects.filter(username__iexact=record.username).first()
        facts = Facts(
            [
                ("At", page_parts.moment(record.at)),
                ("Account", record_admin.link(person) or record.username),
                ("What", page_parts.state(record.kind, record.get_kind_display())),
                ("Detail", record.detail),
                ("From", record.address),
            ]
        )
        return Page(title=str(record), sections=[Section("Access event", [facts])])


@admin.register(SignIn)
class SignInAdmin(RecordAdmin):
    list_display = ("attempted_at", "username", "purpose", "outcome", "address")
    search_fields = ("username", "address")
    list_filter = ("outcome", "purpose")
    badges = ("outcome",)
    date_hierarchy = "attempted_at"
    ordering = ("-pk",)
    empty_text = "Nobody has tried to sign in yet."


def of(person: User) -> list[Part]:
    """Return the newest events of a person, and where all of them are."""
    found = AccessEvent.objects.filter(username=person.username).order_by("-at", "-id")[:NEWEST]
    table = Table(
        ["At", "What", "Detail", "From"],
        [
            [
                page_parts.moment(one.at),
                page_parts.state(one.kind, one.get_kind_display()),
                one.detail,
                one.address,
            ]
            for one in found
        ],
        empty="Nothing has happened to this account yet.",
    )
    address = f"{record_admin.list_url(AccessEvent)}?q={person.username}"
    return [table, page_parts.Note(page_parts.link("All of this account", address))]
