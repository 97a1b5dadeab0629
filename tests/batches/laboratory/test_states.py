"""Every state x step x caller of a result and an OOS is allowed, or refused and on record."""

from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone

from batches.laboratory import states
from batches.laboratory.models import Conclusion, PlanKind, Result, ResultState
from batches.laboratory.oos_retests import NotAsPlanned, RetestNotOpen
from batches.laboratory.results import ResultReported
from batches.laboratory.states import OosStateForbids, OosStep, ResultStateForbids, ResultStep
from compliance.access.duties import Duty, Role
from compliance.access.models import DeviceKind
from tests import matrix
from tests.batches.laboratory import attempts
from tests.factories import CAUSE, PASSWORD, PHASE_ONE
from tests.matrix import Asked, Caller, Crew

pytestmark = pytest.mark.django_db
WHY = "as the procedure of the laboratory says"
SIGNED = {"password": PASSWORD}


# --- Results; their invalidation is a part of closing an OOS investigation


def _correction(result: Result, by: Caller) -> Asked:
    return Asked(
        f"batches/{result.sample.batch.number}/results",
        {
            "sample": result.sample.number, "tag": "mab_g_l", "value": "3.00", "unit": "g/L",
            "reported_at": timezone.now().isoformat(), "version": result.version + 1, "reason": WHY,
        },
    )  # fmt: skip


def _no_result(state: str, step: ResultStep) -> str:
    is_behind = step == ResultStep.CORRECT and state == ResultState.CORRECTED
    return ResultReported.code if is_behind else ResultStateForbids.code


RESULT = matrix.Kind(
    allowed={key: steps - {ResultStep.INVALIDATE} for key, steps in states.RESULT.items()},
    duties={
        ResultStep.REVIEW: frozenset({Duty.REVIEW_RESULTS}),
        ResultStep.CORRECT: frozenset({Duty.ENTER_RESULTS}),
    },
    made_in=lambda state, crew: attempts.result_in(state),
    ask={
        ResultStep.REVIEW: lambda one, by: Asked(f"results/{one.pk}/review", SIGNED),
        ResultStep.CORRECT: _correction,
    },
    refusal=_no_result,
    for_devices=frozenset({ResultStep.CORRECT}),
    device=DeviceKind.LIMS,
)


@pytest.mark.requirement("P11-f1", "P11-g1")
def test_a_result_takes_every_step_that_is_allowed_and_keeps_every_other_attempt() -> None:
    ran = matrix.run(RESULT)

    assert ran.wrong == []
    assert ran.done == matrix.expected_done(RESULT)


# --- OOS investigations

ANALYST = str(Role.QC_ANALYST)  # of the crew: who retests, where a plan says so
_CAUSE = {"category": CAUSE.category, "text": CAUSE.text, "evidence": CAUSE.evidence}
_ANSWERS = [
    {"item": item, "answer": answer, "remark": remark}
    for item, (answer, remark) in PHASE_ONE.checklist.items()
]


def _act(name: str, **said: Any) -> Callable[[Any, Caller], Asked]:
    return lambda oos, by: Asked(f"oos/{oos.number}/{name}", said)


def _plan(oos: Any, by: Caller) -> Asked:
    said = {
        "kind": PlanKind.RETEST, "count": 1, "analyst": oos.planned, "reason": WHY,
        "rationale": "One retest by another analyst.",
    }  # fmt: skip
    return Asked(f"oos/{oos.number}/retest-plan", said)


def _retest(oos: Any, by: Caller) -> Asked:
    at = timezone.now().isoformat()
    said = {"value": "3.00", "tested_at": at, "sample": oos.result.sample.number}
    return Asked(f"oos/{oos.number}/retests", said)


def _oos_in(state: str, crew: Crew) -> Any:
    analyst: Any = crew[ANALYST].actor
    made: Any = attempts.oos_in(state, analyst=analyst)
    made.planned = analyst.username
    return made


def _as_planned(state: str, step: OosStep, caller: Caller) -> str | None:
    is_other = step == OosStep.RETEST and caller.name != ANALYST
    return NotAsPlanned.code if is_other else None


OOS = matrix.Kind(
    allowed=states.OOS,
    duties={
        **dict.fromkeys(OosStep, frozenset({Duty.INVESTIGATE_OOS})),
        OosStep.APPROVE_PLAN: frozenset({Duty.APPROVE_OOS}),
        OosStep.SEND_BACK: frozenset({Duty.APPROVE_OOS}),
        OosStep.CLOSE: frozenset({Duty.APPROVE_OOS}),
        OosStep.RETEST: frozenset({Duty.ENTER_RESULTS}),
    },
    made_in=_oos_in,
    ask={
        OosStep.RECORD_PHASE_ONE: _act(
            "phase-one", checklist=_ANSWERS, reason=WHY, interview=PHASE_ONE.interview,
            is_preparation_retained=True,
        ),
        OosStep.CLOSE_PHASE_ONE: _act("phase-one/closure", **SIGNED),
        OosStep.FIND_CAUSE: _act("cause", cause=_CAUSE, **SIGNED),
        OosStep.REVIEW_PRODUCTION: _act(
            "production-review", text="The logbook of the vessel was read as well.", reason=WHY
        ),
        OosStep.PROPOSE_PLAN: _plan,
        OosStep.APPROVE_PLAN: _act("retest-plan/approval", **SIGNED),
        OosStep.RETEST: _retest,
        OosStep.CONCLUDE: _act(
            "conclusion", conclusion=Conclusion.INCONCLUSIVE, **SIGNED,
            text="What was found does not explain it.",
        ),
        OosStep.SEND_BACK: _act("return", reason=WHY),
        OosStep.CLOSE: _act("closure", reason=WHY, **SIGNED),
    },
    refusal=lambda state, step: (
        RetestNotOpen.code if step == OosStep.RETEST else OosStateForbids.code
    ),
    otherwise=_as_planned,
)  # fmt: skip


@pytest.mark.requirement("P11-f1", "P11-g1", "FDA-OOS")
def test_an_oos_investigation_takes_every_step_that_is_allowed_and_keeps_every_attempt() -> None:
    ran = matrix.run(OOS)

    assert ran.wrong == []
    assert ran.done == matrix.expected_done(OOS)
