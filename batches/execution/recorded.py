"""Read what an MES recorded of a batch: `details` of events, named as in docs/batch-record.md."""

from collections import Counter
from collections.abc import Iterator, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from django.db import connection

from batches.assets.models import Equipment
from batches.execution.models import Batch, BatchEvent, BatchPhase, EventKind
from batches.quantities import numerals, units
from compliance.trail.tlog import canonical


def _details(batch: Batch, key: str) -> Iterator[Mapping[str, Any]]:
    """Yield the details that have a member, of events in order; an event without any costs nothing."""
    found = batch.events.exclude(details={}).order_by("occurred_at", "pk")
    for details in found.values_list("details", flat=True).iterator():
        if isinstance(details, Mapping) and key in details:
            yield details


def equipment_kinds(batch: Batch) -> set[str]:
    """Return the kinds of all equipment that events name by its code."""
    codes = {str(one["equipment"]) for one in _details(batch, "equipment")}
    return set(Equipment.objects.filter(code__in=codes).values_list("kind", flat=True)) | {
        str(one["equipment_kind"]) for one in _details(batch, "equipment_kind")
    }


def lots(batch: Batch) -> set[str]:
    """Return the codes of materials that additions name with their lot."""
    return {str(one["material"]) for one in _details(batch, "material") if one.get("lot")}


def amounts(batch: Batch) -> dict[tuple[str, str], Decimal]:
    """Return how much of each material was added, in the unit that each addition states."""
    found: dict[tuple[str, str], Decimal] = {}
    for one in _details(batch, "material"):
        amount = numerals.decimal(str(one.get("quantity")))
        try:
            unit = units.canonical(str(one.get("unit")))
        except units.UnitUnknown:
            continue
        if amount is not None and one.get("lot"):
            key = (str(one["material"]), unit)
            found[key] = found.get(key, Decimal(0)) + amount
    return found


def measured_tags(batch: Batch) -> set[str]:
    """Return the tags of all measurements and readings."""
    measured = batch.events.filter(kind=EventKind.MEASUREMENT).values_list("tag", flat=True)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT p.tag FROM execution_batchparameter p WHERE p.batch_id = %s AND EXISTS "
            "(SELECT FROM execution_reading r WHERE r.batch_id = p.batch_id AND r.tag = p.tag)",
            [batch.pk],
        )
        read = {tag for (tag,) in cursor.fetchall()}
    return read | set(measured.distinct())


def phases_with_yield(batch: Batch) -> set[str]:
    found = batch.events.exclude(phase="").exclude(details={})
    return {
        phase.rpartition("/")[2]
        for phase, details in found.values_list("phase", "details")
        if isinstance(details, Mapping) and "yield_quantity" in details
    }


def yields_of(batch: Batch) -> dict[str, Decimal]:
    """Return for each phase the last yield that a system stated, in percent of the theoretical one."""
    expected = {one.phase.name: one for one in batch.yields.select_related("phase")}
    found: dict[str, Decimal] = {}
    events = batch.events.exclude(phase="").exclude(details={}).order_by("occurred_at", "pk")
    for phase, details in events.values_list("phase", "details"):
        theoretical = expected.get(phase.rpartition("/")[2])
        if theoretical is None or not isinstance(details, Mapping):
            continue
        quantity = numerals.decimal(str(details.get("yield_quantity")))
        if quantity is None:
            continue
        try:
            actual = units.convert(quantity, str(details.get("yield_unit")), theoretical.unit)
        except (InvalidOperation, units.UnitUnknown, units.UnitMismatch, units.NotExact):
            continue
        percent = (100 * actual / theoretical.quantity).quantize(Decimal("0.01"))
        found[theoretical.phase.name] = percent
    return found


def labels(batch: Batch) -> set[str]:
    return {str(one["label"]) for one in _details(batch, "label") if "labels_issued" in one}


def reconciled(batch: Batch) -> set[tuple[str, str]]:
    """Return material and lot of each reconciliation that states what was issued and charged."""
    return {
        (str(one["reconciled"]), str(one.get("lot")))
        for one in _details(batch, "reconciled")
        if "issued" in one and "charged" in one
    }


def charged_lots(batch: Batch) -> set[tuple[str, str]]:
    """Return material and lot of each addition that names its lot."""
    return {
        (str(one["material"]), str(one["lot"]))
        for one in _details(batch, "material")
        if one.get("lot")
    }


def added_lots(batch: Batch) -> set[tuple[str, str]]:
    """Return material and lot of what was added, of events that are additions only."""
    added = batch.events.filter(kind=EventKind.ADDITION).exclude(details={})
    return {
        (str(one["material"]), str(one["lot"]))
        for one in added.values_list("details", flat=True)
        if isinstance(one, Mapping) and one.get("material") and one.get("lot")
    }


def batches_with(material: str, lot: str) -> list[Batch]:
    """Return the batches of which a system posted an addition of this lot of this material."""
    found = BatchEvent.objects.exclude(details={}).filter(
        kind=EventKind.ADDITION, details__contains=_member("lot", lot)
    )
    batches = found.filter(details__contains=_member("material", material)).values("batch")
    named = Batch.objects.filter(pk__in=batches).select_related("recipe__product")
    return list(named.order_by("number"))


def _member(name: str, value: str) -> str:
    """Return a member as canonical JSON writes it: details are kept as that text."""
    return canonical.dumps({name: value}).decode()[1:-1]


def examinations(batch: Batch) -> set[str]:
    return {str(one["examination"]) for one in _details(batch, "examination")}


def sampled(batch: Batch) -> Counter[str]:
    """Return how many samples were drawn at each point of the plan."""
    found = batch.events.filter(kind=EventKind.SAMPLING).exclude(details={})
    points = [
        str(details["point"])
        for details in found.values_list("details", flat=True)
        if isinstance(details, Mapping) and "point" in details
    ]
    return Counter(points)


def is_ended_by_somebody(batch: Batch, phase: BatchPhase) -> bool:
    """Say whether the event that ended a phase names a person, or an identified system."""
    ended = batch.events.filter(
        kind=EventKind.PHASE_ENDED, phase__in=(phase.name, f"{phase.unit_procedure}/{phase.name}")
    ).last()
    return ended is not None and bool(ended.performed_by or ended.source_id)
