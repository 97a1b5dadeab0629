"""Set up the demonstration's equipment: qualified, calibrated, and some of it overdue."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from batches.assets import calibrations, equipment, qualifications
from batches.assets.calibrations import Measured
from batches.assets.equipment import Particulars
from batches.assets.models import Equipment, EquipmentState, Stage
from batches.assets.qualifications import StageReport
from compliance.access.models import User
from compliance.signatures import signing
from compliance.signatures.signing import Confirmed
from twins.plant.batch_details import FIRST_TRAIN, SECOND_TRAIN


@dataclass(frozen=True)
class Installed:
    """One piece of equipment as it stands when the demonstration begins.

    `ran_h` are the running hours since its last service, `calibrated_days_ago` the age of its
    calibration: the second feed pump reaches its service on day 5 of a batch that begins twelve
    days before, and the calibration of the second pH meter ends on its day 6.
    """

    code: str
    name: str
    kind: str
    location: str
    stages: str
    calibration_interval_days: int | None = None
    calibrated_days_ago: int | None = None
    service_after_hours: int | None = None
    ran_h: int = 0
    is_qualified: bool = True


LINE_1, LINE_2, LINE_3 = (f"Culture suite, line {number}" for number in (1, 2, 3))
REACTOR = "Bioreactor, 200 L, single use"
# Each stage is a signature, and each signature half a second of a processor.
REACTOR_STAGES, OTHER_STAGES = "oq,pq", "oq"
EQUIPMENT = (
    Installed(FIRST_TRAIN.bioreactor, REACTOR, "bioreactor", LINE_1, REACTOR_STAGES),
    Installed(SECOND_TRAIN.bioreactor, REACTOR, "bioreactor", LINE_2, REACTOR_STAGES),
    Installed("BR-200-03", REACTOR, "bioreactor", LINE_3, REACTOR_STAGES, is_qualified=False),
    Installed(
        FIRST_TRAIN.feed_pump, "Feed pump", "feed-pump", LINE_1, OTHER_STAGES,
        service_after_hours=500, ran_h=24,
    ),
    Installed(
        SECOND_TRAIN.feed_pump, "Feed pump", "feed-pump", LINE_2, OTHER_STAGES,
        service_after_hours=500, ran_h=390,
    ),
    Installed(FIRST_TRAIN.ph_meter, "pH meter", "ph-meter", LINE_1, OTHER_STAGES, 30, 20),
    Installed(SECOND_TRAIN.ph_meter, "pH meter", "ph-meter", LINE_2, OTHER_STAGES, 30, 36),
    Installed(
        "BAL-01", "Floor balance, 300 kg", "balance", "Dispensary", OTHER_STAGES, 90, 60,
        is_qualified=False,
    ),
)  # fmt: skip


def install(
    *, maintenance: User, quality: User, operator: User, sign: Callable[[User], Confirmed],
    at: datetime,
) -> None:  # fmt: skip
    """Enter the equipment that is missing and lead it to its state; safe to run again."""
    for one in EQUIPMENT:
        held = Equipment.objects.filter(code=one.code).first()
        if held is None:
            held = equipment.register(_particulars(one), actor=maintenance, at=at)
        if not signing.of(held):  # else a visitor's: what was done with it stays as it is
            _lead(held, one, maintenance=maintenance, quality=quality, sign=sign, at=at)
        _has_run(Equipment.objects.get(pk=held.pk), one, operator=operator, at=at)


def _lead(
    held: Equipment, one: Installed, *, maintenance: User, quality: User,
    sign: Callable[[User], Confirmed], at: datetime,
) -> None:  # fmt: skip
    for stage in one.stages.split(",")[: None if one.is_qualified else 1]:
        _stage(held, Stage(stage), one, by=maintenance, sign=lambda: sign(quality), at=at)
    _calibrate(held, one, by=maintenance, verifier=quality, at=at)
    if one.is_qualified:
        reason = "every stage that it needs is approved"
        qualifications.qualify(held, confirmed=sign(quality), reason=reason)


def _particulars(one: Installed) -> Particulars:
    return Particulars(
        code=one.code,
        name=one.name,
        kind=one.kind,
        location=one.location,
        manufacturer="Example Works (invented)",
        model=one.kind.upper(),
        serial_number=f"SN-{one.code}",
        needed_stages=one.stages,
        calibration_interval_days=one.calibration_interval_days,
        service_after_hours=one.service_after_hours,
    )


def _stage(
    held: Equipment, stage: Stage, one: Installed, *, by: User, sign: Callable[[], Confirmed],
    at: datetime,
) -> None:  # fmt: skip
    made = held.qualifications.filter(stage=stage).first()
    if made is None:
        report = StageReport(
            stage=stage,
            protocol=f"{stage.upper()}-{one.code} version 1",
            report=f"REP-{stage.upper()}-{one.code}",
            summary="every test of the protocol passed",
            performed_on=(at - timedelta(days=60)).astimezone(UTC).date(),
        )
        made = qualifications.record(held, report=report, actor=by, at=at)
    if one.is_qualified and made.approved_by_id is None:
        qualifications.approve(made, confirmed=sign())


def _calibrate(held: Equipment, one: Installed, *, by: User, verifier: User, at: datetime) -> None:
    if one.calibrated_days_ago is None:
        return
    made = held.calibrations.first()
    if made is None:
        measured = Measured(
            performed_at=at - timedelta(days=one.calibrated_days_ago),
            as_found="within half of its tolerance",
            as_found_in_tolerance=True,
            as_left="within half of its tolerance",
            as_left_in_tolerance=True,
            reference_standard="STD-7, invented",
            certificate=f"CERT-{one.code}",
        )
        made = calibrations.record(held, measured=measured, actor=by, at=at)
    if made.verified_by_id is None:
        calibrations.verify(made, actor=verifier, at=at, reason="agrees with its certificate")


def _has_run(held: Equipment, one: Installed, *, operator: User, at: datetime) -> None:
    """Take over how long it has run, from the paper log book that went before."""
    began = at - timedelta(days=40)
    if one.ran_h and held.state == EquipmentState.QUALIFIED and not held.uses.exists():
        equipment.mark_used(
            held,
            purpose="engineering runs with water",
            by_text="paper log book",
            used_from=began,
            used_until=began + timedelta(hours=one.ran_h),
            actor=operator,
            at=at,
        )
