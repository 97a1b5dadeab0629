"""Keep calculations in the record: computed twice, judged, flagged outside (211.103, 211.68(b))."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from batches.execution import exceptions, states, training_gate
from batches.execution.actions import Action
from batches.execution.models import (
    Batch,
    BatchPhase,
    Calculation,
    ExceptionKind,
    Purpose,
)
from batches.execution.states import Step
from batches.quantities import calculations
from batches.quantities.limits import OPEN, Range
from batches.quantities.units import Quantity, Rounding
from compliance.access import authority
from compliance.access.duties import Duty
from compliance.access.models import User
from compliance.refusals import Refused
from compliance.trail import recording


class NoYieldExpected(Refused):
    code = "no-yield-expected"
    status = 422


class YieldRecorded(Refused):
    """The yield of a phase is recorded once; what is found later is a deviation."""

    code = "yield-recorded"


@dataclass(frozen=True, kw_only=True)
class Task:
    """What is computed, how it is rounded, and which range the result must keep."""

    purpose: Purpose
    subject: str
    formula: str
    inputs: Mapping[str, Sequence[Quantity]]
    places: int = 2
    rounding: Rounding = Rounding.HALF_UP
    range: Range = OPEN


_KINDS = {
    Purpose.YIELD: ExceptionKind.YIELD,
    Purpose.RECONCILIATION: ExceptionKind.RECONCILIATION,
    Purpose.CHARGE: ExceptionKind.CHARGE,
    Purpose.OTHER: ExceptionKind.OUT_OF_LIMITS,
}


def compute(
    batch: Batch, *, task: Task, actor: User, at: datetime, phase: BatchPhase | None = None
) -> Calculation:
    """Compute, compute again another way, record both, and flag a result outside its range."""
    authority.demand(actor, Duty.RECORD_EXECUTION)
    with recording.recording(
        Action.CALCULATED, actor=actor, at=at, reason=f"{task.subject} of batch {batch.number}"
    ):
        held = states.hold(batch, Step.RECORD_EVENT)
        of = None if phase is None else states.enter(phase)
        if of is not None:
            training_gate.demand(actor, phase=of, at=at)
        return record(held, task=task, actor=actor, at=at, phase=of)


def record(
    batch: Batch, *, task: Task, actor: User, at: datetime, phase: BatchPhase | None
) -> Calculation:
    """Write a calculation inside an act that has asked already whether it may be."""
    found = calculations.compute(
        task.formula, inputs=task.inputs, places=task.places, rounding=task.rounding
    )
    made = Calculation.objects.create(
        batch=batch,
        phase=phase,
        purpose=task.purpose,
        subject=task.subject,
        formula=found.formula,
        formula_version=found.version,
        inputs={
            name: [[f"{one.value:f}", one.unit] for one in given]
            for name, given in task.inputs.items()
        },
        places=found.places,
        rounding=found.rounding,
        result=f"{found.value:f}",
        recomputed=f"{found.recomputed:f}",
        unit=found.unit,
        low=task.range.low,
        high=task.range.high,
        is_within=task.range.holds(found.value),
        computed_by=actor,
        computed_at=at,
    )
    if not made.is_within:
        exceptions.flag(
            batch, _KINDS[task.purpose], about=made, phase=phase, by=actor, at=at,
            is_critical=task.purpose == Purpose.YIELD,
            text=f"{task.subject} is {made.result} {made.unit}; allowed: {task.range} {made.unit}",
        )  # fmt: skip
    return made


def record_yield(phase: BatchPhase, *, actual: Quantity, actor: User, at: datetime) -> Calculation:
    """Compute a phase's yield in percent of the theoretical one (21 CFR 211.103)."""
    expected = phase.batch.yields.filter(phase=phase).first()
    if expected is None:
        raise NoYieldExpected(f"the recipe expects no yield after {phase.name}")
    if phase.calculations.filter(purpose=Purpose.YIELD).exists():
        raise YieldRecorded(f"the yield of {phase.name} is recorded already")
    theoretical = Quantity(expected.quantity, expected.unit)
    task = Task(
        purpose=Purpose.YIELD,
        subject=f"yield of {phase.name}",
        formula="yield-percent",
        inputs={"actual": [actual], "theoretical": [theoretical]},
        range=Range(expected.low_pct, expected.high_pct),
    )
    return compute(phase.batch, task=task, actor=actor, at=at, phase=phase)


def reconciliation(
    subject: str, *, unit: str, limit: Range, issued: Decimal, used: Decimal, returned: Decimal,
    destroyed: Decimal, sampled: Decimal,
) -> Task:  # fmt: skip
    """Return the task that accounts for what was issued (21 CFR 211.125, 211.184)."""
    amounts = {
        "issued": issued, "used": used, "returned": returned, "destroyed": destroyed,
        "sampled": sampled,
    }  # fmt: skip
    return Task(
        purpose=Purpose.RECONCILIATION,
        subject=f"reconciliation of {subject}",
        formula="reconciliation-percent",
        inputs={name: [Quantity(value, unit)] for name, value in amounts.items()},
        range=limit,
    )
