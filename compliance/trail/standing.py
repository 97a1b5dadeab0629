"""Say how far an entry is secured: sealed, under a checkpoint, witnessed, time-stamped."""

from dataclasses import dataclass
from enum import StrEnum

from django.db import connection
from django.db.backends.utils import CursorWrapper

from compliance.trail import published, trust
from compliance.trail.stored import LOG_ID
from compliance.trail.tlog.policy import NotOfLog
from compliance.trail.trust import PolicyUnusable

_SIZES = """
SELECT (SELECT max(size) FROM audit.checkpoint WHERE log_id = %(log)s),
    (SELECT max(size) FROM audit.cosignature WHERE log_id = %(log)s),
    (SELECT max(size) FROM audit.timestamp WHERE log_id = %(log)s)
"""


class Mark(StrEnum):
    """One step by which an entry is secured."""

    UNSEALED = "unsealed"
    SEALED = "sealed"
    CHECKPOINTED = "checkpointed"
    WITNESSED = "witnessed"
    TIME_STAMPED = "time-stamped"


EXPLAINED = {
    Mark.UNSEALED: "not in the tree yet; the sequencer takes it in within moments",
    Mark.SEALED: "in the tree, under no signed checkpoint yet",
    Mark.CHECKPOINTED: "a signed checkpoint covers it",
    Mark.WITNESSED: "a checkpoint that witnesses cosigned covers it",
    Mark.TIME_STAMPED: "a checkpoint that a time-stamping authority stamped covers it",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Up to which size the log is signed, witnessed and time-stamped; 0 for not at all.

    Later checkpoints continue earlier ones, so the largest size covers all entries below it. This
    is what is stored; that it is true is for `trail verify` to show.
    """

    signed: int = 0
    witnessed: int = 0
    stamped: int = 0

    def of(self, index: int | None) -> tuple[Mark, ...]:
        """Return the furthest marks of an entry with this index."""
        if index is None:
            return (Mark.UNSEALED,)
        further = [
            mark
            for mark, size in ((Mark.WITNESSED, self.witnessed), (Mark.TIME_STAMPED, self.stamped))
            if index < size
        ]
        return tuple(further) or ((Mark.CHECKPOINTED if index < self.signed else Mark.SEALED),)


def now() -> Standing:
    """Return how far the log is secured."""
    with connection.cursor() as cursor:
        cursor.execute(_SIZES, {"log": LOG_ID})
        signed, cosigned, stamped = cursor.fetchone()
        return Standing(
            signed=signed or 0,
            witnessed=_witnessed(cursor) if cosigned else 0,
            stamped=stamped or 0,
        )


def _witnessed(cursor: CursorWrapper) -> int:
    """Return the newest size that has the policy's quorum; without a policy nobody is a witness."""
    try:
        policy = trust.policy()
        shown = published.shown(cursor, LOG_ID, policy)
        is_met = policy is not None and shown is not None and policy.weigh(shown.cosigned).is_met
    except (PolicyUnusable, NotOfLog):
        return 0
    return shown.size if shown is not None and is_met else 0
