"""Name the batches that the equipment of a deviation was used for, too (21 CFR 211.192)."""

from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta

from batches.assets import doubts
from batches.assets.models import Calibration
from batches.execution.models import Batch, BatchEvent, Charge, EquipmentAssignment
from compliance.quality import scope
from compliance.quality.models import Deviation
from compliance.quality.scope import Suggestion
from compliance.trail.tlog import canonical

BATCH = "batch"
PERIOD = timedelta(days=30)
_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)


@scope.register("same-equipment")
def same_equipment(deviation: Deviation) -> Iterator[Suggestion]:
    """Name the batches that used a piece of equipment within thirty days of a linked batch's use,
    and those that a calibration which opened the deviation leaves in doubt."""
    linked = {one.pk: one for one in deviation.batches.order_by("number")}
    for batch in linked.values():
        for code, moments in sorted(_used_by(batch).items()):
            because = f"used {code} within 30 days of {batch.number}"
            for other in batches_with(code, min(moments) - PERIOD, max(moments) + PERIOD):
                if other.pk not in linked:
                    yield Suggestion(kind=BATCH, name=other.number, because=because)
    opened_by = Calibration.objects.filter(deviation=deviation).select_related("equipment")
    for calibration in opened_by.order_by("pk"):
        code = calibration.equipment.code
        because = f"used {code}, which calibration {calibration.certificate} leaves in doubt"
        for other in batches_with(code, *_in_doubt(calibration, deviation)):
            if other.pk not in linked:
                yield Suggestion(kind=BATCH, name=other.number, because=because)


def batches_with(code: str, since: datetime, until: datetime) -> list[Batch]:
    """Return the batches that equipment was used for between two moments, by number.

    It was assigned to a phase, material was weighed on it, or a system names it in its details.
    """
    window = (since, until)
    found = {
        *EquipmentAssignment.objects.filter(
            equipment__code=code, performed_at__range=window
        ).values_list("batch", flat=True),
        *Charge.objects.filter(scale_used__code=code, performed_at__range=window).values_list(
            "batch", flat=True
        ),
        *BatchEvent.objects.exclude(details={})
        .filter(occurred_at__range=window, details__contains=_member("equipment", code))
        .values_list("batch", flat=True),
    }
    return list(Batch.objects.filter(pk__in=found).order_by("number"))


def _used_by(batch: Batch) -> dict[str, list[datetime]]:
    """Return the codes of whatever was used for a batch, with when it was."""
    used: dict[str, list[datetime]] = {}
    named = [
        *batch.equipment.values_list("equipment__code", "performed_at"),
        *batch.charges.exclude(scale_used=None).values_list("scale_used__code", "performed_at"),
        *(
            (str(details["equipment"]), at)
            for details, at in batch.events.exclude(details={}).values_list(
                "details", "occurred_at"
            )
            if isinstance(details, dict) and "equipment" in details
        ),
    ]
    for code, at in named:
        used.setdefault(code, []).append(at)
    return used


def _in_doubt(calibration: Calibration, deviation: Deviation) -> tuple[datetime, datetime]:
    """Return since when and until when measurements are in doubt."""
    if calibration.as_found_in_tolerance and calibration.as_left_in_tolerance:
        # Its due date was brought forward: what was measured after that day.
        day_after = datetime.combine(calibration.due_on, time.min, UTC) + timedelta(days=1)
        return day_after, deviation.opened_at
    good = doubts.last_good(calibration.equipment, before=calibration.performed_at)
    return (good.performed_at if good else _BEGINNING), calibration.performed_at


def _member(name: str, value: str) -> str:
    """Return a member as canonical JSON writes it: details are kept as that text."""
    return canonical.dumps({name: value}).decode()[1:-1]
