"""The list and the pages of OOS investigations."""

from django.contrib import admin
from django.contrib.admin import SimpleListFilter
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from batches.laboratory.models import (
    OosInvestigation,
    OosState,
)
from batches.laboratory.oos_phases import CHECKLIST
from compliance.access import page_parts, record_admin
from compliance.access.page_parts import Cell, Facts, Note, Page, Part, Section, Table, Text
from compliance.access.record_admin import RecordAdmin
from compliance.signatures import manifestations


class DueFilter(SimpleListFilter):
    title = "due"
    parameter_name = "due"

    def lookups(self, request: HttpRequest, model_admin: object) -> list[tuple[str, str]]:
        return [("open", "Open"), ("overdue", "Overdue")]

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[OosInvestigation]
    ) -> QuerySet[OosInvestigation]:
        if self.value() not in ("open", "overdue"):
            return queryset
        found = queryset.exclude(state=OosState.CLOSED)
        return found.filter(due_on__lt=timezone.now()) if self.value() == "overdue" else found


@admin.register(OosInvestigation)
class OosInvestigationAdmin(RecordAdmin):
    list_display = (
        "number", "batch", "test_name", "value_text", "limits_text", "state", "conclusion",
        "due_on",
    )  # fmt: skip
    search_fields = ("number", "batch__number", "test__tag", "test__name")
    list_filter = ("state", "conclusion", DueFilter, "cause_category")
    list_select_related = ("batch", "test")
    badges = ("state", "conclusion")
    date_hierarchy = "opened_at"
    ordering = ("-pk",)
    empty_text = "No OOS yet. A result outside its specification opens one by itself."

    @admin.display(description="Test", ordering="test__name")
    def test_name(self, oos: OosInvestigation) -> str:
        return oos.test.name

    def page(self, record: OosInvestigation, request: HttpRequest) -> Page:
        about = record.result or record.stability_result
        facts = Facts(
            [
                ("Batch", record_admin.link(record.batch)),
                ("Result", record_admin.link(about)),
                ("Value", f"{record.value_text} {record.test.unit}"),
                ("Specification", record.limits_text),
                ("Opened", page_parts.moment(record.opened_at)),
                ("Due", page_parts.day(record.due_on)),
                ("Investigator", page_parts.shown(record.investigator)),
                ("Closed", page_parts.moment(record.closed_at)),
                ("Closed by", page_parts.shown(record.approver)),
            ]
        )
        sections = [
            Section("What was found", [facts], is_wide=False),
            Section("Conclusion", _conclusion(record), is_wide=False),
            Section("Phase I: laboratory", _phase_one(record)),
            Section("Phase II: full investigation", _phase_two(record)),
            Section("Deviations", [_links(record)]),
            manifestations.section(record),
        ]
        badges = [page_parts.state(record.state, record.get_state_display())]
        if record.is_open and record.due_on < timezone.now().date():
            badges.append(page_parts.badge("Overdue", "bad"))
        title = f"{record.test.name} of batch {record.batch}"
        return Page(record.number, title, badges, sections)


def _conclusion(oos: OosInvestigation) -> list[Part]:
    if not oos.conclusion:
        return [Note("Not concluded yet: the result stands and blocks the release.")]
    return [
        Facts([("Conclusion", oos.get_conclusion_display())]),
        Text(oos.conclusion_text, label="What follows from what"),
    ]


def _phase_one(oos: OosInvestigation) -> list[Part]:
    rows: list[list[Cell]] = [
        [text, *(oos.checklist.get(item) or [page_parts.badge("open", "warn"), ""])]
        for item, text in CHECKLIST.items()
    ]
    parts: list[Part] = [Table(["Looked at", "Answer", "Remark"], rows)]
    parts.append(
        Facts(
            [
                ("Original preparation retained", page_parts.shown(oos.is_preparation_retained)),
                ("Assignable cause", page_parts.shown(oos.has_cause)),
                ("Category", oos.get_cause_category_display() if oos.has_cause else ""),
                ("Closed", page_parts.moment(oos.phase_one_closed_at)),
            ]
        )
    )
    labelled = (
        ("What the analyst said", oos.interview), ("Cause", oos.cause),
        ("Evidence", oos.cause_evidence),
    )  # fmt: skip
    return [*parts, *(Text(text, label=label) for label, text in labelled if text)]


def _phase_two(oos: OosInvestigation) -> list[Part]:
    rows: list[list[Cell]] = [
        [
            str(one.number),
            record_admin.link(one.sample),
            page_parts.alarm(one.value_text) if one.is_outside else one.value_text,
            str(one.analyst),
            page_parts.moment(one.tested_at),
        ]
        for one in oos.retests.select_related("sample__batch", "analyst").order_by("number")
    ]
    columns = ["No.", "Sample", "Value", "Analyst", "Tested"]
    plan = Facts(
        [
            ("Plan", oos.get_plan_kind_display() if oos.plan_kind else ""),
            ("Retests planned", page_parts.shown(oos.retest_count)),
            ("Analyst", page_parts.shown(oos.retest_analyst)),
            ("Planned by", page_parts.shown(oos.plan_author)),
            ("Approved by", page_parts.shown(oos.plan_approver)),
            ("Approved", page_parts.moment(oos.plan_approved_at)),
        ]
    )
    labelled = (
        ("Review of production", oos.production_review), ("Rationale of the plan", oos.plan_rationale),
        ("Justification of a new sample", oos.resample_justification),
    )  # fmt: skip
    texts = [Text(text, label=label) for label, text in labelled if text]
    table = Table(columns, rows, numeric=["No.", "Value"], empty="No retest is recorded.")
    return [plan, *texts, table]


def _links(oos: OosInvestigation) -> Table:
    rows: list[list[Cell]] = [
        [record_admin.link(one.deviation), one.deviation.title, one.reason]
        for one in oos.deviation_links.select_related("deviation").order_by("pk")
    ]
    empty = "None. A confirmed OOS is closed with the deviation that carries it on."
    return Table(["Deviation", "Title", "Why"], rows, empty=empty)
