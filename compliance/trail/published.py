"""Choose the checkpoint that outsiders are shown, with what witnesses said of it."""

from dataclasses import dataclass
from functools import lru_cache

from django.db.backends.utils import CursorWrapper

from compliance.trail.tlog.policy import NotOfLog, Policy

_LOOK_BACK = (4, 200)
_MOST_LINES = 50  # a note has at most a hundred signatures, the log's own among them
_NOTES = (
    "SELECT c.size, coalesce(c.root, ''), coalesce(c.note, ''), "
    "array(SELECT line FROM audit.cosignature s "
    "WHERE s.log_id = c.log_id AND s.size = c.size ORDER BY s.witness) FROM audit.checkpoint c "
)
_NEWEST = _NOTES + "WHERE c.log_id = %s ORDER BY c.size DESC LIMIT 1"
_ONE = _NOTES + "WHERE c.log_id = %s AND c.size = %s"
_COSIGNED = (
    _NOTES + "WHERE c.log_id = %s AND EXISTS (SELECT FROM audit.cosignature s "
    "WHERE s.log_id = c.log_id AND s.size = c.size) ORDER BY c.size DESC LIMIT %s"
)


@dataclass(frozen=True, kw_only=True)
class Published:
    """A checkpoint: `note` is what the log signed, `cosigned` has the witnesses' lines as well."""

    size: int
    root: bytes
    note: str
    cosigned: str


def newest(cursor: CursorWrapper, log_id: int) -> Published | None:
    """Return the last signed checkpoint."""
    cursor.execute(_NEWEST, [log_id])
    row = cursor.fetchone()
    return _published(*row) if row else None


def of_size(cursor: CursorWrapper, log_id: int, size: int) -> Published | None:
    """Return the checkpoint of one size."""
    cursor.execute(_ONE, [log_id, size])
    row = cursor.fetchone()
    return _published(*row) if row else None


def shown(cursor: CursorWrapper, log_id: int, policy: Policy | None) -> Published | None:
    """Return the newest checkpoint that meets the policy, else the newest one.

    A client that asks for the quorum would refuse those which no witness has seen yet; where none
    of the last ones has it, the newest is shown as it is, and such a client refuses it rightly.
    """
    last = newest(cursor, log_id)
    if last is None or policy is None or _meets(last.cosigned, policy):
        return last
    for limit in _LOOK_BACK:
        cursor.execute(_COSIGNED, [log_id, limit])
        for one in (_published(*row) for row in cursor.fetchall()):
            if _meets(one.cosigned, policy):
                return one
    return last


def _published(size: int, root: bytes, signed: str, lines: list[str]) -> Published:
    cosigned = signed + "".join(lines[:_MOST_LINES])
    return Published(size=size, root=bytes(root), note=signed, cosigned=cosigned)


@lru_cache(maxsize=512)
def _meets(cosigned: str, policy: Policy) -> bool:
    try:
        return policy.weigh(cosigned).is_met
    except NotOfLog:
        return False
