"""Amend what equipment needs, and service it after its running hours (21 CFR 211.67, 211.68)."""

from dataclasses import dataclass
from datetime import datetime

from batches.assets import equipment_states
from batches.assets.actions import Action
from batches.assets.equipment import EquipmentInvalid
from batches.assets.equipment_states import Step
from batches.assets.models import Equipment
from compliance.access import authority
from compliance.access.duties import Duty
from compliance.access.models import User
from compliance.trail import recording


@dataclass(frozen=True, kw_only=True)
class Needs:
    """Where equipment stands, and how often it is cared for."""

    location: str
    calibration_interval_days: int | None
    dirty_hold_hours: int | None
    clean_hold_hours: int | None
    service_after_hours: int | None


def amend(
    equipment: Equipment, *, needs: Needs, actor: User, at: datetime, reason: str
) -> Equipment:
    """Change place, intervals and hold times; a calibration in force keeps its due date."""
    authority.demand(actor, Duty.MANAGE_EQUIPMENT)
    text = recording.demand_reason(reason)
    if not needs.location.strip() or needs.calibration_interval_days == 0:
        raise EquipmentInvalid("equipment has a place, and an interval of one day or more or none")
    with recording.recording(Action.EQUIPMENT_AMENDED, actor=actor, at=at, reason=text):
        held = equipment_states.take(equipment, Step.AMEND)
        if held.is_calibrated and needs.calibration_interval_days is None:
            raise EquipmentInvalid(f"{held.code} is an instrument and stays one: keep its interval")
        for name, value in vars(needs).items():
            setattr(held, name, value)
        held.save(update_fields=list(vars(needs)))
    return held


def service(equipment: Equipment, *, actor: User, at: datetime, reason: str) -> Equipment:
    """Record a maintenance; running hours count anew from here."""
    authority.demand(actor, Duty.MANAGE_EQUIPMENT)
    text = recording.demand_reason(reason)
    with recording.recording(Action.EQUIPMENT_SERVICED, actor=actor, at=at, reason=text):
        held = equipment_states.take(equipment, Step.SERVICE)
        held.serviced_at = at
        held.save(update_fields=["serviced_at"])
    return held
