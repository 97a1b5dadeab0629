"""Attempt any step on a record of the laboratory: the table that the transition matrix reads.

`KINDS` has, for each kind of record, its table of states, how a record in a state is made (in which
only the state can object to the step), how each step is attempted, and the duty it asks for.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Any

from batches.laboratory import (
    complaints,
    custody,
    injections,
    oos_conclusions,
    oos_phases,
    oos_retests,
    orphans,
    reagents,
    results,
    runs,
    specifications,
    stability,
    stability_results,
    states,
)
from batches.laboratory.complaints import Answer, Told
from batches.laboratory.models import (
    Complaint,
    ComplaintState,
    Conclusion,
    CustodyKind,
    InjectionKind,
    OosInvestigation,
    OosState,
    PlanKind,
    PullState,
    ReagentKind,
    Result,
    ResultState,
    Run,
    RunState,
    Sample,
    SampleState,
    SpecificationState,
    SpecificationUse,
    SpecificationVersion,
    StabilityPull,
    StabilityStudy,
    StudyKind,
    StudyState,
)
from batches.laboratory.oos_retests import Plan
from batches.laboratory.stability import Schedule
from batches.laboratory.states import (
    ComplaintStep,
    PullStep,
    RunStep,
    SampleStep,
    SpecificationStep,
    StudyStep,
)
from compliance.access.duties import Duty, Role
from compliance.access.models import User
from tests import factories
from tests.factories import CAUSE, NOON, PHASE_ONE, SPECIFIED, confirmed, person

Attempt = Callable[[Any, User], object]
REASON = "as the procedure of the laboratory says"
LATER = NOON + timedelta(days=30)


@dataclass(frozen=True)
class Kind:
    """One kind of record and everything that may be asked of it."""

    table: Mapping[str, frozenset[StrEnum]]
    make: Callable[[Any, Any], Any]
    attempts: Mapping[StrEnum, Attempt]
    duties: Mapping[StrEnum, Duty]
    refusals: tuple[type[Exception], ...]
    is_made_for_step: bool = False


# --- Specifications


def _version(state: SpecificationState, step: SpecificationStep) -> SpecificationVersion:
    author = person(Role.QC_SUPERVISOR)
    of = specifications.create(
        code="S-1", title="Drug substance", use=SpecificationUse.RELEASE,
        product=factories.product(), actor=author, at=NOON,
    )  # fmt: skip
    if state == SpecificationState.DRAFT:
        return specifications.draft(of, tests=SPECIFIED, actor=author, at=NOON, reason=REASON)
    made = factories.specification(of.product)  # type: ignore[arg-type]
    if state == SpecificationState.SUPERSEDED:
        factories.specification(of.product)  # type: ignore[arg-type]
    return SpecificationVersion.objects.get(pk=made.pk)


SPECIFICATION = Kind(
    {key: frozenset(value - {SpecificationStep.CHANGE})
     for key, value in states.SPECIFICATION.items()},
    _version,
    {SpecificationStep.APPROVE: lambda version, by: specifications.approve(
        version, confirmed=confirmed(by))},
    {SpecificationStep.APPROVE: Duty.APPROVE_SPECIFICATION},
    (states.SpecificationStateForbids,),
)  # fmt: skip


# --- Samples


def _move(kind: CustodyKind) -> Attempt:
    return lambda sample, by: custody.move(
        sample, kind=kind, happened_at=NOON, actor=by, at=NOON, reason=REASON, location="Fridge"
    )


def _sample(state: SampleState, step: SampleStep) -> Sample:
    made = factories.sample(factories.running_batch())
    analyst = person(Role.QC_ANALYST)
    if state in (SampleState.RECEIVED, SampleState.DISPOSED):
        _move(CustodyKind.RECEIVED)(made, analyst)
    if state == SampleState.DISPOSED:
        _move(CustodyKind.DISPOSED)(made, analyst)
    if state == SampleState.CANCELLED:
        _move(CustodyKind.CANCELLED)(made, analyst)
    return made


SAMPLE = Kind(
    states.SAMPLE,
    _sample,
    {
        SampleStep.RECEIVE: _move(CustodyKind.RECEIVED),
        SampleStep.STORE: _move(CustodyKind.STORED),
        SampleStep.DISPOSE: _move(CustodyKind.DISPOSED),
        SampleStep.CANCEL: _move(CustodyKind.CANCELLED),
        SampleStep.SPLIT: lambda sample, by: custody.split(
            sample, number="A", actor=by, at=NOON, reason=REASON
        ),
        SampleStep.TEST: lambda sample, by: results.report(
            sample, tag="mab_g_l", unit="g/L", value_text="3.0", reported_at=NOON,
            message_id="m", actor=by, at=NOON,
        ),
    },
    dict.fromkeys(SampleStep, Duty.ENTER_RESULTS),
    (states.SampleStateForbids,),
)  # fmt: skip


# --- Runs


def _run(state: RunState, step: RunStep) -> Run:
    planned = 4 if step == RunStep.EXPLAIN and state != RunState.REVIEWED else 3
    made = factories.run(planned=planned)
    factories.injection(made, 1)
    factories.injection(made, 2, InjectionKind.BLANK)
    last = planned if state != RunState.RUNNING or step == RunStep.EXPLAIN else 3
    factories.injection(made, last, InjectionKind.BLANK)
    said = {"actor": made.analyst, "at": NOON}
    if step == RunStep.REPORT:
        made = runs.judge_suitability(made, has_passed=True, text=REASON, **said)  # type: ignore[arg-type]
    if state in (RunState.COMPLETED, RunState.REVIEWED):
        made = runs.complete(made, ended_at=NOON, **said)  # type: ignore[arg-type]
    if state == RunState.ABORTED:
        made = runs.abort(made, ended_at=NOON, reason=REASON, **said)  # type: ignore[arg-type]
    return factories.reviewed_run(made) if state == RunState.REVIEWED else made


def _add_reagent(run: Run, by: User) -> object:
    made = reagents.register(
        code="ACN", lot="1", name="Acetonitrile", kind=ReagentKind.REAGENT,
        expires_on=date(2027, 1, 1), actor=person(Role.QC_ANALYST), at=NOON,
    )  # fmt: skip
    return runs.add_reagent(run, reagent=made, actor=by, at=NOON)


def _report_of_run(run: Run, by: User) -> object:
    return results.report(
        factories.sample(factories.specified_batch()), tag="mab_g_l", unit="g/L",
        value_text="3.00", reported_at=NOON, message_id="m", actor=by, at=NOON, run=run,
    )  # fmt: skip


RUN = Kind(
    states.RUN,
    _run,
    {
        RunStep.ADD_REAGENT: _add_reagent,
        RunStep.INJECT: lambda run, by: injections.record(
            run, number=9, kind=InjectionKind.BLANK, injected_at=NOON, actor=by, at=NOON
        ),
        RunStep.INVALIDATE: lambda run, by: injections.invalidate(
            run.injections.get(number=2), actor=by, at=NOON, reason=REASON
        ),
        RunStep.JUDGE: lambda run, by: runs.judge_suitability(
            run, has_passed=True, text=REASON, actor=by, at=NOON
        ),
        RunStep.REPORT: _report_of_run,
        RunStep.COMPLETE: lambda run, by: runs.complete(run, ended_at=NOON, actor=by, at=NOON),
        RunStep.ABORT: lambda run, by: runs.abort(
            run, ended_at=NOON, actor=by, at=NOON, reason=REASON
        ),
        RunStep.EXPLAIN: lambda run, by: runs.explain(
            run, orphan="injection 3", text=REASON, actor=by, at=NOON
        ),
        RunStep.REVIEW: lambda run, by: runs.review(
            run, entries_seen=orphans.trail_entries(run), confirmed=confirmed(by)
        ),
    },
    {**dict.fromkeys(RunStep, Duty.ENTER_RESULTS), RunStep.REVIEW: Duty.REVIEW_RESULTS},
    (states.RunStateForbids,),
    is_made_for_step=True,
)


# --- Results and OOS investigations: their matrix goes over the API, see test_states


def result_in(state: str) -> Result:
    if state == ResultState.INVALIDATED:
        return oos_in(OosState.CLOSED, conclusion=Conclusion.INVALIDATED).result  # type: ignore[return-value]
    made = factories.result(factories.sample(factories.specified_batch()))
    if state == ResultState.REVIEWED:
        factories.reviewed(made)
    if state == ResultState.CORRECTED:
        factories.result(made.sample, version=2, reason=REASON)
    return made


def oos_in(
    state: str, *, conclusion: Conclusion = Conclusion.INCONCLUSIVE, analyst: User | None = None
) -> OosInvestigation:
    """Return an investigation in a state; `analyst` is who is to retest, where somebody is."""
    made, by = factories.oos_investigation(), person(Role.QC_SUPERVISOR)
    quality = person(Role.QUALITY_ASSURANCE)
    oos_phases.record_phase_one(made, found=PHASE_ONE, actor=by, at=NOON, reason=REASON)
    if state == OosState.PHASE_ONE:
        return made
    needs_cause = state == OosState.CAUSE_FOUND or conclusion == Conclusion.INVALIDATED
    made = oos_phases.close_phase_one(
        made, cause=CAUSE if needs_cause else None, confirmed=confirmed(by)
    )
    if not needs_cause:
        oos_phases.review_production(
            made, text="The batch record shows nothing unusual.", actor=by, at=NOON, reason=REASON
        )
    if state in (OosState.PLAN_PROPOSED, OosState.RETESTING, OosState.RETESTED):
        who = analyst or person(Role.QC_ANALYST)
        plan = Plan(PlanKind.RETEST, 1, who, "One retest by another analyst.")
        made = oos_retests.propose(made, plan=plan, actor=by, at=NOON, reason=REASON)
    if state in (OosState.RETESTING, OosState.RETESTED):
        made = oos_retests.approve(made, confirmed=confirmed(quality))
    if state == OosState.RETESTED:
        oos_retests.record(
            made, value_text="3.00", tested_at=NOON, actor=made.retest_analyst or by, at=NOON,
            sample=made.result.sample if made.result else None,
        )  # fmt: skip
    if state in (OosState.CONCLUDED, OosState.CLOSED):
        oos_conclusions.conclude(
            made, conclusion=conclusion, text="What was found does not explain it.",
            confirmed=confirmed(by),
        )  # fmt: skip
    if state == OosState.CLOSED:
        oos_conclusions.close(made, confirmed=confirmed(quality), reason=REASON)
    made.refresh_from_db()
    return made


# --- Stability


def _study(state: StudyState, step: StudyStep | PullStep) -> StabilityStudy:
    batch = factories.completed_batch()
    version = factories.specification(batch.recipe.product, use=SpecificationUse.STABILITY)
    made = stability.plan(
        batch, specification=version, kind=StudyKind.LONG_TERM, condition="5 °C",
        started_on=NOON.date(), schedule=Schedule((0,)), at=NOON,
        actor=person(Role.QC_SUPERVISOR), reason=REASON,
    )  # fmt: skip
    if state != StudyState.PLANNED:
        made = stability.approve(made, confirmed=confirmed(person(Role.QUALITY_ASSURANCE)))
    is_pulled = step in {StudyStep.REPORT, StudyStep.COMPLETE} and isinstance(step, StudyStep)
    if state == StudyState.COMPLETED or (is_pulled and state == StudyState.RUNNING):
        _pull_of(made, person(Role.QC_ANALYST))
    if state == StudyState.COMPLETED:
        made = _complete(made, person(Role.QC_SUPERVISOR))
    return made


def _pull_of(study: StabilityStudy, by: User) -> StabilityPull:
    return stability.pull(study.pulls.get(), pulled_at=NOON, actor=by, at=NOON)


def _complete(study: StabilityStudy, by: User) -> StabilityStudy:
    return stability.complete(study, actor=by, at=NOON, reason=REASON)


def _report_of_pull(pull: StabilityPull, by: User) -> object:
    return stability_results.report(
        pull, test=pull.study.specification.tests.get(tag="mab_g_l"), value_text="3.00",
        tested_at=LATER, actor=by, at=LATER,
    )  # fmt: skip


STUDY = Kind(
    states.STUDY,
    _study,
    {
        StudyStep.APPROVE: lambda study, by: stability.approve(study, confirmed=confirmed(by)),
        StudyStep.PULL: _pull_of,
        StudyStep.REPORT: lambda study, by: _report_of_pull(study.pulls.get(), by),
        StudyStep.COMPLETE: _complete,
    },
    {
        StudyStep.APPROVE: Duty.APPROVE_SPECIFICATION, StudyStep.PULL: Duty.ENTER_RESULTS,
        StudyStep.REPORT: Duty.ENTER_RESULTS, StudyStep.COMPLETE: Duty.AUTHOR_SPECIFICATION,
    },
    (states.StudyStateForbids,),
    is_made_for_step=True,
)  # fmt: skip


def _pull(state: PullState, step: PullStep) -> StabilityPull:
    pull = _study(StudyState.RUNNING, step).pulls.get()
    if state == PullState.PULLED:
        _pull_of(pull.study, person(Role.QC_ANALYST))
    if state == PullState.MISSED:
        PULL.attempts[PullStep.MISS](pull, person(Role.QC_ANALYST))
    return StabilityPull.objects.get(pk=pull.pk)


PULL = Kind(
    states.PULL,
    _pull,
    {
        PullStep.PULL: lambda pull, by: stability.pull(pull, pulled_at=NOON, actor=by, at=NOON),
        PullStep.MISS: lambda pull, by: stability.miss(pull, actor=by, at=LATER, reason=REASON),
        PullStep.REPORT: _report_of_pull,
    },
    dict.fromkeys(PullStep, Duty.ENTER_RESULTS),
    (states.PullStateForbids,),
)


# --- Complaints


def _complaint(state: ComplaintState, step: ComplaintStep) -> Complaint:
    made = complaints.open_(
        told=Told("A nurse", "Demomab 10 mg", "The solution has white threads.", False),
        received_at=NOON, actor=person(Role.QUALITY_ASSURANCE), at=NOON,
    )  # fmt: skip
    if state != ComplaintState.OPEN:
        COMPLAINT.attempts[ComplaintStep.INVESTIGATE](made, person(Role.SUPERVISOR))
    if state == ComplaintState.CLOSED:
        COMPLAINT.attempts[ComplaintStep.CLOSE](made, person(Role.QUALITY_ASSURANCE))
    made.refresh_from_db()
    return made


COMPLAINT = Kind(
    states.COMPLAINT,
    _complaint,
    {
        ComplaintStep.LINK_BATCH: lambda complaint, by: complaints.consider(
            complaint, batch=factories.batch(), is_affected=False, finding=REASON, actor=by,
            at=NOON,
        ),
        ComplaintStep.INVESTIGATE: lambda complaint, by: complaints.investigate(
            complaint, answer=Answer(True, "Two retained vials are clear.", "None needed."),
            actor=by, at=NOON, reason=REASON,
        ),
        ComplaintStep.CLOSE: lambda complaint, by: complaints.close(
            complaint, confirmed=confirmed(by), reason=REASON
        ),
    },
    {
        ComplaintStep.LINK_BATCH: Duty.INVESTIGATE, ComplaintStep.INVESTIGATE: Duty.INVESTIGATE,
        ComplaintStep.CLOSE: Duty.CLOSE_DEVIATION,
    },
    (states.ComplaintStateForbids,),
)  # fmt: skip

KINDS: dict[str, Kind] = {
    "specification": SPECIFICATION, "sample": SAMPLE, "run": RUN,
    "study": STUDY, "pull": PULL, "complaint": COMPLAINT,
}  # fmt: skip
_ROLE_OF: dict[Duty, Role] = {
    Duty.ENTER_RESULTS: Role.QC_ANALYST,
    Duty.REVIEW_RESULTS: Role.QC_SUPERVISOR,
    Duty.AUTHOR_SPECIFICATION: Role.QC_SUPERVISOR,
    Duty.APPROVE_SPECIFICATION: Role.QUALITY_ASSURANCE,
    Duty.INVESTIGATE: Role.SUPERVISOR,
    Duty.CLOSE_DEVIATION: Role.QUALITY_ASSURANCE,
}


def somebody_for(duty: Duty) -> User:
    """Return a new person whose role has the duty."""
    return person(_ROLE_OF[duty])
