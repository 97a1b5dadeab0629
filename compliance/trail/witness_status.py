"""Say which witness saw how much of the log, and what the quorum lacks."""

from typing import TypedDict

from django.db import connection

from compliance.trail import published, trust, witnessing
from compliance.trail.stored import LOG_ID


class WitnessSeen(TypedDict):
    """The last size that one witness cosigned, and when its line came."""

    witness: str
    size: int | None
    received_at: str | None


class Status(TypedDict):
    """How far the witnesses are; `met_size` is the newest checkpoint that meets the policy."""

    is_configured: bool
    size: int
    met_size: int | None
    shortfall: str
    witnesses: list[WitnessSeen]


def read(*, log_id: int = LOG_ID) -> Status:
    """Return the present state; cheap, whatever the size of the log."""
    policy = trust.policy()
    with connection.cursor() as cursor:
        newest = published.newest(cursor, log_id)
        if policy is None or newest is None:
            return Status(
                is_configured=policy is not None,
                size=newest.size if newest else 0,
                met_size=None,
                shortfall="",
                witnesses=[],
            )
        shown = published.shown(cursor, log_id, policy) or newest
        cursor.execute(
            "SELECT DISTINCT ON (witness) witness, size, received_at FROM audit.cosignature "
            "WHERE log_id = %s ORDER BY witness, size DESC",
            [log_id],
        )
        last = {witness: (size, at.isoformat()) for witness, size, at in cursor.fetchall()}
    is_met = not witnessing.shortfall(shown, policy)
    return Status(
        is_configured=True,
        size=newest.size,
        met_size=shown.size if is_met else None,
        shortfall=witnessing.shortfall(newest, policy),
        witnesses=[
            WitnessSeen(witness=one.name, size=size, received_at=at)
            for one in policy.witnesses.values()
            for size, at in [last.get(witnessing.identity(one.verifier), (None, None))]
        ],
    )
