"""Say what in a draft cannot be, before the database's constraints refuse it without a word; pure."""

from collections.abc import Iterator, Sequence
from decimal import Decimal

from batches.recipes.drafts import (
    LabelDraft,
    MaterialDraft,
    ParameterDraft,
    RecipeDraft,
    SamplingDraft,
    YieldDraft,
)

_DIGITS = frozenset("0123456789abcdef")


def problems(written: RecipeDraft) -> list[str]:
    """Return what contradicts itself, line by line; empty when the database will take it."""
    found: list[str] = []
    if not written.title.strip():
        found.append("a master recipe needs a title")
    if written.batch_size is not None and written.batch_size <= 0:
        found.append("the batch size is more than nothing")
    for parameter in written.parameters:
        found += (f"{parameter.tag}: {text}" for text in _of_parameter(parameter))
    for material in written.materials:
        found += (f"material {material.line}: {text}" for text in _of_material(material))
    for expected in written.yields:
        found += (f"yield of {expected.phase}: {text}" for text in _of_yield(expected))
    for point in written.sampling:
        found += (f"{point.name}: {text}" for text in _of_sampling(point))
    for label in written.labels:
        found += (f"label {label.code}: {text}" for text in _of_label(label))
    return found


def _of_parameter(one: ParameterDraft) -> Iterator[str]:
    if not _in_order(one.low, one.high):
        yield "its low limit is above its high one"
    if not (_in_order(one.low, one.target) and _in_order(one.target, one.high)):
        yield "its target is outside of its limits"
    if not (
        _within(one.low, one.proven_low, sign=1)
        and _within(one.high, one.proven_high, sign=-1)
        and _in_order(one.proven_low, one.proven_high)
    ):
        yield "its normal operating range is not within the proven acceptable one"
    limits = (one.action_low, one.alert_low, one.alert_high, one.action_high)
    if not _sorted(limits):
        yield "its alert limits are not within its action limits"
    if not (
        _in_order(one.proven_low, one.action_low) and _in_order(one.action_high, one.proven_high)
    ):
        yield "its action limits are not within the proven acceptable range"


def _of_material(one: MaterialDraft) -> Iterator[str]:
    if one.quantity <= 0:
        yield "its quantity is more than nothing"
    if not 0 <= one.tolerance_low_pct <= 100 or one.tolerance_high_pct < 0 or one.excess_pct < 0:
        yield "tolerances and excess are percentages, not below zero"
    if not one.phase:
        yield "it names the phase that it is charged in"


def _of_yield(one: YieldDraft) -> Iterator[str]:
    if one.quantity <= 0:
        yield "its quantity is more than nothing"
    if not 0 <= one.low_pct <= one.high_pct:
        yield "its lower percentage is above its higher one, or below zero"
    if not one.phase:
        yield "it names the phase that it is determined after"


def _of_sampling(one: SamplingDraft) -> Iterator[str]:
    if one.count < 1:
        yield "at least one sample is drawn"
    if not one.phase:
        yield "it names the phase that the samples are drawn in"


def _of_label(one: LabelDraft) -> Iterator[str]:
    if one.specimen_digest and (
        len(one.specimen_digest) != 64 or not set(one.specimen_digest) <= _DIGITS
    ):
        yield "the digest of its specimen is no SHA-256 in hexadecimal"


def _in_order(low: Decimal | None, high: Decimal | None) -> bool:
    return low is None or high is None or low <= high


def _within(normal: Decimal | None, proven: Decimal | None, *, sign: int) -> bool:
    """Say whether a bound of the normal range is there and not beyond that of the proven one."""
    return proven is None or (normal is not None and sign * (normal - proven) >= 0)


def _sorted(values: Sequence[Decimal | None]) -> bool:
    there = [value for value in values if value is not None]
    return there == sorted(there)
