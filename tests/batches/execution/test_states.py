"""Every pair of a batch's state and what is asked of it is allowed, or refused and unchanged."""

from collections.abc import Callable
from decimal import Decimal

import pytest

from batches.disposition import shipments
from batches.disposition.models import Market, Outcome
from batches.execution import batches, states
from batches.execution.models import Batch, BatchState, DispositionState, EventKind
from batches.execution.states import (
    AFTER_DISPOSITION,
    ALLOWED,
    BY_DISPOSITION,
    BatchStateForbids,
    Step,
)
from compliance.access.duties import Role
from tests import factories
from tests.factories import NOON

pytestmark = pytest.mark.django_db


def _event(kind: EventKind, **said: str) -> Callable[[Batch], object]:
    return lambda batch: factories.happened(batch, kind, **said)


def _decide(outcome: Outcome, **said: str) -> Callable[[Batch], object]:
    return lambda batch: factories.decision(batch, outcome, **said)


def _ship(batch: Batch) -> object:
    return shipments.record(
        batch, market=Market.US, consignee="A wholesaler", quantity=Decimal(1), unit="{vial}",
        shipped_at=NOON, actor=factories.person(Role.WAREHOUSE), at=NOON,
    )  # fmt: skip


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
    Step.END: _event(EventKind.BATCH_ENDED),
    Step.ABORT: _event(EventKind.BATCH_ABORTED, text="the seal of the vessel broke"),
    Step.RUN_PHASE: _event(EventKind.PHASE_STARTED, phase="Inoculation"),
    Step.RECORD_EVENT: _event(EventKind.OBSERVATION, text="foam"),
    Step.STORE_READINGS: lambda batch: factories.stored(batch, factories.temperatures("36.8")),
    Step.TAKE_SAMPLE: factories.sample,
    Step.REPORT_RESULT: lambda batch: factories.result(
        batch.samples.get(), tag="lactate_mmol_l", value="20", unit="mmol/L"
    ),
    Step.LINK_DEVIATION: _link,
    Step.REVIEW: factories.review,
    Step.RELEASE: _decide(Outcome.RELEASED),
    Step.REJECT: _decide(Outcome.REJECTED),
    Step.HOLD: _decide(Outcome.HELD),
    Step.LIFT_HOLD: _decide(Outcome.LIFTED),
    Step.REWORK: _decide(Outcome.REWORK, reference="RO-7"),
    Step.END_REWORK: _decide(Outcome.REWORKED),
    Step.CONFIRM_RELEASE: _decide(Outcome.CONFIRMED),
    Step.RECALL: _decide(Outcome.RECALLED),
    Step.CERTIFY: factories.certificate,
    Step.SHIP: _ship,
}


def _batch_in(state: BatchState, step: Step) -> Batch:
    """Return a batch in the state in which only the state can object to the step."""
    if state == BatchState.ISSUED:
        return factories.batch()
    if state == BatchState.COMPLETED and step in (Step.RELEASE, Step.REVIEW):
        return factories.completed_batch()
    batch = factories.running_batch()
    if step == Step.REPORT_RESULT:
        factories.sample(batch)
    if state == BatchState.COMPLETED:
        factories.happened(batch, EventKind.BATCH_ENDED)
    elif state == BatchState.ABORTED:
        factories.happened(batch, EventKind.BATCH_ABORTED, text="the seal of the vessel broke")
    return batch


@pytest.mark.parametrize("step", sorted(BY_DISPOSITION[DispositionState.PENDING]))
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
def test_after_a_rejection_a_batch_takes_what_is_delivered_late_and_nothing_else(
    step: Step,
) -> None:
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
    assert frozenset().union(*BY_DISPOSITION.values()) == set(Step)
    assert set(BY_DISPOSITION) == set(DispositionState.values)


def test_the_state_that_counts_is_the_stored_one() -> None:
    batch = factories.running_batch()
    stale = Batch.objects.get(pk=batch.pk)
    factories.happened(batch, EventKind.BATCH_ENDED)

    with pytest.raises(BatchStateForbids):
        states.take(stale, Step.END)
