"""Show the parts of a recipe in tables, with links to write in a draft."""

from collections.abc import Callable, Sequence
from decimal import Decimal
from urllib.parse import quote

from django.db.models import Model

from batches.recipes import parts as lines_of
from batches.recipes.models import (
    Criticality,
    EquipmentRequirement,
    ExpectedYield,
    LabelRequirement,
    MasterRecipe,
    MaterialRequirement,
    Parameter,
    RecipePhase,
    SamplingPoint,
)
from batches.recipes.models.process import plain, range_text
from batches.recipes.parts import KINDS, Kind
from compliance.access import page_parts, record_admin
from compliance.access.page_parts import Cell, Folded, Note, Part, Section, Table

LONG = 12  # lines of a list that are shown without folding

_HEADINGS = {
    "phases": "Procedure: unit procedures, operations, phases",
    "parameters": "Formula: parameters, ranges and limits",
    "materials": "Bill of materials",
    "yields": "Theoretical yields",
    "sampling": "Sampling plan",
    "equipment": "Equipment",
    "labels": "Labels",
}


def of(recipe: MasterRecipe, *, may_write: bool) -> list[Section]:
    """Return one section a kind of part."""
    return [_section(recipe, kind, may_write=may_write) for kind in KINDS.values()]


def _section(recipe: MasterRecipe, kind: Kind, *, may_write: bool) -> Section:
    columns, row_of = _TABLES[kind.name]
    rows = lines_of.rows(recipe, kind)
    cells = [row_of(one) for one in rows]
    if may_write:
        columns = [*columns, "Write"]
        cells = [[*line, _write(recipe, kind, one)] for line, one in zip(cells, rows, strict=True)]
    table = Table(columns, cells, empty="None yet.")
    parts: list[Part] = [table]
    if len(rows) > LONG:
        parts = [
            Folded(f"{len(rows)} {kind.singular} lines", [table], is_open=kind.name != "labels")
        ]
    if may_write:
        url = f"{act_url(recipe, f'write-{kind.name}')}"
        parts.append(Note(page_parts.link(f"Add: {kind.singular}", url)))
    return Section(_HEADINGS[kind.name], parts)


def act_url(recipe: MasterRecipe, act: str, line: str = "") -> str:
    base = record_admin.url(recipe).removesuffix("change/")
    return f"{base}acts/{act}/" + (f"?line={quote(line)}" if line else "")


def _write(recipe: MasterRecipe, kind: Kind, row: Model) -> Cell:
    key = lines_of.key_of_row(kind, row)
    return page_parts.link("Change", act_url(recipe, f"write-{kind.name}", key))


def parameters(recipe: MasterRecipe) -> Table:
    """Return the parameters of a recipe with their limits."""
    columns, row_of = _TABLES["parameters"]
    rows = recipe.parameters.select_related("phase").order_by("tag")
    return Table(columns, [row_of(one) for one in rows], numeric=["Target"])


def marked(parameter: Parameter | None, value: Decimal, text: str) -> Cell:
    """Write a value as its source wrote it, marked where it is outside the limits."""
    if parameter is None:
        return text
    below = parameter.low is not None and value < parameter.low
    above = parameter.high is not None and value > parameter.high
    return page_parts.alarm(text) if below or above else text


# --- One row a kind


def _phase(one: RecipePhase) -> list[Cell]:
    needs = [
        f"{one.duration_min} min" if one.duration_min is not None else "",
        f"next within {one.hold_limit_min} min" if one.hold_limit_min is not None else "",
        f"in parallel: {one.parallel_group}" if one.parallel_group else "",
    ]
    return [
        str(one.order),
        one.unit_procedure,
        one.operation,
        one.name,
        one.instruction,
        "; ".join(need for need in needs if need),
        "second person" if one.needs_verification else "",
        one.equipment_kind,
        one.procedure.code if one.procedure else "",
    ]


def _parameter(one: Parameter) -> list[Cell]:
    critical = one.criticality != Criticality.OTHER
    alert = range_text(one.alert_low, one.alert_high, one.unit)
    action = range_text(one.action_low, one.action_high, one.unit)
    return [
        one.name,
        one.tag,
        one.get_kind_display(),
        page_parts.badge(one.criticality.upper(), "warn") if critical else "",
        one.limits_text,
        range_text(one.proven_low, one.proven_high, one.unit),
        "; ".join(
            text for text in (alert and f"alert {alert}", action and f"act {action}") if text
        ),
        plain(one.target),
        one.phase.name if one.phase else "",
        "yes" if one.is_required else "",
    ]


def _material(one: MaterialRequirement) -> list[Cell]:
    active = " (adjusted to the assay)" if one.is_potency_adjusted else ""
    return [
        str(one.line),
        record_admin.link(one.material),
        one.material.name,
        one.get_kind_display() + active,
        f"{plain(one.quantity)} {one.unit}",
        f"-{plain(one.tolerance_low_pct)} / +{plain(one.tolerance_high_pct)} %",
        f"{plain(one.excess_pct)} %" if one.excess_pct else "none",
        one.amount_per_dosage_unit,
        one.phase.name,
    ]


def _yield(one: ExpectedYield) -> list[Cell]:
    return [
        one.phase.name,
        f"{plain(one.quantity)} {one.unit}",
        f"{plain(one.low_pct)} to {plain(one.high_pct)} %",
    ]


def _sampling(one: SamplingPoint) -> list[Cell]:
    amount = f" of {plain(one.quantity)} {one.unit}" if one.quantity is not None else ""
    specification = f"{one.specification} {one.specification_version}".strip()
    return [
        one.name, one.phase.name, one.timing, f"{one.count}{amount}", specification,
        ", ".join(one.tests),
    ]  # fmt: skip


def _equipment(one: EquipmentRequirement) -> list[Cell]:
    return [one.name, one.kind, one.requirement, one.phase.name if one.phase else ""]


def _label(one: LabelRequirement) -> list[Cell]:
    specimen = page_parts.code(one.specimen_digest) if one.specimen_digest else ""
    return [one.code, one.version, one.description, one.phase.name if one.phase else "", specimen]


_TABLES: dict[str, tuple[Sequence[str], Callable[..., list[Cell]]]] = {
    "phases": (
        ["No.", "Unit procedure", "Operation", "Phase", "Instruction", "Time", "Verified by",
         "Equipment", "Procedure"],
        _phase,
    ),
    "parameters": (
        ["Parameter", "Tag", "Kind", "Critical", "Limits", "Proven acceptable", "Alert and action",
         "Target", "Phase", "Needed for release"],
        _parameter,
    ),
    "materials": (
        ["Line", "Material", "Name", "Kind", "Quantity", "Tolerance", "Excess",
         "In a dosage unit", "Phase"],
        _material,
    ),
    "yields": (["After phase", "Theoretical yield", "Limits"], _yield),
    "sampling": (["Name", "Phase", "When", "Samples", "Specification", "Tests"], _sampling),
    "equipment": (["Name", "Kind", "Requirement", "Phase"], _equipment),
    "labels": (["Code", "Version", "Description", "Phase", "Digest of the specimen"], _label),
}  # fmt: skip
