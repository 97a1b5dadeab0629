"""QS-05: hold critical alarms against the values they belong to, and ask who answered them."""

from batches.execution.inspection import measured
from batches.execution.inspection.measured import Measured
from batches.execution.models import BatchEvent, EventKind
from compliance.inspection import outcomes, wording
from compliance.inspection.outcomes import Fact, Outcome
from compliance.inspection.registry import CHECKS, Parameters
from compliance.inspection.snapshots import Snapshot

FLAG = "critical_alarm"
_ANSWERS = ("acknowledged_by", "acknowledged_at", "acknowledgement")


@CHECKS.register("QS-05")
def check(snapshot: Snapshot, parameters: Parameters) -> Outcome:
    """Report alarms on values within limits, missing alarms on values outside, and no answers."""
    facts: list[Fact] = []
    failing: set[int] = set()
    examined = 0
    for batch, found in measured.of(snapshot).items():
        flagged = [one for one in found if FLAG in one.event.details]
        if not flagged:
            continue
        examined += len(flagged)
        raised = [one for one in flagged if one.event.details[FLAG] == "1"]
        silent = [one for one in flagged if one.is_outside and one not in raised]
        needless = [one for one in raised if not one.is_outside and one.parameter is not None]
        unanswered = [one for one in raised if not _is_answered(one)]
        failing |= {one.event.pk for one in (*silent, *needless, *unanswered)}
        facts += _facts(batch, raised, silent, needless, unanswered)
    if not examined:
        return outcomes.not_applicable("No record in scope carries an alarm flag.")
    return outcomes.judged(facts, examined=examined, failing=len(failing))


def _is_answered(one: Measured) -> bool:
    if one.event.text or any(key in one.event.details for key in _ANSWERS):
        return True
    return BatchEvent.objects.filter(
        batch_id=one.event.batch_id, kind=EventKind.ALARM, occurred_at=one.event.occurred_at
    ).exists()


def _facts(
    batch: str,
    raised: list[Measured],
    silent: list[Measured],
    needless: list[Measured],
    unanswered: list[Measured],
) -> list[Fact]:
    found = []
    where = frozenset({batch})
    if silent:
        said = wording.listed(f"{one} against {_limits(one)}" for one in silent)
        found.append(
            Fact(
                f"Batch {batch}: no critical alarm is recorded for "
                f"{wording.count(len(silent), 'value')} outside limits: {said}.",
                evidence=tuple(one.evidence for one in silent),
                batches=where,
            )
        )
    if needless:
        if len(raised) == 1:
            said = f"the only critical alarm, {needless[0]}, belongs to a value within limits"
        else:
            share = "all" if len(needless) == len(raised) else f"{len(needless)} of the"
            said = (
                f"{share} {len(raised)} critical alarms recorded from {raised[0].when} to "
                f"{raised[-1].when} belong to values within limits, e.g. {needless[0]}"
            )
        found.append(
            Fact(
                f"Batch {batch}: {said}.",
                evidence=tuple(one.evidence for one in needless),
                batches=where,
            )
        )
    if unanswered:
        share = "none" if len(unanswered) == len(raised) else f"{len(unanswered)}"
        text = (
            f"none of the {len(raised)} critical alarms has"
            if share == "none" and len(raised) > 1
            else "the only critical alarm has not"
            if share == "none"
            else f"{share} of the {len(raised)} critical alarms have not"
        )
        found.append(
            Fact(
                f"Batch {batch}: {text} an acknowledgement or a comment in the record.",
                evidence=tuple(one.evidence for one in unanswered),
                batches=where,
            )
        )
    return found


def _limits(one: Measured) -> str:
    return one.parameter.limits_text if one.parameter else "no limits"
