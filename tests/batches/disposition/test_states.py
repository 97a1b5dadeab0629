"""Every disposition x step x caller is allowed, or refused with its own code and on record."""

import pytest

from batches.disposition import decisions
from batches.disposition.models import Outcome
from batches.execution.models import Batch, BatchState, DispositionState
from batches.execution.states import ALLOWED, BY_DISPOSITION, MOVES, BatchStateForbids, Step
from compliance.access.duties import DUTIES as ROLES
from compliance.access.duties import Duty, Role
from tests import factories, matrix
from tests.batches.execution import test_states as of_batches

pytestmark = pytest.mark.django_db
_WAYS = {
    DispositionState.PENDING: (),
    DispositionState.HELD: (Outcome.HELD,),
    DispositionState.REWORK: (Outcome.REWORK,),
    DispositionState.RELEASED: (Outcome.RELEASED,),
    DispositionState.RECALLED: (Outcome.RELEASED, Outcome.RECALLED),
    DispositionState.REJECTED: (Outcome.REJECTED,),
}


def in_state(state: str) -> Batch:
    """Return a completed batch with this disposition."""
    batch = factories.completed_batch()
    for outcome in _WAYS[DispositionState(state)]:
        said = {"reference": "RO-7"} if outcome == Outcome.REWORK else {}
        factories.decision(batch, outcome, **said)
    batch.refresh_from_db()
    return batch


# Pending is what every batch is in the matrix of the states of manufacture, which also asks for
# what only manufacture can forbid or allow.
_OF_MANUFACTURE = {*MOVES, Step.CHECK_COPY, Step.RUN_PHASE}
DISPOSITION = matrix.Kind(
    allowed={
        state: ALLOWED[BatchState.COMPLETED] & BY_DISPOSITION[state]
        for state in BY_DISPOSITION
        if state != DispositionState.PENDING
    },
    duties=of_batches.DUTIES,
    made_in=lambda state, crew: of_batches.scene_of(in_state(state)),
    ask={step: ask for step, ask in of_batches.ASK.items() if step not in _OF_MANUFACTURE},
    refusal=lambda state, step: BatchStateForbids.code,
    first=of_batches.before_the_duty,
    for_devices=of_batches.FOR_DEVICES,
)


@pytest.mark.requirement("P11-f1", "P11-g1", "211-22a")
@pytest.mark.timeout(3600)
def test_a_disposition_takes_every_step_that_is_allowed_and_keeps_every_other_attempt() -> None:
    ran = matrix.run(DISPOSITION)

    assert ran.wrong == []
    assert ran.done == matrix.expected_done(DISPOSITION)


@pytest.mark.requirement("211-22a")
def test_only_quality_decides_about_a_batch() -> None:
    may = {role for role in Role if Duty.DECIDE_DISPOSITION in ROLES[role]}

    assert may == {Role.QUALITY_ASSURANCE, Role.QUALIFIED_PERSON}


@pytest.mark.requirement("P11-f1")
@pytest.mark.parametrize("outcome", Outcome)
def test_a_decision_leads_where_its_rule_says_with_the_meaning_of_its_rule(
    outcome: Outcome,
) -> None:
    rule = decisions.RULES[outcome]
    before = next(
        state
        for state, steps in BY_DISPOSITION.items()
        if rule.step in steps & ALLOWED[BatchState.COMPLETED]
    )
    batch = in_state(before)

    said = {"reference": "RO-7"} if outcome == Outcome.REWORK else {}
    made = factories.decision(batch, outcome, **said)

    batch.refresh_from_db()
    assert (batch.disposition, made.signature.meaning) == (rule.becomes, rule.meaning)
