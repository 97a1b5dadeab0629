"""Write the checkpoints of all logs into the one above them, and prove that they are there."""

from datetime import datetime

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.utils import CursorWrapper

from compliance.trail import archiving, log_events, recording, stored
from compliance.trail.models import LogEvent
from compliance.trail.recording import Actor
from compliance.trail.stored import Log
from compliance.trail.tlog import canonical, merkle, parent_proof
from compliance.trail.tlog.parent_proof import KIND, ParentProof

ALIAS = "signer"


class NotGathered(LookupError):
    """There is no parent log, or it does not hold this checkpoint yet, or is not signed so far."""


def of(cursor: CursorWrapper) -> Log | None:
    """Return the log above the others, if there is one."""
    found = [one for one in stored.described(cursor) if one.is_parent and not one.closed_by]
    return found[0] if found else None


def gather(*, actor: Actor, at: datetime, reason: str) -> list[dict[str, canonical.Value]]:
    """Write the newest checkpoint of every log that has a new one into the parent log.

    One witness or time-stamp of the parent's next checkpoint then anchors all of them.
    """
    with connections[DEFAULT_DB_ALIAS].cursor() as cursor:
        above = of(cursor)
        if above is None:
            return []
        cursor.execute(
            "SELECT DISTINCT ON (c.log_id) c.note FROM audit.checkpoint c "
            "JOIN audit.log l USING (log_id) WHERE NOT l.is_parent ORDER BY c.log_id, c.size DESC"
        )
        notes = [note for (note,) in cursor.fetchall()]
    known = {(one["origin"], one["size"]) for one in log_events.documents(KIND)}
    written = []
    for note in notes:
        document = parent_proof.document(note, parent_proof.read(note))
        if (document["origin"], document["size"]) not in known:
            with recording.into(above.log_id):
                log_events.record(KIND, document, actor=actor, at=at, reason=reason, using=ALIAS)
            written.append(document)
    return written


def prove(log_id: int, size: int) -> ParentProof:
    """Return the proof for the first gathered checkpoint over `size` leaves of a log.

    Raise `NotGathered`; the proof is verified by `ParentProof.verify`.
    """
    with connections[DEFAULT_DB_ALIAS].cursor() as cursor:
        origin = stored.state(cursor, log_id=log_id).origin
        event, covered = _event(origin, size)
        parent_id, index = _leaf_of(cursor, event)
        cursor.execute(
            "SELECT size, note FROM audit.checkpoint WHERE log_id = %s AND size > %s "
            "ORDER BY size LIMIT 1",
            [parent_id, index],
        )
        signed = cursor.fetchone()
        if signed is None:
            raise NotGathered(f"the parent log is not signed up to leaf {index} yet")
        cursor.execute(
            "SELECT note FROM audit.checkpoint WHERE log_id = %s AND size = %s", [log_id, covered]
        )
        (child_note,) = cursor.fetchone()
        previous, body = _entry(cursor, parent_id, index)
        reader = stored.reader(cursor, log_id=parent_id)
        return ParentProof(
            child_note=child_note,
            parent_note=signed[1],
            index=index,
            previous=previous,
            body=body,
            proof=tuple(merkle.inclusion_proof(index, signed[0], reader)),
        )


def _event(origin: str, size: int) -> tuple[int, int]:
    """Return the event about the smallest gathered checkpoint of at least this size."""
    rows = LogEvent.objects.filter(kind=KIND).order_by("pk").values_list("pk", "document")
    found = [
        (document["size"], pk)
        for pk, text in rows
        for document in log_events.readable(KIND, [text])
        if document["origin"] == origin and document["size"] >= size
    ]
    if not found:
        raise NotGathered(f"no parent log holds a checkpoint of {size} leaves of {origin}")
    covered, pk = min(found)
    return pk, covered


def _leaf_of(cursor: CursorWrapper, event: int) -> tuple[int, int]:
    cursor.execute(
        "SELECT p.log_id, p.idx FROM audit.projection p JOIN audit.log l USING (log_id) "
        "WHERE p.record = %s AND p.record_id = %s AND l.is_parent",
        [LogEvent._meta.db_table, str(event)],
    )
    row = cursor.fetchone()
    if row is None:
        raise NotGathered("the parent log's entry is not sealed yet")
    return int(row[0]), int(row[1])


def _entry(cursor: CursorWrapper, log_id: int, index: int) -> tuple[bytes, bytes]:
    cursor.execute(
        "SELECT l.previous, e.body FROM audit.leaf l LEFT JOIN audit.entry e USING (entry_id) "
        "WHERE l.log_id = %s AND l.idx = %s",
        [log_id, index],
    )
    previous, body = cursor.fetchone()
    if body is None:
        body = archiving.read_body(index, log_id=log_id)
    return bytes(previous), bytes(body)
