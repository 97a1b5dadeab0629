"""Read what a batch had shown by a moment, in hours since its start."""

from collections.abc import Collection, Iterator
from datetime import datetime, timedelta

from django.db import connection

from batches.execution import series
from batches.execution.models import Batch
from batches.laboratory.models import Result
from twins.models.requests import Observation
from twins.predictions import twin_settings

# The last reading of each step of time; a step ends at a whole multiple of its length.
_STEPPED = """
SELECT DISTINCT ON (tag, step) tag, step, value::float8
FROM (
    SELECT tag, value, observed_at, segment_id, position,
        greatest(1, ceil(extract(epoch FROM observed_at - %(start)s) / %(step)s))::int AS step
    FROM execution_reading
    WHERE batch_id = %(batch)s AND tag = ANY(%(tags)s)
        AND observed_at BETWEEN %(start)s AND %(end)s
) r
ORDER BY tag, step, observed_at DESC, segment_id DESC, position DESC
"""
Steps = dict[str, dict[int, float]]


def observations(
    batch: Batch, *, started_at: datetime, as_of: datetime, tags: Collection[str]
) -> tuple[Observation, ...]:
    """Return the readings observed and the results reported by then, and nothing later."""
    found = [
        *_readings(batch, started_at=started_at, as_of=as_of, tags=tags),
        *results(batch, started_at=started_at, as_of=as_of, tags=tags),
    ]
    return tuple(found)


def stepped(
    batch: Batch, *, started_at: datetime, as_of: datetime, tags: Collection[str], step: timedelta
) -> Steps:
    """Return for each tag the last reading of each step since the start, up to a moment."""
    found: Steps = {tag: {} for tag in tags}
    with connection.cursor() as cursor:
        cursor.execute(
            _STEPPED,
            {"batch": batch.pk, "tags": list(tags), "start": started_at, "end": as_of,
             "step": step.total_seconds()},
        )  # fmt: skip
        for tag, at, value in cursor.fetchall():
            found[tag][at] = value
    return found


def reported(
    batch: Batch, *, started_at: datetime, as_of: datetime, tags: Collection[str], step: timedelta
) -> Steps:
    """Return for each tag the results by the step in which they were reported, up to a moment."""
    named = {f"lab_{twin_settings.process_tag(tag)}": tag for tag in tags}
    found: Steps = {tag: {} for tag in tags}
    for seen in results(batch, started_at=started_at, as_of=as_of, tags=named.keys()):
        at = max(1, -(-timedelta(hours=seen.reported_h) // step))
        found[named[seen.tag]][at] = seen.value
    return found


def hours(moment: datetime, *, since: datetime) -> float:
    """Return the hours of a batch at a moment, exact to the microsecond."""
    return (moment - since).total_seconds() / 3600.0


def _readings(
    batch: Batch, *, started_at: datetime, as_of: datetime, tags: Collection[str]
) -> Iterator[Observation]:
    read = series.of_tags(batch, tags=tags, first=started_at, last=as_of)
    for tag in sorted(read):
        for point in read[tag]:
            at_h = hours(point.at, since=started_at)
            yield Observation(tag, at_h, float(point.value), at_h)


def results(
    batch: Batch, *, started_at: datetime, as_of: datetime, tags: Collection[str]
) -> Iterator[Observation]:
    rows = (
        Result.objects.filter(
            sample__batch=batch,
            sample__taken_at__gte=started_at,
            sample__taken_at__lte=as_of,
            reported_at__lte=as_of,
        )
        .select_related("sample")
        .order_by("tag", "sample__taken_at", "sample__number", "version")
    )
    # Of the versions that had been reported by then, the last one holds.
    newest = {(row.tag, row.sample_id): row for row in rows}
    for row in newest.values():
        tag = f"lab_{twin_settings.process_tag(row.tag)}"
        if tag not in tags:
            continue
        sampled_h = hours(row.sample.taken_at, since=started_at)
        # A laboratory's clock may be behind the plant's: no result is known before its sample.
        reported_h = max(hours(row.reported_at, since=started_at), sampled_h)
        yield Observation(tag, sampled_h, float(row.value), reported_h)
