"""Register equipment, and let it be used only while it may be (21 CFR 211.63, 211.182)."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Q, QuerySet

from batches.assets import equipment_states
from batches.assets.actions import Action
from batches.assets.equipment_states import Step
from batches.assets.models import CleaningState, Equipment, EquipmentState, EquipmentUse
from batches.assets.usability import EquipmentNotUsable, demand_usable, is_usable, objections
from compliance.access import authority
from compliance.access.authority import Principal
from compliance.access.duties import Duty
from compliance.access.models import User
from compliance.refusals import Refused
from compliance.trail import recording

__all__ = [
    "EquipmentInvalid", "EquipmentKnown", "EquipmentNotUsable", "Particulars", "demand_may_use",
    "demand_usable", "end_use", "is_usable", "mark_used", "objections", "register", "set_state",
    "uses_since",
]  # fmt: skip

CLOCK_TOLERANCE = timedelta(minutes=5)


class EquipmentInvalid(Refused):
    code = "equipment-invalid"
    status = 422


class EquipmentKnown(Refused):
    code = "equipment-known"


@dataclass(frozen=True, kw_only=True)
class Particulars:
    """What a person says of a new piece of equipment."""

    code: str
    name: str
    kind: str
    location: str
    manufacturer: str
    model: str
    serial_number: str
    needed_stages: str = "iq,oq,pq"
    calibration_interval_days: int | None = None
    is_cleaned: bool = False
    dirty_hold_hours: int | None = None
    clean_hold_hours: int | None = None
    service_after_hours: int | None = None


def register(particulars: Particulars, *, actor: User, at: datetime) -> Equipment:
    """Enter new equipment; it waits for its qualification, calibration and cleaning."""
    authority.demand(actor, Duty.MANAGE_EQUIPMENT)
    values = dict(vars(particulars))
    is_cleaned = values.pop("is_cleaned")
    missing = [name for name, value in values.items() if value == ""]
    if missing:
        raise EquipmentInvalid(f"equipment needs its {', '.join(missing).replace('_', ' ')}")
    if particulars.calibration_interval_days == 0:
        raise EquipmentInvalid("a calibration interval is one day or more")
    with recording.recording(
        Action.EQUIPMENT_REGISTERED, actor=actor, at=at, reason=f"equipment {particulars.code}"
    ):
        if Equipment.objects.filter(code=particulars.code).exists():
            raise EquipmentKnown(f"{particulars.code} is registered already")
        return Equipment.objects.create(
            **values,
            cleaning_state=(
                CleaningState.TO_BE_CLEANED if is_cleaned else CleaningState.NOT_NEEDED
            ),
            registered_at=at,
        )


def mark_used(
    equipment: Equipment, *, purpose: str, by_text: str, at: datetime, actor: Principal,
    campaign: str = "", product: str = "", used_from: datetime | None = None,
    used_until: datetime | None = None,
) -> EquipmentUse:  # fmt: skip
    """Record that a use begins (or, with `used_until`, was); the equipment is to be cleaned after it.

    A use under way of the same campaign goes on: it is returned, and nothing is added.
    """
    demand_may_use(actor)
    begin = used_from or at
    if begin > at + CLOCK_TOLERANCE or (used_until or begin) > at + CLOCK_TOLERANCE:
        raise EquipmentInvalid("a use is recorded when it begins or after it: this is the future")
    if len(purpose.strip()) < 3:
        raise EquipmentInvalid("say what it is used for: the batch, the test or the task")
    with recording.recording(
        Action.EQUIPMENT_USED, actor=actor, at=at, reason=f"{equipment.code} used for {purpose}"
    ):
        held = Equipment.objects.select_for_update(no_key=True).get(pk=equipment.pk)
        demand_usable(held, at=begin, campaign=campaign, product=product)
        under_way = held.uses.filter(used_until=None).first()
        if under_way is not None:
            return under_way
        use = EquipmentUse.objects.create(
            equipment=held,
            purpose=purpose.strip(),
            campaign=campaign,
            product=product,
            used_from=begin,
            used_until=used_until,
            used_by=by_text,
            recorded_at=at,
        )
        if held.cleaning_state == CleaningState.CLEAN:
            held.cleaning_state = CleaningState.TO_BE_CLEANED
            held.save(update_fields=["cleaning_state"])
    return use


def end_use(
    use: EquipmentUse, *, at: datetime, actor: Principal, used_until: datetime | None = None
) -> EquipmentUse:
    """Record when a use ended; its dirty-hold time runs from then."""
    demand_may_use(actor)
    end = used_until or at
    with recording.recording(
        Action.EQUIPMENT_USE_ENDED, actor=actor, at=at, reason=f"end of the use {use}"
    ):
        held = EquipmentUse.objects.select_for_update(no_key=True).get(pk=use.pk)
        if held.used_until is not None:
            raise EquipmentInvalid(f"{held} ended at {held.used_until.isoformat()} already")
        if not held.used_from <= end <= at + CLOCK_TOLERANCE:
            raise EquipmentInvalid(f"{held} ends after it began, and not in the future")
        held.used_until = end
        held.save(update_fields=["used_until"])
    return held


def uses_since(equipment: Equipment, since: datetime | None) -> QuerySet[EquipmentUse]:
    """Return the uses that began, or went on, after a moment; all of them when it is None."""
    found = EquipmentUse.objects.filter(equipment=equipment).order_by("used_from", "pk")
    if since is None:
        return found
    return found.filter(Q(used_from__gte=since) | Q(used_until=None) | Q(used_until__gt=since))


def set_state(
    equipment: Equipment, step: Step, *, actor: User, at: datetime, reason: str
) -> Equipment:
    """Withdraw a qualification, take equipment out of service, return it or retire it.

    What returns is qualified anew: QA decides on the stages that it has (`qualifications.qualify`).
    """
    authority.demand(actor, _DUTIES[step])
    text = recording.demand_reason(reason)
    with recording.recording(Action.EQUIPMENT_STATE_CHANGED, actor=actor, at=at, reason=text):
        held = equipment_states.take(equipment, step)
        held.state = _TARGETS[step]
        if step == Step.WITHDRAW:  # what QA no longer trusts is performed anew
            held.qualification_lost_at, held.qualified_until = at, None
        held.save(update_fields=["state", "qualification_lost_at", "qualified_until"])
    return held


_TARGETS = {
    Step.WITHDRAW: EquipmentState.IN_QUALIFICATION,
    Step.TAKE_OUT: EquipmentState.OUT_OF_SERVICE,
    Step.RETURN: EquipmentState.IN_QUALIFICATION,
    Step.RETIRE: EquipmentState.RETIRED,
}
_DUTIES = {
    Step.WITHDRAW: Duty.QUALIFY_EQUIPMENT,
    Step.TAKE_OUT: Duty.MANAGE_EQUIPMENT,
    Step.RETURN: Duty.MANAGE_EQUIPMENT,
    Step.RETIRE: Duty.QUALIFY_EQUIPMENT,
}


def demand_may_use(actor: Principal) -> None:
    """Ask for the duty to record what is done in the plant or in the laboratory."""
    if Duty.ENTER_RESULTS not in actor.duties:
        authority.demand(actor, Duty.RECORD_EXECUTION)
