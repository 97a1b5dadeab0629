"""People run phases at the time, trained, in order; another person verifies."""

from dataclasses import replace
from datetime import timedelta

import pytest

from batches.execution import phases
from batches.execution.late import EnteredLate, InTheFuture, Late, WitnessIsPerformer
from batches.execution.models import (
    BatchEvent,
    BatchException,
    BatchPhase,
    EventKind,
    ExceptionKind,
    PhaseState,
)
from batches.execution.phases import PerformerVerifies
from batches.execution.states import PhaseOutOfOrder, PhaseStep, PhaseVerified
from batches.recipes.drafts import PhaseDraft
from compliance.access.authority import NotPermitted
from compliance.access.duties import Role
from compliance.access.training import NotTrained
from compliance.signatures import signing
from compliance.signatures.models import Meaning
from tests import factories
from tests.factories import NOON, RECIPE

pytestmark = pytest.mark.django_db
LATER = NOON + timedelta(hours=3)


def _late(*, witness: Role = Role.SUPERVISOR) -> Late:
    return Late(
        "the terminal in the suite was down",
        factories.confirmed(factories.person(witness), at=LATER),
    )


def _done(by: Role = Role.OPERATOR) -> BatchPhase:
    phase = factories.running_batch().phases.get(order=1)
    operator = factories.person(by)
    phases.move(phase, PhaseStep.START, actor=operator, at=NOON)
    phases.move(phase, PhaseStep.END, actor=operator, at=NOON)
    return BatchPhase.objects.select_related("batch", "started_by").get(pk=phase.pk)


def test_a_phase_knows_who_started_and_ended_it() -> None:
    phase = _done()

    assert phase.state == PhaseState.DONE
    assert phase.started_by == phase.ended_by
    assert phase.batch.events.filter(recorded_by=phase.started_by).count() == 2


@pytest.mark.requirement("211-100a/b", "CH4-8")
def test_a_late_entry_of_a_person_is_refused_without_reason_and_witness() -> None:
    phase = factories.running_batch().phases.get(order=1)
    operator = factories.person(Role.OPERATOR)

    with pytest.raises(EnteredLate):
        phases.move(phase, PhaseStep.START, actor=operator, at=LATER, performed_at=NOON)

    assert not BatchEvent.objects.filter(kind=EventKind.PHASE_STARTED).exists()


@pytest.mark.requirement("211-100a/b", "CH4-8")
def test_a_late_entry_keeps_both_moments_its_reason_and_the_witness_signature() -> None:
    phase = factories.running_batch().phases.get(order=1)
    late = _late()

    event = phases.move(
        phase, PhaseStep.START, actor=factories.person(Role.OPERATOR), at=LATER,
        performed_at=NOON, late_entry=late,
    )  # fmt: skip

    assert (event.occurred_at, event.recorded_at) == (NOON, LATER)
    assert (event.late_reason, event.witness) == (late.reason, late.witness.signer)
    (signature,) = signing.of(event)
    assert signature.meaning == Meaning.VERIFIED
    assert signing.is_current(signature, event)
    assert phase.batch.exceptions.get().kind == ExceptionKind.LATE_ENTRY


def test_nobody_is_the_witness_of_their_own_entry() -> None:
    phase = factories.running_batch().phases.get(order=1)
    operator = factories.person(Role.OPERATOR)

    with pytest.raises(WitnessIsPerformer):
        phases.move(
            phase, PhaseStep.START, actor=operator, at=LATER, performed_at=NOON,
            late_entry=Late("the terminal was down", factories.confirmed(operator, at=LATER)),
        )  # fmt: skip


def test_a_witness_works_in_the_plant() -> None:
    phase = factories.running_batch().phases.get(order=1)

    with pytest.raises(NotPermitted):
        phases.move(
            phase, PhaseStep.START, actor=factories.person(Role.OPERATOR), at=LATER,
            performed_at=NOON, late_entry=_late(witness=Role.AUDITOR),
        )  # fmt: skip


def test_nothing_is_entered_before_it_is_done() -> None:
    phase = factories.running_batch().phases.get(order=1)

    with pytest.raises((InTheFuture, phases.events.EventInvalid)):
        phases.move(
            phase, PhaseStep.START, actor=factories.person(Role.OPERATOR), at=NOON,
            performed_at=LATER,
        )  # fmt: skip


def test_what_a_system_sends_later_stays_flagged_and_needs_no_witness() -> None:
    batch = factories.running_batch()

    event = factories.happened(
        batch, EventKind.OBSERVATION, text="foam", is_backfilled=True, occurred_at=NOON, at=LATER
    )

    assert event.is_backfilled
    assert event.witness is None
    assert not BatchException.objects.filter(batch=batch).exists()


@pytest.mark.requirement("211-188", "A11-6", "P11-g1")
def test_another_person_verifies_a_phase_by_signature() -> None:
    phase = _done()
    verifier = factories.person(Role.SUPERVISOR)

    verified = phases.verify(phase, confirmed=factories.confirmed(verifier))

    assert verified.verified_by == verifier
    (signature,) = signing.of(verified)
    assert signature.meaning == Meaning.VERIFIED
    assert signing.is_current(signature, BatchPhase.objects.get(pk=phase.pk))


@pytest.mark.requirement("P11-g1")
def test_nobody_verifies_a_phase_that_they_performed() -> None:
    phase = _done()

    with pytest.raises(PerformerVerifies):
        phases.verify(phase, confirmed=factories.confirmed(phase.started_by))


@pytest.mark.requirement("P11-g1")
def test_nobody_verifies_a_phase_in_which_they_entered_a_value() -> None:
    phase = factories.ready_phase()
    operator = factories.person(Role.OPERATOR)
    factories.in_process(phase, value="7.00", by=operator)
    factories.happened(phase.batch, EventKind.PHASE_ENDED, phase=phase.name)

    with pytest.raises(PerformerVerifies):
        phases.verify(phase, confirmed=factories.confirmed(operator))


def test_a_phase_is_verified_once_and_its_record_is_closed_then() -> None:
    phase = _done()
    phases.verify(phase, confirmed=factories.confirmed(factories.person(Role.SUPERVISOR)))

    with pytest.raises(PhaseVerified):
        phases.verify(phase, confirmed=factories.confirmed(factories.person(Role.SUPERVISOR)))
    with pytest.raises(PhaseVerified):
        factories.in_process(phase, value="7.00")


@pytest.mark.requirement("P11-i1", "211-25")
def test_only_people_with_current_training_run_and_verify_a_phase() -> None:
    trained = factories.person(Role.OPERATOR)
    procedure = factories.procedure()
    factories.trained(trained, procedure)
    untrained = factories.person(Role.OPERATOR, is_trained=False)
    gated = replace(RECIPE, phases=[PhaseDraft("Bioreactor", "Growth", procedure=procedure.code)])
    phase = factories.running_batch(factories.recipe(gated)).phases.get(order=1)
    assert phase.procedure == procedure.code

    with pytest.raises(NotTrained):
        phases.move(phase, PhaseStep.START, actor=untrained, at=NOON)
    phases.move(phase, PhaseStep.START, actor=trained, at=NOON)
    with pytest.raises(NotTrained):
        factories.in_process(phase, value="7.00", by=untrained)
    phases.move(phase, PhaseStep.END, actor=trained, at=NOON)
    with pytest.raises(NotTrained):
        phases.verify(phase, confirmed=factories.confirmed(untrained))


def test_phases_of_a_parallel_group_do_not_wait_for_each_other() -> None:
    grouped = replace(
        RECIPE,
        phases=[
            PhaseDraft("Bioreactor", "Inoculation", parallel_group="a"),
            PhaseDraft("Bioreactor", "Growth", parallel_group="a"),
            PhaseDraft("Bioreactor", "Harvest"),
        ],
    )
    batch = factories.running_batch(factories.recipe(grouped))
    operator = factories.person(Role.OPERATOR)
    first, second, third = batch.phases.order_by("order")

    phases.move(second, PhaseStep.START, actor=operator, at=NOON)
    phases.move(first, PhaseStep.START, actor=operator, at=NOON)
    with pytest.raises(PhaseOutOfOrder, match="waiting"):
        phases.move(third, PhaseStep.START, actor=operator, at=NOON)


@pytest.mark.requirement("211-101/103/110/111")
def test_a_start_after_the_hold_time_is_flagged() -> None:
    limited = replace(
        RECIPE,
        phases=[
            PhaseDraft("Bioreactor", "Inoculation", hold_limit_min=60),
            PhaseDraft("Bioreactor", "Growth"),
        ],
    )
    batch = factories.running_batch(factories.recipe(limited))
    for name, minutes in (("Inoculation", 0), ("Growth", 61)):
        moment = NOON + timedelta(minutes=minutes)
        factories.happened(batch, EventKind.PHASE_STARTED, phase=name, at=moment)
        factories.happened(batch, EventKind.PHASE_ENDED, phase=name, at=moment)

    found = batch.exceptions.get()
    assert (found.kind, found.phase.name) == (ExceptionKind.HOLD_TIME, "Growth")


def test_an_interruption_says_why_and_is_an_exception() -> None:
    phase = factories.ready_phase()
    operator = factories.person(Role.OPERATOR)

    with pytest.raises(phases.events.EventInvalid):
        phases.move(phase, PhaseStep.HOLD, actor=operator, at=NOON)
    phases.move(phase, PhaseStep.HOLD, actor=operator, at=NOON, text="the feed pump stopped")

    assert phase.batch.exceptions.get().kind == ExceptionKind.INTERRUPTION


def test_an_aborted_batch_aborts_the_phase_under_way() -> None:
    phase = factories.ready_phase()

    factories.happened(phase.batch, EventKind.BATCH_ABORTED, text="the vessel leaks")

    assert BatchPhase.objects.get(pk=phase.pk).state == PhaseState.ABORTED
