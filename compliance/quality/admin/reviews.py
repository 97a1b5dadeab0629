"""Periodic reviews in the admin."""

from collections.abc import Sequence

from django import forms
from django.contrib import admin
from django.http import HttpRequest

from compliance.access import acts, page_parts
from compliance.access.acts import Act
from compliance.access.duties import Duty
from compliance.access.page_parts import Cell, Facts, Page, Section, Table, Text
from compliance.access.record_admin import RecordAdmin
from compliance.quality.acts import reviews as doing
from compliance.quality.admin import fields
from compliance.quality.models import PeriodicReview
from compliance.quality.states import PERIODIC_REVIEW, OfPeriodicReview
from compliance.signatures import manifestations
from compliance.signatures.forms import SignForm


class PeriodForm(forms.Form):
    system = fields.line(longest=120, help_text="What is looked back at.")
    starts_on = fields.day(label="From")
    ends_on = fields.day(label="To")


class ConcludeForm(SignForm):
    conclusion = fields.text(help_text="Whether it is still fit for use, and what is to be done.")
    next_due_on = fields.day(label="Next review by")
    field_order = ("conclusion", "next_due_on", "password")


acts.offer(
    PeriodicReview,
    Act(
        "open", "Open a periodic review", Duty.CLOSE_DEVIATION,
        fields.opened(doing.open_periodic_review, "{} is open; its figures are collected."),
        form=PeriodForm, is_for_list=True,
    ),
    Act(
        "conclude", "Conclude", Duty.CLOSE_DEVIATION,
        fields.told(doing.conclude_periodic_review, "{} is concluded."), form=ConcludeForm,
        is_offered=lambda one: OfPeriodicReview.CONCLUDE in PERIODIC_REVIEW.allowed[one.state],
        is_grave=True,
    ),
)  # fmt: skip


@admin.register(PeriodicReview)
class PeriodicReviewAdmin(RecordAdmin):
    list_display = ("number", "system", "starts_on", "ends_on", "state", "next_due_on")
    search_fields = ("number", "system")
    list_filter = ("state", "system")
    badges = ("state",)
    date_hierarchy = "opened_at"
    ordering = ("-pk",)
    empty_text = "No periodic review yet. Open one over the last year."

    def page(self, record: PeriodicReview, request: HttpRequest) -> Page:
        badges = [page_parts.state(record.state, record.get_state_display())]
        facts = Facts(
            [
                ("System", record.system),
                ("Period", f"{record.starts_on} to {record.ends_on}"),
                ("Opened", page_parts.moment(record.opened_at)),
                ("By", record.opened_by.username),
                ("Concluded", page_parts.moment(record.concluded_at)),
                ("Next review by", page_parts.day(record.next_due_on)),
            ]
        )
        rows: list[Sequence[Cell]] = [
            [room.replace("-", " "), name.replace("-", " "), str(value)]
            for room, numbers in record.figures.items()
            for name, value in numbers.items()
        ]
        sections = [
            Section("Review", [facts], is_wide=False),
            Section("Figures", [Table(["Of", "Figure", "Number"], rows, numeric=["Number"])]),
        ]
        if record.conclusion:
            sections.append(Section("Conclusion", [Text(record.conclusion)]))
        sections.append(manifestations.section(record))
        return Page(record.number, record.system, badges, sections)
