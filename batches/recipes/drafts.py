"""Hold what a person writes down as a master recipe: plain values, part by part."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TypeAlias

from batches.recipes.models import Criticality, MaterialKind, ParameterKind
from compliance.trail.tlog import canonical


@dataclass(frozen=True)
class PhaseDraft:
    """A phase; its place is that in the list. Others name it `unit procedure/name`."""

    unit_procedure: str
    name: str
    operation: str = ""
    instruction: str = ""
    duration_min: int | None = None
    hold_limit_min: int | None = None
    needs_verification: bool = False
    equipment_kind: str = ""
    parallel_group: str = ""
    procedure: str = ""

    @property
    def label(self) -> str:
        return f"{self.unit_procedure}/{self.name}"


@dataclass(frozen=True)
class ParameterDraft:
    tag: str
    name: str
    kind: ParameterKind
    unit: str
    criticality: Criticality
    low: Decimal | None = None
    high: Decimal | None = None
    target: Decimal | None = None
    is_required: bool = False
    phase: str = ""
    proven_low: Decimal | None = None
    proven_high: Decimal | None = None
    alert_low: Decimal | None = None
    alert_high: Decimal | None = None
    action_low: Decimal | None = None
    action_high: Decimal | None = None


@dataclass(frozen=True)
class MaterialDraft:
    """A line of the bill of materials; the material is named by its code."""

    line: int
    phase: str
    material: str
    kind: MaterialKind
    quantity: Decimal
    unit: str
    tolerance_low_pct: Decimal = Decimal(0)
    tolerance_high_pct: Decimal = Decimal(0)
    excess_pct: Decimal = Decimal(0)
    is_potency_adjusted: bool = False
    amount_per_dosage_unit: str = ""


@dataclass(frozen=True)
class YieldDraft:
    phase: str
    quantity: Decimal
    unit: str
    low_pct: Decimal
    high_pct: Decimal


@dataclass(frozen=True)
class SamplingDraft:
    name: str
    phase: str
    timing: str
    count: int = 1
    quantity: Decimal | None = None
    unit: str = ""
    specification: str = ""
    specification_version: str = ""
    tests: Sequence[str] = ()


@dataclass(frozen=True)
class EquipmentDraft:
    name: str
    kind: str
    phase: str = ""
    requirement: str = ""


@dataclass(frozen=True)
class LabelDraft:
    code: str
    version: str
    phase: str = ""
    description: str = ""
    specimen_digest: str = ""


PartDraft: TypeAlias = (
    PhaseDraft
    | ParameterDraft
    | MaterialDraft
    | YieldDraft
    | SamplingDraft
    | EquipmentDraft
    | LabelDraft
)


@dataclass(frozen=True)
class RecipeDraft:
    """A whole recipe. A phase may be written short, as (unit procedure, phase)."""

    title: str
    phases: Sequence[PhaseDraft | tuple[str, str]]
    parameters: Sequence[ParameterDraft]
    twin: str = ""
    twin_settings: Mapping[str, canonical.Value] = field(default_factory=dict)
    materials: Sequence[MaterialDraft] = ()
    yields: Sequence[YieldDraft] = ()
    sampling: Sequence[SamplingDraft] = ()
    equipment: Sequence[EquipmentDraft] = ()
    labels: Sequence[LabelDraft] = ()
    dosage_unit: str = ""
    batch_size: Decimal | None = None
    batch_size_unit: str = ""
    specification: str = ""
    specification_version: str = ""
    storage: str = ""
    precautions: str = ""
    change_number: str = ""
    change_summary: str = ""

    @property
    def whole_phases(self) -> list[PhaseDraft]:
        return [
            phase if isinstance(phase, PhaseDraft) else PhaseDraft(*phase) for phase in self.phases
        ]
