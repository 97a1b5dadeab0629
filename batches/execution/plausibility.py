"""Doubt what looks wrong as it is entered (21 CFR 211.68(b); Annex 11 draft 2025, 10)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from batches.execution.models import Batch, BatchParameter, BatchPhase
from batches.quantities.limits import Range
from compliance.refusals import Refused
from compliance.trail import recording

MOST_DIGITS = 12
MORE_DECIMALS = 3  # than any limit of the parameter has
TIMES_AS_FAR = 3  # widths of the widest range, beyond it


class ValueImplausible(Refused):
    """The value looks wrong: look again, or confirm it with a reason."""

    code = "value-implausible"
    status = 422


@dataclass(frozen=True)
class Doubt:
    code: str
    text: str


def doubts(
    value: Decimal, *, parameter: BatchParameter, batch: Batch, phase: BatchPhase | None,
    performed_at: datetime,
) -> list[Doubt]:  # fmt: skip
    """Return everything that speaks against a value: its range, its digits, its date."""
    return [
        *_of_range(value, parameter),
        *_of_digits(value, parameter),
        *_of_date(performed_at, batch, phase),
    ]


def demand(found: Sequence[Doubt], *, override_reason: str) -> str:
    """Return the reason for an implausible value, or raise `ValueImplausible` with every doubt."""
    if not found:
        return ""
    if not override_reason.strip():
        raise ValueImplausible(
            "; ".join(doubt.text for doubt in found)
            + ". Look again; if it is right, say why and enter it with that reason",
            errors=[
                {"pointer": "/value", "code": doubt.code, "detail": doubt.text} for doubt in found
            ],
        )
    return recording.demand_reason(override_reason)


def _of_range(value: Decimal, parameter: BatchParameter) -> list[Doubt]:
    widest = _widest(parameter)
    if widest.low is None or widest.high is None:
        return []
    width = (widest.high - widest.low) or abs(widest.high) or Decimal(1)
    far = Range(widest.low - TIMES_AS_FAR * width, widest.high + TIMES_AS_FAR * width)
    if far.holds(value):
        return []
    return [Doubt("implausible-range", f"{value:f} is far beyond {widest} {parameter.unit}")]


def _widest(parameter: BatchParameter) -> Range:
    lows = [parameter.low, parameter.proven_low, parameter.action_low]
    highs = [parameter.high, parameter.proven_high, parameter.action_high]
    known_lows = [one for one in lows if one is not None]
    known_highs = [one for one in highs if one is not None]
    return Range(min(known_lows, default=None), max(known_highs, default=None))


def _of_digits(value: Decimal, parameter: BatchParameter) -> list[Doubt]:
    _, digits, exponent = value.as_tuple()
    limits = (parameter.low, parameter.high, parameter.proven_low, parameter.proven_high)
    decimals = max(
        (-int(one.normalize().as_tuple().exponent) for one in limits if one is not None), default=6
    )
    found = []
    if len(digits) > MOST_DIGITS:
        found.append(Doubt("implausible-digits", f"{value} has more than {MOST_DIGITS} digits"))
    if -int(exponent) > max(decimals, 0) + MORE_DECIMALS:
        found.append(
            Doubt("implausible-digits", f"{value} has more decimals than the limits allow to judge")
        )
    return found


def _of_date(at: datetime, batch: Batch, phase: BatchPhase | None) -> list[Doubt]:
    if batch.started_at is not None and at < batch.started_at:
        return [
            Doubt("implausible-date", f"{at.isoformat()} is before the start of {batch.number}")
        ]
    if phase is not None and phase.started_at is not None and at < phase.started_at:
        return [Doubt("implausible-date", f"{at.isoformat()} is before the start of {phase.name}")]
    over = phase is not None and phase.ended_at is not None
    if over and phase and phase.ended_at and at > phase.ended_at + timedelta(minutes=1):
        return [Doubt("implausible-date", f"{at.isoformat()} is after the end of {phase.name}")]
    return []
