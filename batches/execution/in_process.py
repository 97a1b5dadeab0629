"""Enter in-process results: plausible, in their unit, judged against their limits (211.110)."""

import re
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from batches.execution import exceptions, late, measurements, plausibility, states, training_gate
from batches.execution.actions import Action
from batches.execution.late import Late, Timed
from batches.execution.models import (
    Batch,
    BatchParameter,
    BatchPhase,
    ExceptionKind,
    InProcessResult,
)
from batches.execution.states import Step
from batches.quantities import limits, units
from batches.quantities.limits import Standing
from compliance.access import authority
from compliance.access.duties import Duty
from compliance.access.models import User
from compliance.refusals import Refused
from compliance.trail import recording

_NUMBER = re.compile(r"-?\d{1,18}(?:\.\d{1,12})?", re.ASCII)


class ValueInvalid(Refused):
    """The text is no number of the one accepted form, such as 36.80."""

    code = "value-invalid"
    status = 422


class ParameterUnknown(Refused):
    code = "parameter-unknown"
    status = 422


@dataclass(frozen=True, kw_only=True)
class Entry:
    """What a person enters; `convert` allows another unit of the same kind, recorded both ways."""

    tag: str
    value: str
    unit: str
    performed_at: datetime
    convert: bool = False
    override_reason: str = ""


def enter(
    batch: Batch, *, entry: Entry, actor: User, at: datetime, phase: BatchPhase | None = None,
    late_entry: Late | None = None,
) -> InProcessResult:  # fmt: skip
    """Record a value and flag it where it is outside its limits.

    Raise `ValueInvalid`, `UnitMismatch`, `ValueImplausible`, `EnteredLate`, `NotTrained`.
    """
    authority.demand(actor, Duty.RECORD_EXECUTION)
    timed = late.demand(performed_at=entry.performed_at, actor=actor, at=at, late=late_entry)
    with recording.recording(
        Action.RESULT_ENTERED, actor=actor, at=at, reason=f"{entry.tag} of batch {batch.number}"
    ):
        held = states.hold(batch, Step.RECORD_EVENT)
        parameter = held.parameters.filter(tag=entry.tag).select_related("phase").first()
        if parameter is None:
            raise ParameterUnknown(f"{held.number} has no parameter “{entry.tag}”")
        of = phase or parameter.phase
        if of is not None:
            of = states.enter(of)
            training_gate.demand(actor, phase=of, at=at)
        made = _write(held, parameter, entry, timed, of)
        late.witness(made, late=late_entry)
        _flag(made, at=at)
    return made


def _write(
    batch: Batch, parameter: BatchParameter, entry: Entry, timed: Timed, phase: BatchPhase | None
) -> InProcessResult:
    if not _NUMBER.fullmatch(entry.value):
        raise ValueInvalid(f"“{entry.value[:40]}” is no number: write digits, as in 36.80")
    value, text, given = Decimal(entry.value), entry.value, ("", "")
    if entry.convert and not units.is_same(entry.unit, parameter.unit):
        restated = units.restate(value, given=entry.unit, declared=parameter.unit)
        value = restated.declared.value
        text, given = f"{value:f}", (entry.value, restated.given.unit)
    else:
        units.demand_same(entry.unit, declared=parameter.unit, what=parameter.name)
    found = plausibility.doubts(
        value, parameter=parameter, batch=batch, phase=phase, performed_at=entry.performed_at
    )
    return InProcessResult.objects.create(
        batch=batch,
        phase=phase,
        parameter=parameter,
        value_text=text,
        value=value,
        unit=parameter.unit,
        given_value=given[0],
        given_unit=given[1],
        standing=limits.judge(value, measurements.limits_of(parameter)),
        override_reason=plausibility.demand(found, override_reason=entry.override_reason),
        **timed.columns,
    )


def _flag(made: InProcessResult, *, at: datetime) -> None:
    by, batch, parameter = made.performed_by, made.batch, made.parameter
    critical = measurements.is_critical(parameter)
    exceptions.flag_late(batch, made, by=by, reason=made.late_reason, at=at)
    if made.override_reason:
        exceptions.flag(
            batch, ExceptionKind.IMPLAUSIBLE, about=made, phase=made.phase, by=by, at=at,
            is_critical=critical,
            text=f"{parameter.name} {made.value_text} {made.unit} looked implausible and was "
            f"confirmed: {made.override_reason}",
        )  # fmt: skip
    if made.standing != Standing.WITHIN:
        exceptions.flag(
            batch, ExceptionKind.OUT_OF_LIMITS, about=made, phase=made.phase, by=by, at=at,
            is_critical=critical,
            text=measurements.said(
                parameter, f"{made.value_text} {made.unit}", Standing(made.standing)
            ),
        )  # fmt: skip
