"""Keep the search columns of sealed entries: the projection, rebuilt from the bodies at any time."""

import logging

from django.db import DataError, IntegrityError, OperationalError, connections, transaction
from django.db.backends.utils import CursorWrapper

from compliance.trail.stored import LOG_ID

log = logging.getLogger(__name__)
ALIAS = "sequencer"
BATCH = 2000
# A body that cannot be read fails the statement: to catch it in SQL would cost each entry as much as
# its reading. The records go to the directory of records too, in the order in which seals commit to
# their heads (tlog.heads.key_of).
_PROJECT = """
WITH made AS (
    INSERT INTO audit.projection (log_id, idx, entry_id, at, record_seq, act, action, actor, role, op,
        reason, record, record_id, source)
    SELECT l.log_id, l.idx, l.entry_id, (b ->> 'at')::timestamptz, (b ->> 'record_seq')::bigint,
        a ->> 'id', a ->> 'action', a ->> 'actor', a ->> 'role', b ->> 'op', a ->> 'reason',
        b ->> 'record', b ->> 'record_id', a ->> 'source'
    FROM audit.leaf l JOIN audit.entry e ON e.entry_id = l.entry_id
    -- once for each entry
    CROSS JOIN LATERAL (SELECT convert_from(e.body, 'UTF8')::jsonb AS b OFFSET 0) j
    CROSS JOIN LATERAL (SELECT b -> 'act' AS a OFFSET 0) k
    WHERE l.log_id = %s AND l.idx >= %s AND l.idx < %s
    RETURNING log_id, record, record_id
)
INSERT INTO audit.head (log_id, key, record, record_id)
SELECT DISTINCT log_id, sha256('\\x676d702d61756469742f686561642f763100'::bytea
    || convert_to(octet_length(record) || ':' || record || ':' || record_id, 'UTF8')),
    record, record_id
FROM made ON CONFLICT DO NOTHING
"""


def project(limit: int = BATCH, *, log_id: int = LOG_ID) -> int:
    """Project up to `limit` sealed entries that are not yet; return how many leaves it passed."""
    with transaction.atomic(using=ALIAS), connections[ALIAS].cursor() as cursor:
        cursor.execute(
            "SELECT p.size, s.size, audit.read_by_index() "
            "FROM audit.projected p JOIN audit.log_state s USING (log_id) "
            "WHERE p.log_id = %s FOR UPDATE OF p",
            [log_id],
        )
        start, size, _ = cursor.fetchone()
        end = min(size, start + limit)
        if start == end:
            return 0
        _insert(cursor, log_id, start, end)
        cursor.execute("UPDATE audit.projected SET size = %s WHERE log_id = %s", [end, log_id])
    return int(end - start)


def _insert(cursor: CursorWrapper, log_id: int, start: int, end: int) -> None:
    try:
        with transaction.atomic(using=ALIAS):
            cursor.execute(_PROJECT, [log_id, start, end])
    except (DataError, IntegrityError, OperationalError) as error:
        if isinstance(error, OperationalError) and not _is_beyond_limits(error):
            raise  # the connection's error, not a body's
        if end - start > 1:  # somewhere in here is a body that was planted: close in on it
            middle = (start + end) // 2
            _insert(cursor, log_id, start, middle)
            _insert(cursor, log_id, middle, end)
            return
        # It is sealed all the same, as evidence; the verification names it.
        log.exception("Leaf %s cannot be read and will not be found by search", start)


def _is_beyond_limits(error: OperationalError) -> bool:
    """Say whether something is too long or too deep for the server (SQLSTATE class 54)."""
    return str(getattr(error.__cause__, "sqlstate", None) or "").startswith("54")
