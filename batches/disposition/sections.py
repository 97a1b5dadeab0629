"""What quality looks at when it reviews a batch record by exception (21 CFR 211.192)."""

from django.db.models import F

from batches.disposition import excursions, later_entries
from batches.execution import review_items
from batches.execution.events import CLOCK_TOLERANCE
from batches.execution.models import (
    LATE_AFTER,
    Batch,
    BatchEvent,
    BatchException,
    EventKind,
    PhaseState,
)
from batches.execution.review_items import Exceptional, Item, item
from batches.laboratory.models import Result
from compliance.quality.models import DeviationState
from compliance.signatures import verdicts
from compliance.trail import capture


@review_items.register("phases", label="Phases", order=10)
def phases(batch: Batch) -> Item:
    found = list(batch.phases.order_by("order"))
    exceptions = [
        Exceptional(f"{one.name} is {one.get_state_display().lower()}")
        for one in found
        if one.state != PhaseState.DONE
    ]
    return item(count=len(found), exceptions=exceptions)


@review_items.register("events", label="Events", order=20)
def events(batch: Batch) -> Item:
    """An assumed zone, and a moment before the batch began, are for a person to look at."""
    found = batch.events.filter(is_zone_assumed=True).order_by("pk")
    exceptions = [_event(one, "its zone was assumed") for one in found]
    if batch.started_at is not None:
        before = batch.events.filter(occurred_at__lt=batch.started_at - CLOCK_TOLERANCE)
        exceptions += [
            _event(
                one, f"said to have happened {batch.started_at - one.occurred_at} before the start"
            )
            for one in before.order_by("pk")
        ]
    return item(count=batch.events.count(), exceptions=exceptions, listed=_events_of(batch))


@review_items.register("late-entries", label="Late entries", order=25)
def late(batch: Batch) -> Item:
    """21 CFR 211.100(b): documented at the time of performance."""
    found = batch.events.filter(recorded_at__gt=F("occurred_at") + LATE_AFTER, is_backfilled=False)
    exceptions = [
        _event(one, f"recorded {one.recorded_at - one.occurred_at} after it happened")
        for one in found.order_by("pk")
    ]
    return item(count=batch.events.count(), exceptions=exceptions, listed=_events_of(batch))


@review_items.register("charges", label="Charges", order=15)
def charges(batch: Batch) -> Item:
    """What was charged, counted; what departs in it is among the exceptions."""
    listed = ("execution.Charge", f"batch__id__exact={batch.pk}")
    return item(count=batch.charges.count(), exceptions=[], listed=listed)


@review_items.register("exceptions", label="Exceptions", order=16)
def exceptions(batch: Batch) -> Item:
    """Every departure from the recipe as it was flagged, with how it was assessed."""
    found = list(batch.exceptions.order_by("pk"))
    table = capture.record_of(BatchException)
    named = [
        Exceptional(
            f"{one.get_kind_display()} ({one.clause}): {one.text}; {one.get_state_display().lower()}",
            (table, str(one.pk)),
        )
        for one in found
    ]
    return item(count=len(found), exceptions=named)


@review_items.register("alarms", label="Alarms", order=30)
def alarms(batch: Batch) -> Item:
    found = list(batch.events.filter(kind=EventKind.ALARM).order_by("pk"))
    return item(
        count=len(found), exceptions=[_event(one, one.text) for one in found],
        listed=_events_of(batch),
    )  # fmt: skip


@review_items.register("readings", label="Readings", order=40)
def readings(batch: Batch) -> Item:
    count = sum(batch.segments.values_list("count", flat=True))
    exceptions = [Exceptional(str(one)) for one in excursions.of(batch) if one.kind != "result"]
    listed = ("execution.ReadingSegment", f"batch__id__exact={batch.pk}")
    return item(count=count, exceptions=exceptions, listed=listed)


@review_items.register("results", label="Results", order=50)
def results(batch: Batch) -> Item:
    """Results outside limits, and every result that replaced another one."""
    found = Result.objects.filter(sample__batch=batch)
    exceptions = [Exceptional(str(one)) for one in excursions.of(batch) if one.kind == "result"]
    table = capture.record_of(Result)
    exceptions += [
        Exceptional(f"{one} replaced an earlier value: {one.reason}", (table, str(one.pk)))
        for one in found.filter(version__gt=1).select_related("sample__batch").order_by("pk")
    ]
    listed = ("laboratory.Result", f"sample__batch__id__exact={batch.pk}")
    return item(count=found.count(), exceptions=exceptions, listed=listed)


@review_items.register("deviations", label="Deviations", order=60)
def deviations(batch: Batch) -> Item:
    """Every deviation is shown, closed ones with their conclusion."""
    found = list(batch.deviations.order_by("number"))
    table = "quality_deviation"
    exceptions = [
        Exceptional(
            f"{one.number} {one.title}: {one.get_severity_display().lower()}, "
            f"{one.get_state_display().lower()}"
            + (f". {one.conclusion}" if one.state == DeviationState.CLOSED else ""),
            (table, str(one.pk)),
        )
        for one in found
    ]
    return item(count=len(found), exceptions=exceptions)


@review_items.register("changes", label="Changes since the original entry", order=80)
def changes(batch: Batch) -> Item:
    """EU GMP Annex 11, 8.2: what was changed since its original entry, by whom and why."""
    counts = later_entries.changes(batch)
    exceptions = [
        Exceptional(
            f"{one.record} {one.record_id}: {one.action} by {one.actor} ({one.role}): {one.reason}",
            (one.record, one.record_id),
        )
        for one in counts.found
    ]
    return item(count=counts.total, exceptions=exceptions)


@review_items.register("signatures", label="Signatures", order=90)
def signatures(batch: Batch) -> Item:
    found = verdicts.of_record(batch)
    exceptions = [
        Exceptional(
            f"{one.signature.get_meaning_display()} by {one.signature.printed_name}: "
            f"{one.explanation}",
            ("signatures_signature", str(one.signature.pk)),
        )
        for one in found
        if not one.is_valid
    ]
    return item(count=len(found), exceptions=exceptions)


def _event(event: BatchEvent, why: str) -> Exceptional:
    said = f"{event.get_kind_display()} {event.tag or event.phase} at {event.occurred_text}: {why}"
    return Exceptional(" ".join(said.split()), (capture.record_of(BatchEvent), str(event.pk)))


def _events_of(batch: Batch) -> tuple[str, str]:
    return ("execution.BatchEvent", f"batch__id__exact={batch.pk}")
