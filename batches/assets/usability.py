"""Say what stands against using equipment at a moment (21 CFR 211.63, 211.67, 211.68)."""

from datetime import UTC, datetime

from batches.assets.models import CleaningState, Equipment, EquipmentState
from compliance.refusals import Refused


class EquipmentNotUsable(Refused):
    """Not qualified, calibration overdue, not clean, out of service or in use."""

    code = "equipment-not-usable"


def objections(equipment: Equipment, *, at: datetime, campaign: str = "") -> list[str]:
    """Return everything that stands against using equipment at a moment."""
    found = doubts_of_data(equipment, at=at)
    return [*found, *_objections_of_use(equipment, at=at, campaign=campaign)]


def doubts_of_data(equipment: Equipment, *, at: datetime) -> list[str]:
    """Return what stands against relying on what equipment measures: qualification, calibration."""
    found = []
    if equipment.state != EquipmentState.QUALIFIED:
        found.append(f"it is {equipment.get_state_display().lower()}")
    on = at.astimezone(UTC).date()
    if equipment.qualified_until is not None and equipment.qualified_until < on:
        found.append(f"its qualification ended on {equipment.qualified_until}")
    if equipment.is_calibrated:
        due = equipment.calibration_due_on
        if due is None:
            found.append("it has no calibration in force")
        elif due < on:
            found.append(f"its calibration was due on {due}")
    return found


def _objections_of_use(equipment: Equipment, *, at: datetime, campaign: str) -> list[str]:
    newest = equipment.uses.order_by("-used_from", "-pk").first()
    is_continued = newest is not None and campaign != "" and newest.campaign == campaign
    if newest is not None and newest.used_until is None and not is_continued:
        return [f"it is in use for {newest.purpose}"]
    match equipment.cleaning_state:
        case CleaningState.IN_CLEANING:
            return ["it is in cleaning"]
        case CleaningState.TO_BE_CLEANED if not is_continued:
            return ["it is to be cleaned"]
        case CleaningState.CLEAN:
            if equipment.clean_until is not None and equipment.clean_until < at:
                return [f"its clean-hold time ended at {equipment.clean_until.isoformat()}"]
            if equipment.cleaned_at is not None and at < equipment.cleaned_at:
                return [f"it was cleaned at {equipment.cleaned_at.isoformat()}, after that moment"]
    return []


def is_usable(equipment: Equipment, *, at: datetime, campaign: str = "") -> bool:
    return not objections(equipment, at=at, campaign=campaign)


def demand_usable(equipment: Equipment, *, at: datetime, campaign: str = "") -> None:
    """Pass when equipment may be used at that moment, else raise `EquipmentNotUsable`.

    It asks the record as stored. `campaign` is what follows itself without a cleaning, such as
    the phases of one batch.
    """
    stored = Equipment.objects.get(pk=equipment.pk)
    if found := objections(stored, at=at, campaign=campaign):
        raise EquipmentNotUsable(
            f"{stored.code} cannot be used: {'; '.join(found)}. Put this right or take another one"
        )
