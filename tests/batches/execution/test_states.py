"""Every pair of a batch's state and what is asked of it is allowed, or refused and unchanged."""

from collections.abc import Callable

import pytest

from batches.disposition import decisions
from batches.execution import batches, copy_checks, phases, remarks, states
from batches.execution.models import (
    Batch,
    BatchPhase,
    BatchState,
    DispositionState,
    EventKind,
    PhaseState,
)
from batches.execution.states import (
    AFTER_DISPOSITION,
    ALLOWED,
    BEHIND,
    PHASE_ALLOWED,
    PHASE_MOVES,
    BatchStateForbids,
    PhaseStateForbids,
    PhaseStep,
    Step,
)
from compliance.access.duties import Role
from tests import factories
from tests.factories import NOON

pytestmark = pytest.mark.django_db


def _event(kind: EventKind, **said: str) -> Callable[[Batch], object]:
    return lambda batch: factories.happened(batch, kind, **said)


def _decide(outcome: DispositionState) -> Callable[[Batch], object]:
    def decide(batch: Batch) -> object:
        signer = factories.confirmed(factories.person(Role.QUALITY_ASSURANCE))
        return decisions.decide(
            batch, outcome=outcome, confirmed=signer, reason="the record was reviewed"
        )

    return decide


def _link(batch: Batch) -> object:
    return batches.link_deviation(
        batch,
        deviation=factories.deviation(),
        actor=factories.person(Role.OPERATOR),
        at=NOON,
        reason="it concerns this batch",
    )


DO: dict[Step, Callable[[Batch], object]] = {
    Step.START: _event(EventKind.BATCH_STARTED),
    Step.SUSPEND: _event(EventKind.BATCH_SUSPENDED, text="the steam supply failed"),
    Step.RESUME: _event(EventKind.BATCH_RESUMED),
    Step.CHECK_COPY: lambda batch: copy_checks.check(
        batch, confirmed=factories.confirmed(factories.person(Role.QUALITY_ASSURANCE))
    ),
    Step.COMMENT: lambda batch: remarks.add(
        batch, text="the vessel was quiet", actor=factories.person(Role.OPERATOR), at=NOON
    ),
    Step.END: _event(EventKind.BATCH_ENDED),
    Step.ABORT: _event(EventKind.BATCH_ABORTED, text="the seal of the vessel broke"),
    Step.RUN_PHASE: _event(EventKind.PHASE_STARTED, phase="Inoculation"),
    Step.RECORD_EVENT: _event(EventKind.OBSERVATION, text="foam"),
    Step.STORE_READINGS: lambda batch: factories.stored(batch, factories.temperatures("36.8")),
    Step.TAKE_SAMPLE: factories.sample,
    Step.REPORT_RESULT: lambda batch: factories.result(batch.samples.get()),
    Step.LINK_DEVIATION: _link,
    Step.RELEASE: _decide(DispositionState.RELEASED),
    Step.REJECT: _decide(DispositionState.REJECTED),
}


def _batch_in(state: BatchState, step: Step) -> Batch:
    """Return a batch in the state in which only the state can object to the step."""
    if state == BatchState.ISSUED:
        return factories.batch()
    if state == BatchState.COMPLETED and step == Step.RELEASE:
        return factories.completed_batch()
    batch = factories.running_batch()
    if step == Step.REPORT_RESULT:
        factories.sample(batch)
    if state == BatchState.COMPLETED:
        factories.happened(batch, EventKind.BATCH_ENDED)
    elif state == BatchState.SUSPENDED:
        factories.happened(batch, EventKind.BATCH_SUSPENDED, text="the steam supply failed")
    elif state == BatchState.ABORTED:
        factories.happened(batch, EventKind.BATCH_ABORTED, text="the seal of the vessel broke")
    return batch


@pytest.mark.requirement("P11-f1")
@pytest.mark.parametrize("step", Step)
@pytest.mark.parametrize("state", BatchState)
def test_a_step_is_possible_in_exactly_the_states_that_allow_it(
    state: BatchState, step: Step
) -> None:
    if (state, step) == (BatchState.ISSUED, Step.REPORT_RESULT):
        pytest.skip("no sample can be taken of a batch that has not started")
    batch = _batch_in(state, step)
    before = Batch.objects.filter(pk=batch.pk).values()[0]

    if step in ALLOWED[state]:
        DO[step](batch)
    else:
        with pytest.raises(BatchStateForbids, match=batch.number):
            DO[step](batch)

        assert Batch.objects.filter(pk=batch.pk).values()[0] == before
        assert not batch.events.filter(kind=EventKind.OBSERVATION).exists()


@pytest.mark.parametrize("step", Step)
def test_after_the_disposition_a_batch_takes_no_more_records(step: Step) -> None:
    batch = factories.completed_batch()
    DO[Step.REJECT](batch)

    if step in AFTER_DISPOSITION:
        DO[step](batch)
    else:
        with pytest.raises(BatchStateForbids, match="rejected"):
            DO[step](batch)


def test_every_step_is_possible_in_some_state() -> None:
    assert frozenset().union(*ALLOWED.values()) == set(Step)
    assert set(ALLOWED) == set(BatchState.values)


def test_the_state_that_counts_is_the_stored_one() -> None:
    batch = factories.running_batch()
    stale = Batch.objects.get(pk=batch.pk)
    factories.happened(batch, EventKind.BATCH_ENDED)

    with pytest.raises(BatchStateForbids):
        states.take(stale, Step.END)


# --- Phases


def _phase_in(state: PhaseState) -> BatchPhase:
    """Return the first phase of a running batch, in this state."""
    batch = factories.running_batch()
    phase = batch.phases.get(order=1)
    way = {
        PhaseState.WAITING: [],
        PhaseState.RUNNING: [PhaseStep.START],
        PhaseState.HELD: [PhaseStep.START, PhaseStep.HOLD],
        PhaseState.DONE: [PhaseStep.START, PhaseStep.END],
        PhaseState.ABORTED: [PhaseStep.START, PhaseStep.ABORT],
    }[state]
    for step in way:
        _do(phase, step)
    return BatchPhase.objects.select_related("batch").get(pk=phase.pk)


def _do(phase: BatchPhase, step: PhaseStep) -> object:
    if step == PhaseStep.VERIFY:
        verifier = factories.confirmed(factories.person(Role.SUPERVISOR))
        return phases.verify(phase, confirmed=verifier)
    if step == PhaseStep.ENTER:
        return states.enter(phase)
    return phases.move(
        phase, step, actor=factories.person(Role.OPERATOR), at=NOON, text="as the recipe says"
    )


@pytest.mark.requirement("P11-f1")
@pytest.mark.parametrize("step", PhaseStep)
@pytest.mark.parametrize("state", PhaseState)
def test_a_step_of_a_phase_is_possible_in_exactly_the_states_that_allow_it(
    state: PhaseState, step: PhaseStep
) -> None:
    phase = _phase_in(state)
    before = BatchPhase.objects.filter(pk=phase.pk).values()[0]

    if step in PHASE_ALLOWED[state]:
        _do(phase, step)
        if step in PHASE_MOVES:
            assert BatchPhase.objects.get(pk=phase.pk).state == PHASE_MOVES[step]
    else:
        with pytest.raises(PhaseStateForbids, match=phase.name):
            _do(phase, step)

        assert BatchPhase.objects.filter(pk=phase.pk).values()[0] == before


def test_the_tables_of_phases_say_something_of_every_state_and_step() -> None:
    assert set(PHASE_ALLOWED) == set(PhaseState.values)
    assert frozenset().union(*PHASE_ALLOWED.values()) == set(PhaseStep)
    assert set(PhaseState) > BEHIND
