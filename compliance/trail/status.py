"""Say where the log is: how long, how far behind, what was signed last."""

from datetime import datetime
from typing import TypedDict

from django.db import connection

from compliance.trail import stored
from compliance.trail.stored import LOG_ID


class Status(TypedDict):
    """The state of the log, for people and monitors."""

    origin: str
    size: int
    root: str
    unsealed: int
    oldest_unsealed_s: float
    checkpoint_size: int | None
    checkpoint_signed_at: str | None


def read(*, at: datetime) -> Status:
    """Return the present state; cheap, whatever the size of the log."""
    with connection.cursor() as cursor:
        state = stored.state(cursor)
        cursor.execute("SELECT count(*), min(at) FROM audit.entry_view WHERE idx IS NULL")
        unsealed, oldest = cursor.fetchone()
        cursor.execute(
            "SELECT size, signed_at FROM audit.checkpoint WHERE log_id = %s "
            "ORDER BY size DESC LIMIT 1",
            [LOG_ID],
        )
        signed = cursor.fetchone()
    return Status(
        origin=state.origin,
        size=state.size,
        root=state.root.hex(),
        unsealed=unsealed,
        oldest_unsealed_s=max(0.0, (at - oldest).total_seconds()) if oldest else 0.0,
        checkpoint_size=signed[0] if signed else None,
        checkpoint_signed_at=signed[1].isoformat() if signed else None,
    )
