"""Resolve what evidence is asked about to the records and the entries that it is made of."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from django.db import connection

from compliance.refusals import Refused
from compliance.trail import timeline
from compliance.trail.stored import LOG_ID
from compliance.trail.timeline import Asked
from compliance.trail.verifier.contents import Kind, Record, Subject

MOST = 20_000  # entries of a bundle that somebody waits for


class NoSuchSubject(Refused):
    """The trail has nothing of this."""

    code = "no-such-subject"
    status = 404


class TooMuch(Refused):
    """A bundle of this would keep whoever asked waiting."""

    code = "evidence-too-large"
    status = 422


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What evidence is asked about: records, or somebody's or something's name, or a period."""

    kind: Kind
    records: tuple[Record, ...] = ()
    name: str = ""
    start: datetime | None = None
    end: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """What a name stands for in a higher room: the records that belong to it."""

    title: str
    records: Sequence[Record]
    description: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolved:
    """A subject as bundles claim it; `late` entries are under no checkpoint yet, and left out."""

    subject: Subject
    indices: tuple[int, ...]
    late: int


_COUNTS = """
WITH young AS MATERIALIZED (
    SELECT b ->> 'record' AS record, b ->> 'record_id' AS record_id, count(*) AS entries
    FROM audit.unprojected u CROSS JOIN LATERAL (SELECT audit.read_body(u.body) AS b OFFSET 0) j
    WHERE u.log_id = %(log)s GROUP BY 1, 2
)
SELECT p.covered, p.late + coalesce((SELECT entries FROM young y
    WHERE y.record = r.record AND y.record_id = r.record_id), 0)
FROM unnest(%(tables)s::text[], %(keys)s::text[]) WITH ORDINALITY AS r(record, record_id, n)
CROSS JOIN LATERAL (
    SELECT count(*) FILTER (WHERE idx < %(size)s) AS covered,
        count(*) FILTER (WHERE idx >= %(size)s) AS late
    FROM audit.projection
    WHERE record_id = r.record_id AND record = r.record AND log_id = %(log)s
) p
ORDER BY r.n
"""
Resolver = Callable[[str], Named | None]
_resolvers: dict[Kind, Resolver] = {}


def register(kind: Kind, resolver: Resolver) -> None:
    """Say what names of a kind stand for; the trail itself knows no batch."""
    if kind in _resolvers:
        raise ValueError(f"{kind} is resolved already")
    _resolvers[kind] = resolver


def resolve(wanted: Wanted, *, size: int, most: int = MOST) -> Resolved:
    """Return what a bundle under the checkpoint of `size` has to have of this.

    Raise `NoSuchSubject` or `TooMuch`.
    """
    if wanted.kind in _resolvers:
        named = _resolvers[wanted.kind](wanted.name)
        if named is None:
            raise NoSuchSubject(f"there is no {wanted.kind} {wanted.name}")
        return _of_records(wanted.kind, named, size, most)
    if wanted.kind is Kind.RECORD:
        title = ", ".join(f"{table} {record_id}" for table, record_id in wanted.records[:3])
        more = f" and {len(wanted.records) - 3} more" if len(wanted.records) > 3 else ""
        return _of_records(
            wanted.kind, Named(title=title + more, records=wanted.records), size, most
        )
    return _of_entries(wanted, size, most)


def _of_records(kind: Kind, named: Named, size: int, most: int) -> Resolved:
    records = sorted(set(named.records), key=lambda one: tuple(part.encode() for part in one))
    counts = _counts(records, size)
    late = sum(late for _, late in counts)
    if sum(covered for covered, _ in counts) > most:
        raise _too_much(named.title, most)
    none = [one for one, count in zip(records, counts, strict=True) if count == (0, 0)]
    if kind is Kind.RECORD and (none or not records):
        raise NoSuchSubject(f"the trail has no entry of {' '.join(none[0]) if none else 'nothing'}")
    subject = Subject(
        kind=kind,
        title=named.title,
        description=_description(named.description, late),
        records=tuple(records),
    )
    return Resolved(subject=subject, indices=(), late=late)


def _counts(records: Sequence[Record], size: int) -> list[tuple[int, int]]:
    """Return for each record how many of its entries a bundle can have, and how many not yet."""
    tables, keys = [table for table, _ in records], [record_id for _, record_id in records]
    with connection.cursor() as cursor:
        cursor.execute(_COUNTS, {"tables": tables, "keys": keys, "log": LOG_ID, "size": size})
        return [(covered, late) for covered, late in cursor.fetchall()]


def _of_entries(wanted: Wanted, size: int, most: int) -> Resolved:
    asked = Asked(
        actor=wanted.name if wanted.kind is Kind.PERSON else "",
        act=wanted.name if wanted.kind is Kind.ACT else "",
        start=wanted.start,
        end=wanted.end,
    )
    title = _title(wanted)
    indices = _indices(_ids(asked, most, title))
    if not indices:
        raise NoSuchSubject(f"the trail has no entry of this: {title}")
    covered = sorted(index for index in indices if index is not None and index < size)
    late = len(indices) - len(covered)
    ends = (covered[0], covered[-1]) if covered else None
    is_period = wanted.kind is Kind.PERIOD
    if is_period and ends is None:
        raise NoSuchSubject(f"no checkpoint covers an entry of this yet: {title}")
    if is_period and ends and ends[1] - ends[0] >= most:
        raise _too_much(title, most)
    subject = Subject(
        kind=wanted.kind,
        title=title,
        description=_description("", late),
        range=ends if is_period else None,
    )
    return Resolved(subject=subject, indices=() if is_period else tuple(covered), late=late)


def _ids(asked: Asked, most: int, title: str) -> list[int]:
    found = timeline.ids(asked, most=most)
    if found is None:
        raise _too_much(title, most)
    return found


def _too_much(title: str, most: int) -> TooMuch:
    return TooMuch(
        f"{title} has more than {most:,} entries: name a shorter period, "
        "or use `manage.py trail bundle`, which takes its time"
    )


def _indices(ids: Sequence[int]) -> list[int | None]:
    """Return the place of each entry in the log; None while it has none."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT l.idx FROM unnest(%s::bigint[]) id "
            "LEFT JOIN audit.leaf l ON l.entry_id = id AND l.log_id = %s",
            [list(ids), LOG_ID],
        )
        return [index for (index,) in cursor.fetchall()]


def _title(wanted: Wanted) -> str:
    match wanted.kind:
        case Kind.ACT:
            return f"Act {wanted.name}"
        case Kind.PERSON:
            between = _between(wanted)
            return f"What {wanted.name} did{between and f', {between}'}"
    return f"All entries {_between(wanted)}"


def _between(wanted: Wanted) -> str:
    ends = [("from", wanted.start), ("to", wanted.end)]
    return " ".join(f"{word} {at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC" for word, at in ends if at)


def _description(text: str, late: int) -> str:
    """Return the description, with what is left out."""
    if not late:
        return text
    one = "1 entry is" if late == 1 else f"{late:,} entries are"
    return f"{text} {one} younger than the checkpoint of this bundle, and not in it.".strip()
