"""Find the entries that a review of the trail is about, sealed or not yet."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from django.db import connection
from django.db.models import Q

from compliance.quality.trail_rules import Fact
from compliance.refusals import Refused
from compliance.trail import entry_text, stored, subjects, timeline
from compliance.trail.entry_keys import Asked
from compliance.trail.models import Entry, Refusal
from compliance.trail.subjects import Wanted
from compliance.trail.verifier.contents import Kind, Record

MOST = 200_000  # a review takes its time; what it covers is not cut off
# A review is no part of what it reviews.
_OWN = frozenset({"quality_trailreview", "quality_sampledentry"})
_REFUSAL = "trail_refusal"
_OF_RECORDS = """
WITH asked AS (SELECT * FROM unnest(%(tables)s::text[], %(keys)s::text[]) AS r(record, record_id))
SELECT p.entry_id, p.record, p.record_id, p.action FROM asked JOIN audit.projection p
    ON p.record_id = asked.record_id AND p.record = asked.record AND p.log_id = %(log)s
UNION
SELECT u.entry_id, b ->> 'record', b ->> 'record_id', b -> 'act' ->> 'action' FROM audit.unprojected u
    CROSS JOIN LATERAL (SELECT audit.read_body(u.body) AS b OFFSET 0) j
    JOIN asked ON asked.record = b ->> 'record' AND asked.record_id = b ->> 'record_id'
    WHERE u.log_id = %(log)s
"""


class ScopeOpenEnded(Refused):
    """A review covers what has been; a period ends before it."""

    code = "scope-open-ended"
    status = 422


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What a scope holds now: its title, the ids of its entries, and the refusals about it.

    `after` are entries that a review comes before, as the release that waits for it.
    """

    title: str
    entries: tuple[int, ...]
    refusals: tuple[int, ...]
    after: frozenset[int] = field(default_factory=frozenset)

    @property
    def covered(self) -> tuple[int, ...]:
        """The entries that a review covers: another one makes it stale."""
        return tuple(one for one in self.entries if one not in self.after)


class Row(NamedTuple):
    """One entry of a scope: its record, and the act that made it."""

    entry: int
    record: Record
    action: str


# Of the entries of a scope by name, those that follow its review and are no news to it.
After = Callable[[str, Sequence[Row]], Iterable[int]]
_after: dict[Kind, After] = {}


def comes_after(kind: Kind) -> Callable[[After], After]:
    """Declare which entries wait for the review of a scope, as a release does."""

    def declare(after: After) -> After:
        if kind in _after:
            raise ValueError(f"what comes after a review of a {kind} is declared already")
        _after[kind] = after
        return after

    return declare


def find(wanted: Wanted, *, at: datetime) -> Found:
    """Return the entries of a scope; raise `NoSuchSubject`, `TooMuch` or `ScopeOpenEnded`."""
    if wanted.kind in (Kind.PERSON, Kind.PERIOD):
        return _of_period(wanted, at)
    # The largest size: what is under no checkpoint yet is reviewed too.
    resolved = subjects.resolve(wanted, size=2**62, most=MOST)
    records = [one for one in resolved.subject.records if one[0] not in _OWN]
    refused = Refusal.objects.filter(_about(wanted.name)) if wanted.name else Refusal.objects.none()
    keys = [(_REFUSAL, str(pk)) for pk in refused.values_list("pk", flat=True)]
    rows = _entries(records)
    after = _after[wanted.kind](wanted.name, rows) if wanted.kind in _after else ()
    return Found(
        title=resolved.subject.title,
        entries=tuple(sorted(row.entry for row in rows)),
        refusals=tuple(sorted(row.entry for row in _entries(keys))),
        after=frozenset(after),
    )


def facts(entries: Sequence[int]) -> list[Fact]:
    """Return entries as the rules of the sample read them."""
    found = Entry.objects.filter(pk__in=entries, body__isnull=False)
    return [_fact(one) for one in found.order_by("entry_id")]


def tree_size() -> int:
    """Return how many entries are in the tree now."""
    with connection.cursor() as cursor:
        return stored.state(cursor).size


def _of_period(wanted: Wanted, at: datetime) -> Found:
    if wanted.end is None or wanted.end > at:
        raise ScopeOpenEnded("a review of a person or a period ends at a moment that has passed")
    asked = Asked(
        actor=wanted.name if wanted.kind is Kind.PERSON else "",
        start=wanted.start,
        end=wanted.end,
    )
    ids = timeline.ids(asked, most=MOST)
    if ids is None:
        raise subjects.TooMuch(f"more than {MOST:,} entries: review a shorter period")
    if not ids:
        raise subjects.NoSuchSubject("the trail has no entry of this person or period")
    tables = dict(Entry.objects.filter(pk__in=ids).values_list("entry_id", "record"))
    return Found(
        title=f"{wanted.name or 'All entries'}, "
        f"{wanted.start:%Y-%m-%d %H:%M} to {wanted.end:%Y-%m-%d %H:%M} UTC"
        if wanted.start
        else f"{wanted.name or 'All entries'} until {wanted.end:%Y-%m-%d %H:%M} UTC",
        entries=tuple(one for one in ids if tables.get(one) not in {*_OWN, _REFUSAL}),
        refusals=tuple(one for one in ids if tables.get(one) == _REFUSAL),
    )


def _about(name: str) -> Q:
    """Refusals name their record, or the path of the request that was refused."""
    return Q(subject=name) | Q(subject__contains=f"/{name}/") | Q(subject__endswith=f"/{name}")


def _entries(records: Iterable[Record]) -> list[Row]:
    asked = list(records)
    if not asked:
        return []
    with connection.cursor() as cursor:
        cursor.execute(
            _OF_RECORDS,
            {
                "tables": [table for table, _ in asked],
                "keys": [key for _, key in asked],
                "log": stored.LOG_ID,
            },
        )
        return [Row(entry, (table, key), action) for entry, table, key, action in cursor.fetchall()]


def _fact(entry: Entry) -> Fact:
    members = entry_text.members(entry.body or "{}")
    return Fact(
        entry=entry.entry_id,
        acted_at=datetime.fromisoformat(members["act"]["acted_at"]),
        actor=entry.actor,
        role=entry.role,
        action=entry.action,
        op=entry.op,
        record=entry.record,
        old=members["old"] or {},
        new=members["new"] or {},
    )
