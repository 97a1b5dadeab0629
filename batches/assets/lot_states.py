"""Say what may be done to a lot in which state (21 CFR 211.80, 211.84, 211.89)."""

from enum import StrEnum

from batches.assets.models import LotState, MaterialLot
from compliance.refusals import Refused


class LotStateForbids(Refused):
    """The lot is in a state in which this is not done."""

    code = "lot-state"


class LotStep(StrEnum):
    """What can be asked of a lot."""

    RELEASE = "release it"
    REJECT = "reject it"
    BLOCK = "block it"
    QUARANTINE = "put it into quarantine"
    CHANGE_DATES = "change its dates"
    DISPENSE = "dispense of it"
    RETURN = "return to it"
    SAMPLE = "sample it"
    SCRAP = "scrap of it"
    ADJUST = "adjust its balance"
    MOVE = "move it"
    COUNT = "count it"
    LINK = "link a component"


_STORED = {LotStep.MOVE, LotStep.ADJUST, LotStep.COUNT, LotStep.RETURN, LotStep.SCRAP}
_OPEN = _STORED | {LotStep.REJECT, LotStep.SAMPLE, LotStep.CHANGE_DATES}
ALLOWED: dict[str, frozenset[LotStep]] = {
    LotState.QUARANTINE: frozenset(_OPEN | {LotStep.RELEASE, LotStep.BLOCK, LotStep.LINK}),
    LotState.RELEASED: frozenset(_OPEN | {LotStep.BLOCK, LotStep.QUARANTINE, LotStep.DISPENSE}),
    LotState.BLOCKED: frozenset(_OPEN | {LotStep.RELEASE, LotStep.QUARANTINE}),
    LotState.REJECTED: frozenset(_STORED),
}
# From which state to which; the database holds the same table (migration 0002).
MOVES: dict[str, frozenset[str]] = {
    LotState.QUARANTINE: frozenset({LotState.RELEASED, LotState.REJECTED, LotState.BLOCKED}),
    LotState.RELEASED: frozenset({LotState.QUARANTINE, LotState.REJECTED, LotState.BLOCKED}),
    LotState.BLOCKED: frozenset({LotState.RELEASED, LotState.REJECTED, LotState.QUARANTINE}),
    LotState.REJECTED: frozenset(),
}


def demand(lot: MaterialLot, step: LotStep) -> None:
    """Pass when the state allows the step, else raise `LotStateForbids`."""
    allowed = ALLOWED[lot.state]
    if step not in allowed:
        may = ", ".join(sorted(allowed))
        raise LotStateForbids(
            f"{lot.number} is {lot.get_state_display().lower()}: to {step} is not possible now; "
            f"possible: {may}"
        )


def take(lot: MaterialLot, step: LotStep) -> MaterialLot:
    """Demand the step of the state as stored, and make whoever else needs the lot wait."""
    stored = (
        MaterialLot.objects.select_for_update(no_key=True, of=("self",))
        .select_related("material", "supplier")
        .get(pk=lot.pk)
    )
    demand(stored, step)
    return stored
