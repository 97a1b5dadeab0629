"""Sign the log's state in this process, open checkpoints, and publish them as files."""

import os
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from django.db import DEFAULT_DB_ALIAS, connections

from compliance.trail import durable, keys, stored
from compliance.trail.signer import delivery, memory
from compliance.trail.signer.delivery import Signed
from compliance.trail.tlog import checkpoint, note
from compliance.trail.tlog.checkpoint import Checkpoint
from compliance.trail.tlog.key_history import KeyHistory

LATEST = "latest"


class CheckpointConflict(Exception):
    """A published checkpoint is not the one that the database has."""


def opened(text: str, history: KeyHistory) -> Signed:
    """Open a note of this log and read its checkpoint, or raise `KeyRefused`."""
    return Signed(history.open(text), text)


def sign(at: datetime, *, origin: str | None = None) -> Signed:
    """Sign the present state of a log, where no signer runs as a process of its own.

    Raise `SignerRefused`: `LogForked` when the log does not continue what was signed before,
    `AlreadyRunning` beside another signer. Returns the last checkpoint when the log did not grow.
    """
    with delivery.signer(origin) as signer:
        return delivery.sign(signer, at=at)


def remembered(origin: str | None = None) -> str | None:
    """Return the last note of a log that this host's signer signed, from its own disk."""
    try:
        data = durable.read(delivery.folder(origin) / memory.STATE)
        return memory.parse(data).note
    except FileNotFoundError:
        return None
    except ValueError:
        return data.decode(errors="replace")  # as it is: whoever opens it says that it was altered


def publish(folder: Path, *, origin: str | None = None, using: str = DEFAULT_DB_ALIAS) -> list[int]:
    """Export every checkpoint of a log that is not there yet; return their sizes.

    Files are never overwritten. Raise `CheckpointConflict` when one is there with other bytes.
    """
    folder = keys.own_folder(folder, origin)
    folder.mkdir(parents=True, exist_ok=True)
    known = _published_size(folder)
    written = []
    with connections[using].cursor() as cursor:
        cursor.execute(
            "SELECT size, note FROM audit.checkpoint WHERE log_id = %s AND size >= %s "
            "AND note IS NOT NULL ORDER BY size",
            [stored.log_id_of(origin, using=using), known],
        )
        newest = None
        for size, text in cursor.fetchall():
            if _export(folder / f"{size}.note", text):
                written.append(size)
            newest = text
    if newest is not None and written:
        durable.replace(folder / LATEST, newest)
    return written


def published(folder: Path) -> Iterator[tuple[Path, str]]:
    """Yield every published note with its file."""
    if folder.is_dir():
        for path in sorted(folder.glob("*.note"), key=lambda one: (len(one.name), one.name)):
            content = durable.read_file(path) or b""  # which no key signed
            yield path, content.decode(errors="replace")


def _published_size(folder: Path) -> int:
    try:
        text = note.split(durable.read(folder / LATEST).decode(errors="replace"))[0]
        return Checkpoint.parse(text).size
    except (FileNotFoundError, note.NoteInvalid, checkpoint.CheckpointInvalid):
        return 0  # compare all of them again


def _export(path: Path, text: str) -> bool:
    if not os.path.lexists(path):
        with suppress(FileExistsError):  # of another publisher
            durable.create(path, text)
            return True
    if durable.read_file(path) != text.encode():
        raise CheckpointConflict(
            f"{path} has another checkpoint than the database: one of them was altered. "
            "Keep both and run `trail verify`"
        )
    return False
