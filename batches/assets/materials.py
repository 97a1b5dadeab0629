"""Enter the materials that a plant buys, makes and packs with."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from batches.assets.actions import Action
from batches.assets.models import Material, MaterialKind
from batches.quantities import units
from compliance.access import authority
from compliance.access.duties import Duty
from compliance.access.models import User
from compliance.refusals import Refused
from compliance.trail import recording


class MaterialInvalid(Refused):
    code = "material-invalid"
    status = 422


class MaterialKnown(Refused):
    code = "material-known"


@dataclass(frozen=True, kw_only=True)
class MaterialDraft:
    """What a person says of a new material."""

    code: str
    name: str
    unit: str
    kind: MaterialKind
    retest_interval_days: int | None = None
    storage_conditions: str = ""
    largest_receipt: Decimal | None = None
    reconciliation_limit_percent: Decimal = Decimal(0)


def create(draft: MaterialDraft, *, actor: User, at: datetime) -> Material:
    """Enter a material; raise `MaterialKnown`, `MaterialInvalid` or `UnitUnknown`."""
    authority.demand(actor, Duty.AUTHOR_SPECIFICATION)
    if not draft.code.strip() or not draft.name.strip() or not draft.unit.strip():
        raise MaterialInvalid("a material needs a code, a name and the unit that it is counted in")
    if draft.retest_interval_days is not None and draft.retest_interval_days < 1:
        raise MaterialInvalid("a retest interval is one day or more")
    if not 0 <= draft.reconciliation_limit_percent <= 100:
        raise MaterialInvalid("the limit of reconciliation is between 0 and 100 percent")
    unit = units.parse(draft.unit).code
    with recording.recording(
        Action.MATERIAL_CREATED, actor=actor, at=at, reason=f"material {draft.code}"
    ):
        if Material.objects.filter(code=draft.code).exists():
            raise MaterialKnown(f"{draft.code} is the code of another material")
        return Material.objects.create(**{**vars(draft), "unit": unit}, created_at=at)
