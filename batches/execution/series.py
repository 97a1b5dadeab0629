"""Read the readings of a batch: whole, thinned out for a chart, or the newest of each tag."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import connection

from batches.execution.models import Batch

MOST_POINTS = 2000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EXTENT = """
SELECT count(*), extract(epoch FROM min(observed_at)), extract(epoch FROM max(observed_at))
FROM execution_reading
WHERE batch_id = %s AND tag = %s AND observed_at >= %s AND observed_at <= %s
"""
_ALL = """
SELECT observed_at, value FROM execution_reading
WHERE batch_id = %s AND tag = %s AND observed_at >= %s AND observed_at <= %s
ORDER BY observed_at, segment_id, position
"""
_OF_TAGS = """
SELECT tag, observed_at, value FROM execution_reading
WHERE batch_id = %s AND tag = ANY(%s) AND observed_at >= %s AND observed_at <= %s
ORDER BY tag, observed_at, segment_id, position
"""
# An array of (value, time) compares by its value first: its minimum and maximum carry the moment
# along, in one pass without sorting.
_EXTREMES = """
SELECT min(ARRAY[value, epoch]), max(ARRAY[value, epoch])
FROM (
    SELECT value, extract(epoch FROM observed_at) AS epoch FROM execution_reading
    WHERE batch_id = %s AND tag = %s AND observed_at >= %s AND observed_at <= %s
) AS r
GROUP BY width_bucket(epoch, %s, %s, %s)
"""
_LATEST = """
SELECT wanted.tag, r.observed_at, r.value, r.unit
FROM unnest(%s::text[]) AS wanted(tag)
CROSS JOIN LATERAL (
    SELECT observed_at, value, unit FROM execution_reading
    WHERE batch_id = %s AND tag = wanted.tag
    ORDER BY observed_at DESC, segment_id DESC, position DESC LIMIT 1
) AS r
"""


@dataclass(frozen=True, slots=True)
class Point:
    at: datetime
    value: Decimal


@dataclass(frozen=True)
class Series:
    """Readings of one tag in order of time; `count` is how many there are, thinned out or not."""

    tag: str
    count: int
    points: list[Point]

    @property
    def is_thinned(self) -> bool:
        return len(self.points) < self.count


@dataclass(frozen=True)
class Newest:
    tag: str
    at: datetime
    value: Decimal
    unit: str


def of(
    batch: Batch, *, tag: str, first: datetime | None = None, last: datetime | None = None,
    max_points: int | None = MOST_POINTS,
) -> Series:  # fmt: skip
    """Return a tag's readings; where there are more than `max_points`, the lowest and the highest
    of each slice of time, so that no excursion disappears."""
    scope: list[Any] = [batch.pk, tag, first or _EPOCH, last or datetime.max.replace(tzinfo=UTC)]
    with connection.cursor() as cursor:
        cursor.execute(_EXTENT, scope)
        count, low, high = cursor.fetchone()
        if max_points is None or count <= max_points:
            cursor.execute(_ALL, scope)
            return Series(tag, count, [Point(*row) for row in cursor.fetchall()])
        cursor.execute(_EXTREMES, [*scope, low, high + 1, max(1, max_points // 2)])
        extremes = {(epoch, value) for row in cursor.fetchall() for value, epoch in row}
    points = [Point(_moment(epoch), value) for epoch, value in sorted(extremes)]
    return Series(tag, count, points)


def of_tags(
    batch: Batch, *, tags: Collection[str], first: datetime, last: datetime
) -> dict[str, list[Point]]:
    """Return all readings of several tags, each in order of time, in one query."""
    found: dict[str, list[Point]] = {}
    with connection.cursor() as cursor:
        cursor.execute(_OF_TAGS, [batch.pk, sorted(tags), first, last])
        for tag, at, value in cursor:
            found.setdefault(tag, []).append(Point(at, value))
    return found


def latest(batch: Batch) -> list[Newest]:
    """Return the newest reading of each tag of the batch's recipe that has one."""
    tags = list(
        batch.recipe.parameters.filter(kind="reading").order_by("tag").values_list("tag", flat=True)
    )
    with connection.cursor() as cursor:
        cursor.execute(_LATEST, [tags, batch.pk])
        return [Newest(*row) for row in cursor.fetchall()]


def _moment(epoch: Decimal) -> datetime:
    return _EPOCH + timedelta(microseconds=int(epoch * 1_000_000))
