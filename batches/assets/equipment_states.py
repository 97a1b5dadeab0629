"""Say what may be done to equipment in which state (21 CFR 211.63, 211.67, 211.68)."""

from enum import StrEnum

from batches.assets.models import CleaningState, Equipment, EquipmentState
from compliance.refusals import Refused


class EquipmentStateForbids(Refused):
    """The equipment is in a state in which this is not done."""

    code = "equipment-state"


class CleaningStateForbids(Refused):
    """The equipment is at a point of its cleaning at which this is not done."""

    code = "cleaning-state"


class Step(StrEnum):
    """What can be asked of equipment."""

    AMEND = "amend it"
    RECORD_QUALIFICATION = "record a qualification"
    APPROVE_QUALIFICATION = "approve a qualification"
    QUALIFY = "declare it qualified"
    WITHDRAW = "withdraw its qualification"
    TAKE_OUT = "take it out of service"
    RETURN = "return it to service"
    RETIRE = "retire it"
    CHANGE_PART = "change a part"
    CALIBRATE = "calibrate it"
    CLEAN = "clean it"
    SERVICE = "service it"
    USE = "use it"


class CleaningStep(StrEnum):
    """What can be asked of equipment that is cleaned by procedure."""

    START = "start a cleaning"
    FINISH = "finish the cleaning"
    VERIFY = "verify the cleaning"
    USE = "use it"


_CARE = {
    Step.AMEND, Step.RECORD_QUALIFICATION, Step.APPROVE_QUALIFICATION, Step.RETIRE,
    Step.CHANGE_PART, Step.CALIBRATE, Step.CLEAN, Step.SERVICE,
}  # fmt: skip
ALLOWED: dict[str, frozenset[Step]] = {
    EquipmentState.IN_QUALIFICATION: frozenset(_CARE | {Step.QUALIFY, Step.TAKE_OUT}),
    EquipmentState.QUALIFIED: frozenset(
        _CARE | {Step.QUALIFY, Step.WITHDRAW, Step.TAKE_OUT, Step.USE}
    ),
    EquipmentState.OUT_OF_SERVICE: frozenset(_CARE | {Step.RETURN}),
    EquipmentState.RETIRED: frozenset(),
}
CLEANING_ALLOWED: dict[str, frozenset[CleaningStep]] = {
    CleaningState.NOT_NEEDED: frozenset({CleaningStep.USE}),
    CleaningState.TO_BE_CLEANED: frozenset({CleaningStep.START}),
    CleaningState.IN_CLEANING: frozenset({CleaningStep.FINISH, CleaningStep.VERIFY}),
    CleaningState.CLEAN: frozenset({CleaningStep.START, CleaningStep.USE}),
}
# From which state to which; the database holds the same table (migration 0002).
MOVES: dict[str, frozenset[str]] = {
    EquipmentState.IN_QUALIFICATION: frozenset(
        {EquipmentState.QUALIFIED, EquipmentState.OUT_OF_SERVICE, EquipmentState.RETIRED}
    ),
    EquipmentState.QUALIFIED: frozenset(
        {EquipmentState.IN_QUALIFICATION, EquipmentState.OUT_OF_SERVICE, EquipmentState.RETIRED}
    ),
    EquipmentState.OUT_OF_SERVICE: frozenset(
        {EquipmentState.IN_QUALIFICATION, EquipmentState.RETIRED}
    ),
    EquipmentState.RETIRED: frozenset(),
}


def demand(equipment: Equipment, step: Step) -> None:
    """Pass when the state allows the step, else raise `EquipmentStateForbids`."""
    allowed = ALLOWED[equipment.state]
    if step not in allowed:
        may = ", ".join(sorted(allowed)) or "nothing"
        raise EquipmentStateForbids(
            f"{equipment.code} is {equipment.get_state_display().lower()}: to {step} is not "
            f"possible now; possible: {may}"
        )


def demand_cleaning(equipment: Equipment, step: CleaningStep) -> None:
    """Pass when the state of cleaning allows the step, else raise `CleaningStateForbids`."""
    allowed = CLEANING_ALLOWED[equipment.cleaning_state]
    if step not in allowed:
        may = ", ".join(sorted(allowed)) or "nothing"
        raise CleaningStateForbids(
            f"{equipment.code} is “{equipment.get_cleaning_state_display().lower()}”: to {step} "
            f"is not possible now; possible: {may}"
        )


def take(equipment: Equipment, step: Step) -> Equipment:
    """Demand the step of the state as stored, and make whoever else needs the equipment wait."""
    stored = Equipment.objects.select_for_update(no_key=True).get(pk=equipment.pk)
    demand(stored, step)
    return stored
