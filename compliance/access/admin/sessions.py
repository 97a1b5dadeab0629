"""Sessions of people in the admin, and the button that ends one."""

from typing import Any

from django.contrib import admin
from django.contrib.admin import SimpleListFilter
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from compliance.access import acts, page_parts, record_admin, sessions
from compliance.access.acts import Act, Done, Occasion
from compliance.access.duties import Duty
from compliance.access.models import PersonSession
from compliance.access.page_parts import Facts, Page, Section
from compliance.access.record_admin import RecordAdmin


def _revoke(occasion: Occasion) -> Done:
    session = sessions.revoke(
        occasion.record, actor=occasion.actor, at=occasion.at, reason=occasion.values["reason"]
    )
    return Done(f"The session of {session.person} is ended; its next request is refused.")


acts.offer(
    PersonSession,
    Act(
        "revoke", "End this session", Duty.ADMINISTER_ACCESS, _revoke, is_grave=True,
        is_offered=lambda session: session.ended_at is None,
    ),
)  # fmt: skip


class Open(SimpleListFilter):
    """Find the sessions that may still be used."""

    title = "standing"
    parameter_name = "standing"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("open", "Open"), ("ended", "Ended")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        match self.value():
            case "open":
                standing = sessions.standing(at=timezone.now())
                return queryset.filter(pk__in=standing.values("pk"))
            case "ended":
                return queryset.filter(ended_at__isnull=False)
        return queryset


@admin.register(PersonSession)
class PersonSessionAdmin(RecordAdmin):
    list_display = ("opened_at", "person", "address", "agent", "ended_at", "ended_why")
    search_fields = ("person__username", "person__full_name", "address")
    list_filter = (Open, "ended_why")
    list_select_related = ("person",)
    date_hierarchy = "opened_at"
    ordering = ("-pk",)
    empty_text = "Nobody has signed in yet."

    def page(self, record: PersonSession, request: HttpRequest) -> Page:
        facts = Facts(
            [
                ("Person", record_admin.link(record.person)),
                ("Opened", page_parts.moment(record.opened_at)),
                ("From", record.address),
                ("Program", record.agent),
                ("Ended", page_parts.moment(record.ended_at)),
                ("Why", record.get_ended_why_display() if record.ended_why else ""),
            ]
        )
        standing = (
            page_parts.badge("Open", "busy")
            if record.ended_at is None
            else page_parts.badge("Ended", "quiet")
        )
        return Page(str(record), "", [standing], [Section("Session", [facts])])
