"""Say what may be done to a deviation, CAPA, change, risk or review in which state, and by whom."""

from enum import StrEnum
from typing import Any

from compliance.access.duties import Duty
from compliance.quality.models import (
    Capa,
    CapaState,
    Change,
    ChangeState,
    Deviation,
    DeviationState,
    PeriodicReview,
    ReviewState,
    Risk,
    RiskState,
    TrailReview,
    TrailReviewState,
)
from compliance.quality.transitions import Machine
from compliance.refusals import Refused


class DeviationClosed(Refused):
    code = "deviation-closed"


class DeviationCancelled(Refused):
    code = "deviation-cancelled"


class DeviationStateForbids(Refused):
    code = "deviation-state"


class CapaStateForbids(Refused):
    code = "capa-state"


class ChangeStateForbids(Refused):
    code = "change-state"


class RiskStateForbids(Refused):
    code = "risk-state"


class TrailReviewStateForbids(Refused):
    code = "trail-review-state"


class PeriodicReviewStateForbids(Refused):
    code = "periodic-review-state"


class OfDeviation(StrEnum):
    """What can be asked of a deviation."""

    NOTE = "add a remark"
    ACT_AT_ONCE = "record an immediate action"
    CLASSIFY = "classify"
    INVESTIGATE = "record the investigation"
    CONSIDER_CAUSE = "consider a cause"
    EXTEND_SCOPE = "look for neighbours"
    DECIDE_NEIGHBOUR = "decide on a neighbour"
    ANSWER_RECURRENCE = "answer a recurrence"
    ASK_EXTENSION = "ask for a later date"
    ANSWER_EXTENSION = "answer a wish for a later date"
    SIGN = "sign the investigation"
    CLOSE = "close"
    CANCEL = "cancel as a duplicate"


_D = DeviationState
_ALWAYS = frozenset(OfDeviation) - {OfDeviation.SIGN, OfDeviation.CLOSE}


def _of_deviation(message: str) -> Refused:
    # The code says which end it has reached: clients and people do different things then.
    if " is closed" in message:
        return DeviationClosed(f"{message}; open a new one that refers to it")
    if " is cancelled" in message:
        return DeviationCancelled(f"{message}; go on in its original")
    return DeviationStateForbids(message)


DEVIATION = Machine(
    model=Deviation,
    allowed={
        _D.OPEN: _ALWAYS,
        _D.UNDER_INVESTIGATION: frozenset(OfDeviation),
        _D.CLOSED: frozenset(),
        _D.CANCELLED: frozenset(),
    },
    duties={
        OfDeviation.NOTE: Duty.OPEN_DEVIATION,
        OfDeviation.ACT_AT_ONCE: Duty.OPEN_DEVIATION,
        OfDeviation.CLASSIFY: Duty.CLOSE_DEVIATION,
        OfDeviation.INVESTIGATE: Duty.INVESTIGATE,
        OfDeviation.CONSIDER_CAUSE: Duty.INVESTIGATE,
        OfDeviation.EXTEND_SCOPE: Duty.INVESTIGATE,
        OfDeviation.DECIDE_NEIGHBOUR: Duty.INVESTIGATE,
        OfDeviation.ANSWER_RECURRENCE: Duty.INVESTIGATE,
        OfDeviation.ASK_EXTENSION: Duty.INVESTIGATE,
        OfDeviation.ANSWER_EXTENSION: Duty.CLOSE_DEVIATION,
        OfDeviation.SIGN: Duty.INVESTIGATE,
        OfDeviation.CLOSE: Duty.CLOSE_DEVIATION,
        OfDeviation.CANCEL: Duty.CLOSE_DEVIATION,
    },
    moves={
        _D.OPEN: frozenset({_D.UNDER_INVESTIGATION, _D.CANCELLED}),
        _D.UNDER_INVESTIGATION: frozenset({_D.CLOSED, _D.CANCELLED}),
        _D.CLOSED: frozenset(),
        _D.CANCELLED: frozenset(),
    },
    refusal=_of_deviation,
)


class OfCapa(StrEnum):
    """What can be asked of a CAPA."""

    ADD_ACTION = "add an action"
    APPROVE = "approve"
    FINISH_ACTION = "finish an action"
    POSTPONE = "postpone"
    IMPLEMENT = "declare implemented"
    CHECK = "check the effect"
    CLOSE = "close"
    CANCEL = "cancel"


_C = CapaState
CAPA = Machine(
    model=Capa,
    allowed={
        _C.DRAFT: frozenset({OfCapa.ADD_ACTION, OfCapa.APPROVE, OfCapa.CANCEL}),
        _C.APPROVED: frozenset({OfCapa.FINISH_ACTION, OfCapa.POSTPONE, OfCapa.IMPLEMENT}),
        _C.IMPLEMENTED: frozenset({OfCapa.CHECK, OfCapa.POSTPONE}),
        _C.EFFECTIVE: frozenset({OfCapa.CLOSE}),
        _C.INEFFECTIVE: frozenset({OfCapa.CLOSE}),
        _C.CLOSED: frozenset(),
        _C.CANCELLED: frozenset(),
    },
    duties={
        OfCapa.ADD_ACTION: Duty.WORK_ON_CAPA,
        OfCapa.APPROVE: Duty.APPROVE_CAPA,
        OfCapa.FINISH_ACTION: Duty.WORK_ON_CAPA,
        OfCapa.POSTPONE: Duty.APPROVE_CAPA,
        OfCapa.IMPLEMENT: Duty.WORK_ON_CAPA,
        OfCapa.CHECK: Duty.WORK_ON_CAPA,
        OfCapa.CLOSE: Duty.APPROVE_CAPA,
        OfCapa.CANCEL: Duty.APPROVE_CAPA,
    },
    moves={
        _C.DRAFT: frozenset({_C.APPROVED, _C.CANCELLED}),
        _C.APPROVED: frozenset({_C.IMPLEMENTED}),
        _C.IMPLEMENTED: frozenset({_C.EFFECTIVE, _C.INEFFECTIVE}),
        _C.EFFECTIVE: frozenset({_C.CLOSED}),
        _C.INEFFECTIVE: frozenset({_C.CLOSED}),
        _C.CLOSED: frozenset(),
        _C.CANCELLED: frozenset(),
    },
    refusal=CapaStateForbids,
)


class OfChange(StrEnum):
    """What can be asked of a change."""

    ASSESS_IMPACT = "assess an impact"
    ADD_TASK = "add a task"
    LET_EMERGENCY = "let an emergency go ahead"
    FINISH_ASSESSMENT = "finish the assessment"
    APPROVE = "approve"
    REJECT = "reject"
    FINISH_TASK = "finish a task"
    IMPLEMENT = "declare implemented"
    REVIEW = "review afterwards"
    CLOSE = "close"
    CANCEL = "withdraw"


_H = ChangeState
CHANGE = Machine(
    model=Change,
    allowed={
        _H.REQUESTED: frozenset(
            {OfChange.ASSESS_IMPACT, OfChange.ADD_TASK, OfChange.LET_EMERGENCY, OfChange.CANCEL}
            | {OfChange.FINISH_ASSESSMENT, OfChange.REJECT, OfChange.FINISH_TASK}
        ),
        _H.ASSESSED: frozenset(
            {OfChange.APPROVE, OfChange.REJECT, OfChange.CANCEL, OfChange.FINISH_TASK}
        ),
        _H.APPROVED: frozenset({OfChange.ADD_TASK, OfChange.FINISH_TASK, OfChange.IMPLEMENT}),
        _H.IMPLEMENTED: frozenset({OfChange.REVIEW}),
        _H.REVIEWED: frozenset({OfChange.CLOSE}),
        _H.CLOSED: frozenset(),
        _H.REJECTED: frozenset(),
        _H.CANCELLED: frozenset(),
    },
    duties={
        OfChange.ASSESS_IMPACT: Duty.REQUEST_CHANGE,
        OfChange.ADD_TASK: Duty.REQUEST_CHANGE,
        OfChange.LET_EMERGENCY: Duty.APPROVE_CHANGE,
        OfChange.FINISH_ASSESSMENT: Duty.REQUEST_CHANGE,
        # Other functions than quality agree too; which roles stand for each is in `approvals`.
        OfChange.APPROVE: Duty.READ,
        OfChange.REJECT: Duty.APPROVE_CHANGE,
        OfChange.FINISH_TASK: Duty.REQUEST_CHANGE,
        OfChange.IMPLEMENT: Duty.REQUEST_CHANGE,
        OfChange.REVIEW: Duty.REQUEST_CHANGE,
        OfChange.CLOSE: Duty.APPROVE_CHANGE,
        OfChange.CANCEL: Duty.REQUEST_CHANGE,
    },
    moves={
        _H.REQUESTED: frozenset({_H.ASSESSED, _H.REJECTED, _H.CANCELLED}),
        _H.ASSESSED: frozenset({_H.APPROVED, _H.REJECTED, _H.CANCELLED}),
        _H.APPROVED: frozenset({_H.IMPLEMENTED}),
        _H.IMPLEMENTED: frozenset({_H.REVIEWED}),
        _H.REVIEWED: frozenset({_H.CLOSED}),
        _H.CLOSED: frozenset(),
        _H.REJECTED: frozenset(),
        _H.CANCELLED: frozenset(),
    },
    refusal=ChangeStateForbids,
)


class OfRisk(StrEnum):
    """What can be asked of a risk."""

    ADD_MODE = "add a failure mode"
    RATE = "rate"
    DECIDE = "decide"
    REVIEW = "review"
    RETIRE = "retire"


_R = RiskState
_DECIDED = frozenset({OfRisk.REVIEW, OfRisk.RETIRE})
RISK = Machine(
    model=Risk,
    allowed={
        _R.RATING: frozenset({OfRisk.ADD_MODE, OfRisk.RATE, OfRisk.DECIDE}),
        _R.ACCEPTED: _DECIDED,
        _R.TO_MITIGATE: _DECIDED,
        _R.RETIRED: frozenset(),
    },
    duties={
        OfRisk.ADD_MODE: Duty.ASSESS_RISK,
        OfRisk.RATE: Duty.ASSESS_RISK,
        OfRisk.DECIDE: Duty.APPROVE_RISK,
        OfRisk.REVIEW: Duty.APPROVE_RISK,
        OfRisk.RETIRE: Duty.APPROVE_RISK,
    },
    moves={
        _R.RATING: frozenset({_R.ACCEPTED, _R.TO_MITIGATE}),
        _R.ACCEPTED: frozenset({_R.RATING, _R.RETIRED}),
        _R.TO_MITIGATE: frozenset({_R.RATING, _R.RETIRED}),
        _R.RETIRED: frozenset(),
    },
    refusal=RiskStateForbids,
)


class OfTrailReview(StrEnum):
    """What can be asked of a review of the trail."""

    ASSESS = "assess an entry"
    CONCLUDE = "conclude"
    ABANDON = "abandon"


_T = TrailReviewState
TRAIL_REVIEW = Machine(
    model=TrailReview,
    allowed={
        _T.OPEN: frozenset(OfTrailReview),
        _T.CONCLUDED: frozenset(),
        _T.ABANDONED: frozenset(),
    },
    duties=dict.fromkeys(OfTrailReview, Duty.REVIEW_TRAIL),
    moves={
        _T.OPEN: frozenset({_T.CONCLUDED, _T.ABANDONED}),
        _T.CONCLUDED: frozenset(),
        _T.ABANDONED: frozenset(),
    },
    refusal=TrailReviewStateForbids,
)


class OfPeriodicReview(StrEnum):
    CONCLUDE = "conclude"


PERIODIC_REVIEW = Machine(
    model=PeriodicReview,
    allowed={
        ReviewState.OPEN: frozenset(OfPeriodicReview),
        ReviewState.CONCLUDED: frozenset(),
    },
    duties={OfPeriodicReview.CONCLUDE: Duty.CLOSE_DEVIATION},
    moves={
        ReviewState.OPEN: frozenset({ReviewState.CONCLUDED}),
        ReviewState.CONCLUDED: frozenset(),
    },
    refusal=PeriodicReviewStateForbids,
)


MACHINES: tuple[Machine, ...] = (DEVIATION, CAPA, CHANGE, RISK, TRAIL_REVIEW, PERIODIC_REVIEW)


def arguments(machine: Machine) -> str:
    """Return the moves as the table's trigger has them: `open>closed,open>cancelled`."""
    return ",".join(
        sorted(f"{before}>{after}" for before, ways in machine.moves.items() for after in ways)
    )


def ends(machine: Machine) -> list[Any]:
    """Return the states that are never left."""
    return [state for state, ways in machine.moves.items() if not ways]
