"""What people enter into a batch record."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from batches.assets.models import Material, MaterialLot
from batches.execution import charges, material_accounts
from batches.execution import in_process as in_process_results
from batches.execution.charges import Weighed
from batches.execution.in_process import Entry
from batches.execution.material_accounts import Account
from batches.execution.models import (
    BatchMaterial,
    BatchPhase,
    Charge,
    EventKind,
    InProcessResult,
    MaterialAccount,
)
from batches.recipes.drafts import RecipeDraft
from compliance.access.duties import Role
from compliance.access.models import User
from tests.factories.assets import material, released_lot
from tests.factories.batches import happened, running_batch
from tests.factories.common import NOON
from tests.factories.people import confirmed, device, somebody
from tests.factories.recipes import RECIPE, recipe


def ready_phase(
    content: RecipeDraft = RECIPE, *, name: str = "", at: datetime = NOON
) -> BatchPhase:
    """Return the first phase of a running batch (or the one named), started by a person."""
    made = running_batch(recipe(content, at=at), at=at)
    source = device(at=at)
    for phase in made.phases.order_by("order"):
        happened(made, EventKind.PHASE_STARTED, by=source, at=at, phase=phase.name)
        if name in ("", phase.name):
            return BatchPhase.objects.select_related("batch__recipe__product").get(pk=phase.pk)
        happened(made, EventKind.PHASE_ENDED, by=source, at=at, phase=phase.name)
    raise AssertionError(f"there is no phase {name}")


def lot_for(
    requirement: BatchMaterial, *, quantity: str = "500", at: datetime = NOON
) -> MaterialLot:
    """Return a released lot of the material that a line of the bill of materials names."""
    known = Material.objects.filter(code=requirement.material_code).first()
    return released_lot(
        known or material(code=requirement.material_code, unit=requirement.unit, at=at),
        quantity=quantity,
        at=at,
    )


def charge(
    requirement: BatchMaterial, *, net: str, lot: MaterialLot | None = None, at: datetime = NOON,
    by: User | None = None, **said: object,
) -> Charge:  # fmt: skip
    """Return a charge that a second person verified."""
    values: dict[str, object] = {"net": Decimal(net), "unit": requirement.unit, **said}
    return charges.charge(
        requirement,
        lot=lot or lot_for(requirement, at=at),
        weighed=Weighed(**values),
        performed_at=at,
        actor=by or somebody(Role.OPERATOR, at=at),
        verifier=confirmed(somebody(Role.SUPERVISOR, at=at), at=at),
        at=at,
    )


def reconciled(
    of: Charge, *, issued: str = "", returned: str = "0", wasted: str = "0", at: datetime = NOON,
    by: User | None = None, **said: Any,
) -> MaterialAccount:  # fmt: skip
    """Account for what was issued of a charged lot: as much as was charged, where nothing is said."""
    account = Account(
        issued=Decimal(issued) if issued else of.net, unit=of.unit, returned=Decimal(returned),
        wasted=Decimal(wasted),
    )  # fmt: skip
    return material_accounts.reconcile(
        of.material, lot=of.lot, account=account, at=at,
        actor=by or somebody(Role.OPERATOR, at=at), **{"performed_at": at, **said},
    )  # fmt: skip


def in_process(
    phase: BatchPhase, *, value: str, tag: str = "ph", unit: str = "[pH]", at: datetime = NOON,
    by: User | None = None, **said: object,
) -> InProcessResult:  # fmt: skip
    """Return a value that a person entered."""
    values: dict[str, object] = {
        "tag": tag, "value": value, "unit": unit, "performed_at": at, **said,
    }  # fmt: skip
    return in_process_results.enter(
        phase.batch, phase=phase, entry=Entry(**values), at=at,
        actor=by or somebody(Role.OPERATOR, at=at),
    )  # fmt: skip
