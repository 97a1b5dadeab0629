"""Read the timeline of a record, a person or a period, a page at a time."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import connection
from django.db.backends.utils import CursorWrapper

from compliance.trail import entry_keys, periods
from compliance.trail.entry_keys import Asked
from compliance.trail.models import Entry
from compliance.trail.periods import Part

PAGE = 50
CHARTED = 5_000
LISTED = ("actor", "role", "action", "record")
MOST_LISTED = 200
__all__ = ["Activity", "Asked", "Page", "activity", "ids", "known", "page", "through"]


@dataclass(frozen=True, kw_only=True)
class Page:
    """Entries, newest first, with the ids from which the older and the newer ones are read.

    `searched_to` is set when the search stopped there without having filled the page.
    """

    entries: Sequence[Entry]
    older: int | None
    newer: int | None
    searched_to: int | None = None


@dataclass(frozen=True, kw_only=True)
class Activity:
    """How many entries each part of a period has; `is_newest_only` when there are older ones."""

    parts: Sequence[Part]
    is_newest_only: bool = False


def page(
    asked: Asked, *, before: int | None = None, after: int | None = None, limit: int = PAGE
) -> Page:
    """Return the newest entries, those older than the entry `before`, or newer than `after`."""
    upward = before is None and after is not None
    with connection.cursor() as cursor:
        keys = entry_keys.find(cursor, asked, limit=limit, before=before, after=after)
        entries = _read(cursor, keys.ids)
    first = keys.ids[0] if keys.ids else None
    last = keys.ids[-1] if keys.ids else None
    return Page(
        entries=entries,
        older=last if upward else keys.cut,
        newer=keys.cut if upward else (first if before is not None else None),
        searched_to=keys.cut if len(keys.ids) < limit else None,
    )


def through(asked: Asked, *, limit: int = 1_000) -> Iterator[Entry]:
    """Yield all entries, newest first, reading a page at a time."""
    before = None
    while True:
        found = page(asked, before=before, limit=limit)
        yield from found.entries
        if found.older is None:
            return
        before = found.older


def ids(asked: Asked, *, most: int) -> list[int] | None:
    """Return the ids of all entries, the oldest one first, or None when there are more than most."""
    found: list[int] = []
    before = None
    with connection.cursor() as cursor:
        while True:
            keys = entry_keys.find(cursor, asked, limit=10_000, before=before, after=None)
            found += keys.ids
            if len(found) > most:
                return None
            if keys.cut is None:
                return found[::-1]
            before = keys.cut


def activity(asked: Asked, *, now: datetime) -> Activity:
    """Return how entries spread over time, for a chart; quick at any size of the log."""
    if asked.start and not asked.equal and not asked.reason:
        with connection.cursor() as cursor:
            return Activity(parts=periods.counted(cursor, asked.start, asked.end or now))
    with connection.cursor() as cursor:
        keys = entry_keys.find(cursor, asked, limit=CHARTED, before=None, after=None)
        moments = _moments(keys.ids)
    if not moments:
        return Activity(parts=())
    # From the record's first entry on, or from the oldest one that was looked at.
    start = min(moments) if keys.cut is not None or not asked.start else asked.start
    end = max(*moments, min(asked.end or now, now))
    return Activity(parts=periods.spread(moments, start, end), is_newest_only=keys.cut is not None)


def known(column: str) -> list[str]:
    """Return the values that a column has, up to `MOST_LISTED`; one index step for each."""
    if column not in LISTED:
        raise ValueError(f"{column} has no index to list it by")
    with connection.cursor() as cursor:
        cursor.execute(
            f"WITH RECURSIVE found AS ((SELECT {column} AS value FROM audit.projection "  # noqa: S608
            f"ORDER BY {column} LIMIT 1) UNION ALL SELECT (SELECT {column} "
            f"FROM audit.projection WHERE {column} > found.value ORDER BY {column} LIMIT 1) "
            "FROM found WHERE found.value IS NOT NULL) "
            "SELECT value FROM found WHERE value IS NOT NULL LIMIT %s",
            [MOST_LISTED],
        )
        return [value for (value,) in cursor.fetchall()]


# Ids stand in it as numbers: of the log's partitions the planner looks at theirs only.
_BODIES = "SELECT entry_id, digest, audit.read_text(body) FROM audit.entry WHERE entry_id = ANY(%s)"


def _read(cursor: CursorWrapper, ids: Sequence[int]) -> list[Entry]:
    """Return entries with their bodies, newest first."""
    if not ids:
        return []
    found = Entry.objects.filter(pk__in=ids).defer("digest", "body").order_by("-entry_id")
    entries = list(found)
    cursor.execute(_BODIES, [list(ids)])
    bodies = {entry_id: rest for entry_id, *rest in cursor.fetchall()}
    for entry in entries:
        entry.digest, entry.body = bodies.get(entry.entry_id, (None, None))
    return entries


def _moments(ids: Sequence[int]) -> list[datetime]:
    return list(Entry.objects.filter(pk__in=ids).values_list("at", flat=True))
