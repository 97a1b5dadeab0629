"""Record every injection of a run, with its raw data; none is ever taken away (211.194(a)(4))."""

from dataclasses import dataclass
from datetime import datetime
from typing import BinaryIO

from batches.execution import events
from batches.laboratory import orphans, runs
from batches.laboratory.actions import Action
from batches.laboratory.models import (
    Injection,
    InjectionKind,
    InjectionOutcome,
    Run,
    Sample,
    Suitability,
)
from batches.laboratory.states import RunStateForbids, RunStep
from compliance.access import authority
from compliance.access.duties import Duty
from compliance.access.models import User
from compliance.refusals import Refused
from compliance.trail import attachments, recording


class InjectionInvalid(Refused):
    code = "injection-invalid"
    status = 422


class InjectionKnown(Refused):
    """An injection's number is used once in its run, whatever became of it."""

    code = "injection-known"


@dataclass(frozen=True)
class RawData:
    """A file as the instrument wrote it."""

    content: BinaryIO
    filename: str
    media_type: str = "application/octet-stream"


def record(
    run: Run, *, number: int, kind: InjectionKind, injected_at: datetime, actor: User, at: datetime,
    sample: Sample | None = None, outcome: InjectionOutcome = InjectionOutcome.COMPLETED,
    reason: str = "", raw_data: RawData | None = None,
) -> Injection:  # fmt: skip
    """Record an injection under the number that the instrument gave it."""
    authority.demand(actor, Duty.ENTER_RESULTS)
    if (kind == InjectionKind.SAMPLE) != (sample is not None):
        raise InjectionInvalid("an injection of a sample names the sample, no other one does")
    if outcome != InjectionOutcome.COMPLETED:
        reason = recording.demand_reason(reason)
    events.demand_possible(injected_at, at=at)
    if injected_at < run.started_at or number < 1:
        raise InjectionInvalid(f"injection {number} is before the start of {run}")
    with recording.recording(
        Action.INJECTION_RECORDED, actor=actor, at=at, reason=f"injection {number} of {run}"
    ):
        locked = runs.take(run, RunStep.INJECT)
        if kind == InjectionKind.SUITABILITY and locked.suitability != Suitability.OPEN:
            raise RunStateForbids(f"the system suitability of {locked} is judged already")
        if Injection.objects.filter(run=locked, number=number).exists():
            raise InjectionKnown(f"{locked} has an injection {number} already")
        return Injection.objects.create(
            run=locked, number=number, kind=kind, sample=sample, outcome=outcome, reason=reason,
            injected_at=injected_at, recorded_at=at,
            raw_data_digest="" if raw_data is None else _kept(locked, raw_data, actor, at),
        )  # fmt: skip


def invalidate(injection: Injection, *, actor: User, at: datetime, reason: str) -> Injection:
    """Say that a completed injection does not count, and why; it stays where it is."""
    authority.demand(actor, Duty.ENTER_RESULTS)
    text = recording.demand_reason(reason)
    with recording.recording(Action.INJECTION_INVALIDATED, actor=actor, at=at, reason=text):
        run = runs.take(injection.run, RunStep.INVALIDATE)
        locked = Injection.objects.select_for_update().get(pk=injection.pk)
        if locked.outcome != InjectionOutcome.COMPLETED:
            raise RunStateForbids(f"{locked} is {locked.get_outcome_display().lower()} already")
        if locked.kind == InjectionKind.SUITABILITY and run.suitability != Suitability.OPEN:
            raise RunStateForbids(f"the system suitability of {run} is judged already")
        if locked.replicates.exists():
            raise RunStateForbids(
                f"a result was calculated from {locked}: an OOS investigation or a correction of "
                "the result comes first"
            )
        locked.outcome, locked.reason = InjectionOutcome.INVALID, text
        locked.save(update_fields=["outcome", "reason"])
    return locked


def attach(run: Run, *, raw_data: RawData, actor: User, at: datetime) -> str:
    """Keep raw data of a run that belong to no injection yet; it is listed as an orphan."""
    authority.demand(actor, Duty.ENTER_RESULTS)
    runs.take_unlocked(run, RunStep.EXPLAIN)
    return _kept(run, raw_data, actor, at)


def _kept(run: Run, raw_data: RawData, actor: User, at: datetime) -> str:
    attached = attachments.add(
        raw_data.content, filename=raw_data.filename, media_type=raw_data.media_type,
        subject=orphans.subject_of(run), actor=actor, at=at, reason=f"raw data of {run}",
    )  # fmt: skip
    return attached.sha256
