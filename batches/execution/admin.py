"""Batches in the admin: how each was made, with its readings, events and deviations."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.text import Truncator

from batches.execution import (  # noqa: F401 -- the pages of phases and entries register themselves
    batch_acts,
    batches,
    entry_pages,
    genealogy_sections,
    measurements,
    phase_pages,
    record_sections,
    series,
    specimen_pages,
)
from batches.execution.models import Batch, BatchEvent, BatchPhase, EventKind, ReadingSegment
from batches.quantities import unit_words
from batches.recipes import admin as recipe_pages
from batches.recipes.models import Parameter, ParameterKind
from compliance.access import acts, page_parts, record_admin
from compliance.access.acts import Act, Done, Occasion, ReasonForm
from compliance.access.duties import Duty
from compliance.access.page_parts import Cell, Facts, Note, Page, Part, Picture, Section, Table
from compliance.access.record_admin import RecordAdmin
from compliance.quality.admin import OpenForm
from compliance.quality.models import Deviation, Severity
from compliance.reports import charts
from compliance.trail import timeline_pages

NEWEST_EVENTS = 200
CHART_POINTS = 1500


class LinkForm(ReasonForm):
    deviation = forms.ChoiceField()
    field_order = ("deviation", "reason")


# --- Acts


def _open_deviation(occasion: Occasion) -> Done:
    given = occasion.values
    deviation = batches.open_deviation(
        occasion.record,
        title=given["title"],
        description=given["description"],
        severity=Severity(given["severity"]),
        occurred_at=given["occurred_at"],
        actor=occasion.actor,
        at=occasion.at,
    )
    return Done(f"{deviation} is open and linked to {occasion.record}.", deviation)


def _link_deviation(occasion: Occasion) -> Done:
    deviation = Deviation.objects.get(pk=occasion.values["deviation"])
    batches.link_deviation(
        occasion.record,
        deviation=deviation,
        actor=occasion.actor,
        at=occasion.at,
        reason=occasion.values["reason"],
    )
    return Done(f"{deviation} is linked to {occasion.record}.")


def _linkable(batch: Batch) -> list[tuple[str, str]]:
    known = Deviation.objects.exclude(batches=batch).order_by("-pk")[:200]
    return [(str(one.pk), f"{one.number} {one.title}") for one in known]


def _now(record: Any) -> dict[str, Any]:
    return {"occurred_at": timezone.now()}


acts.offer(
    Batch,
    Act(
        "open-deviation", "Open a deviation", Duty.OPEN_DEVIATION, _open_deviation, form=OpenForm,
        initial=_now, explanation="It blocks the release of this batch until it is closed.",
    ),
    Act(
        "link-deviation", "Link a deviation", Duty.OPEN_DEVIATION, _link_deviation, form=LinkForm,
        choices={"deviation": _linkable},
        explanation="For a deviation that concerns this batch too.",
    ),
)  # fmt: skip


# --- Pages


@admin.register(Batch)
class BatchAdmin(RecordAdmin):
    list_display = (
        "number",
        "product",
        "state",
        "disposition",
        "issued_at",
        "started_at",
        "ended_at",
    )
    search_fields = ("number", "recipe__product__code", "recipe__product__name")
    list_filter = ("state", "disposition", "recipe__product")
    list_select_related = ("recipe__product",)
    badges = ("state", "disposition")
    date_hierarchy = "issued_at"
    ordering = ("-pk",)
    empty_text = "No batch yet. A supervisor or the MES issues one, against an effective recipe."

    @admin.display(description="Product", ordering="recipe__product__code")
    def product(self, batch: Batch) -> str:
        return batch.recipe.product.code

    def page(self, record: Batch, request: HttpRequest) -> Page:
        facts = Facts(
            [
                ("Product", record_admin.link(record.recipe.product)),
                ("Recipe", record_admin.link(record.recipe)),
                ("Issued", page_parts.moment(record.issued_at)),
                ("Issued by", str(record.issued_by or "")),
                ("Copy checked by", str(record.checked_by or "")),
                ("Planned size", _size(record)),
                ("Started", page_parts.moment(record.started_at)),
                ("Ended", page_parts.moment(record.ended_at)),
                ("Digest of the recipe as issued", page_parts.code(record.recipe_digest)),
            ]
        )
        disposition = f"Disposition: {record.get_disposition_display().lower()}"
        badges = [
            page_parts.state(record.state, record.get_state_display()),
            page_parts.state(record.disposition, disposition),
        ]
        sections = [
            Section("Batch", [facts], is_wide=False),
            Section("Deviations", [_deviations(record)], is_wide=False),
            Section("Phases", [_phases(record)]),
        ]
        evidence_url = timeline_pages.evidence_url(kind="batch", name=record.number)
        return Page(record.number, record.recipe.product.name, badges, sections, evidence_url)


def _size(batch: Batch) -> str:
    if batch.planned_size is None:
        return ""
    times = f", {batch.scale.normalize():f} times the recipe's" if batch.scale != 1 else ""
    return f"{batch.planned_size.normalize():f} {batch.planned_unit}{times}"


def _phases(batch: Batch) -> Table:
    rows: list[list[Cell]] = [
        [
            str(one.order),
            one.unit_procedure,
            page_parts.link(one.name, record_admin.url(one)),
            page_parts.state(one.state, one.get_state_display()),
            _verified(one),
            page_parts.moment(one.started_at),
            page_parts.moment(one.ended_at),
        ]
        for one in batch.phases.select_related("verified_by").order_by("order")
    ]
    columns = ["No.", "Unit procedure", "Phase", "State", "Verified", "Started", "Ended"]
    return Table(columns, rows, numeric=["No."])


def _verified(phase: BatchPhase) -> Cell:
    if phase.verified_by is not None:
        return page_parts.badge(phase.verified_by.full_name, "good")
    return page_parts.badge("needed", "warn") if phase.needs_verification else ""


def _deviations(batch: Batch) -> Table:
    rows: list[list[Cell]] = [
        [
            record_admin.link(one),
            one.title,
            page_parts.state(one.severity, one.get_severity_display()),
            page_parts.state(one.state, one.get_state_display()),
        ]
        for one in batch.deviations.order_by("-pk")
    ]
    return Table(
        ["Deviation", "Title", "Severity", "State"], rows, empty="No deviation concerns this batch."
    )


@record_admin.section(Batch, order=30)
def readings(batch: Batch, request: HttpRequest) -> Section:
    """The newest reading of each parameter, and a chart of all of them."""
    newest = series.latest(batch)
    if not newest:
        return Section("Readings", [Note("No readings yet. Sensors and historians post them.")])
    parameters = {one.tag: one for one in batch.recipe.parameters.all()}
    rows: list[list[Cell]] = [
        [
            parameters[one.tag].name,
            recipe_pages.marked(
                parameters[one.tag], one.value, f"{one.value} {unit_words.shown(one.unit)}"
            ),
            parameters[one.tag].limits_text,
            page_parts.moment(one.at),
        ]
        for one in newest
    ]
    table = Table(
        ["Parameter", "Newest reading", "Limits", "Read at"], rows, numeric=["Newest reading"]
    )
    pictures = [
        Picture(
            record_admin.picture_url(batch, "readings", one.tag),
            f"{parameters[one.tag].name} of {batch.number} over time; "
            f"limits {parameters[one.tag].limits_text}",
        )
        for one in newest
    ]
    return Section("Readings", [table, *pictures])


@record_admin.picture(Batch, "readings")
def readings_chart(batch: Batch, key: str) -> bytes | None:
    """Draw all readings of one tag with the limits of the recipe."""
    parameter = batch.recipe.parameters.filter(tag=key, kind=ParameterKind.READING).first()
    if parameter is None:
        return None
    found = series.of(batch, tag=key, max_points=CHART_POINTS)
    drawing = charts.time_series(
        [charts.Series(parameter.name, [(one.at, float(one.value)) for one in found.points])],
        limits=[
            charts.Limit(f"{side} {value.normalize():f}", float(value))
            for side, value in (("low", parameter.low), ("high", parameter.high))
            if value is not None
        ],
        title=parameter.name,
        unit=unit_words.shown(parameter.unit),
    )
    return charts.to_svg(drawing)


@record_admin.section(Batch, order=50)
def events(batch: Batch, request: HttpRequest) -> Section:
    """The newest events, with what is out of limits marked."""
    parameters = {one.tag: one for one in batch.recipe.parameters.all()}
    found = list(
        batch.events.select_related("source").order_by("-occurred_at", "-pk")[: NEWEST_EVENTS + 1]
    )
    parts: list[Part] = []
    if len(found) > NEWEST_EVENTS:
        every = f"{record_admin.list_url(BatchEvent)}?batch__id__exact={batch.pk}"
        parts.append(Note(page_parts.link(f"The newest {NEWEST_EVENTS}; show all events", every)))
    rows: list[list[Cell]] = [
        [
            one.occurred_text,
            one.get_kind_display(),
            one.phase,
            _value(one, parameters.get(one.tag)),
            one.text,
            one.performed_by,
            _recorded(one),
        ]
        for one in found[:NEWEST_EVENTS]
    ]
    columns = ["Occurred (source's clock)", "Kind", "Phase", "Value", "Text", "By", "Recorded"]
    table = Table(columns, rows, numeric=["Value"], empty="No events yet. The MES posts them.")
    return Section("Events", [*parts, table])


def _value(event: BatchEvent, parameter: Parameter | None) -> Cell:
    if not event.value:
        return ""
    text = f"{event.tag} {event.value} {event.unit}".strip()
    if parameter is None or event.kind != EventKind.MEASUREMENT:
        return text
    value = measurements.number(event.value)
    return text if value is None else recipe_pages.marked(parameter, value, text)


def _recorded(event: BatchEvent) -> str:
    remarks = [
        remark
        for remark, applies in (
            ("backfilled", event.is_backfilled),
            ("late", event.is_late and not event.is_backfilled),
            ("zone assumed", event.is_zone_assumed),
        )
        if applies
    ]
    said = f" ({', '.join(remarks)})" if remarks else ""
    return page_parts.moment(event.recorded_at) + said


@record_admin.section(Deviation, order=20)
def concerned(deviation: Deviation, request: HttpRequest) -> Section:
    """The batches that a deviation concerns."""
    rows: list[list[Cell]] = [
        [
            record_admin.link(one),
            one.recipe.product.code,
            page_parts.state(one.state, one.get_state_display()),
            page_parts.state(one.disposition, one.get_disposition_display()),
        ]
        for one in deviation.batches.select_related("recipe__product").order_by("number")
    ]
    table = Table(
        ["Batch", "Product", "State", "Disposition"],
        rows,
        empty="No batch is linked. Link it on the page of the batch.",
    )
    return Section("Batches concerned", [table])


@admin.register(BatchEvent)
class BatchEventAdmin(RecordAdmin):
    list_display = ("occurred_at", "batch", "kind", "phase", "said", "performed_by")
    search_fields = ("batch__number", "message_id", "performed_by", "text")
    list_filter = ("kind", "is_backfilled", "is_zone_assumed")
    list_select_related = ("batch",)
    date_hierarchy = "occurred_at"
    ordering = ("-pk",)
    empty_text = "No events yet. The MES posts them over the API."

    def get_queryset(self, request: HttpRequest) -> QuerySet[BatchEvent]:
        return super().get_queryset(request).prefetch_related("batch__recipe__parameters")

    @admin.display(description="Value or text", ordering="tag")
    def said(self, event: BatchEvent) -> Cell:
        """Write what was measured, marked where it is outside its limits, or what was seen."""
        of_recipe = event.batch.recipe.parameters.all()
        parameter = next((one for one in of_recipe if one.tag == event.tag), None)
        return _value(event, parameter) or Truncator(event.text).chars(80)


@admin.register(ReadingSegment)
class ReadingSegmentAdmin(RecordAdmin):
    list_display = ("first_at", "last_at", "batch", "count", "source", "recorded_at")
    search_fields = ("batch__number", "message_id", "root")
    list_filter = ("is_backfilled", "source")
    list_select_related = ("batch", "source")
    ordering = ("-pk",)
    empty_text = "No readings yet. Sensors and historians post them over the API."
