"""Every state x step x caller of a batch and of a phase is allowed, or refused and on record."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from django.utils import timezone

from batches.disposition.models import Market, Outcome
from batches.exchange.api.laboratory import SampleUnknown
from batches.execution import phases, states
from batches.execution.models import (
    Batch,
    BatchPhase,
    BatchState,
    DispositionState,
    EventKind,
    PhaseState,
)
from batches.execution.states import (
    ALLOWED,
    BEHIND,
    BY_DISPOSITION,
    PHASE_ALLOWED,
    BatchStateForbids,
    PhaseStateForbids,
    PhaseStep,
    PhaseVerified,
    Step,
)
from compliance.access.callers import DeviceNeeded
from compliance.access.duties import Duty, Role
from compliance.quality.models import Deviation
from compliance.signatures import signing
from tests import factories, matrix
from tests.factories import NOON, PASSWORD
from tests.matrix import Asked, Caller, Crew

pytestmark = pytest.mark.django_db
SIGNED = {"password": PASSWORD}
WHY = "as the matrix of all steps asks"


# --- Batches


@dataclass(frozen=True)
class Scene:
    """A batch, with what a request about it has to name."""

    batch: Batch
    digest: str
    deviation: Deviation

    def asked(self, name: str, body: Any, media_type: str = "application/json") -> Asked:
        return Asked(f"batches/{self.batch.number}/{name}", body, media_type=media_type)

    @property
    def sample(self) -> str:
        found = self.batch.samples.order_by("pk").first()
        return found.number if found else "none"


Ask = Callable[[Scene, Caller], Asked]


def scene_of(batch: Batch) -> Scene:
    batch = Batch.objects.get(pk=batch.pk)
    return Scene(batch, signing.digest(batch), factories.deviation())


def _now() -> str:
    return timezone.now().isoformat()


def _event(kind: EventKind, **said: str) -> Ask:
    return lambda one, by: one.asked("events", {"kind": kind, "occurred_at": _now(), **said})


def _decide(outcome: Outcome, **said: str) -> Ask:
    body = {**SIGNED, "outcome": outcome, "reason": WHY, **said}
    return lambda one, by: one.asked("disposition", body)


def _readings(one: Scene, by: Caller) -> Asked:
    line = {"tag": "temperature_c", "at": _now(), "value": "36.8", "unit": "Cel"}
    return one.asked("readings", json.dumps(line), "application/x-ndjson")


def _sample(one: Scene, by: Caller) -> Asked:
    return one.asked("samples", {"number": "S-MATRIX", "taken_at": _now()})


def _result(one: Scene, by: Caller) -> Asked:
    return one.asked(
        "results",
        {"sample": one.sample, "tag": "lactate_mmol_l", "value": "20", "unit": "mmol/L",
         "reported_at": _now()},
    )  # fmt: skip


def _ship(one: Scene, by: Caller) -> Asked:
    return one.asked(
        "shipments",
        {"market": Market.US, "consignee": "A wholesaler", "quantity": "1", "unit": "{vial}",
         "shipped_at": _now()},
    )  # fmt: skip


ASK: dict[Step, Ask] = {
    Step.START: _event(EventKind.BATCH_STARTED),
    Step.SUSPEND: _event(EventKind.BATCH_SUSPENDED, text="the steam supply failed"),
    Step.RESUME: _event(EventKind.BATCH_RESUMED),
    Step.CHECK_COPY: lambda one, by: one.asked("copy-check", SIGNED),
    Step.COMMENT: lambda one, by: one.asked("remarks", {"text": "the vessel was quiet"}),
    Step.END: _event(EventKind.BATCH_ENDED),
    Step.ABORT: _event(EventKind.BATCH_ABORTED, text="the seal of the vessel broke"),
    Step.RUN_PHASE: _event(EventKind.PHASE_STARTED, phase="Inoculation"),
    Step.RECORD_EVENT: _event(EventKind.OBSERVATION, text="foam"),
    Step.STORE_READINGS: _readings,
    Step.TAKE_SAMPLE: _sample,
    Step.REPORT_RESULT: _result,
    Step.LINK_DEVIATION: lambda one, by: one.asked(
        "deviations", {"deviation": one.deviation.number, "reason": WHY}
    ),
    Step.REVIEW: lambda one, by: one.asked(
        "review", {**SIGNED, "digest": one.digest, "remarks": WHY}
    ),
    Step.RELEASE: _decide(Outcome.RELEASED),
    Step.REJECT: _decide(Outcome.REJECTED),
    Step.HOLD: _decide(Outcome.HELD),
    Step.LIFT_HOLD: _decide(Outcome.LIFTED),
    Step.REWORK: _decide(Outcome.REWORK, reference="RO-7"),
    Step.END_REWORK: _decide(Outcome.REWORKED),
    Step.CONFIRM_RELEASE: _decide(Outcome.CONFIRMED),
    Step.RECALL: _decide(Outcome.RECALLED),
    Step.CERTIFY: lambda one, by: one.asked("certificates", SIGNED),
    Step.SHIP: _ship,
}
# What systems post; everything else is a person's.
FOR_DEVICES = frozenset(
    {Step.START, Step.SUSPEND, Step.RESUME, Step.END, Step.ABORT, Step.RUN_PHASE}
    | {Step.RECORD_EVENT, Step.STORE_READINGS, Step.TAKE_SAMPLE, Step.REPORT_RESULT}
)
_DUTY = {
    Step.CHECK_COPY: Duty.APPROVE_RECIPE, Step.COMMENT: Duty.OPEN_DEVIATION,
    Step.LINK_DEVIATION: Duty.OPEN_DEVIATION, Step.TAKE_SAMPLE: Duty.ENTER_RESULTS,
    Step.REPORT_RESULT: Duty.ENTER_RESULTS, Step.CERTIFY: Duty.CERTIFY_BATCH,
    Step.SHIP: Duty.SHIP_BATCH,
}  # fmt: skip
DUTIES = {
    step: frozenset(
        {_DUTY.get(step, Duty.RECORD_EXECUTION if step in FOR_DEVICES else Duty.DECIDE_DISPOSITION)}
    )
    for step in Step
}


def before_the_duty(state: str, step: Step, caller: Caller) -> str | None:
    """Readings are a device's alone; and a result names a sample, which no issued batch has."""
    if step == Step.STORE_READINGS and not caller.is_device:
        return DeviceNeeded.code
    if step == Step.REPORT_RESULT and state == BatchState.ISSUED:
        return SampleUnknown.code
    return None


def _batch_in(state: str, crew: Crew) -> Scene:
    if state == BatchState.ISSUED:
        return scene_of(factories.batch())
    if state == BatchState.COMPLETED:
        return scene_of(factories.completed_batch())
    batch = factories.running_batch()
    factories.sample(batch)
    if state == BatchState.SUSPENDED:
        factories.happened(batch, EventKind.BATCH_SUSPENDED, text="the steam supply failed")
    elif state == BatchState.ABORTED:
        factories.happened(batch, EventKind.BATCH_ABORTED, text="the seal of the vessel broke")
    return scene_of(batch)


BATCH = matrix.Kind(
    allowed={
        state: steps & BY_DISPOSITION[DispositionState.PENDING] for state, steps in ALLOWED.items()
    },
    duties=DUTIES,
    made_in=_batch_in,
    ask=ASK,
    refusal=lambda state, step: BatchStateForbids.code,
    first=before_the_duty,
    for_devices=FOR_DEVICES,
)


@pytest.mark.requirement("P11-f1", "P11-g1")
def test_a_batch_takes_every_step_that_is_allowed_and_keeps_every_other_attempt() -> None:
    ran = matrix.run(BATCH)

    assert ran.wrong == []
    assert ran.done == matrix.expected_done(BATCH)


def test_every_step_is_possible_in_some_state() -> None:
    assert frozenset().union(*ALLOWED.values()) == set(Step) == set(ASK)
    assert set(ALLOWED) == set(BatchState.values)
    assert frozenset().union(*BY_DISPOSITION.values()) == set(Step)
    assert set(BY_DISPOSITION) == set(DispositionState.values)


def test_the_state_that_counts_is_the_stored_one() -> None:
    batch = factories.running_batch()
    stale = Batch.objects.get(pk=batch.pk)
    factories.happened(batch, EventKind.BATCH_ENDED)

    with pytest.raises(BatchStateForbids):
        states.take(stale, Step.END)


# --- Phases


VERIFIED = "verified"  # no state of its own: the record of a phase that is done is closed by it


def _phase_in(state: str, crew: Crew) -> BatchPhase:
    """Return the first phase of a running batch, in this state."""
    phase = factories.running_batch().phases.get(order=1)
    way = {
        PhaseState.WAITING: [],
        PhaseState.RUNNING: [PhaseStep.START],
        PhaseState.HELD: [PhaseStep.START, PhaseStep.HOLD],
        PhaseState.DONE: [PhaseStep.START, PhaseStep.END],
        PhaseState.ABORTED: [PhaseStep.START, PhaseStep.ABORT],
        VERIFIED: [PhaseStep.START, PhaseStep.END],
    }[state]
    for step in way:
        by = factories.person(Role.OPERATOR)
        phases.move(phase, step, actor=by, at=NOON, text="as the recipe says")
    if state == VERIFIED:
        phases.verify(phase, confirmed=factories.confirmed(factories.person(Role.SUPERVISOR)))
    return BatchPhase.objects.select_related("batch").get(pk=phase.pk)


def _of_phase(phase: BatchPhase, name: str, body: Any) -> Asked:
    return Asked(f"batches/{phase.batch.number}/{name}", body)


def _move(step: PhaseStep, kind: EventKind) -> Callable[[BatchPhase, Caller], Asked]:
    """A person moves a phase; a system reports that it moved."""

    def ask(phase: BatchPhase, by: Caller) -> Asked:
        if by.is_device:
            said = {"kind": kind, "occurred_at": _now(), "phase": phase.name, "text": WHY}
            return _of_phase(phase, "events", said)
        return _of_phase(
            phase, f"phases/{phase.order}/moves", {"step": step.name.lower(), "text": WHY}
        )

    return ask


_MOVES = {
    PhaseStep.START: EventKind.PHASE_STARTED,
    PhaseStep.HOLD: EventKind.PHASE_HELD,
    PhaseStep.RESUME: EventKind.PHASE_RESUMED,
    PhaseStep.END: EventKind.PHASE_ENDED,
    PhaseStep.ABORT: EventKind.PHASE_ABORTED,
}
PHASE = matrix.Kind(
    allowed={**PHASE_ALLOWED, VERIFIED: frozenset()},
    duties={
        step: frozenset(
            {Duty.VERIFY_EXECUTION if step == PhaseStep.VERIFY else Duty.RECORD_EXECUTION}
        )
        for step in PhaseStep
    },
    made_in=_phase_in,
    ask={
        **{step: _move(step, kind) for step, kind in _MOVES.items()},
        PhaseStep.ENTER: lambda one, by: _of_phase(
            one, "in-process-results",
            # after the end of a phase it looks implausible, and is confirmed
            {"phase": one.order, "tag": "ph", "value": "7.00", "unit": "[pH]",
             "override_reason": WHY},
        ),
        PhaseStep.VERIFY: lambda one, by: _of_phase(
            one, f"phases/{one.order}/verification", SIGNED
        ),
    },
    refusal=lambda state, step: (
        PhaseVerified.code if state == VERIFIED and step not in _MOVES else PhaseStateForbids.code
    ),
    for_devices=frozenset(_MOVES),
)  # fmt: skip


@pytest.mark.requirement("P11-f1", "P11-g1")
def test_a_phase_takes_every_step_that_is_allowed_and_keeps_every_other_attempt() -> None:
    ran = matrix.run(PHASE)

    assert ran.wrong == []
    assert ran.done == matrix.expected_done(PHASE)


def test_the_tables_of_phases_say_something_of_every_state_and_step() -> None:
    assert set(PHASE_ALLOWED) == set(PhaseState.values)
    assert frozenset().union(*PHASE_ALLOWED.values()) == set(PhaseStep) == set(PHASE.ask)
    assert set(PhaseState) > BEHIND
