"""Flag what was charged too little when its phase or the batch ends (21 CFR 211.101(a), 211.192)."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from batches.execution import charges, exceptions, recorded
from batches.execution.models import Batch, BatchMaterial, BatchPhase, ExceptionKind
from batches.quantities.limits import Range
from compliance.access.models import User
from compliance.trail import capture


@dataclass(frozen=True)
class Shortfall:
    """A line of the bill of materials with less than its tolerance allows."""

    line: BatchMaterial
    total: Decimal
    allowed: Range

    def __str__(self) -> str:
        total, unit = f"{self.total.normalize():f}", self.line.unit
        return (
            f"{self.line.material_code} (line {self.line.line}): {total} {unit} charged, "
            f"allowed {self.allowed} {unit}"
        )


def of(batch: Batch, *, phase: BatchPhase | None = None) -> Iterator[Shortfall]:
    """Yield the lines of a batch, or of one phase, that people and systems charged too little of."""
    amounts = recorded.amounts(batch)
    lines = batch.materials.select_related("phase").order_by("line")
    for line in lines if phase is None else lines.filter(phase=phase):
        total = charges.charged(line) + amounts.get((line.material_code, line.unit), Decimal(0))
        range_ = charges.allowed(line)
        if range_.low is not None and total < range_.low:
            yield Shortfall(line, total, range_)


def flag(batch: Batch, *, at: datetime, by: User | None, phase: BatchPhase | None = None) -> None:
    """Flag each shortfall once, inside the act that ends the phase or the batch.

    A person who ends a phase says that it is all in: nothing charged is too little too. A system may
    post what was added later, so its phases are judged at the end of the batch, and a line of which
    nothing at all is recorded is what the record lacks (`completeness`), not what departs.
    """
    if phase is not None and by is None:
        return
    for one in of(batch, phase=phase):
        subject = f"{capture.record_of(BatchMaterial)} {one.line.pk}"
        is_known = batch.exceptions.filter(kind=ExceptionKind.CHARGE, subject=subject).exists()
        if is_known or (one.total == 0 and phase is None):
            continue
        exceptions.flag(
            batch, ExceptionKind.CHARGE, about=one.line, phase=one.line.phase, by=by, at=at,
            is_critical=one.line.kind == "active", text=f"too little: {one}",
        )  # fmt: skip
