"""Judge what a system measured against the limits of the batch, as it comes in (211.110)."""

from datetime import datetime
from decimal import Decimal

from batches.execution import exceptions
from batches.execution.models import BatchEvent, BatchParameter, BatchPhase, ExceptionKind
from batches.quantities import limits, numerals, units
from batches.quantities.limits import Limits, Range, Standing
from compliance.refusals import Refused


class TagUnknown(Refused):
    """A measurement names a parameter of its batch: with another tag it would have no limits."""

    code = "tag-unknown"
    status = 422


def limits_of(parameter: BatchParameter) -> Limits:
    """Return the ranges of a parameter, from the normal one to the action limits."""
    return Limits(
        normal=Range(parameter.low, parameter.high),
        proven=Range(parameter.proven_low, parameter.proven_high),
        action=Range(parameter.action_low, parameter.action_high),
    )


def judge(event: BatchEvent, *, at: datetime) -> None:
    """Flag a measured value outside its limits, or one that cannot be compared with them.

    The source's record is taken as it is. What nobody could judge is not within its limits either.
    Raise `TagUnknown`.
    """
    parameter = BatchParameter.objects.filter(batch=event.batch_id, tag=event.tag).first()
    if parameter is None:
        declared = BatchParameter.objects.filter(batch=event.batch_id).order_by("tag")
        known = ", ".join(declared.values_list("tag", flat=True)) or "none"
        raise TagUnknown(
            f"“{event.tag}” is no parameter of {event.batch}, and a measurement needs one; "
            f"known: {known}"
        )
    value = number(event.value)
    phase = (
        BatchPhase.objects.filter(batch=event.batch_id, name=event.phase).first()
        if event.phase
        else None
    )
    if value is None or not units.is_same(event.unit, parameter.unit):
        exceptions.flag(
            event.batch, ExceptionKind.NOT_JUDGED, about=event, phase=phase, at=at,
            by=event.recorded_by, is_critical=is_critical(parameter),
            text=f"{parameter.name} “{event.value} {event.unit}” is no number in {parameter.unit}: "
            "it was compared with no limit",
        )  # fmt: skip
        return
    standing = limits.judge(value, limits_of(parameter))
    if standing != Standing.WITHIN:
        exceptions.flag(
            event.batch, ExceptionKind.OUT_OF_LIMITS, about=event, phase=phase, at=at,
            by=event.recorded_by, is_critical=is_critical(parameter),
            text=said(parameter, f"{event.value} {event.unit}", standing),
        )  # fmt: skip


def is_critical(parameter: BatchParameter) -> bool:
    return parameter.criticality in ("cpp", "cqa")


def said(parameter: BatchParameter, value: str, standing: Standing) -> str:
    """Say in words how a value stands to its limits."""
    ranges = limits_of(parameter)
    asked = {
        Standing.OUTSIDE_NORMAL: ("its limits", ranges.normal),
        Standing.OUTSIDE_PROVEN: ("its proven acceptable range", ranges.proven),
        Standing.BEYOND_ACTION: ("its action limits", ranges.action),
    }
    words, range_ = asked[standing]
    return f"{parameter.name} {value} is outside {words}, {range_} {parameter.unit}"


def number(text: str) -> Decimal | None:
    """Return the finite number that a source wrote, or None."""
    return numerals.decimal(text.strip())
