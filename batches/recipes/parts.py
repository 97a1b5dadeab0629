"""Turn the rows of a recipe's parts into plain values and back, one table of kinds for all."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from decimal import Decimal
from typing import Any

from django.db import models

from batches.assets.models import Material
from batches.recipes import differences
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
from compliance.access.models import Procedure
from compliance.trail.tlog import canonical

REFERENCES = ("phase", "material", "procedure")


@dataclass(frozen=True)
class Kind:
    """One kind of part: its table, what a person writes, and how its lines are ordered."""

    name: str
    singular: str
    model: type[models.Model]
    draft: type[Any]
    order: str

    @property
    def key(self) -> tuple[str, ...]:
        """What tells two lines apart."""
        return differences.KEYS[self.name]

    @property
    def fields(self) -> tuple[str, ...]:
        return tuple(one.name for one in fields(self.draft))

    def key_of(self, values: Mapping[str, Any]) -> str:
        """Return how people name a line: a phase by its label, a parameter by its tag."""
        return differences.key_of(self.name, values)


KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind("phases", "phase", RecipePhase, PhaseDraft, "order"),
        Kind("parameters", "parameter", Parameter, ParameterDraft, "tag"),
        Kind("materials", "material", MaterialRequirement, MaterialDraft, "line"),
        Kind("yields", "yield", ExpectedYield, YieldDraft, "phase__order"),
        Kind("sampling", "sampling point", SamplingPoint, SamplingDraft, "name"),
        Kind("equipment", "equipment", EquipmentRequirement, EquipmentDraft, "name"),
        Kind("labels", "label", LabelRequirement, LabelDraft, "code"),
    )
}


@dataclass
class References:
    """What lines point to: phases by label, materials and procedures by code."""

    phase: dict[str, RecipePhase]
    material: dict[str, Material]
    procedure: dict[str, Procedure]

    def of(self, name: str, value: str) -> models.Model | None:
        found: Mapping[str, models.Model] = getattr(self, name)
        return found[value] if value else None


def content(recipe: MasterRecipe, kind: Kind) -> list[dict[str, canonical.Value]]:
    """Return the lines of one kind as plain values, in their order."""
    return [_line(kind, row) for row in rows(recipe, kind)]


def rows(recipe: MasterRecipe, kind: Kind) -> list[Any]:
    """Return the rows of one kind in their order, with what they point to."""
    found = getattr(recipe, kind.name).order_by(kind.order)
    pointers = [name for name in REFERENCES if name in kind.fields]
    return list(found.select_related(*pointers) if pointers else found)


def key_of_row(kind: Kind, row: models.Model) -> str:
    return kind.key_of({name: plain(getattr(row, name)) for name in kind.key})


def _line(kind: Kind, row: models.Model) -> dict[str, canonical.Value]:
    line = {name: plain(getattr(row, name)) for name in kind.fields}
    if isinstance(row, RecipePhase):
        line["order"] = row.order
    return line


def plain(value: Any) -> canonical.Value:
    """Return one stored value as canonical JSON has it: decimals as text, records by name."""
    match value:
        case Decimal():
            return f"{value.normalize():f}"
        case RecipePhase():
            return value.label
        case Material() | Procedure():
            return value.code
        case list() | tuple():
            return [str(one) for one in value]
    return value if value is None or isinstance(value, bool | int) else str(value)


def columns(kind: Kind, draft: Any, *, references: References, order: int = 0) -> dict[str, Any]:
    """Return the values of a row for what a person wrote."""
    values = {name: getattr(draft, name) for name in kind.fields}
    for name in REFERENCES:
        if name in values:
            values[name] = references.of(name, values[name])
    if kind.name == "phases":
        values["order"] = order
    if "tests" in values:
        values["tests"] = list(values["tests"])
    return values


def drafts(kind: Kind, lines: Sequence[Mapping[str, Any]]) -> list[Any]:
    """Return what a person would have written for lines of content."""
    made = []
    for line in lines:
        if unknown := sorted(set(line) - {*kind.fields, "order"}):
            raise KeyError(f"a {kind.singular} has nothing named {', '.join(unknown)}")
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
    if name in REFERENCES:
        return value or ""
    return tuple(value) if isinstance(value, list) else value
