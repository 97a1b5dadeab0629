"""Read what a batch had shown by a moment, in hours since its start."""

from collections.abc import Collection, Iterator
from datetime import datetime

from django.db import connection

from batches.execution.models import Batch
from batches.laboratory.models import Result
from twins.models.requests import Observation

# One index range a tag; the order is total, so that the same rows always give the same request.
_READINGS = """
    SELECT tag, extract(epoch FROM observed_at - %(start)s), value
    FROM public.execution_reading
    WHERE batch_id = %(batch)s AND tag = ANY(%(tags)s)
        AND observed_at >= %(start)s AND observed_at <= %(as_of)s
    ORDER BY tag, observed_at, segment_id, position
"""


def observations(
    batch: Batch, *, started_at: datetime, as_of: datetime, tags: Collection[str]
) -> tuple[Observation, ...]:
    """Return the readings observed and the results reported by then, and nothing later."""
    found = [
        *_readings(batch, started_at=started_at, as_of=as_of, tags=tags),
        *_results(batch, started_at=started_at, as_of=as_of, tags=tags),
    ]
    return tuple(found)


def hours(moment: datetime, *, since: datetime) -> float:
    """Return the hours of a batch at a moment, exact to the microsecond."""
    return (moment - since).total_seconds() / 3600.0


def _readings(
    batch: Batch, *, started_at: datetime, as_of: datetime, tags: Collection[str]
) -> Iterator[Observation]:
    with connection.cursor() as cursor:
        cursor.execute(
            _READINGS,
            {"batch": batch.pk, "tags": sorted(tags), "start": started_at, "as_of": as_of},
        )
        for tag, seconds, value in cursor:
            at_h = float(seconds) / 3600.0
            yield Observation(tag, at_h, float(value), at_h)


def _results(
    batch: Batch, *, started_at: datetime, as_of: datetime, tags: Collection[str]
) -> Iterator[Observation]:
    rows = (
        Result.objects.filter(
            sample__batch=batch,
            sample__taken_at__gte=started_at,
            sample__taken_at__lte=as_of,
            reported_at__lte=as_of,
            tag__in=tags,
        )
        .select_related("sample")
        .order_by("tag", "sample__taken_at", "sample__number", "version")
    )
    # Of the versions that had been reported by then, the last one holds.
    newest = {(row.tag, row.sample_id): row for row in rows}
    for row in newest.values():
        sampled_h = hours(row.sample.taken_at, since=started_at)
        # A laboratory's clock may be behind the plant's: no result is known before its sample.
        reported_h = max(hours(row.reported_at, since=started_at), sampled_h)
        yield Observation(row.tag, sampled_h, float(row.value), reported_h)
