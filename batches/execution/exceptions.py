"""Flag what departs from the recipe as it arises, and assess it by a second person (211.192)."""

from datetime import datetime
from typing import Any

from django.db import models
from django.db.models import QuerySet

from batches.execution.actions import Action
from batches.execution.models import (
    Batch,
    BatchException,
    BatchPhase,
    ExceptionKind,
    ExceptionState,
)
from compliance.access import authority
from compliance.access.authority import Principal
from compliance.access.duties import Duty
from compliance.access.models import User
from compliance.quality.models import Deviation
from compliance.refusals import Refused
from compliance.signatures import signing
from compliance.signatures.models import Meaning
from compliance.signatures.signing import Confirmed
from compliance.trail import recording


class ExceptionAssessed(Refused):
    """What was assessed is not assessed again; what is found later is a deviation."""

    code = "exception-assessed"


class DeviationNeeded(Refused):
    """A missed limit is justified in a deviation, not in a remark (21 CFR 211.100(b))."""

    code = "deviation-needed"


class DeviationOfAnotherBatch(Refused):
    code = "deviation-of-another-batch"


class CauserAssesses(Refused):
    """Nobody assesses a departure in their own entry."""

    code = "causer-assesses"
    status = 403


CLAUSES: dict[str, str] = {
    ExceptionKind.OUT_OF_LIMITS: "21 CFR 211.110(b)",
    ExceptionKind.IMPLAUSIBLE: "21 CFR 211.68(b)",
    ExceptionKind.NOT_JUDGED: "21 CFR 211.110(b)",
    ExceptionKind.LATE_ENTRY: "21 CFR 211.100(b)",
    ExceptionKind.CHARGE: "21 CFR 211.101",
    ExceptionKind.YIELD: "21 CFR 211.103",
    ExceptionKind.RECONCILIATION: "21 CFR 211.125(c)",
    ExceptionKind.HOLD_TIME: "21 CFR 211.111",
    ExceptionKind.INTERRUPTION: "21 CFR 211.100(b)",
    ExceptionKind.EXAMINATION: "21 CFR 211.130, 211.134",
    ExceptionKind.SOURCE_NOT_USABLE: "21 CFR 11.10(h), 211.160(b)(4)",
    ExceptionKind.READING_CONFLICT: "21 CFR 211.68(b)",
}


def flag(
    batch: Batch, kind: ExceptionKind, *, about: models.Model, text: str, at: datetime,
    phase: BatchPhase | None = None, by: Principal | None = None, is_critical: bool = False,
) -> BatchException:  # fmt: skip
    """Write an exception, inside the act of the entry that it is about."""
    return BatchException.objects.create(
        batch=batch,
        phase=phase,
        kind=kind,
        subject=f"{about._meta.db_table} {about.pk}",
        clause=CLAUSES[kind],
        text=text,
        is_critical=is_critical,
        caused_by=by if isinstance(by, User) else None,
        detected_at=at,
    )


def flag_late(batch: Batch, entry: Any, *, by: User, reason: str, at: datetime) -> None:
    """Flag a late entry, where it is one."""
    if reason:
        flag(
            batch, ExceptionKind.LATE_ENTRY, about=entry, by=by, at=at,
            phase=getattr(entry, "phase", None) if hasattr(entry, "phase_id") else None,
            text=f"{entry} was entered late: {reason}",
        )  # fmt: skip


def link(
    exception: BatchException, *, deviation: Deviation, actor: User, at: datetime
) -> BatchException:
    """Say which deviation investigates an exception."""
    authority.demand(actor, Duty.OPEN_DEVIATION)
    with recording.recording(
        Action.EXCEPTION_LINKED, actor=actor, at=at,
        reason=f"{deviation.number} investigates {exception}",
    ):  # fmt: skip
        held = _take(exception)
        if held.deviation_id is not None:
            raise ExceptionAssessed(f"{held} is investigated by {held.deviation} already")
        if not held.batch.deviations.filter(pk=deviation.pk).exists():
            raise DeviationOfAnotherBatch(
                f"{deviation.number} is not linked to {held.batch.number}; link it to the batch first"
            )
        held.deviation = deviation
        held.save(update_fields=["deviation"])
    return held


def assess(exception: BatchException, *, confirmed: Confirmed, assessment: str) -> BatchException:
    """Assess an exception by signature; a missed limit needs its deviation linked before."""
    assessor, at = confirmed.signer, confirmed.at
    authority.demand(assessor, Duty.INVESTIGATE)
    text = recording.demand_reason(assessment)
    with recording.recording(Action.EXCEPTION_ASSESSED, actor=assessor, at=at, reason=text):
        held = _take(exception)
        if held.caused_by_id == assessor.pk:
            raise CauserAssesses(f"{held} is about an entry of {assessor.username}; ask another")
        if held.needs_deviation and held.deviation_id is None:
            raise DeviationNeeded(
                f"{held}: {held.text}. Open a deviation about it and link it, then assess"
            )
        held.state = ExceptionState.ASSESSED
        held.assessment, held.assessed_by, held.assessed_at = text, assessor, at
        held.save(update_fields=["state", "assessment", "assessed_by", "assessed_at"])
        signing.sign(held, meaning=Meaning.REVIEWED, confirmed=confirmed, comment=text)
    return held


def open_of(batch: Batch) -> QuerySet[BatchException]:
    """Return what is neither assessed nor investigated in a linked deviation, oldest first."""
    return batch.exceptions.filter(state=ExceptionState.OPEN, deviation=None).order_by("pk")


def _take(exception: BatchException) -> BatchException:
    held = (
        BatchException.objects.select_for_update(of=("self",), no_key=True)
        .select_related("batch", "deviation")
        .get(pk=exception.pk)
    )
    if held.state == ExceptionState.ASSESSED:
        raise ExceptionAssessed(f"{held} was assessed at {held.assessed_at}")
    return held
