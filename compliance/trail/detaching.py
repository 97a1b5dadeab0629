"""Take archived entries out of the database, under the rules of retention and of two persons."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from django.db import DatabaseError, connections

from compliance.refusals import Refused
from compliance.trail import archiving, log_events, recording
from compliance.trail.actions import Action
from compliance.trail.models import LogEvent
from compliance.trail.recording import Actor
from compliance.trail.tlog import canonical

ALIAS = "owner"
HOLD, RELEASE, DETACH = "hold", "release-hold", "detach"


class NotDetachable(Refused):
    """The entries stay: not archived, too young, under a legal hold, or not two persons."""

    code = "entries-not-detachable"


@dataclass(frozen=True)
class Person:
    """Somebody who answers for an act on the log itself, and why."""

    name: str
    reason: str


def demand_two(persons: Sequence[Person]) -> list[dict[str, str]]:
    """Return two different persons with their reasons in the form of an event, or refuse."""
    found = [
        {"name": " ".join(one.name.split()), "reason": recording.demand_reason(one.reason)}
        for one in persons
    ]
    if len(found) != 2 or len({one["name"].casefold() for one in found} - {""}) != 2:
        raise NotDetachable("two different persons are needed, each with a reason")
    return found


def partitions() -> list[int]:
    """Return the numbers of the partitions of entries that are there, the oldest first."""
    with connections[ALIAS].cursor() as cursor:
        cursor.execute(
            "SELECT substring(inhrelid::regclass::text from '[0-9]+$')::bigint FROM pg_inherits "
            "WHERE inhparent = 'audit.entry'::regclass ORDER BY 1"
        )
        return [number for (number,) in cursor.fetchall()]


def held() -> list[str]:
    """Return the legal holds in force."""
    with connections[ALIAS].cursor() as cursor:
        cursor.execute("SELECT audit.held()")
        return sorted(name for (name,) in cursor.fetchall())


def hold(name: str, *, actor: Actor, at: datetime, reason: str) -> None:
    """Keep every entry where it is until the hold is released."""
    log_events.record(HOLD, {"v": 1, "hold": name}, actor=actor, at=at, reason=reason)


def release(name: str, *, actor: Actor, at: datetime, reason: str) -> None:
    """End the newest legal hold of a name; raise `NotDetachable` when there is none in force."""
    event = _newest(name) if name in held() else None
    if event is None:
        raise NotDetachable(f"no legal hold named {name} is in force")
    document: dict[str, canonical.Value] = {"v": 1, "hold": name, "event": event}
    log_events.record(RELEASE, document, actor=actor, at=at, reason=reason)


def _newest(name: str) -> int | None:
    """Return the event of the newest hold of a name that no release names yet."""
    released = {one.get("event") for one in log_events.documents(RELEASE)}
    rows = LogEvent.objects.filter(kind=HOLD).order_by("-pk").values_list("pk", "document")
    found = (pk for pk, text in rows for one in log_events.readable(HOLD, [text])
             if one["hold"] == name and pk not in released)  # fmt: skip
    return next(found, None)


def detach(
    partition: int,
    *,
    folder: Path,
    retention: timedelta,
    persons: Sequence[Person],
    actor: Actor,
    at: datetime,
) -> int:
    """Drop the entries of one partition, whose archives are checked first; return how many.

    The database refuses by itself what is not archived, too young, held, or not in the log as the
    act of two persons (`audit.detach`). Leaves and nodes stay, so that every proof still verifies.
    """
    named = demand_two(persons)
    for span in _spans_of(partition):
        for fault in archiving.check_span(folder, span, using=ALIAS):
            raise NotDetachable(f"nothing is detached: {fault}")
    document: dict[str, canonical.Value] = {
        "v": 1,
        "partition": partition,
        "persons": named,
        "retention_s": _seconds(retention),
    }
    try:
        # No savepoint between: the database looks for an event of the very same transaction.
        with (
            recording.recording(
                Action.LOG_EVENT, actor=actor, at=at, reason=named[0]["reason"], using=ALIAS
            ),
            connections[ALIAS].cursor() as cursor,
        ):
            log_events.write(DETACH, document, at=at, using=ALIAS)
            cursor.execute("SELECT audit.detach(%s, %s)", [partition, at - retention])
            return int(cursor.fetchone()[0])
    except DatabaseError as error:
        if getattr(error.__cause__, "sqlstate", None) == "GM004":
            raise NotDetachable(str(error.__cause__).splitlines()[0]) from error
        raise


def _spans_of(partition: int) -> list[archiving.Span]:
    """Return the archives that hold entries of a partition."""
    with connections[ALIAS].cursor() as cursor:
        cursor.execute(
            "SELECT log_id, min(idx), max(idx) FROM audit.leaf "
            "WHERE entry_id >= %(n)s * audit.partition_width() "
            "AND entry_id < (%(n)s + 1) * audit.partition_width() GROUP BY log_id",
            {"n": partition},
        )
        ranges = {log_id: (low, high) for log_id, low, high in cursor.fetchall()}
    return [
        span
        for span in archiving.spans(using=ALIAS)
        if span.log_id in ranges
        and span.start <= ranges[span.log_id][1]
        and span.end > ranges[span.log_id][0]
    ]


def _seconds(retention: timedelta) -> int:
    if retention < timedelta(0):
        raise NotDetachable("a retention is not negative")
    return int(retention.total_seconds())
