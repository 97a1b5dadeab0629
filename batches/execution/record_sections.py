"""The record on the pages of a batch and its phases: entries, materials, exceptions, comments."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from django.http import HttpRequest

from batches.execution import completeness
from batches.execution.models import (
    Batch,
    BatchPhase,
    Calculation,
    ExceptionState,
    MaterialAccount,
    PhaseState,
)
from compliance.access import page_parts, record_admin
from compliance.access.page_parts import Bar, Bars, Cell, Note, Part, Section, Table

_PEOPLE = ("performed_by", "verified_by")


@record_admin.section(Batch, order=20)
def exceptions(batch: Batch, request: HttpRequest) -> Section:
    """What departs from the recipe or the rules; what does not is counted elsewhere."""
    found = batch.exceptions.select_related("phase", "deviation", "assessed_by").order_by("pk")
    return Section("Exceptions", [_exceptions(list(found))], anchor="exceptions")


@record_admin.section(Batch, order=22)
def progress(batch: Batch, request: HttpRequest) -> Section:
    """How far the batch is, and what its record lacks by 21 CFR 211.188(b)."""
    phases = list(batch.phases.order_by("order"))
    done = sum(one.state == PhaseState.DONE for one in phases)
    verified = sum(one.verified_by_id is not None for one in phases)
    needed = sum(one.needs_verification for one in phases)
    bars = [Bar("Phases", len(phases), str(len(phases))), Bar("Done", done, f"{done}")]
    if needed:
        bars.append(Bar("Verified", verified, f"{verified} of {needed}"))
    lacking = completeness.of(batch)
    table = Table(
        ["21 CFR 211.188", "What the record lacks"],
        [[one.clause, one.text] for one in lacking],
        empty="The record lacks nothing.",
    )
    return Section("Progress and completeness", [Bars(bars), table], anchor="completeness")


@record_admin.section(Batch, order=24)
def batch_entries(batch: Batch, request: HttpRequest) -> Section:
    return Section("Record", list(_parts(batch)), anchor="record")


@record_admin.section(BatchPhase, order=20)
def phase_entries(phase: BatchPhase, request: HttpRequest) -> Section:
    found = phase.exceptions.select_related("batch", "phase", "deviation", "assessed_by").order_by(
        "pk"
    )
    return Section("Record", [*_parts(phase), _exceptions(list(found))])


def _parts(of: Any) -> Sequence[Part]:
    """Return the tables of what was entered in a batch or in one of its phases."""
    tables = (
        _charges(of), _accounts(of), _equipment(of), _in_process(of), _calculations(of),
        _examinations(of),
    )  # fmt: skip
    parts: list[Part] = [table for table in tables if table.rows]
    parts += [table for table in (_labels(of), _remarks(of), _files(of)) if table.rows]
    return parts or [Note("Nothing was entered by people yet. A phase's page has the buttons.")]


def _exceptions(found: list[Any]) -> Table:
    rows: list[list[Cell]] = [
        [
            record_admin.link(one),
            one.text,
            one.clause,
            page_parts.badge("Critical", "bad") if one.is_critical else "",
            page_parts.badge(
                one.get_state_display(), "busy" if one.state == ExceptionState.OPEN else "good"
            ),
            record_admin.link(one.deviation),
        ]
        for one in found
    ]
    columns = ["Exception", "What", "Clause", "", "State", "Deviation"]
    return Table(columns, rows, empty="No exception was flagged.")


def _charges(of: Any) -> Table:
    rows: list[list[Cell]] = [
        [
            one.material.material_code,
            record_admin.link(one.lot),
            f"{one.net.normalize():f} {one.unit}",
            one.given,
            str(one.performed_by),
            str(one.verified_by),
            _moments(one),
        ]
        for one in of.charges.select_related("material", "lot", *_PEOPLE).order_by("pk")
    ]
    return Table(
        ["Material", "Lot", "Net", "As given", "Charged by", "Verified by", "Done"], rows,
        numeric=["Net"], caption="Materials",
    )  # fmt: skip


def _accounts(of: Any) -> Table:
    found = of.material_accounts.select_related(
        "batch", "material", "lot", "reconciliation", *_PEOPLE
    )
    rows: list[list[Cell]] = [
        [
            record_admin.link(one),
            one.material.material_code,
            *(f"{amount.normalize():f}" for amount in _amounts(one)),
            one.unit,
            _judged(one.reconciliation),
            f"± {one.limit_percent.normalize():f} %",
            str(one.performed_by),
            str(one.verified_by or ""),
            _moments(one),
        ]
        for one in found.order_by("pk")
    ]
    amounts = ["Issued", "Charged", "Returned", "Wasted", "Difference"]
    columns = ["Account", "Material", *amounts, "Unit", "Accounted for", "Limit", "By"]
    return Table(
        [*columns, "Verified by", "Done"], rows, numeric=[*amounts, "Accounted for"],
        caption="Reconciliation of materials",
    )  # fmt: skip


def _amounts(one: MaterialAccount) -> tuple[Decimal, ...]:
    return one.issued, one.charged, one.returned, one.wasted, one.difference


def _judged(one: Calculation) -> Cell:
    text = f"{one.result} {one.unit}"
    return text if one.is_within else page_parts.alarm(text)


def _equipment(of: Any) -> Table:
    found = of.equipment.select_related("equipment", "use", "performed_by").order_by("pk")
    rows: list[list[Cell]] = [
        [
            record_admin.link(one),
            one.equipment.kind,
            one.state_text,
            str(one.performed_by),
            _moments(one),
            page_parts.moment(one.use.used_until),
        ]
        for one in found
    ]
    columns = ["Equipment", "Kind", "State at use", "Used by", "From", "Until"]
    return Table(columns, rows, caption="Equipment")


def _in_process(of: Any) -> Table:
    found = of.in_process_results.select_related("parameter", "batch", *_PEOPLE).order_by("pk")
    rows: list[list[Cell]] = [
        [
            record_admin.link(one),
            page_parts.alarm(one.value_text) if one.standing != "within" else one.value_text,
            one.unit,
            one.get_standing_display(),
            str(one.performed_by),
            str(one.verified_by or ""),
            _moments(one),
        ]
        for one in found
    ]
    columns = ["Result", "Value", "Unit", "Standing", "Entered by", "Verified by", "Done"]
    return Table(columns, rows, numeric=["Value"], caption="In-process results")


def _calculations(of: Any) -> Table:
    rows: list[list[Cell]] = [
        [
            record_admin.link(one),
            f"{one.formula} v{one.formula_version}",
            page_parts.alarm(one.result) if not one.is_within else one.result,
            one.recomputed,
            one.unit,
            str(one.computed_by),
            page_parts.moment(one.computed_at),
        ]
        for one in of.calculations.select_related("batch", "computed_by").order_by("pk")
    ]
    columns = ["Calculation", "Formula", "Result", "Second way", "Unit", "By", "At"]
    return Table(columns, rows, numeric=["Result", "Second way"], caption="Calculations")


def _examinations(of: Any) -> Table:
    rows: list[list[Cell]] = [
        [
            record_admin.link(one),
            page_parts.badge("Conforming", "good")
            if one.is_conforming
            else page_parts.badge("Not conforming", "bad"),
            one.finding,
            str(one.performed_by),
            str(one.verified_by or ""),
            _moments(one),
        ]
        for one in of.examinations.select_related("batch", *_PEOPLE).order_by("pk")
    ]
    columns = ["Examination", "Outcome", "Finding", "By", "Verified by", "Done"]
    return Table(columns, rows, caption="Examinations")


def _labels(of: Any) -> Table:
    rows: list[list[Cell]] = [
        [
            record_admin.link(one),
            str(one.issued),
            str(one.used),
            str(one.returned),
            str(one.destroyed),
            str(one.sampled),
            str(one.performed_by),
            str(one.verified_by or ""),
            _moments(one),
        ]
        for one in of.label_uses.select_related("batch", "label__batch", *_PEOPLE).order_by("pk")
    ]
    counted = ["Issued", "Used", "Returned", "Destroyed", "Sampled"]
    columns = ["Label", *counted, "By", "Verified by", "Done"]
    return Table(columns, rows, numeric=counted, caption="Labels")


def _remarks(of: Any) -> Table:
    rows: list[list[Cell]] = [
        [page_parts.moment(one.written_at), str(one.written_by), one.text]
        for one in of.remarks.select_related("written_by").order_by("pk")
    ]
    return Table(["At", "By", "Comment"], rows, caption="Comments")


def _files(of: Any) -> Table:
    rows: list[list[Cell]] = [
        [
            one.title,
            page_parts.link(
                one.attachment.filename, f"/api/v1/batches/{one.batch}/files/{one.pk}/content"
            ),
            page_parts.code(one.attachment.sha256),
            str(one.attached_by),
            page_parts.moment(one.attached_at),
        ]
        for one in of.files.select_related("batch", "attachment", "attached_by").order_by("pk")
    ]
    return Table(["Title", "File", "SHA-256", "By", "At"], rows, caption="Attachments")


def _moments(entry: Any) -> str:
    """When it was done and, where it is another time, when it was recorded."""
    done = page_parts.moment(entry.performed_at)
    if not entry.late_reason:
        return done
    return f"{done}; entered late at {page_parts.moment(entry.recorded_at)}: {entry.late_reason}"
