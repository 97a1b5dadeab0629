"""Plan retests before any is made, have the plan approved, and keep to it (FDA, OOS guidance IV)."""

from dataclasses import dataclass
from datetime import datetime

from batches.execution import events
from batches.laboratory import analysts, judging, readiness
from batches.laboratory import oos as investigations
from batches.laboratory.actions import Action
from batches.laboratory.models import (
    OosInvestigation,
    OosState,
    PlanKind,
    Result,
    Retest,
    Run,
    Sample,
    Suitability,
)
from batches.laboratory.oos import OosIncomplete
from batches.laboratory.results import SuitabilityNotPassed
from batches.laboratory.states import OosStateForbids, OosStep
from compliance.access import authority
from compliance.access.duties import Duty
from compliance.access.models import User
from compliance.refusals import Refused
from compliance.signatures import signing
from compliance.signatures.models import Meaning
from compliance.signatures.signing import Confirmed
from compliance.trail import recording

MOST = 20


class SameAnalyst(Refused):
    """Another analyst than that of the original result retests (IV.B)."""

    code = "same-analyst"


class NotAsPlanned(Refused):
    """The retest is not the one of the approved plan."""

    code = "retest-not-as-planned"


class AuthorApprovesPlan(Refused):
    code = "plan-author-is-approver"


class RetestNotOpen(OosStateForbids):
    """No retest before Phase I is closed and its plan approved."""

    code = "retest-not-open"


@dataclass(frozen=True)
class Plan:
    """How often, by whom, and on what will be retested, and why so."""

    kind: PlanKind
    count: int
    analyst: User
    rationale: str
    resample_justification: str = ""


def propose(
    oos: OosInvestigation, *, plan: Plan, actor: User, at: datetime, reason: str
) -> OosInvestigation:
    """Write the retest plan; quality approves it before any retest."""
    authority.demand(actor, Duty.INVESTIGATE_OOS)
    text = recording.demand_reason(reason)
    with recording.recording(Action.OOS_INVESTIGATED, actor=actor, at=at, reason=text):
        locked = investigations.take(oos, OosStep.PROPOSE_PLAN)
        investigations.demand_not_analyst(locked, actor)
        _demand_possible(locked, plan)
        locked.state = OosState.PLAN_PROPOSED
        locked.plan_kind, locked.retest_count = plan.kind, plan.count
        locked.retest_analyst, locked.plan_author = plan.analyst, actor
        locked.plan_rationale = plan.rationale.strip()
        locked.resample_justification = plan.resample_justification.strip()
        locked.save()
    return locked


def approve(oos: OosInvestigation, *, confirmed: Confirmed) -> OosInvestigation:
    """Approve the plan by signature of quality; from then on it does not change."""
    actor, at = confirmed.signer, confirmed.at
    authority.demand(actor, Duty.APPROVE_OOS)
    with recording.recording(
        Action.OOS_INVESTIGATED, actor=actor, at=at, reason=f"retest plan of {oos} is approved"
    ):
        locked = investigations.take(oos, OosStep.APPROVE_PLAN)
        investigations.demand_not_analyst(locked, actor)
        if actor.pk == locked.plan_author_id:
            raise AuthorApprovesPlan(f"{locked}: whoever wrote the plan does not approve it")
        locked.state = OosState.RETESTING
        locked.plan_approver, locked.plan_approved_at = actor, at
        locked.save()
        signing.sign(locked, meaning=Meaning.APPROVED, confirmed=confirmed, comment="retest plan")
    return locked


def record(
    oos: OosInvestigation, *, value_text: str, tested_at: datetime, actor: User, at: datetime,
    sample: Sample | None = None, run: Run | None = None,
) -> Retest:  # fmt: skip
    """Record one retest as planned; the last one moves the investigation on.

    All of them are kept beside the OOS result. None replaces it, and they are never averaged.
    """
    authority.demand(actor, Duty.ENTER_RESULTS)
    events.demand_possible(tested_at, at=at)
    readiness.demand_trained(actor, method_code=oos.test.method_code, at=at)
    with recording.recording(
        Action.OOS_RETESTED, actor=actor, at=at, reason=f"retest of {oos.test.tag} for {oos}"
    ):
        locked = _take_for_retest(oos, actor, tested_at)
        _demand_planned_sample(locked, sample)
        if run is not None and run.suitability != Suitability.PASSED:
            raise SuitabilityNotPassed(f"the system suitability of {run} has not passed")
        value = judging.read(locked.test, value_text)
        judged = judging.judge(locked.test, value)
        done = locked.retests.count() + 1
        retest = Retest.objects.create(
            oos=locked, number=done, sample=sample, value_text=value_text, value=value,
            is_outside=judged.judgement == "oos", run=run, analyst=actor, tested_at=tested_at,
            recorded_at=at,
        )  # fmt: skip
        if done == locked.retest_count:
            locked.state = OosState.RETESTED
            locked.save(update_fields=["state"])
    return retest


def _take_for_retest(oos: OosInvestigation, actor: User, tested_at: datetime) -> OosInvestigation:
    try:
        locked = investigations.take(oos, OosStep.RETEST)
    except OosStateForbids as forbidden:
        raise RetestNotOpen(
            f"{forbidden}; Phase I is closed and the plan approved before any retest, and there "
            "are no more retests than planned"
        ) from forbidden
    if locked.plan_approved_at is None or tested_at < locked.plan_approved_at:
        raise RetestNotOpen(f"{locked}: tested before its plan was approved")
    if actor.pk != locked.retest_analyst_id:
        raise NotAsPlanned(f"{locked}: {locked.retest_analyst} retests, as planned")
    return locked


def _demand_possible(oos: OosInvestigation, plan: Plan) -> None:
    if plan.kind == PlanKind.NONE or not 1 <= plan.count <= MOST:
        raise OosIncomplete(f"a plan is a retest or a resample, with 1 to {MOST} determinations")
    if len(plan.rationale.strip()) < 20:
        raise OosIncomplete("say in 20 characters or more why so many retests, decided beforehand")
    if plan.kind == PlanKind.RESAMPLE and len(plan.resample_justification.strip()) < 20:
        raise OosIncomplete(
            "a new sample is justified by evidence that the original one does not represent the "
            "batch; say which, in 20 characters or more"
        )
    if Duty.ENTER_RESULTS not in plan.analyst.duties:
        raise OosIncomplete(f"{plan.analyst} is no analyst")
    if investigations.original_analysts(oos) & analysts.names(plan.analyst):
        raise SameAnalyst(
            f"{oos}: {plan.analyst} obtained the original result; another one retests"
        )


def _demand_planned_sample(oos: OosInvestigation, sample: Sample | None) -> None:
    original: Result | None = oos.result
    if original is None:
        if sample is not None:
            raise NotAsPlanned(f"{oos} is about a stability sample, which its pull names")
        return
    if sample is None or sample.batch_id != oos.batch_id:
        raise NotAsPlanned(f"{oos}: name the sample of {oos.batch} that was retested")
    is_original = original.sample_id in (sample.pk, sample.parent_id)
    if is_original != (oos.plan_kind == PlanKind.RETEST):
        raise NotAsPlanned(
            f"{oos}: the plan foresees a {oos.get_plan_kind_display().lower()}, not {sample}"
        )
