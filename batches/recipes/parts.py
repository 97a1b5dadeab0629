"""Turn the rows of a recipe's parts into plain values and back, one table of kinds for all."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from decimal import Decimal
from typing import Any

from django.db import models

from batches.recipes.drafts import (
    EquipmentDraft,
    LabelDraft,
    MaterialDraft,
    ParameterDraft,
    PhaseDraft,
    SamplingDraft,
    YieldDraft,
)
from batches.recipes.models import (
    EquipmentRequirement,
    ExpectedYield,
    LabelRequirement,
    MasterRecipe,
    MaterialRequirement,
    Parameter,
    RecipePhase,
    SamplingPoint,
)
from compliance.trail.tlog import canonical


@dataclass(frozen=True)
class Kind:
    """One kind of part: its table, what a person writes, and what tells two lines apart."""

    name: str
    singular: str
    model: type[models.Model]
    draft: type[Any]
    key: tuple[str, ...]
    order: str

    @property
    def fields(self) -> tuple[str, ...]:
        return tuple(one.name for one in fields(self.draft))

    def key_of(self, values: Mapping[str, Any]) -> str:
        """Return how people name a line: a phase by its label, a parameter by its tag."""
        return "/".join(str(values[name]) for name in self.key)


KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind("phases", "phase", RecipePhase, PhaseDraft, ("unit_procedure", "name"), "order"),
        Kind("parameters", "parameter", Parameter, ParameterDraft, ("tag",), "tag"),
        Kind("materials", "material", MaterialRequirement, MaterialDraft, ("line",), "line"),
        Kind("yields", "yield", ExpectedYield, YieldDraft, ("phase",), "phase__order"),
        Kind("sampling", "sampling point", SamplingPoint, SamplingDraft, ("name",), "name"),
        Kind("equipment", "equipment", EquipmentRequirement, EquipmentDraft, ("name",), "name"),
        Kind("labels", "label", LabelRequirement, LabelDraft, ("code",), "code"),
    )
}


def content(recipe: MasterRecipe, kind: Kind) -> list[dict[str, canonical.Value]]:
    """Return the lines of one kind as plain values, in their order."""
    rows = getattr(recipe, kind.name).order_by(kind.order)
    if kind.name != "phases":
        rows = rows.select_related("phase")
    return [_line(kind, row) for row in rows]


def _line(kind: Kind, row: models.Model) -> dict[str, canonical.Value]:
    line = {name: plain(getattr(row, name)) for name in kind.fields}
    if isinstance(row, RecipePhase):
        line["order"] = row.order
    return line


def plain(value: Any) -> canonical.Value:
    """Return one stored value as canonical JSON has it: decimals as text, phases by label."""
    match value:
        case Decimal():
            return f"{value.normalize():f}"
        case RecipePhase():
            return value.label
        case list() | tuple():
            return [str(one) for one in value]
    return value if value is None or isinstance(value, bool | int) else str(value)


def columns(
    kind: Kind, draft: Any, *, phases: Mapping[str, RecipePhase], order: int = 0
) -> dict[str, Any]:
    """Return the values of a row for what a person wrote; phases are found by label."""
    values = {name: getattr(draft, name) for name in kind.fields}
    if kind.name == "phases":
        values["order"] = order
    elif "phase" in values:
        values["phase"] = phases[values["phase"]] if values["phase"] else None
    if "tests" in values:
        values["tests"] = list(values["tests"])
    return values


def drafts(kind: Kind, lines: Sequence[Mapping[str, Any]]) -> list[Any]:
    """Return what a person would have written for lines of content."""
    made = []
    for line in lines:
        values = {name: line[name] for name in kind.fields if name in line}
        for one in fields(kind.draft):
            if one.name in values:
                values[one.name] = _typed(kind, one.name, values[one.name])
        made.append(kind.draft(**values))
    return made


def _typed(kind: Kind, name: str, value: Any) -> Any:
    field = kind.model._meta.get_field(name)
    if isinstance(field, models.DecimalField):
        return None if value is None else Decimal(value)
    if name == "phase":
        return value or ""
    return value
