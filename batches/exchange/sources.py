"""Register the systems whose records devices bring, with the thresholds that judge their clocks."""

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from batches.exchange.actions import Action
from batches.exchange.models import Source
from compliance.access import authority
from compliance.access.duties import Duty
from compliance.access.models import Device, User
from compliance.refusals import Refused
from compliance.trail import recording


class SourceKnown(Refused):
    code = "source-known"


class SourceUnknown(Refused):
    """Nobody registered this source."""

    code = "source-unknown"
    status = 404


class SourceNotYours(Refused):
    """A source is brought by one device, and by no other."""

    code = "source-not-yours"
    status = 403


class ThresholdsInvalid(Refused):
    code = "thresholds-invalid"
    status = 422


@dataclass(frozen=True)
class Thresholds:
    """From when on a record is late or backfilled, and how far a clock may be from ours."""

    late_after_s: int = 900
    backfilled_after_s: int = 3600
    clock_skew_s: int = 60


@dataclass(frozen=True)
class Times:
    """The four times of a record but the last: what the source says, and when it came here."""

    observed_at: datetime
    sent_at: datetime | None
    received_at: datetime


@dataclass(frozen=True)
class Judged:
    """What the thresholds of a source say of a record's times."""

    is_late: bool
    is_backfilled: bool
    is_clock_suspect: bool
    doubts: str


def register(
    *, code: str, device: Device, actor: User, at: datetime, reason: str, description: str = "",
    thresholds: Thresholds | None = None,
) -> Source:  # fmt: skip
    """Let a device bring the records of a source."""
    authority.demand(actor, Duty.ADMINISTER_ACCESS)
    text = recording.demand_reason(reason)
    chosen = thresholds or Thresholds()
    _demand_sound(chosen)
    if Source.objects.filter(code=code).exists():
        raise SourceKnown(f"{code} is registered already")
    with recording.recording(Action.SOURCE_REGISTERED, actor=actor, at=at, reason=text):
        return Source.objects.create(
            code=code, device=device, description=description, registered_at=at, **asdict(chosen)
        )


def change_thresholds(
    source: Source, *, thresholds: Thresholds, actor: User, at: datetime, reason: str
) -> Source:
    """Judge what comes from now on by other thresholds; what is recorded keeps its flags."""
    authority.demand(actor, Duty.ADMINISTER_ACCESS)
    text = recording.demand_reason(reason)
    _demand_sound(thresholds)
    with recording.recording(Action.SOURCE_CHANGED, actor=actor, at=at, reason=text):
        held = Source.objects.select_for_update().get(pk=source.pk)
        for name, value in asdict(thresholds).items():
            setattr(held, name, value)
        held.save(update_fields=list(asdict(thresholds)))
    return held


def of_device(code: str, device: Device) -> Source:
    """Return a source that this device brings, or raise `SourceUnknown`, `SourceNotYours`."""
    source = Source.objects.filter(code=code).first()
    if source is None:
        raise SourceUnknown(f"no source is registered as {code[:60]}; an administrator does that")
    if source.device_id != device.pk:
        raise SourceNotYours(f"{code} is brought by another device than {device.name}")
    return source


def judge(source: Source, times: Times, *, is_backfilled: bool = False) -> Judged:
    """Compare a record's times with each other and with our clock."""
    age = times.received_at - times.observed_at
    skew = timedelta(seconds=source.clock_skew_s)
    doubts = []
    if age < -skew:
        doubts.append(f"observed {-age.total_seconds():.0f} s ahead of our clock")
    if times.sent_at is not None:
        if abs(times.received_at - times.sent_at) > skew:
            apart = (times.received_at - times.sent_at).total_seconds()
            doubts.append(f"sent {apart:.0f} s before it was received")
        if times.observed_at - times.sent_at > skew:
            doubts.append("observed after it was sent")
    return Judged(
        is_late=age > timedelta(seconds=source.late_after_s),
        is_backfilled=is_backfilled or age > timedelta(seconds=source.backfilled_after_s),
        is_clock_suspect=bool(doubts),
        doubts="; ".join(doubts),
    )


def _demand_sound(thresholds: Thresholds) -> None:
    if not 0 < thresholds.late_after_s <= thresholds.backfilled_after_s:
        raise ThresholdsInvalid("what is backfilled is late: late <= backfilled, both above 0")
    if not 0 < thresholds.clock_skew_s <= 300:
        raise ThresholdsInvalid("a clock is suspect beyond 1 to 300 s; further ahead is refused")
