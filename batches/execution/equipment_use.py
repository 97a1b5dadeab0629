"""Take equipment for a phase when it may be used, and give it back to be cleaned (211.67, 211.182)."""

from datetime import datetime

from batches.assets import equipment as register
from batches.assets.models import Equipment
from batches.execution import exceptions, late, states, training_gate
from batches.execution.actions import Action
from batches.execution.late import Late
from batches.execution.models import BatchPhase, EquipmentAssignment, EquipmentNeed
from compliance.access import authority
from compliance.access.duties import Duty
from compliance.access.models import User
from compliance.refusals import Refused
from compliance.trail import recording


class WrongEquipment(Refused):
    """The equipment is of another kind than the recipe demands."""

    code = "wrong-equipment"


class EquipmentReturned(Refused):
    code = "equipment-returned"


def assign(
    phase: BatchPhase, *, equipment: Equipment, performed_at: datetime, actor: User, at: datetime,
    need: EquipmentNeed | None = None, late_entry: Late | None = None,
) -> EquipmentAssignment:  # fmt: skip
    """Use equipment for a phase; raise `EquipmentNotUsable`, `WrongEquipment` or `EnteredLate`."""
    authority.demand(actor, Duty.RECORD_EXECUTION)
    timed = late.demand(performed_at=performed_at, actor=actor, at=at, late=late_entry)
    with recording.recording(
        Action.EQUIPMENT_ASSIGNED, actor=actor, at=at, reason=f"{equipment.code} for {phase}"
    ):
        held = states.enter(phase)
        training_gate.demand(actor, phase=held, at=at)
        _demand_kind(held, equipment, need)
        stored = Equipment.objects.select_for_update(no_key=True).get(pk=equipment.pk)
        use = register.mark_used(
            stored, purpose=f"batch {held.batch.number}", by_text=actor.username, at=at,
            actor=actor, campaign=held.batch.number, product=held.batch.recipe.product.code,
            used_from=performed_at,
        )  # fmt: skip
        made = EquipmentAssignment.objects.create(
            batch=held.batch, phase=held, equipment=stored, need=need, use=use,
            state_text=_state(stored), **timed.columns,
        )  # fmt: skip
        late.witness(made, late=late_entry)
        exceptions.flag_late(held.batch, made, by=actor, reason=timed.late_reason, at=at)
    return made


def give_back(assignment: EquipmentAssignment, *, actor: User, at: datetime) -> EquipmentAssignment:
    """End the use of equipment by a batch; it is to be cleaned before the next one."""
    with recording.recording(
        Action.EQUIPMENT_RETURNED, actor=actor, at=at, reason=f"end of the use {assignment}"
    ):
        if assignment.use.used_until is not None:
            raise EquipmentReturned(f"{assignment.equipment} was given back already")
        assignment.use = register.end_use(assignment.use, at=at, actor=actor)
    return assignment


def _demand_kind(phase: BatchPhase, equipment: Equipment, need: EquipmentNeed | None) -> None:
    if need is not None:
        wanted = need.kind
        if need.batch_id != phase.batch_id:
            raise WrongEquipment(f"{need.name} is not demanded of {phase.batch.number}")
    else:
        wanted = phase.equipment_kind
    if wanted and equipment.kind != wanted:
        raise WrongEquipment(
            f"{equipment.code} is a {equipment.kind}; {phase.name} wants a {wanted}"
        )


def _state(equipment: Equipment) -> str:
    parts = [equipment.get_state_display().lower(), equipment.get_cleaning_state_display().lower()]
    if equipment.calibration_due_on is not None:
        parts.append(f"calibration holds until {equipment.calibration_due_on}")
    return ", ".join(parts)
