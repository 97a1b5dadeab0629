"""BR-07: find values that are a power of ten away from those around them."""

import math
from decimal import Decimal
from statistics import median

from batches.execution.inspection import measured
from batches.execution.inspection.measured import Measured
from compliance.inspection import outcomes, wording
from compliance.inspection.outcomes import Fact, Outcome
from compliance.inspection.registry import CHECKS, Parameters
from compliance.inspection.snapshots import Snapshot


@CHECKS.register("BR-07")
def check(snapshot: Snapshot, parameters: Parameters) -> Outcome:
    """Report measurements that look like a slip of the decimal point, with their neighbours."""
    width, least = int(str(parameters["neighbours"])), int(str(parameters["at_least"]))
    spread = Decimal(str(parameters["spread"]))
    percent = Decimal(str(parameters["power_percent"]))
    facts = []
    examined = 0
    for batch, found in measured.of(snapshot).items():
        for tag in sorted({one.event.tag for one in found}):
            series = [one for one in found if one.event.tag == tag]
            for index, one in enumerate(series):
                around = [
                    each.value
                    for each in series[max(0, index - width) : index + width + 1]
                    if each is not one and each.value > 0
                ]
                if len(around) < least or max(around) > spread * min(around) or one.value <= 0:
                    continue
                examined += 1
                middle = median(around)
                if power := _power(one.value / middle, percent):
                    facts.append(_fact(batch, one, middle, len(around), power))
    if not examined:
        return outcomes.not_applicable(
            "No series of recorded measurements is in scope; on-line readings are held against "
            "their limits instead."
        )
    return outcomes.judged(facts, examined=examined, failing=len(facts))


def _power(ratio: Decimal, percent: Decimal) -> int:
    """Return the power of ten that a ratio is within some per cent of, 0 for none."""
    power = round(math.log10(ratio))
    if power == 0:
        return 0
    exact = Decimal(10) ** power
    return power if abs(ratio - exact) <= exact * percent / 100 else 0


def _fact(batch: str, one: Measured, middle: Decimal, around: int, power: int) -> Fact:
    times = f"{10 ** abs(power):,} times " + ("the" if power > 0 else "smaller than the")
    unit = one.event.unit
    middle = middle.quantize(Decimal("0.01"))
    return Fact(
        f"Batch {batch}: {one}, recorded by {one.event.performed_by or 'nobody named'}, is about "
        f"{times} median of the {around} values around it ({wording.number(middle)} {unit})"
        f"{'' if one.event.text else '; the record carries no comment on it'}.",
        evidence=(one.evidence,),
        batches=frozenset({batch}),
    )
