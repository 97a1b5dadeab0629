"""Samples in the admin, with their chain of custody."""

from django import forms
from django.contrib import admin
from django.http import HttpRequest

from batches.laboratory import custody, samples
from batches.laboratory.models import CustodyEvent, CustodyKind, Sample, SampleState
from batches.laboratory.pages import fields, results
from batches.laboratory.pages.fields import ReasonForm
from compliance.access import acts, page_parts, record_admin
from compliance.access.acts import Act, Done, Occasion
from compliance.access.duties import Duty
from compliance.access.page_parts import Cell, Facts, Note, Page, Part, Section, Table
from compliance.access.record_admin import RecordAdmin


class MoveForm(ReasonForm):
    kind = forms.ChoiceField(
        choices=[one for one in CustodyKind.choices if one[0] != CustodyKind.SPLIT]
    )
    happened_at = fields.at_utc("Happened at")
    location = forms.CharField(max_length=100, required=False, help_text="Where it is kept then.")
    field_order = ("kind", "happened_at", "location", "reason")


class SplitForm(ReasonForm):
    number = forms.CharField(max_length=80, label="Number of the aliquot")
    field_order = ("number", "reason")


def _move(occasion: Occasion) -> Done:
    given = occasion.values
    custody.move(
        occasion.record, kind=CustodyKind(given["kind"]), happened_at=given["happened_at"],
        location=given["location"], actor=occasion.actor, at=occasion.at, reason=given["reason"],
    )  # fmt: skip
    return Done(f"{occasion.record}: {CustodyKind(given['kind']).label.lower()}.")


def _split(occasion: Occasion) -> Done:
    made = custody.split(
        occasion.record, number=occasion.values["number"], actor=occasion.actor, at=occasion.at,
        reason=occasion.values["reason"],
    )  # fmt: skip
    return Done(f"{made} is an aliquot of {occasion.record}.", made)


def _is_kept(sample: Sample) -> bool:
    return custody.state_of(sample) in (SampleState.TAKEN, SampleState.RECEIVED)


acts.offer(
    Sample,
    Act(
        "move", "Record its custody", Duty.ENTER_RESULTS, _move, form=MoveForm,
        is_offered=_is_kept, initial=fields.now("happened_at"),
        explanation="Who has the sample and where, without a gap.",
    ),
    Act("split", "Split", Duty.ENTER_RESULTS, _split, form=SplitForm, is_offered=_is_kept),
)  # fmt: skip


@admin.register(Sample)
class SampleAdmin(RecordAdmin):
    list_display = ("number", "batch", "point", "taken_at", "taken_by", "state")
    search_fields = ("number", "batch__number", "point", "taken_by")
    list_filter = ("standing__state", "point")
    list_select_related = ("batch", "standing")
    date_hierarchy = "taken_at"
    ordering = ("-pk",)
    empty_text = (
        "No samples yet. The LIMS posts them, or they are registered on the page of a batch."
    )

    @admin.display(description="State")
    def state(self, record: Sample) -> str:
        state = record.standing.state if hasattr(record, "standing") else SampleState.TAKEN
        return page_parts.state(state, SampleState(state).label)

    def page(self, record: Sample, request: HttpRequest) -> Page:
        state = SampleState(custody.state_of(record))
        facts = Facts(
            [
                ("Batch", record_admin.link(record.batch)),
                ("Point", record.point),
                ("Aliquot of", record_admin.link(record.parent)),
                ("Taken", page_parts.moment(record.taken_at)),
                ("Taken by", record.taken_by),
                ("Sent by", page_parts.shown(record.source)),
                ("Kept at", record.standing.location if hasattr(record, "standing") else ""),
            ]
        )
        sections = [
            Section("Sample", [facts]),
            Section("Chain of custody", [_custody(record)]),
            Section("Results", [results.table(record.batch, record)]),
        ]
        badge = page_parts.state(state, state.label)
        return Page(record.number, f"of batch {record.batch}", [badge], sections)


def _custody(sample: Sample) -> Table:
    rows: list[list[Cell]] = [
        [
            page_parts.moment(one.happened_at),
            one.get_kind_display(),
            one.by,
            one.location,
            one.remark,
            page_parts.moment(one.recorded_at),
        ]
        for one in sample.custody.order_by("happened_at", "pk")
    ]
    columns = ["At", "What", "By", "Where", "Remark", "Recorded"]
    return Table(columns, rows, empty="Taken; nothing is recorded since.")


def gaps(sample_batch: object) -> list[Part]:
    """Return a remark when the numbers of a batch's samples skip some."""
    missing = samples.missing_numbers(sample_batch)  # type: ignore[arg-type]
    if not missing:
        return []
    shown = ", ".join(missing[:10]) + (" and more" if len(missing) > 10 else "")
    return [Note(f"The numbering skips {shown}: data that nobody recorded?", "warn")]


@admin.register(CustodyEvent)
class CustodyEventAdmin(RecordAdmin):
    list_display = ("happened_at", "sample", "kind", "by", "location", "recorded_at")
    search_fields = ("sample__number", "sample__batch__number", "by", "location")
    list_filter = ("kind",)
    list_select_related = ("sample__batch",)
    date_hierarchy = "happened_at"
    ordering = ("-pk",)
    empty_text = "No custody yet. It is recorded on the pages of samples."
