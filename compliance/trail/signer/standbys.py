"""Sign only what the standbys have: after a fail-over no checkpoint is ahead of the log."""

import time
from collections.abc import Sequence

from django.db import connections
from django.db.backends.utils import CursorWrapper

from compliance.refusals import Unavailable

WAIT_S = 5.0
_POLL_S = 0.02
# Whoever may not see the statistics of another user's connection reads nulls.
_BEHIND = """
SELECT wanted.name, s.pid IS NOT NULL, s.flush_lsn IS NULL FROM unnest(%s::text[]) wanted(name)
LEFT JOIN LATERAL (
    SELECT pid, flush_lsn FROM pg_stat_replication WHERE application_name = wanted.name
    ORDER BY flush_lsn DESC NULLS LAST LIMIT 1
) s ON true
WHERE s.flush_lsn IS NULL OR s.flush_lsn < %s::pg_lsn
ORDER BY wanted.name
"""


class StandbyBehind(Unavailable):
    """A standby has not flushed the log up to here: what only the primary has is not signed."""

    code = "standby-behind"


def flushed(names: Sequence[str], *, log_id: int, using: str) -> int | None:
    """Return a size of the log that every named standby has on disk; None when none is named.

    Waits up to `WAIT_S`, then raises `StandbyBehind`. A standby is named by its
    `application_name` in `primary_conninfo`.
    """
    if not names:
        return None
    with connections[using].cursor() as cursor:
        # Of one statement: what is visible to it was committed before the position it reads.
        cursor.execute(
            "SELECT size, pg_current_wal_insert_lsn()::text FROM audit.log_state WHERE log_id = %s",
            [log_id],
        )
        size, position = cursor.fetchone()
        deadline = time.monotonic() + WAIT_S
        while behind := _behind(cursor, names, position):
            if time.monotonic() > deadline:
                raise StandbyBehind(
                    f"the log of {size} leaves is not signed yet: " + "; ".join(behind)
                )
            time.sleep(_POLL_S)
    return int(size)


def _behind(cursor: CursorWrapper, names: Sequence[str], position: str) -> list[str]:
    cursor.execute(_BEHIND, [list(names), position])
    return [
        f"the standby {name} "
        + (
            "is not connected"
            if not is_connected
            else "cannot be seen: GRANT pg_read_all_stats TO gmp_signer"
            if is_hidden
            else f"has not flushed {position}"
        )
        for name, is_connected, is_hidden in cursor.fetchall()
    ]
