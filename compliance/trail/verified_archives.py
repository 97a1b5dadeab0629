"""Say which entries the log let go into archive files, and where those are."""

from django.db.backends.utils import CursorWrapper

from compliance.trail import archiving, detaching, verified_documents
from compliance.trail.verifying.work import Archived


def archives(cursor: CursorWrapper) -> tuple[Archived, ...]:
    """Return the archive files that events of the log name."""
    cursor.execute("SELECT origin, log_id FROM audit.log")
    logs = dict(cursor.fetchall())
    return tuple(
        Archived(
            log_id=logs[told["origin"]],
            start=told["start"],
            end=told["end"],
            path=archiving.default_folder() / told["file"],
        )
        for told in verified_documents.told(cursor, archiving.KIND)
        if told["origin"] in logs
    )


def detached(cursor: CursorWrapper) -> frozenset[int]:
    """Return the partitions of entries that two persons let go."""
    return frozenset(
        told["partition"] for told in verified_documents.told(cursor, detaching.DETACH)
    )


def width(cursor: CursorWrapper) -> int:
    """Return how many entries a partition is for."""
    cursor.execute("SELECT audit.partition_width()")
    return int(cursor.fetchone()[0])
