"""Let a log that has lost a part be continued by another one, under a name never used before."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import DatabaseError, connections, transaction

from compliance.refusals import Refused
from compliance.trail import detaching, keys, log_events, new_logs, recording, sequencer, stored
from compliance.trail.detaching import Person
from compliance.trail.recording import Actor
from compliance.trail.restoring import Restored
from compliance.trail.tlog import canonical

ALIAS = "owner"
KIND = "origin"
ATTEMPTS = 20


class NothingLost(Refused):
    """All that was ever signed is in the database: the log goes on under its own name."""

    code = "nothing-lost"


class StillWritten(Refused):
    """Entries went on being written to the old log; stop the application for a moment."""

    code = "log-still-written"


@dataclass(frozen=True, kw_only=True)
class Continued:
    """The log that writers have from now on."""

    log_id: int
    origin: str


def new_origin(
    restored: Restored, *, persons: Sequence[Person], actor: Actor, at: datetime, reason: str
) -> Continued:
    """Open the log that continues this one; its first entry says what was lost, and who says so.

    What was written since the restore stays in the old log, which nobody signs any more: the first
    entry holds its end, so that the new log's checkpoints cover that too. Records go on as they
    are: the `prev` of their next entry is the digest of an entry in the old log.
    """
    if not restored.is_lost:
        raise NothingLost(f"{restored.origin} has everything that was signed")
    named = detaching.demand_two(persons)
    origin = new_logs.next_origin(restored.origin)
    is_parent = any(one.is_parent for one in new_logs.described() if one.log_id == restored.log_id)
    vkeys = [record.vkey for record in keys.ensure(origin).records]
    for _ in range(ATTEMPTS):
        for _sealed in sequencer.seal_all(log_id=restored.log_id):
            pass
        try:
            with transaction.atomic(using=ALIAS, durable=True):
                log_id = new_logs.open_log(origin, follows=restored.log_id, is_parent=is_parent)
                with recording.into(log_id):
                    log_events.record(
                        KIND,
                        _document(restored, named, vkeys),
                        actor=actor,
                        at=at,
                        reason=reason,
                        using=ALIAS,
                    )
            return Continued(log_id=log_id, origin=origin)
        except DatabaseError as error:
            if getattr(error.__cause__, "sqlstate", None) != "GM004":
                raise
    raise StillWritten(f"{restored.origin} does not come to rest: stop the application")


def _document(
    restored: Restored, named: list[dict[str, str]], vkeys: list[str]
) -> dict[str, canonical.Value]:
    with connections[ALIAS].cursor() as cursor:
        end = stored.state(cursor, log_id=restored.log_id)
    last = restored.lost[-1] if restored.lost else restored.kept
    return {
        "v": 1,
        "old_origin": restored.origin,
        "old_checkpoint": last.note if last else "",
        "restored_size": restored.common,
        "lost_from": restored.common,
        "lost_to": restored.lost_to,
        "lost_logs": list(restored.lost_logs),
        "closed_size": end.size,
        "closed_root": end.root.hex(),
        "closed_chain": end.chain.hex(),
        "keys": vkeys,
        "persons": named,
    }
