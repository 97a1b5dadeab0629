"""Deviations in the admin: the list, and one page with everything that belongs to each."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone

from compliance.access import page_parts, record_admin
from compliance.access.page_parts import Cell, Facts, Page, Section, Table, Text
from compliance.access.record_admin import RecordAdmin
from compliance.quality.admin import investigation_pages, overdue, trend_pages
from compliance.quality.admin.overdue import Due
from compliance.quality.models import ENDED, Deviation, DeviationNote, Reminder
from compliance.signatures import manifestations
from compliance.trail.query_form import QueryForm


@admin.register(Deviation)
class DeviationAdmin(RecordAdmin):
    list_display = ("number", "title", "severity", "state", "occurred_at", "opened_by", "due")
    search_fields = ("number", "title", "description", "opened_by", "concerns")
    list_filter = ("state", "severity", Due, "category", "origin")
    due_column, ended = "due_on", tuple(ENDED)
    badges = ("severity", "state")
    date_hierarchy = "opened_at"
    ordering = ("-pk",)
    empty_text = "No deviation yet. Open one here, or on the page of the batch that it concerns."

    @admin.display(description="Due", ordering="due_on")
    def due(self, deviation: Deviation) -> str:
        return overdue.shown(deviation.due_on, is_open=deviation.is_open)

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        answer = super().changelist_view(request, extra_context)
        context = getattr(answer, "context_data", None)
        if context is not None and "acts" in context:
            context["acts"].append(("Trends and figures", reverse("admin:quality_trends"), False))
        return answer

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.trends_view)
        return [path("trends/", view, name="quality_trends"), *super().get_urls()]

    def trends_view(self, request: HttpRequest) -> HttpResponse:
        """Show what occurred in twelve months, and the figures of the management review."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        QueryForm.demand(request)
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": "Trends and figures",
            **trend_pages.shown(on=timezone.now().date()),
        }
        return TemplateResponse(request, "admin/quality/trends.html", context)

    def page(self, record: Deviation, request: HttpRequest) -> Page:
        badges = [page_parts.state(record.severity, record.get_severity_display())]
        badges += [page_parts.state(record.state, record.get_state_display())]
        if _is_late(record):
            badges.append(page_parts.badge("Overdue", "bad"))
        sections = [
            Section("What happened", [_facts(record), Text(record.description)], is_wide=False),
            Section("Investigation", _investigation(record), is_wide=False),
            *investigation_pages.sections(record),
        ]
        if record.claims:
            sections.append(_claims(record))
        sections += [manifestations.section(record), _notes(record)]
        return Page(record.number, record.title, badges, sections)


def _is_late(deviation: Deviation) -> bool:
    return deviation.is_open and deviation.due_on < timezone.now().date()


def _linked(deviation: Deviation | None) -> Cell:
    return "" if deviation is None else record_admin.link(deviation)


def _facts(deviation: Deviation) -> Facts:
    return Facts(
        [
            ("Occurred", page_parts.moment(deviation.occurred_at)),
            ("Opened", f"{page_parts.moment(deviation.opened_at)} by {deviation.opened_by}"),
            ("Origin", deviation.get_origin_display()),
            ("Due", page_parts.day(deviation.due_on)),
            ("Closed", page_parts.moment(deviation.closed_at)),
            ("Category", deviation.get_category_display() if deviation.category else ""),
            ("Concerns", deviation.concerns),
            ("Duplicate of", _linked(deviation.duplicate_of)),
            ("Refers to", _linked(deviation.follows)),
        ]
    )


def _investigation(deviation: Deviation) -> list[Any]:
    texts = [
        Text(text, label=label)
        for label, text in (
            ("Root cause", deviation.root_cause),
            ("Alternatives considered", deviation.alternatives_considered),
            ("Impact", deviation.impact),
            ("Immediate action", deviation.immediate_action),
            ("Corrective action", deviation.corrective_action),
            ("Conclusion", deviation.conclusion),
        )
        if text
    ]
    if not texts:
        return [page_parts.Note("Not investigated yet. Record what was found, then sign it.")]
    category = deviation.get_root_cause_category_display() or "Not determined"
    return [Facts([("Category of the cause", category)]), *texts]


def _claims(deviation: Deviation) -> Section:
    rows = [[name, page_parts.shown(value)] for name, value in deviation.claims.items()]
    table = Table(["Claim", "As written in the imported report"], rows)
    source = page_parts.Folded("The imported report, unchanged", [Text(deviation.source_text)])
    return Section("What the imported report claims", [table, source])


def _notes(deviation: Deviation) -> Section:
    notes = DeviationNote.objects.filter(deviation=deviation).select_related("written_by")
    reminders = Reminder.objects.filter(deviation=deviation).order_by("-reminded_on")[:10]
    table = Table(
        ["At", "By", "Remark"],
        [
            [page_parts.moment(one.written_at), str(one.written_by), one.text]
            for one in notes.order_by("pk")
        ],
        empty="No remarks.",
    )
    parts: list[page_parts.Part] = [table]
    if reminders:
        rows = [
            [page_parts.day(one.reminded_on), str(one.days_overdue), one.addressed_to]
            for one in reminders
        ]
        parts.append(Table(["Reminded on", "Days overdue", "Addressed to"], rows))
    return Section("Remarks", parts)
