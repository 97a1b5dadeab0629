"""Calibrate instruments, and find the uses that a bad calibration puts in doubt (21 CFR 211.68(a))."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from django.db.models import F, Q, QuerySet

from batches.assets import equipment_states
from batches.assets.actions import Action
from batches.assets.doubts import impact, last_good, uses_in_doubt
from batches.assets.equipment_states import Step
from batches.assets.models import Calibration, Equipment, EquipmentState, EquipmentUse
from compliance.access import authority
from compliance.access.duties import Duty
from compliance.access.models import User
from compliance.quality import deviations
from compliance.quality.models import Deviation, Severity
from compliance.refusals import Refused
from compliance.trail import recording

__all__ = [
    "CalibrationInvalid", "CalibrationVerified", "Measured", "PerformerVerifies", "impact",
    "last_good", "overdue", "record", "shorten", "verify",
]  # fmt: skip

CLOCK_TOLERANCE = timedelta(minutes=5)


class CalibrationInvalid(Refused):
    code = "calibration-invalid"
    status = 422


class CalibrationVerified(Refused):
    code = "calibration-verified"


class PerformerVerifies(Refused):
    """Whoever calibrated does not check it."""

    code = "performer-verifies"


@dataclass(frozen=True, kw_only=True)
class Measured:
    """What a calibration found and left."""

    performed_at: datetime
    as_found: str
    as_found_in_tolerance: bool
    as_left: str
    as_left_in_tolerance: bool
    reference_standard: str
    certificate: str


def record(equipment: Equipment, *, measured: Measured, actor: User, at: datetime) -> Calibration:
    """Record a calibration; it holds once another person has checked it.

    Found out of tolerance, it opens a deviation about the uses since the last good one. Left out
    of tolerance, it takes the instrument out of service at once.
    """
    authority.demand(actor, Duty.CALIBRATE)
    _demand_valid(equipment, measured, at=at)
    with recording.recording(
        Action.CALIBRATION_RECORDED, actor=actor, at=at, reason=f"calibration of {equipment.code}"
    ):
        held = equipment_states.take(equipment, Step.CALIBRATE)
        days = timedelta(days=held.calibration_interval_days or 0)
        made = Calibration.objects.create(
            equipment=held,
            performed_by=actor,
            recorded_at=max(at, measured.performed_at),
            due_on=(measured.performed_at + days).astimezone(UTC).date(),
            **vars(measured),
        )
        if not measured.as_found_in_tolerance:
            since = last_good(held, before=measured.performed_at)
            doubtful = uses_in_doubt(held, made, since=since.performed_at if since else None)
            _open_deviation(made, doubtful, actor=actor, at=at)
        if not measured.as_left_in_tolerance:
            held.state = EquipmentState.OUT_OF_SERVICE
            held.calibration_due_on = _due_on(held)
            held.save(update_fields=["state", "calibration_due_on"])
    return made


def verify(calibration: Calibration, *, actor: User, at: datetime, reason: str) -> Calibration:
    """Check somebody else's calibration; from then on the instrument's due date is its."""
    if Duty.QUALIFY_EQUIPMENT not in actor.duties:
        authority.demand(actor, Duty.CALIBRATE)
    text = recording.demand_reason(reason)
    with recording.recording(Action.CALIBRATION_VERIFIED, actor=actor, at=at, reason=text):
        held = equipment_states.take(calibration.equipment, Step.CALIBRATE)
        stored = Calibration.objects.select_for_update(no_key=True).get(pk=calibration.pk)
        if stored.verified_by_id is not None:
            raise CalibrationVerified(f"{stored} is verified already")
        if stored.performed_by_id == actor.pk:
            raise PerformerVerifies(f"{stored}: whoever performed it does not verify it")
        stored.verified_by, stored.verified_at = actor, at
        stored.save(update_fields=["verified_by", "verified_at"])
        _follow(held)
    return stored


def shorten(
    calibration: Calibration, *, due_on: date, actor: User, at: datetime, reason: str
) -> Calibration:
    """Let a calibration hold for less than was thought; uses after the new date open a deviation."""
    authority.demand(actor, Duty.QUALIFY_EQUIPMENT)
    text = recording.demand_reason(reason)
    with recording.recording(Action.CALIBRATION_SHORTENED, actor=actor, at=at, reason=text):
        held = Equipment.objects.select_for_update(no_key=True).get(pk=calibration.equipment_id)
        stored = Calibration.objects.select_for_update(no_key=True).get(pk=calibration.pk)
        if due_on >= stored.due_on:
            raise CalibrationInvalid(f"{stored} is due on {stored.due_on}: give an earlier day")
        stored.due_on = due_on
        stored.save(update_fields=["due_on"])
        _follow(held)
        flagged = impact(held, at=at).filter(used_from__gte=stored.performed_at)
        if stored.deviation_id is None and flagged.exists():
            _open_deviation(stored, flagged, actor=actor, at=at)
    return stored


def overdue(*, on: date) -> QuerySet[Equipment]:
    """Return the instruments whose calibration does not hold, longest overdue first."""
    return (
        Equipment.objects.filter(calibration_interval_days__isnull=False)
        .exclude(state=EquipmentState.RETIRED)
        .filter(Q(calibration_due_on=None) | Q(calibration_due_on__lt=on))
        .order_by(F("calibration_due_on").asc(nulls_first=True), "code")
    )


def _follow(equipment: Equipment) -> None:
    due_on = _due_on(equipment)
    if due_on != equipment.calibration_due_on:
        equipment.calibration_due_on = due_on
        equipment.save(update_fields=["calibration_due_on"])


def _due_on(equipment: Equipment) -> date | None:
    """Return until when the calibration in force holds; a newer one that failed ends it."""
    newest = (
        Calibration.objects.filter(Q(verified_at__isnull=False) | Q(as_left_in_tolerance=False))
        .filter(equipment=equipment)
        .order_by("-performed_at", "-pk")
        .first()
    )
    return newest.due_on if newest is not None and newest.as_left_in_tolerance else None


def _open_deviation(
    calibration: Calibration, uses: QuerySet[EquipmentUse], *, actor: User, at: datetime
) -> Deviation:
    equipment = calibration.equipment
    listed = [f"{one.purpose} from {one.used_from.isoformat()}" for one in uses]
    opened = deviations.open_(
        title=f"Calibration of {equipment.code}: {len(listed)} uses in doubt",
        description=f"{equipment.code} was found “{calibration.as_found}” by {calibration}, due on "
        f"{calibration.due_on}. Uses in doubt: {'; '.join(listed) or 'none is recorded'}.",
        severity=Severity.MAJOR if listed else Severity.MINOR,
        occurred_at=min(calibration.performed_at, at),
        actor=actor,
        at=at,
    )
    calibration.deviation = opened
    calibration.save(update_fields=["deviation"])
    return opened


def _demand_valid(equipment: Equipment, measured: Measured, *, at: datetime) -> None:
    if not equipment.is_calibrated:
        raise CalibrationInvalid(
            f"{equipment.code} has no calibration interval: it is no instrument"
        )
    missing = [name for name, value in vars(measured).items() if value == ""]
    if missing:
        raise CalibrationInvalid(f"a calibration needs its {', '.join(missing).replace('_', ' ')}")
    if measured.performed_at > at + CLOCK_TOLERANCE:
        raise CalibrationInvalid("a calibration is recorded after it was performed")
