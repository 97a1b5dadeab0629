"""Request, assess, approve, implement and review changes (EU GMP Annex 15, 11; Annex 11, 10)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from compliance import numbering
from compliance.access import authority
from compliance.access.duties import Duty, Role
from compliance.access.models import User
from compliance.quality.actions import Action
from compliance.quality.models import (
    Approval,
    Change,
    ChangeClass,
    ChangeState,
    ChangeTask,
    Impact,
    ImpactKind,
    Risk,
    RiskState,
)
from compliance.quality.states import CHANGE, OfChange
from compliance.refusals import Refused
from compliance.signatures import signing
from compliance.signatures.models import Meaning
from compliance.signatures.signing import Confirmed
from compliance.trail import recording
from compliance.trail.tlog import canonical

DECIDE_WITHIN = timedelta(days=60)
EMERGENCY_WITHIN = timedelta(days=5)  # until when an emergency has its ordinary approvals
REVIEW_AFTER = timedelta(days=90)
# Which functions agree to a change of a class, and which roles may speak for each.
FUNCTIONS: Mapping[str, tuple[str, ...]] = {
    ChangeClass.MINOR: ("quality",),
    ChangeClass.MAJOR: ("production", "quality"),
    ChangeClass.CRITICAL: ("production", "quality", "qualified-person"),
}
SPEAKS_FOR: Mapping[str, frozenset[str]] = {
    "production": frozenset({Role.SUPERVISOR, Role.PROCESS_ENGINEER}),
    "laboratory": frozenset({Role.QC_SUPERVISOR}),
    "quality": frozenset({Role.QUALITY_ASSURANCE}),
    "qualified-person": frozenset({Role.QUALIFIED_PERSON}),
}
# What may be relied on: agreed to, and neither rejected nor withdrawn.
_AGREED = (
    ChangeState.APPROVED, ChangeState.IMPLEMENTED, ChangeState.REVIEWED, ChangeState.CLOSED,
)  # fmt: skip


class ChangeIncomplete(Refused):
    code = "change-incomplete"
    status = 422


class ChangeOwnWork(Refused):
    """Who asks for a change does not agree to it."""

    code = "change-own-work"
    status = 403


class ChangeNotYours(Refused):
    """A wish is withdrawn by who asked for it, a task finished by who was to do it."""

    code = "change-not-yours"
    status = 403


class ChangeNotEmergency(Refused):
    """Only what was asked for as an emergency goes ahead before its approval."""

    code = "change-not-emergency"


class NotOfFunction(Refused):
    """The signer's roles do not speak for this function, or nobody asked it."""

    code = "not-of-function"
    status = 403


class FunctionAgreed(Refused):
    code = "function-agreed"


class ChangeNotApproved(Refused):
    """What was to be done takes a change that is approved."""

    code = "change-not-approved"


@dataclass(frozen=True)
class Wish:
    """What somebody wants to change, and why."""

    title: str
    description: str
    justification: str
    classification: ChangeClass
    is_emergency: bool = False
    risk: Risk | None = None


def request(*, wish: Wish, actor: User, at: datetime) -> Change:
    """Ask for a change; it has no effect until the functions of its class have agreed."""
    authority.demand(actor, Duty.REQUEST_CHANGE)
    if len(wish.title.strip()) < 8 or min(
        len(wish.description.strip()), len(wish.justification.strip())
    ) < 20:  # fmt: skip
        raise ChangeIncomplete(
            "a change has a title of 8 characters, and says in 20 or more what changes, and why"
        )
    if wish.classification != ChangeClass.MINOR and wish.risk is None and not wish.is_emergency:
        raise ChangeIncomplete("a major or critical change refers to a risk assessment")
    with recording.recording(Action.CHANGE_REQUESTED, actor=actor, at=at, reason=wish.title):
        within = EMERGENCY_WITHIN if wish.is_emergency else DECIDE_WITHIN
        return Change.objects.create(
            number=numbering.next_number(Change, prefix="CC", at=at), title=wish.title.strip(),
            description=wish.description.strip(), justification=wish.justification.strip(),
            classification=wish.classification, is_emergency=wish.is_emergency, risk=wish.risk,
            requester=actor, requested_at=at, due_on=(at + within).date(),
        )  # fmt: skip


def assess_impact(
    change: Change, *, kind: ImpactKind, is_affected: bool, assessment: str, actor: User,
    at: datetime, identifier: str = "",
) -> Impact:  # fmt: skip
    """Say what the change means for one thing, or why it means nothing for a kind of thing."""
    CHANGE.permit(actor, OfChange.ASSESS_IMPACT)
    text = recording.demand_reason(assessment)
    if is_affected and not identifier.strip():
        raise ChangeIncomplete(f"name which of {kind.label.lower()} is affected")
    with recording.recording(Action.IMPACT_ASSESSED, actor=actor, at=at, reason=text):
        held = CHANGE.take(change, OfChange.ASSESS_IMPACT)
        made, _ = Impact.objects.update_or_create(
            change=held, kind=kind, identifier=identifier.strip(),
            defaults={
                "is_affected": is_affected, "assessment": text, "assessed_by": actor,
                "assessed_at": at,
            },
        )  # fmt: skip
    return made


def add_task(
    change: Change, *, text: str, owner: User, due_on: date, actor: User, at: datetime
) -> ChangeTask:
    CHANGE.permit(actor, OfChange.ADD_TASK)
    said = recording.demand_reason(text)
    with recording.recording(Action.CHANGE_TASK_ADDED, actor=actor, at=at, reason=said):
        held = CHANGE.take(change, OfChange.ADD_TASK)
        return ChangeTask.objects.create(change=held, text=said, owner=owner, due_on=due_on)


def let_emergency(change: Change, *, confirmed: Confirmed, reason: str) -> Change:
    """Let an emergency go ahead by signature of quality; its approvals follow within five days."""
    actor, at = confirmed.signer, confirmed.at
    CHANGE.permit(actor, OfChange.LET_EMERGENCY)
    text = recording.demand_reason(reason)
    with recording.recording(Action.EMERGENCY_LET, actor=actor, at=at, reason=text):
        held = CHANGE.take(change, OfChange.LET_EMERGENCY)
        if not held.is_emergency:
            raise ChangeNotEmergency(f"{held.number} was not asked for as an emergency")
        _demand_not_requester(held, actor)
        signing.sign(held, meaning=Meaning.AUTHORED, confirmed=confirmed, comment=text)
        held.emergency_at = at
        held.due_on = (at + EMERGENCY_WITHIN).date()
        held.save(update_fields=["emergency_at", "due_on"])
    return held


def finish_assessment(change: Change, *, actor: User, at: datetime, reason: str) -> Change:
    """Hand a change over for approval, when every kind of impact has been looked at."""
    CHANGE.permit(actor, OfChange.FINISH_ASSESSMENT)
    text = recording.demand_reason(reason)
    with recording.recording(Action.CHANGE_ASSESSED, actor=actor, at=at, reason=text):
        held = CHANGE.take(change, OfChange.FINISH_ASSESSMENT)
        looked_at = set(held.impacts.values_list("kind", flat=True))
        missing = [kind.label for kind in ImpactKind if kind not in looked_at]
        if missing:
            raise ChangeIncomplete(f"{held.number} is not assessed for: {', '.join(missing)}")
        if held.risk is not None and held.risk.state == RiskState.RATING:
            raise ChangeIncomplete(f"{held.risk.number} is not decided yet")
        if not held.tasks.exists():
            raise ChangeIncomplete(f"{held.number} has no task: say what has to be done for it")
        held.state = ChangeState.ASSESSED
        held.save(update_fields=["state"])
    return held


def approve(change: Change, *, function: str, confirmed: Confirmed, comment: str = "") -> Change:
    """Agree to a change for one function, by signature; the last one needed approves it."""
    actor, at = confirmed.signer, confirmed.at
    CHANGE.permit(actor, OfChange.APPROVE)
    with recording.recording(
        Action.CHANGE_APPROVED, actor=actor, at=at, reason=f"{function} on {change.number}"
    ):
        held = CHANGE.take(change, OfChange.APPROVE)
        _demand_may_agree(held, function, actor)
        signing.sign(held, meaning=Meaning.APPROVED, confirmed=confirmed, comment=comment)
        Approval.objects.create(
            change=held, function=function, approved_by=actor, approved_at=at, comment=comment
        )
        if not lacking(held):
            held.state, held.approved_at = ChangeState.APPROVED, at
            held.save(update_fields=["state", "approved_at"])
    return held


def reject(change: Change, *, confirmed: Confirmed, reason: str) -> Change:
    actor, at = confirmed.signer, confirmed.at
    CHANGE.permit(actor, OfChange.REJECT)
    text = recording.demand_reason(reason)
    with recording.recording(Action.CHANGE_REJECTED, actor=actor, at=at, reason=text):
        held = CHANGE.take(change, OfChange.REJECT)
        signing.sign(held, meaning=Meaning.REJECTED, confirmed=confirmed, comment=text)
        held.state = ChangeState.REJECTED
        held.save(update_fields=["state"])
    return held


def is_approved(number: str) -> bool:
    """Say whether what a change is about may be done; rooms ask before they act on its number."""
    change = Change.objects.filter(number=number).first()
    if change is None:
        return False
    is_let = change.emergency_at is not None and change.is_open
    return change.state in _AGREED or is_let


def demand_approved(number: str) -> Change:
    """Return the change when it is approved, else raise `ChangeNotApproved`."""
    if not is_approved(number):
        raise ChangeNotApproved(
            f"“{number}” is no approved change: ask for it, and wait until it is approved"
        )
    return Change.objects.get(number=number)


def lacking(change: Change) -> list[str]:
    """Return the functions that have still to agree."""
    agreed = set(change.approvals.values_list("function", flat=True))
    return [one for one in FUNCTIONS[change.classification] if one not in agreed]


@signing.signable(Change)
def signed_content(change: Change) -> Mapping[str, canonical.Value]:
    """What a signature under a change covers: the wish and its impacts; its tasks stay by guards."""
    return {
        "number": change.number, "title": change.title, "description": change.description,
        "justification": change.justification, "classification": change.classification,
        "is_emergency": change.is_emergency, "requester": change.requester.username,
        "risk": change.risk.number if change.risk else "",
        "impacts": [
            [one.kind, one.identifier, one.is_affected, one.assessment]
            for one in change.impacts.order_by("kind", "identifier")
        ],
    }  # fmt: skip


def _demand_may_agree(change: Change, function: str, actor: User) -> None:
    if function not in FUNCTIONS[change.classification]:
        raise NotOfFunction(f"{change.number} does not need “{function}” to agree")
    if not actor.roles & SPEAKS_FOR[function]:
        raise NotOfFunction(f"{actor.username} does not speak for “{function}”")
    _demand_not_requester(change, actor)
    for one in change.approvals.order_by("pk"):
        if one.function == function or one.approved_by_id == actor.pk:
            raise FunctionAgreed(f"{change.number} has the yes of {one.function} already")


def _demand_not_requester(change: Change, actor: User) -> None:
    if actor.pk == change.requester_id:
        raise ChangeOwnWork(f"{change.number}: who asks for a change does not agree to it")


def overdue(*, on: date) -> list[tuple[Change, date, str]]:
    """Return each change that is late, with the date and what is late."""
    undecided = Change.objects.filter(
        state__in=[ChangeState.REQUESTED, ChangeState.ASSESSED], due_on__lt=on
    )
    unreviewed = Change.objects.filter(state=ChangeState.IMPLEMENTED, review_due_on__lt=on)
    found = [(one, one.due_on, "assess and approve the change") for one in undecided]
    found += [
        (one, one.review_due_on, "review the change") for one in unreviewed if one.review_due_on
    ]
    return sorted(found, key=lambda late: (late[1], late[0].pk))
