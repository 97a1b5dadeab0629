"""Find the ids of entries by what has an index, newest first, a page at a time.

Pages are cut by the entry id. Nothing is counted and nothing skipped, so that the last page of ten
million entries costs what the first one costs.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.backends.utils import CursorWrapper

from compliance.trail import periods
from compliance.trail.stored import LOG_ID

# So many entries are looked at for a page. Where a filter finds fewer, the page says how far it
# looked and is continued from there: no request reads through the whole log.
LOOKED_AT = 50_000
_PROBED = 2_000
# Each can lead a search, through an index of its own; the others are compared on what it finds.
_LEADS = (("record", "record_id"), ("act",), ("actor",), ("action",), ("record",), ("role",))

_UNPROJECTED = """
SELECT u.entry_id, (b ->> 'at')::timestamptz AS at, b ->> 'record' AS record,
    b ->> 'record_id' AS record_id, b -> 'act' ->> 'id' AS act, b -> 'act' ->> 'actor' AS actor,
    b -> 'act' ->> 'action' AS action, b -> 'act' ->> 'role' AS role, b ->> 'op' AS op,
    b -> 'act' ->> 'reason' AS reason
FROM (SELECT entry_id, body FROM audit.unprojected {newest}) u
CROSS JOIN LATERAL (SELECT audit.read_body(u.body) AS b OFFSET 0) j
WHERE b IS NOT NULL
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Which entries are asked for; what is empty is not asked. `end` is not part of the period."""

    record: str = ""
    record_id: str = ""
    act: str = ""
    actor: str = ""
    action: str = ""
    role: str = ""
    op: str = ""
    reason: str = ""  # a part of the reason, whatever the case
    start: datetime | None = None
    end: datetime | None = None

    @property
    def equal(self) -> dict[str, str]:
        """The columns that must have a value, with it."""
        names = ("record", "record_id", "act", "actor", "action", "role", "op")
        return {name: getattr(self, name) for name in names if getattr(self, name)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Keys:
    """Ids in descending order; `cut` is how far the search went when it went not to the end."""

    ids: tuple[int, ...]
    cut: int | None


def find(
    cursor: CursorWrapper, asked: Asked, *, limit: int, before: int | None, after: int | None
) -> Keys:
    """Return up to `limit` ids below `before`, or else the nearest ones above `after`."""
    upward = before is None and after is not None
    search = _Search(cursor, asked, limit=limit, start=after if upward else before, upward=upward)
    # Unprojected first: an entry that is projected in between is found twice, not missed.
    ids, cuts = search.unprojected()
    more, further = search.projected()
    return _merged({*ids, *more}, [*cuts, *further], limit=limit, upward=upward)


def _merged(ids: set[int], cuts: Sequence[int], *, limit: int, upward: bool) -> Keys:
    cut = (min(cuts) if upward else max(cuts)) if cuts else None
    near = sorted(ids, reverse=not upward)
    if cut is not None:  # beyond it one of the two parts was not looked at
        near = [one for one in near if (one <= cut if upward else one >= cut)]
    if len(near) > limit:
        near = near[:limit]
        cut = near[-1]
    return Keys(ids=tuple(sorted(near, reverse=True)), cut=cut)


class _Search:
    """One search in both parts of the log: what is projected, and what is not yet."""

    def __init__(
        self, cursor: CursorWrapper, asked: Asked, *, limit: int, start: int | None, upward: bool
    ) -> None:
        self._cursor = cursor
        self._asked = asked
        self._limit = limit
        self._compare, self._order = (">", "ASC") if upward else ("<", "DESC")
        self._farthest = "max" if upward else "min"
        self._values: dict[str, Any] = {
            **asked.equal, "log": LOG_ID, "start": start, "from": asked.start, "to": asked.end,
            "reason": f"%{_literal(asked.reason)}%", "limit": limit + 1, "looked": LOOKED_AT,
        }  # fmt: skip
        self._is_from = start is not None

    def projected(self) -> tuple[list[int], list[int]]:
        """Search the projection, led by the condition that leaves the fewest entries."""
        low, high = periods.bounds(self._cursor, self._asked.start, self._asked.end)
        self._values |= {"low": low, "high": high}
        within = ["log_id = %(log)s"]
        within += ["entry_id >= %(low)s"] if low is not None else []
        within += ["entry_id < %(high)s"] if high is not None else []
        within += [f"entry_id {self._compare} %(start)s"] if self._is_from else []
        lead = self._lead(within)
        within += [f"{name} = %({name})s" for name in lead]
        columns = "entry_id, at, record, record_id, act, actor, action, role, op, reason"
        looked = (
            f"SELECT {columns} FROM audit.projection WHERE {' AND '.join(within)} "  # noqa: S608
            f"ORDER BY entry_id {self._order} LIMIT %(looked)s"
        )
        return self._found(looked, self._further(lead))

    def unprojected(self) -> tuple[list[int], list[int]]:
        """Search the newest entries, whose columns are read from their bodies."""
        within = ["log_id = %(log)s"]
        within += [f"entry_id {self._compare} %(start)s"] if self._is_from else []
        newest = f"WHERE {' AND '.join(within)} ORDER BY entry_id {self._order} LIMIT %(looked)s"
        where = " AND ".join(["true", *self._further(())])
        # All of them are read anyway: what is found and how far it was looked, in one question.
        self._cursor.execute(
            f"WITH looked AS MATERIALIZED ({_UNPROJECTED.replace('{newest}', newest)}) "  # noqa: S608
            f"SELECT ARRAY(SELECT entry_id FROM looked WHERE {where} "
            f"ORDER BY entry_id {self._order} LIMIT %(limit)s), "
            f"count(*), {self._farthest}(entry_id) FROM looked",
            self._values,
        )
        ids, count, last = self._cursor.fetchone()
        return ids, [last] if count >= LOOKED_AT and len(ids) <= self._limit else []

    def _found(self, looked: str, further: Sequence[str]) -> tuple[list[int], list[int]]:
        where = f"WHERE {' AND '.join(further)}" if further else ""
        self._cursor.execute(
            f"SELECT entry_id FROM ({looked}) looked {where} "  # noqa: S608 -- literals above
            f"ORDER BY entry_id {self._order} LIMIT %(limit)s",
            self._values,
        )
        ids = [entry_id for (entry_id,) in self._cursor.fetchall()]
        if len(ids) > self._limit or not further:
            return ids, []
        self._cursor.execute(
            f"SELECT count(*), {self._farthest}(entry_id) FROM ({looked}) looked",  # noqa: S608
            self._values,
        )
        count, last = self._cursor.fetchone()
        return ids, [last] if count >= LOOKED_AT else []

    def _lead(self, within: Sequence[str]) -> tuple[str, ...]:
        equal = self._asked.equal
        able = [one for one in _LEADS if all(name in equal for name in one)]
        if ("record", "record_id") in able or ("act",) in able or len(able) < 2:
            return able[0] if able else ()
        return min(able, key=lambda lead: self._probe(within, lead))

    def _probe(self, within: Sequence[str], lead: tuple[str, ...]) -> int:
        conditions = [*within, *(f"{name} = %({name})s" for name in lead)]
        self._cursor.execute(
            "SELECT count(*) FROM (SELECT FROM audit.projection "  # noqa: S608 -- as above
            f"WHERE {' AND '.join(conditions)} LIMIT {_PROBED}) probed",
            self._values,
        )
        return int(self._cursor.fetchone()[0])

    def _further(self, lead: Sequence[str]) -> list[str]:
        conditions = [f"{name} = %({name})s" for name in self._asked.equal if name not in lead]
        conditions += ["at >= %(from)s"] if self._asked.start else []
        conditions += ["at < %(to)s"] if self._asked.end else []
        return conditions + (["reason ILIKE %(reason)s"] if self._asked.reason else [])


def _literal(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
