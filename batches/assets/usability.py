"""Say what stands against using equipment at a moment (21 CFR 211.63, 211.67, 211.68)."""

from datetime import UTC, datetime

from batches.assets import running_hours
from batches.assets.models import (
    Cleaning,
    CleaningOutcome,
    CleaningState,
    Equipment,
    EquipmentState,
    EquipmentUse,
)
from compliance.refusals import Refused


class EquipmentNotUsable(Refused):
    """Not qualified, calibration or service overdue, not clean, out of service or in use."""

    code = "equipment-not-usable"


def objections(
    equipment: Equipment, *, at: datetime, campaign: str = "", product: str = ""
) -> list[str]:
    """Return everything that stands against using equipment at a moment, for a product if named."""
    newest = equipment.uses.order_by("-used_from", "-pk").first()
    is_continued = newest is not None and campaign != "" and newest.campaign == campaign
    found = doubts_of_data(equipment, at=at)
    if not is_continued:
        # A campaign that is under way is ended: a batch does not wait half-made for a service.
        found += _objections_of_upkeep(equipment, at=at, product=product)
    return [*found, *_objections_of_use(equipment, newest, at=at, is_continued=is_continued)]


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


def _objections_of_upkeep(equipment: Equipment, *, at: datetime, product: str) -> list[str]:
    found = []
    if running_hours.is_service_due(equipment, at=at):
        hours = running_hours.in_hours(equipment, at=at)
        found.append(
            f"its service is due after {equipment.service_after_hours} running hours, it has {hours}"
        )
    before = _last_of_another_product(equipment, product)
    if before is not None and not _is_changed_over(equipment, before, product, at=at):
        found.append(f"a changeover cleaning from {before.product} to {product} is missing")
    return found


def _last_of_another_product(equipment: Equipment, product: str) -> EquipmentUse | None:
    """Return the last use of equipment that is cleaned, when it was for another product."""
    if not product or equipment.cleaning_state == CleaningState.NOT_NEEDED:
        return None
    last = equipment.uses.exclude(product="").order_by("-used_from", "-pk").first()
    return None if last is None or last.product == product else last


def _is_changed_over(
    equipment: Equipment, before: EquipmentUse, product: str, *, at: datetime
) -> bool:
    """Say whether it was cleaned for this product since, and that was verified (211.67(b))."""
    return Cleaning.objects.filter(
        equipment=equipment, is_changeover=True, next_product=product,
        outcome=CleaningOutcome.ACCEPTED, started_at__gte=before.used_until or before.used_from,
        finished_at__lte=at,
    ).exists()  # fmt: skip


def _objections_of_use(
    equipment: Equipment, newest: EquipmentUse | None, *, at: datetime, is_continued: bool
) -> list[str]:
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


def is_usable(equipment: Equipment, *, at: datetime, campaign: str = "", product: str = "") -> bool:
    return not objections(equipment, at=at, campaign=campaign, product=product)


def demand_usable(
    equipment: Equipment, *, at: datetime, campaign: str = "", product: str = ""
) -> None:
    """Pass when equipment may be used at that moment, else raise `EquipmentNotUsable`.

    It asks the record as stored. `campaign` is what follows itself without a cleaning, such as
    the phases of one batch.
    """
    stored = Equipment.objects.get(pk=equipment.pk)
    if found := objections(stored, at=at, campaign=campaign, product=product):
        raise EquipmentNotUsable(
            f"{stored.code} cannot be used: {'; '.join(found)}. Put this right or take another one"
        )
