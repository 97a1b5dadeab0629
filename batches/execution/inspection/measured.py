"""Read the measurements that people and manufacturing systems recorded, in the plant's order."""

from collections import defaultdict
from dataclasses import dataclass
from decimal import Decimal

from batches.execution import measurements
from batches.execution.models import Batch, BatchEvent, EventKind
from batches.recipes.models import Parameter
from compliance.inspection.outcomes import Evidence
from compliance.inspection.snapshots import Snapshot


@dataclass(frozen=True)
class Measured:
    """One recorded measurement with the parameter of the recipe it belongs to, if any."""

    event: BatchEvent
    batch: str
    value: Decimal
    parameter: Parameter | None

    @property
    def is_outside(self) -> bool:
        limit = self.parameter
        return limit is not None and (
            (limit.low is not None and self.value < limit.low)
            or (limit.high is not None and self.value > limit.high)
        )

    @property
    def when(self) -> str:
        """The source's own words for the moment, which an inspector can find in the original."""
        return self.event.occurred_text

    @property
    def where(self) -> str:
        """The phase, and the line of the source's file when the record names it."""
        line = self.event.details.get("line")
        parts = [self.event.phase or "no phase", f"line {line}" if line else ""]
        return ", ".join(part for part in parts if part)

    @property
    def evidence(self) -> Evidence:
        event = self.event
        values = {
            "occurred": event.occurred_text,
            "phase": event.phase,
            "performed_by": event.performed_by,
            "value": f"{event.value} {event.unit}".strip(),
        }
        details = {key: str(value) for key, value in event.details.items()}
        return Evidence("execution_batchevent", str(event.pk), {**values, **details})

    def __str__(self) -> str:
        return f"{self.event.value} {self.event.unit} at {self.when} ({self.where})"


def of(snapshot: Snapshot) -> dict[str, list[Measured]]:
    """Return the measurements of each batch in scope, in the order in which they occurred."""
    limits = {
        (parameter.recipe_id, parameter.tag): parameter
        for parameter in Parameter.objects.filter(
            recipe__batches__in=snapshot.rows(Batch)
        ).distinct()
    }
    found: dict[str, list[Measured]] = defaultdict(list)
    events = snapshot.rows(BatchEvent).filter(kind=EventKind.MEASUREMENT).exclude(value="")
    for event in events.select_related("batch").order_by("batch__number", "occurred_at", "pk"):
        value = measurements.number(event.value)
        if value is None:
            continue
        parameter = limits.get((event.batch.recipe_id, event.tag))
        found[event.batch.number].append(Measured(event, event.batch.number, value, parameter))
    return dict(found)
