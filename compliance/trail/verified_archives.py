"""Say which entries the log let go into archive files, and where those are."""

from pathlib import Path

from django.db.backends.utils import CursorWrapper

from compliance.trail import archiving, detaching, verified_documents
from compliance.trail.verifying.work import Archived


def archives(cursor: CursorWrapper) -> tuple[Archived, ...]:
    """Return the archive files that events of the log name."""
    cursor.execute("SELECT origin, log_id FROM audit.log")
    logs = dict(cursor.fetchall())
    found = []
    for told in verified_documents.told(cursor, archiving.KIND):
        match told:
            case {"origin": str(origin), "start": int(start), "end": int(end), "file": str(name)}:
                if origin in logs and Path(name).name == name:
                    path = archiving.default_folder() / name
                    found.append(Archived(log_id=logs[origin], start=start, end=end, path=path))
    return tuple(found)


def detached(cursor: CursorWrapper) -> frozenset[int]:
    """Return the partitions of entries that two persons let go."""
    numbers = [told.get("partition") for told in verified_documents.told(cursor, detaching.DETACH)]
    return frozenset(one for one in numbers if isinstance(one, int))


def width(cursor: CursorWrapper) -> int:
    """Return how many entries a partition is for."""
    cursor.execute("SELECT audit.partition_width()")
    return int(cursor.fetchone()[0])
