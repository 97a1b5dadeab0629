"""Record what a person answers to a proposal, and that one has expired. Nothing is done by it."""

from datetime import datetime

from compliance.access import authority
from compliance.access.authority import Principal
from compliance.access.duties import Duty
from compliance.refusals import Refused
from compliance.trail import recording
from twins.advice import requests
from twins.advice.actions import Action
from twins.advice.models import Proposal, ProposalState


class ProposalAnswered(Refused):
    """Somebody has answered this proposal already."""

    code = "proposal-answered"


class ProposalExpired(Refused):
    """The last safe moment has passed: the move is not enough any more."""

    code = "proposal-expired"


class ProposalSuperseded(Refused):
    """There is newer advice on the same alert."""

    code = "proposal-superseded"


class NoMoveProposed(Refused):
    """There is no move to accept or reject, or none yet."""

    code = "no-move-proposed"


def answer(
    proposal: Proposal, *, accept: bool, reason: str, actor: Principal, at: datetime
) -> Proposal:
    """Accept or reject a proposal, until its last safe moment; a person acts through the MES.

    Raise `NotPermitted`, `ReasonNotMeaningful`, `ProposalExpired`, `ProposalSuperseded`,
    `NoMoveProposed`, or `ProposalAnswered` for the second of two people.
    """
    authority.demand(actor, Duty.ANSWER_ALERT)
    text = recording.demand_reason(reason)
    _demand_open(proposal, at=at)
    action = Action.PROPOSAL_ACCEPTED if accept else Action.PROPOSAL_REJECTED
    with recording.recording(action, actor=actor, at=at, reason=text):
        changed = Proposal.objects.filter(
            pk=proposal.pk, state=ProposalState.OPEN, last_safe_at__gte=at
        ).update(
            state=ProposalState.ACCEPTED if accept else ProposalState.REJECTED,
            ended_at=at,
            answered_by=actor.trail_identity().name,
            answer_reason=text,
        )
        if not changed:
            # Another answer, or newer advice, was first.
            proposal.refresh_from_db()
            _demand_open(proposal, at=at)
    proposal.refresh_from_db()
    return proposal


def expire(*, at: datetime) -> int:
    """Record which open proposals nobody answered by their last safe moment; return how many."""
    expired = 0
    due = Proposal.objects.filter(state=ProposalState.OPEN, last_safe_at__lt=at)
    for pk, last_safe_at in due.order_by("pk").values_list("pk", "last_safe_at"):
        with recording.recording(
            Action.PROPOSAL_EXPIRED,
            actor=requests.ROOM.worker,
            at=at,
            reason=f"nobody answered by the last safe moment, {last_safe_at:%Y-%m-%d %H:%M} UTC",
        ):
            expired += Proposal.objects.filter(pk=pk, state=ProposalState.OPEN).update(
                state=ProposalState.EXPIRED, ended_at=at
            )
    return expired


def is_answerable(proposal: Proposal, *, at: datetime) -> bool:
    """Tell whether a person can still accept or reject it."""
    return (
        proposal.state == ProposalState.OPEN
        and proposal.last_safe_at is not None
        and at <= proposal.last_safe_at
    )


def _demand_open(proposal: Proposal, *, at: datetime) -> None:
    if is_answerable(proposal, at=at):
        return
    match proposal.state:
        case ProposalState.ACCEPTED | ProposalState.REJECTED:
            raise ProposalAnswered(
                f"{proposal} was {proposal.get_state_display().lower()} by "
                f"{proposal.answered_by} at {proposal.ended_at:%Y-%m-%d %H:%M} UTC"
            )
        case ProposalState.OPEN | ProposalState.EXPIRED:
            raise ProposalExpired(
                f"the last safe moment of {proposal} was {proposal.last_safe_at:%Y-%m-%d %H:%M} "
                "UTC: ask for new advice"
            )
        case ProposalState.SUPERSEDED:
            raise ProposalSuperseded(f"answer {proposal.superseded_by} instead of {proposal}")
    raise NoMoveProposed(
        f"{proposal} has no move to answer: {proposal.get_state_display().lower()}"
    )
