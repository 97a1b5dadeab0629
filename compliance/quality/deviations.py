"""Open, investigate and close deviations (21 CFR 211.100(b), 211.192; EU GMP Chapters 1 and 8)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from compliance import numbering
from compliance.access import authority
from compliance.access.authority import Principal
from compliance.access.duties import Duty
from compliance.access.models import User
from compliance.quality import gaps
from compliance.quality.actions import Action
from compliance.quality.gaps import DeviationIncomplete
from compliance.quality.models import (
    Category,
    Deviation,
    DeviationNote,
    DeviationState,
    Origin,
    RootCause,
    Severity,
)
from compliance.quality.models.deviations import DeviationQuerySet
from compliance.quality.states import DEVIATION, DeviationClosed, OfDeviation
from compliance.refusals import Refused
from compliance.signatures import signing
from compliance.signatures.models import Meaning, Signature
from compliance.signatures.signing import Confirmed
from compliance.trail import recording
from compliance.trail.tlog import canonical

__all__ = ["DeviationClosed", "DeviationIncomplete"]
INVESTIGATE_WITHIN = timedelta(days=30)
_LEAST = 8


class DeviationKnown(Refused):
    code = "deviation-known"


class InvestigatorCloses(Refused):
    """The quality unit reviews what another person investigated (21 CFR 211.192)."""

    code = "investigator-closes"
    status = 403


class NotDuplicate(Refused):
    """A duplicate is cancelled for an original that stands."""

    code = "not-a-duplicate"
    status = 422


@dataclass(frozen=True)
class Findings:
    """What an investigation found: the fields a person fills in."""

    root_cause_category: RootCause
    root_cause: str
    impact: str
    conclusion: str
    alternatives_considered: str = ""
    immediate_action: str = ""
    corrective_action: str = ""


def open_(
    *, title: str, description: str, severity: Severity, occurred_at: datetime, actor: Principal,
    at: datetime, origin: Origin = Origin.PERSON, category: Category = Category.UNSORTED,
    concerns: str = "", immediate_action: str = "", follows: Deviation | None = None,
) -> Deviation:  # fmt: skip
    """Open a deviation; raise `NotPermitted`, or `DeviationIncomplete` when it says nothing.

    `severity` is as reported; quality classifies by the rule before it closes. `concerns` is the
    code of what it is about (a tag, an equipment): recurrences are found by it.
    """
    authority.demand(actor, Duty.OPEN_DEVIATION)
    title, description = title.strip(), description.strip()
    if len(title) < 8 or len(description) < 20:
        raise DeviationIncomplete(
            "a deviation needs a title of 8 and a description of 20 characters or more: "
            "what happened, where, and how it was noticed"
        )
    if occurred_at > at:
        raise DeviationIncomplete("a deviation cannot have occurred in the future")
    if follows is not None and follows.is_open:
        raise DeviationIncomplete(f"{follows.number} is open: go on there instead of following it")
    with recording.recording(Action.DEVIATION_OPENED, actor=actor, at=at, reason=title):
        return Deviation.objects.create(
            number=numbering.next_number(Deviation, prefix="DEV", at=at),
            title=title,
            description=description,
            severity=severity,
            origin=origin,
            occurred_at=occurred_at,
            opened_at=at,
            opened_by=actor.trail_identity().name,
            due_on=(at + INVESTIGATE_WITHIN).date(),
            category=category,
            concerns=concerns.strip(),
            immediate_action=immediate_action.strip(),
            follows=follows,
        )


def import_(
    *, number: str, title: str, source_text: str, severity: Severity, occurred_at: datetime,
    claims: Mapping[str, canonical.Value], actor: Principal, at: datetime,
) -> Deviation:  # fmt: skip
    """Take over another system's report: its text unchanged, its claims field by field."""
    authority.demand(actor, Duty.OPEN_DEVIATION)
    if Deviation.objects.filter(number=number).exists():
        raise DeviationKnown(f"{number} has been imported already")
    with recording.recording(
        Action.DEVIATION_IMPORTED, actor=actor, at=at, reason=f"imported report {number}"
    ):
        return Deviation.objects.create(
            number=number,
            title=title,
            description=source_text,
            severity=severity,
            origin=Origin.IMPORT,
            occurred_at=occurred_at,
            opened_at=at,
            opened_by=actor.trail_identity().name,
            due_on=(at + INVESTIGATE_WITHIN).date(),
            claims=dict(claims),
            source_text=source_text,
        )


def note(deviation: Deviation, *, text: str, actor: User, at: datetime) -> DeviationNote:
    """Add a dated remark to an open investigation."""
    DEVIATION.permit(actor, OfDeviation.NOTE)
    DEVIATION.demand(deviation, OfDeviation.NOTE)
    if len(text.strip()) < _LEAST:
        raise DeviationIncomplete("a remark needs 8 characters or more")
    with recording.recording(
        Action.DEVIATION_NOTED, actor=actor, at=at, reason=f"remark on {deviation.number}"
    ):
        held = DEVIATION.take(deviation, OfDeviation.NOTE)
        return DeviationNote.objects.create(
            deviation=held, text=text.strip(), written_by=actor, written_at=at
        )


def act_at_once(deviation: Deviation, *, text: str, actor: User, at: datetime) -> Deviation:
    """Record what was done at once to contain the effect; earlier texts stay in the trail."""
    DEVIATION.permit(actor, OfDeviation.ACT_AT_ONCE)
    if len(text.strip()) < _LEAST:
        raise DeviationIncomplete("say in 8 characters or more what was done at once")
    with recording.recording(
        Action.DEVIATION_ACTED_AT_ONCE, actor=actor, at=at,
        reason=f"immediate action on {deviation.number}",
    ):  # fmt: skip
        held = DEVIATION.take(deviation, OfDeviation.ACT_AT_ONCE)
        held.immediate_action = "\n".join(filter(None, [held.immediate_action, text.strip()]))
        held.save(update_fields=["immediate_action"])
    return held


def investigate(
    deviation: Deviation, *, findings: Findings, actor: User, at: datetime, reason: str
) -> Deviation:
    """Record or amend what the investigation found; every earlier text stays in the trail."""
    DEVIATION.permit(actor, OfDeviation.INVESTIGATE)
    text = recording.demand_reason(reason)
    DEVIATION.demand(deviation, OfDeviation.INVESTIGATE)
    if (
        findings.root_cause_category == RootCause.HUMAN_ERROR
        and len(findings.alternatives_considered.strip()) < 20
    ):
        # EU GMP Chapter 8: human error only after process and system causes are ruled out
        raise DeviationIncomplete(
            "“human error” needs the other causes that were considered and how they were ruled out"
        )
    with recording.recording(Action.DEVIATION_INVESTIGATED, actor=actor, at=at, reason=text):
        locked = DEVIATION.take(deviation, OfDeviation.INVESTIGATE)
        locked.state = DeviationState.UNDER_INVESTIGATION
        locked.root_cause_category = findings.root_cause_category
        locked.root_cause = findings.root_cause.strip()
        locked.impact = findings.impact.strip()
        locked.conclusion = findings.conclusion.strip()
        locked.alternatives_considered = findings.alternatives_considered.strip()
        # What was done at once is recorded as it happens: no word here does not take it back.
        locked.immediate_action = findings.immediate_action.strip() or locked.immediate_action
        locked.corrective_action = findings.corrective_action.strip()
        locked.save()
    return locked


def sign_investigation(deviation: Deviation, *, confirmed: Confirmed) -> Signature:
    """Sign the investigation as its investigator, before somebody else closes it."""
    DEVIATION.permit(confirmed.signer, OfDeviation.SIGN)
    DEVIATION.demand(deviation, OfDeviation.SIGN)
    gaps.demand_investigated(deviation)
    return signing.sign(deviation, meaning=Meaning.INVESTIGATED, confirmed=confirmed)


def close(deviation: Deviation, *, confirmed: Confirmed, reason: str) -> Deviation:
    """Close a deviation by signature; raise `DeviationIncomplete` where something is missing.

    The one who closes is not the one who investigated (21 CFR 211.192: reviewed by the quality unit).
    """
    actor, at = confirmed.signer, confirmed.at
    DEVIATION.permit(actor, OfDeviation.CLOSE)
    text = recording.demand_reason(reason)
    with recording.recording(Action.DEVIATION_CLOSED, actor=actor, at=at, reason=text):
        locked = DEVIATION.take(deviation, OfDeviation.CLOSE)
        gaps.demand_complete(locked)
        _demand_second_person(locked, actor)
        signing.sign(locked, meaning=Meaning.CLOSED, confirmed=confirmed, comment=text)
        locked.state = DeviationState.CLOSED
        locked.closed_at = at
        locked.save(update_fields=["state", "closed_at"])
    return locked


def cancel(
    deviation: Deviation, *, original: Deviation, confirmed: Confirmed, reason: str
) -> Deviation:
    """Cancel a deviation that was opened twice, for the other one; by quality, with a signature.

    Nothing is settled by it: whatever the duplicate stands in the way of waits for the original.
    """
    actor, at = confirmed.signer, confirmed.at
    DEVIATION.permit(actor, OfDeviation.CANCEL)
    text = recording.demand_reason(reason)
    with recording.recording(Action.DEVIATION_CANCELLED, actor=actor, at=at, reason=text):
        locked = DEVIATION.take(deviation, OfDeviation.CANCEL)
        kept = Deviation.objects.select_for_update().get(pk=original.pk)
        if kept.pk == locked.pk or kept.state == DeviationState.CANCELLED:
            raise NotDuplicate(f"{kept.number} cannot stand for {locked.number}; name another one")
        if locked.duplicates.exists():
            raise NotDuplicate(f"{locked.number} stands for others that were cancelled for it")
        signing.sign(locked, meaning=Meaning.REJECTED, confirmed=confirmed, comment=text)
        locked.state = DeviationState.CANCELLED
        locked.duplicate_of = kept
        locked.save(update_fields=["state", "duplicate_of"])
    return locked


def overdue(*, on: date) -> DeviationQuerySet:
    """Return the open deviations whose due date has passed, oldest first."""
    return Deviation.objects.in_work().filter(due_on__lt=on).order_by("due_on", "pk")


@signing.signable(Deviation)
def signed_content(deviation: Deviation) -> Mapping[str, canonical.Value]:
    """What a signature under a deviation covers: everything but its state, dates and remarks."""
    fields = (
        "number", "title", "description", "severity", "origin", "opened_by", "immediate_action",
        "root_cause_category", "root_cause", "alternatives_considered", "impact",
        "corrective_action", "conclusion", "claims", "source_text",
    )  # fmt: skip
    content = {name: getattr(deviation, name) for name in fields}
    content["occurred_at"] = deviation.occurred_at.isoformat()
    # Members without a value are left out, so that signatures of earlier versions still fit.
    more: dict[str, canonical.Value] = {
        "category": deviation.category,
        "concerns": deviation.concerns,
        "causes": [
            [one.category, one.cause, one.finding, one.how]
            for one in deviation.causes.order_by("pk")
        ],
        "neighbours": [
            [one.kind, one.name, one.effect, one.reason]
            for one in deviation.neighbours.order_by("kind", "name")
        ],
        "recurrences": [
            [one.is_recurrence, one.text] for one in deviation.recurrence_answers.order_by("pk")
        ],
    }
    return content | {name: value for name, value in more.items() if value}


def _demand_second_person(deviation: Deviation, actor: User) -> None:
    signed = [one for one in signing.of(deviation) if one.meaning == Meaning.INVESTIGATED]
    if not any(signing.is_current(one, deviation) for one in signed):
        raise DeviationIncomplete(
            f"{deviation.number}: the investigation is not signed in its present version"
        )
    # In any version: a later word of somebody else does not make it another one's investigation.
    if actor.pk in {one.signer_id for one in signed}:
        raise InvestigatorCloses(
            f"{deviation.number}: whoever investigated does not close; "
            "ask another person of quality"
        )
