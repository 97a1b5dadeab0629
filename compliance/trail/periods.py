"""Find where a period of time lies in the log, and how many entries each part of it has."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.db.backends.utils import CursorWrapper

from compliance.trail.stored import LOG_ID, Damaged

# Entries lie in the order in which they were written, and carry the time at which their statement
# began: they run against each other by as long as a statement takes, or as a clock was set back.
DISORDER = timedelta(hours=1)
MOST_PARTS, FEWEST_PARTS = 48, 12
_STEPS = [
    timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=15), timedelta(hours=1),
    timedelta(hours=4), timedelta(days=1), timedelta(days=7), timedelta(days=28),
    timedelta(days=91), timedelta(days=364), timedelta(days=3640),
]  # fmt: skip
_EPOCH = datetime(2000, 1, 3, tzinfo=UTC)  # a Monday
# A binary search for each moment: some twenty index probes, whatever the size of the log.
_POSITIONS = """
WITH RECURSIVE probe AS (
    SELECT n, t, (SELECT min(entry_id) FROM audit.projection) AS low,
        (SELECT max(entry_id) + 1 FROM audit.projection) AS high
    FROM unnest(%(moments)s::timestamptz[]) WITH ORDINALITY AS asked(t, n)
    UNION ALL
    SELECT n, t, CASE WHEN m.at < t THEN m.entry_id + 1 ELSE low END,
        CASE WHEN m.at < t THEN high ELSE (low + high) / 2 END
    FROM probe CROSS JOIN LATERAL (
        SELECT entry_id, at FROM audit.projection WHERE entry_id >= (low + high) / 2
        ORDER BY entry_id LIMIT 1
    ) m
    WHERE low < high
)
SELECT low FROM probe WHERE low >= high ORDER BY n
"""
_PLACES = """
SELECT coalesce((SELECT idx FROM audit.projection WHERE entry_id >= id AND log_id = %(log)s
    ORDER BY entry_id LIMIT 1), (SELECT size FROM audit.projected WHERE log_id = %(log)s))
FROM unnest(%(ids)s::bigint[]) WITH ORDINALITY AS asked(id, n) ORDER BY n
"""


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a period, and how many entries it has."""

    start: datetime
    end: datetime
    count: int


def positions(cursor: CursorWrapper, moments: Sequence[datetime]) -> list[int]:
    """Return the first entry id from each moment on; exact as far as entries lie in order."""
    cursor.execute(_POSITIONS, {"moments": list(moments)})
    found = [low for (low,) in cursor.fetchall()]
    return found or [0] * len(moments)


def bounds(
    cursor: CursorWrapper, start: datetime | None, end: datetime | None
) -> tuple[int | None, int | None]:
    """Return ids between which all sealed entries of a period lie: at or above, and below.

    It holds for clocks that were never set back by more than `DISORDER`; an entry that breaks it is
    named by `trail verify`, and still found by its record, person or act.
    """
    edges = [start - DISORDER if start else None, end + DISORDER if end else None]
    asked = [one for one in edges if one is not None]
    found = iter(positions(cursor, asked) if asked else [])
    low, high = (None if one is None else next(found) for one in edges)
    return low, high


def counted(cursor: CursorWrapper, start: datetime, end: datetime) -> list[Part]:
    """Return the parts of a period with their entries, counted by their place in the log."""
    edges = split(start, end)
    cursor.execute(_PLACES, {"ids": positions(cursor, edges), "log": LOG_ID})
    places = [place for (place,) in cursor.fetchall()]
    if None in places:
        raise Damaged(f"it is not stored up to where log {LOG_ID} can be searched")
    return [
        Part(edges[n], edges[n + 1], max(0, places[n + 1] - places[n]))
        for n in range(len(edges) - 1)
    ]


def spread(moments: Sequence[datetime], start: datetime, end: datetime) -> list[Part]:
    """Return the parts of a period, with how many of these moments lie in each."""
    edges = split(start, end)
    counts = [0] * (len(edges) - 1)
    width = edges[1] - edges[0]
    for moment in moments:
        if edges[0] <= moment < edges[-1]:
            counts[(moment - edges[0]) // width] += 1
    return [Part(edges[n], edges[n + 1], count) for n, count in enumerate(counts)]


def split(start: datetime, end: datetime) -> list[datetime]:
    """Return the edges of equal parts that cover a period, of a length that people use."""
    length = max(end - start, _STEPS[0])
    step = next((one for one in _STEPS if length / one <= MOST_PARTS - 2), _STEPS[-1])
    first = start - (start - _EPOCH) % step
    edges = [first]
    while edges[-1] < end or len(edges) < 2:
        edges.append(edges[-1] + step)
    before = [edges[0] - step * n for n in range(FEWEST_PARTS + 1 - len(edges), 0, -1)]
    return [*before, *edges]
