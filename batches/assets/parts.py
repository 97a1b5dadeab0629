"""Replace parts of equipment: another make ends its qualification (21 CFR 211.63; Annex 15, 11)."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from batches.assets import equipment_states
from batches.assets.actions import Action
from batches.assets.equipment_states import Step
from batches.assets.models import Equipment, EquipmentState, PartChange
from compliance.access import authority
from compliance.access.duties import Duty
from compliance.access.models import User
from compliance.refusals import Refused
from compliance.trail import recording


class PartInvalid(Refused):
    code = "part-invalid"
    status = 422


class NotLikeForLike(Refused):
    """Another manufacturer or model is never like for like."""

    code = "not-like-for-like"
    status = 422


class ChangeControlNeeded(Refused):
    code = "change-control-needed"
    status = 422


@dataclass(frozen=True, kw_only=True)
class Part:
    manufacturer: str
    model: str
    serial_number: str


def replace(
    equipment: Equipment, *, component: str, old: Part, new: Part, is_like_for_like: bool,
    changed_at: datetime, actor: User, at: datetime, reason: str, change_reference: str = "",
) -> PartChange:  # fmt: skip
    """Record a replaced part; one that is not like for like drops the qualification until
    every stage is performed and approved anew."""
    authority.demand(actor, Duty.MANAGE_EQUIPMENT)
    text = recording.demand_reason(reason)
    _demand_valid(component, old, new, changed_at=changed_at, at=at)
    if is_like_for_like and (old.manufacturer, old.model) != (new.manufacturer, new.model):
        raise NotLikeForLike(
            f"{new.manufacturer} {new.model} in place of {old.manufacturer} {old.model} is not "
            "like for like: record it as a change, with its change control"
        )
    if not is_like_for_like and not change_reference.strip():
        raise ChangeControlNeeded("a part that is not like for like needs its change control")
    with recording.recording(Action.PART_CHANGED, actor=actor, at=at, reason=text):
        held = equipment_states.take(equipment, Step.CHANGE_PART)
        if not is_like_for_like:
            _end_qualification(held, at=at)
        return PartChange.objects.create(
            equipment=held,
            component=component,
            **{f"old_{name}": value for name, value in vars(old).items()},
            **{f"new_{name}": value for name, value in vars(new).items()},
            is_like_for_like=is_like_for_like,
            change_reference=change_reference.strip(),
            reason=text,
            changed_at=changed_at,
            changed_by=actor,
            recorded_at=at,
        )


def _end_qualification(equipment: Equipment, *, at: datetime) -> None:
    equipment.qualification_lost_at = at
    equipment.qualified_until = None
    if equipment.state == EquipmentState.QUALIFIED:
        equipment.state = EquipmentState.IN_QUALIFICATION
    equipment.save(update_fields=["qualification_lost_at", "qualified_until", "state"])


def _demand_valid(
    component: str, old: Part, new: Part, *, changed_at: datetime, at: datetime
) -> None:
    said = [component, *vars(old).values(), *vars(new).values()]
    if not all(text.strip() for text in said):
        raise PartInvalid("name the component, and make, model and serial number of both parts")
    if changed_at > at + timedelta(minutes=5):
        raise PartInvalid("a part is recorded after it was changed")
