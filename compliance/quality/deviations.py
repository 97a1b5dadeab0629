"""Open, investigate and close deviations (21 CFR 211.100(b), 211.192; EU GMP Chapters 1 and 8)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db.models import QuerySet

from compliance import numbering
from compliance.access import authority
from compliance.access.authority import Principal
from compliance.access.duties import Duty
from compliance.access.models import User
from compliance.quality.actions import Action
from compliance.quality.models import (
    Deviation,
    DeviationNote,
    DeviationState,
    Origin,
    Reminder,
    RootCause,
    Severity,
)
from compliance.refusals import Refused
from compliance.signatures import signing
from compliance.signatures.models import Meaning, Signature
from compliance.signatures.signing import Confirmed
from compliance.trail import recording
from compliance.trail.recording import System
from compliance.trail.tlog import canonical

INVESTIGATE_WITHIN = timedelta(days=30)


class DeviationClosed(Refused):
    code = "deviation-closed"


class DeviationIncomplete(Refused):
    """The investigation lacks what a closure needs."""

    code = "deviation-incomplete"
    status = 422


class DeviationKnown(Refused):
    code = "deviation-known"


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
    at: datetime, origin: Origin = Origin.PERSON,
) -> Deviation:  # fmt: skip
    """Open a deviation; raise `NotPermitted`, or `DeviationIncomplete` when it says nothing."""
    authority.demand(actor, Duty.OPEN_DEVIATION)
    title, description = title.strip(), description.strip()
    if len(title) < 8 or len(description) < 20:
        raise DeviationIncomplete(
            "a deviation needs a title of 8 and a description of 20 characters or more: "
            "what happened, where, and how it was noticed"
        )
    if occurred_at > at:
        raise DeviationIncomplete("a deviation cannot have occurred in the future")
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
    authority.demand(actor, Duty.OPEN_DEVIATION)
    _demand_open(deviation)
    if len(text.strip()) < 8:
        raise DeviationIncomplete("a remark needs 8 characters or more")
    with recording.recording(
        Action.DEVIATION_NOTED, actor=actor, at=at, reason=f"remark on {deviation.number}"
    ):
        return DeviationNote.objects.create(
            deviation=deviation, text=text.strip(), written_by=actor, written_at=at
        )


def investigate(
    deviation: Deviation, *, findings: Findings, actor: User, at: datetime, reason: str
) -> Deviation:
    """Record or amend what the investigation found; every earlier text stays in the trail."""
    authority.demand(actor, Duty.INVESTIGATE)
    text = recording.demand_reason(reason)
    if (
        findings.root_cause_category == RootCause.HUMAN_ERROR
        and len(findings.alternatives_considered.strip()) < 20
    ):
        # EU GMP Chapter 8: human error only after process and system causes are ruled out
        raise DeviationIncomplete(
            "“human error” needs the other causes that were considered and how they were ruled out"
        )
    with recording.recording(Action.DEVIATION_INVESTIGATED, actor=actor, at=at, reason=text):
        locked = Deviation.objects.select_for_update().get(pk=deviation.pk)
        _demand_open(locked)
        locked.state = DeviationState.UNDER_INVESTIGATION
        locked.root_cause_category = findings.root_cause_category
        locked.root_cause = findings.root_cause.strip()
        locked.impact = findings.impact.strip()
        locked.conclusion = findings.conclusion.strip()
        locked.alternatives_considered = findings.alternatives_considered.strip()
        locked.immediate_action = findings.immediate_action.strip()
        locked.corrective_action = findings.corrective_action.strip()
        locked.save()
    return locked


def sign_investigation(deviation: Deviation, *, confirmed: Confirmed) -> Signature:
    """Sign the investigation as its investigator, before somebody else closes it."""
    authority.demand(confirmed.signer, Duty.INVESTIGATE)
    _demand_open(deviation)
    _demand_complete(deviation)
    return signing.sign(deviation, meaning=Meaning.INVESTIGATED, confirmed=confirmed)


def close(deviation: Deviation, *, confirmed: Confirmed, reason: str) -> Deviation:
    """Close a deviation by signature; raise `DeviationIncomplete` where something is missing.

    The one who closes is not the one who investigated (21 CFR 211.192: reviewed by the quality unit).
    """
    actor, at = confirmed.signer, confirmed.at
    authority.demand(actor, Duty.CLOSE_DEVIATION)
    text = recording.demand_reason(reason)
    with recording.recording(Action.DEVIATION_CLOSED, actor=actor, at=at, reason=text):
        locked = Deviation.objects.select_for_update().get(pk=deviation.pk)
        _demand_open(locked)
        _demand_complete(locked)
        investigators = {
            signature.signer_id
            for signature in signing.of(locked)
            if signature.meaning == Meaning.INVESTIGATED and signing.is_current(signature, locked)
        }
        if not investigators:
            raise DeviationIncomplete(
                f"{locked.number}: the investigation is not signed in its present version"
            )
        if investigators == {actor.pk}:
            raise DeviationIncomplete(
                f"{locked.number}: whoever investigated does not close; ask another person of quality"
            )
        signing.sign(locked, meaning=Meaning.CLOSED, confirmed=confirmed, comment=text)
        locked.state = DeviationState.CLOSED
        locked.closed_at = at
        locked.save(update_fields=["state", "closed_at"])
    return locked


def overdue(*, on: date) -> QuerySet[Deviation]:
    """Return the open deviations whose due date has passed, oldest first."""
    return (
        Deviation.objects.exclude(state=DeviationState.CLOSED)
        .filter(due_on__lt=on)
        .order_by("due_on", "pk")
    )


def remind(*, at: datetime) -> int:
    """Record one reminder a day for each overdue deviation; return how many are new."""
    made = 0
    for deviation in overdue(on=at.date()):
        with recording.recording(
            Action.REMINDED, actor=System("schedule"), at=at, reason=f"{deviation} is overdue"
        ):
            _, is_new = Reminder.objects.get_or_create(
                deviation=deviation,
                reminded_on=at.date(),
                defaults={
                    "days_overdue": (at.date() - deviation.due_on).days,
                    "addressed_to": deviation.opened_by,
                },
            )
        made += is_new
    return made


@signing.signable(Deviation)
def signed_content(deviation: Deviation) -> Mapping[str, canonical.Value]:
    """What a signature under a deviation covers: everything but its state and closing time."""
    fields = (
        "number", "title", "description", "severity", "origin", "opened_by", "immediate_action",
        "root_cause_category", "root_cause", "alternatives_considered", "impact",
        "corrective_action", "conclusion", "claims", "source_text",
    )  # fmt: skip
    content = {name: getattr(deviation, name) for name in fields}
    content["occurred_at"] = deviation.occurred_at.isoformat()
    return content


def _demand_open(deviation: Deviation) -> None:
    if not deviation.is_open:
        raise DeviationClosed(f"{deviation.number} is closed; open a new one")


def _demand_complete(deviation: Deviation) -> None:
    missing = [
        name.replace("_", " ")
        for name in ("root_cause_category", "root_cause", "impact", "conclusion")
        if not getattr(deviation, name)
    ]
    if missing:
        raise DeviationIncomplete(f"{deviation.number} lacks: {', '.join(missing)}")
