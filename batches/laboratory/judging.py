"""Judge a value at entry: against the limits of its test, and against earlier batches."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from batches.laboratory import trending, values
from batches.laboratory.models import Judgement, Result, Sample, SpecificationTest, TestKind


@dataclass(frozen=True)
class Judged:
    """What is stored beside a result: the rounded value, whether it conforms, why it is OOT."""

    value: Decimal | None
    judgement: Judgement
    trend: str = ""


def read(test: SpecificationTest, text: str) -> Decimal:
    """Return the stored number of a written value: of an attribute 1 when it conforms, else 0."""
    if test.kind == TestKind.TEXT:
        if not text.strip() or len(text) > 40:
            raise values.ValueInvalid(f"{test.tag}: write what was found, in at most 40 characters")
        return Decimal(int(text == test.conforming_text))
    return values.read(text, name=test.tag)


def judge(
    test: SpecificationTest, value: Decimal, *, replicates: Sequence[Decimal] = (),
    earlier: Sequence[Decimal] = (),
) -> Judged:  # fmt: skip
    """Judge the value as it is reported: rounded first, then compared (USP General Notices 7.20)."""
    if test.kind == TestKind.TEXT:
        return Judged(None, Judgement.CONFORMS if value == 1 else Judgement.OOS)
    reported = rounded(test, value)
    judged = [reported]
    if test.is_each_judged:
        # FDA, OOS guidance IV.C: an average does not hide an individual result outside the limits.
        judged += [rounded(test, one) for one in replicates]
    if any(values.is_outside(one, low=test.low, high=test.high) for one in judged):
        return Judged(reported, Judgement.OOS)
    why = trending.reason(
        reported, alert_low=test.alert_low, alert_high=test.alert_high, earlier=earlier
    )
    return Judged(reported, Judgement.CONFORMS, why)


def rounded(test: SpecificationTest, value: Decimal) -> Decimal:
    return values.rounded(value, decimals=test.decimals, rule=test.rounding)


def earlier_values(sample: Sample, test: SpecificationTest) -> list[Decimal]:
    """Return one standing conforming value of each of the newest batches issued before this one."""
    if test.kind == TestKind.TEXT:
        return []
    found = (
        Result.objects.standing()
        .filter(
            test__version__specification=test.version.specification_id,
            test__point=test.point,
            tag=test.tag,
            unit=test.unit,
            judgement=Judgement.CONFORMS,
            sample__batch__issued_at__lt=sample.batch.issued_at,
        )
        .order_by("-sample__batch__issued_at", "-sample__batch", "-sample__taken_at", "-pk")
        .distinct("sample__batch__issued_at", "sample__batch")
        .values_list("judged_value", flat=True)
    )
    return [one for one in found[: trending.NEWEST] if one is not None]
