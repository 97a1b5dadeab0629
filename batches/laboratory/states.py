"""Say what may be done to a record of the laboratory in which state (21 CFR 11.10(f))."""

from collections.abc import Mapping
from enum import StrEnum

from batches.laboratory.models import (
    ComplaintState,
    OosState,
    PullState,
    ResultState,
    RunState,
    SampleState,
    SpecificationState,
    StudyState,
)
from compliance.refusals import Refused


class StateForbids(Refused):
    """The record is in a state in which this is not done; each kind of record has its own code."""

    code = "laboratory-state"


class SpecificationStateForbids(StateForbids):
    code = "specification-state"


class SampleStateForbids(StateForbids):
    code = "sample-state"


class RunStateForbids(StateForbids):
    code = "run-state"


class ResultStateForbids(StateForbids):
    code = "result-state"


class OosStateForbids(StateForbids):
    code = "oos-state"


class StudyStateForbids(StateForbids):
    code = "study-state"


class PullStateForbids(StateForbids):
    code = "pull-state"


class ComplaintStateForbids(StateForbids):
    code = "complaint-state"


class SpecificationStep(StrEnum):
    CHANGE = "change the draft"
    APPROVE = "approve it"


class SampleStep(StrEnum):
    RECEIVE = "receive it"
    STORE = "store it"
    SPLIT = "split it"
    TEST = "report a result of it"
    DISPOSE = "dispose of it"
    CANCEL = "cancel it"


class RunStep(StrEnum):
    ADD_REAGENT = "add a reagent"
    INJECT = "record an injection"
    INVALIDATE = "invalidate an injection"
    JUDGE = "judge the system suitability"
    REPORT = "report a result of it"
    COMPLETE = "complete it"
    ABORT = "abort it"
    EXPLAIN = "explain a gap"
    REVIEW = "review it"


class ResultStep(StrEnum):
    REVIEW = "review it"
    CORRECT = "correct it"
    INVALIDATE = "invalidate it"


class OosStep(StrEnum):
    RECORD_PHASE_ONE = "record Phase I"
    CLOSE_PHASE_ONE = "close Phase I"
    FIND_CAUSE = "record an assignable cause"
    REVIEW_PRODUCTION = "record the production review"
    PROPOSE_PLAN = "propose a retest plan"
    APPROVE_PLAN = "approve the retest plan"
    RETEST = "record a retest"
    CONCLUDE = "conclude it"
    SEND_BACK = "send it back"
    CLOSE = "close it"


class StudyStep(StrEnum):
    APPROVE = "approve it"
    PULL = "pull samples or say that a pull was missed"
    REPORT = "report a result"
    COMPLETE = "complete it"


class PullStep(StrEnum):
    PULL = "record the pull"
    MISS = "say that it was missed"
    REPORT = "report a result"


class ComplaintStep(StrEnum):
    LINK_BATCH = "link a batch"
    INVESTIGATE = "record the investigation"
    CLOSE = "close it"


_IN_USE = frozenset(SampleStep) - {SampleStep.RECEIVE}
_WHILE_RUNNING = {
    RunStep.ADD_REAGENT, RunStep.INJECT, RunStep.INVALIDATE, RunStep.JUDGE, RunStep.REPORT,
    RunStep.ABORT, RunStep.EXPLAIN,
}  # fmt: skip
_PHASE_TWO = {OosStep.REVIEW_PRODUCTION, OosStep.FIND_CAUSE, OosStep.CONCLUDE}

SPECIFICATION: dict[str, frozenset[SpecificationStep]] = {
    SpecificationState.DRAFT: frozenset(SpecificationStep),
    SpecificationState.EFFECTIVE: frozenset(),
    SpecificationState.SUPERSEDED: frozenset(),
}
# A LIMS posts results of samples whose receipt it keeps itself, so TAKEN allows results too.
SAMPLE: dict[str, frozenset[SampleStep]] = {
    SampleState.TAKEN: frozenset(
        {SampleStep.RECEIVE, SampleStep.TEST, SampleStep.SPLIT, SampleStep.CANCEL}
    ),
    SampleState.RECEIVED: frozenset(_IN_USE),
    SampleState.DISPOSED: frozenset(),
    SampleState.CANCELLED: frozenset(),
}
RUN: dict[str, frozenset[RunStep]] = {
    RunState.RUNNING: frozenset(_WHILE_RUNNING | {RunStep.COMPLETE}),
    RunState.COMPLETED: frozenset(
        {RunStep.INVALIDATE, RunStep.JUDGE, RunStep.REPORT, RunStep.EXPLAIN, RunStep.REVIEW}
    ),
    RunState.ABORTED: frozenset({RunStep.INVALIDATE, RunStep.EXPLAIN, RunStep.REVIEW}),
    RunState.REVIEWED: frozenset(),
}
RESULT: dict[str, frozenset[ResultStep]] = {
    ResultState.ENTERED: frozenset(ResultStep),
    ResultState.REVIEWED: frozenset({ResultStep.CORRECT, ResultStep.INVALIDATE}),
    ResultState.INVALIDATED: frozenset({ResultStep.CORRECT}),
    ResultState.CORRECTED: frozenset(),
}
OOS: dict[str, frozenset[OosStep]] = {
    OosState.PHASE_ONE: frozenset({OosStep.RECORD_PHASE_ONE, OosStep.CLOSE_PHASE_ONE}),
    OosState.CAUSE_FOUND: frozenset({OosStep.CONCLUDE}),
    OosState.PHASE_TWO: frozenset(_PHASE_TWO | {OosStep.PROPOSE_PLAN}),
    OosState.PLAN_PROPOSED: frozenset({OosStep.APPROVE_PLAN, OosStep.SEND_BACK}),
    OosState.RETESTING: frozenset({OosStep.RETEST}),
    OosState.RETESTED: frozenset(_PHASE_TWO),
    OosState.CONCLUDED: frozenset({OosStep.SEND_BACK, OosStep.CLOSE}),
    OosState.CLOSED: frozenset(),
}
STUDY: dict[str, frozenset[StudyStep]] = {
    StudyState.PLANNED: frozenset({StudyStep.APPROVE}),
    StudyState.RUNNING: frozenset({StudyStep.PULL, StudyStep.REPORT, StudyStep.COMPLETE}),
    StudyState.COMPLETED: frozenset(),
}
PULL: dict[str, frozenset[PullStep]] = {
    PullState.PLANNED: frozenset({PullStep.PULL, PullStep.MISS}),
    PullState.PULLED: frozenset({PullStep.REPORT}),
    PullState.MISSED: frozenset(),
}
COMPLAINT: dict[str, frozenset[ComplaintStep]] = {
    ComplaintState.OPEN: frozenset({ComplaintStep.LINK_BATCH, ComplaintStep.INVESTIGATE}),
    ComplaintState.INVESTIGATED: frozenset(ComplaintStep),
    ComplaintState.CLOSED: frozenset(),
}

_FORBIDS: dict[type[StrEnum], tuple[type[StateForbids], Mapping[str, frozenset[StrEnum]]]] = {
    SpecificationStep: (SpecificationStateForbids, SPECIFICATION),
    SampleStep: (SampleStateForbids, SAMPLE),
    RunStep: (RunStateForbids, RUN),
    ResultStep: (ResultStateForbids, RESULT),
    OosStep: (OosStateForbids, OOS),
    StudyStep: (StudyStateForbids, STUDY),
    PullStep: (PullStateForbids, PULL),
    ComplaintStep: (ComplaintStateForbids, COMPLAINT),
}


def demand(name: object, state: str, step: StrEnum) -> None:
    """Pass when the state allows the step, else raise the kind's own refusal."""
    refused, allowed = _FORBIDS[type(step)]
    if step not in allowed[state]:
        may = ", ".join(sorted(allowed[state])) or "nothing"
        raise refused(
            f"{name} is {state.replace('-', ' ')}: to {step} is not possible now; possible: {may}"
        )
