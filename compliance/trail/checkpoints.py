"""Sign the log's state, and only ever one that continues what was signed before."""

import logging
import os
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from django.conf import settings
from django.db import connections, transaction
from django.db.backends.utils import CursorWrapper

from compliance.trail import keys, stored
from compliance.trail.stored import LOG_ID, State
from compliance.trail.tlog import checkpoint, merkle, note, tiles
from compliance.trail.tlog.checkpoint import Checkpoint
from compliance.trail.tlog.keys import Verifier

log = logging.getLogger(__name__)
ALIAS = "sequencer"
LATEST = "latest"
SIGNED = "trail-signed.note"  # the signer's own memory, beside its key


class LogForked(Exception):
    """The log does not continue what was signed before: it was rewritten, or rolled back."""


class CheckpointConflict(Exception):
    """A published checkpoint is not the one that the database has."""


@dataclass(frozen=True)
class Signed:
    """A signed checkpoint, opened with the trail's key."""

    checkpoint: Checkpoint
    note: str


def opened(text: str, verifier: Verifier) -> Signed:
    """Open a note and read its checkpoint, or raise `NoteInvalid` or `CheckpointInvalid`."""
    return Signed(Checkpoint.parse(note.open(text, [verifier]).text), text)


def sign(at: datetime) -> Signed:
    """Sign the present state of the log after proving that it continues the last signed one.

    Raise `LogForked` when it does not. Returns the last checkpoint when the log did not grow.
    """
    pair = keys.signer()
    with transaction.atomic(using=ALIAS, durable=True), connections[ALIAS].cursor() as cursor:
        state = stored.state(cursor, lock=True)
        last = _newest(cursor)
        for earlier in (last, remembered()):
            if earlier:
                _demand_continuation(cursor, state, opened(earlier, pair.verifier).checkpoint)
        if last and (newest := opened(last, pair.verifier)).checkpoint.size == state.size:
            return newest
        current = Checkpoint(origin=state.origin, size=state.size, root=state.root)
        text = note.sign(current.text(), [pair])
        # The own memory first: after a crash between the two, the same is signed again.
        _replace(Path(settings.KEYS_DIR) / SIGNED, text)
        cursor.execute(
            "INSERT INTO audit.checkpoint (log_id, size, root, note, signed_at) "
            "VALUES (%s, %s, %s, %s, %s)",
            [LOG_ID, state.size, state.root, text, at],
        )
    return Signed(current, text)


def remembered() -> str | None:
    """Return the last note that this signer signed, from its own disk."""
    try:
        return (Path(settings.KEYS_DIR) / SIGNED).read_text()
    except FileNotFoundError:
        return None


def publish(folder: Path) -> list[int]:
    """Export every checkpoint that is not there yet; return their sizes.

    Files are never overwritten. Raise `CheckpointConflict` when one is there with other bytes.
    """
    folder.mkdir(parents=True, exist_ok=True)
    known = _published_size(folder)
    written = []
    with connections[ALIAS].cursor() as cursor:
        cursor.execute(
            "SELECT size, note FROM audit.checkpoint WHERE log_id = %s AND size >= %s "
            "ORDER BY size",
            [LOG_ID, known],
        )
        newest = None
        for size, text in cursor.fetchall():
            if _export(folder / f"{size}.note", text):
                written.append(size)
            newest = text
    if newest is not None and written:
        _replace(folder / LATEST, newest)
    return written


def published(folder: Path) -> Iterator[tuple[Path, str]]:
    """Yield every published note with its file."""
    if folder.is_dir():
        for path in sorted(folder.glob("*.note"), key=lambda one: (len(one.name), one.name)):
            yield path, path.read_text(errors="replace")


def _newest(cursor: CursorWrapper) -> str | None:
    cursor.execute(
        "SELECT note FROM audit.checkpoint WHERE log_id = %s ORDER BY size DESC LIMIT 1", [LOG_ID]
    )
    row = cursor.fetchone()
    return row[0] if row else None


def _demand_continuation(cursor: CursorWrapper, state: State, earlier: Checkpoint) -> None:
    if earlier.origin != state.origin:
        raise LogForked(f"the last checkpoint is of {earlier.origin}, this log is {state.origin}")
    if earlier.size > state.size:
        raise LogForked(
            f"the log has {state.size} leaves, but {earlier.size} were signed: it was rolled back. "
            "Recover the rest, or begin a new log under a new origin"
        )
    reader = stored.reader(cursor)
    try:
        proof = merkle.consistency_proof(earlier.size, state.size, reader)
        merkle.verify_consistency(earlier.size, state.size, proof, earlier.root, state.root)
        # The proof says nothing about the new root where old is empty or as large as new.
        if merkle.root_at(state.size, reader) != state.root:
            raise merkle.ProofInvalid("the root does not follow from the stored leaves")
    except (merkle.ProofInvalid, tiles.HashMissing) as error:
        raise LogForked(
            f"the log of {state.size} leaves does not continue the signed one of {earlier.size}: "
            f"{error}. Run `trail verify`"
        ) from error


def _published_size(folder: Path) -> int:
    try:
        text = note.split((folder / LATEST).read_text())[0]
        return Checkpoint.parse(text).size
    except (FileNotFoundError, note.NoteInvalid, checkpoint.CheckpointInvalid):
        return 0  # compare all of them again


def _export(path: Path, text: str) -> bool:
    if path.exists():
        if path.read_text(errors="replace") != text:
            raise CheckpointConflict(
                f"{path} has another checkpoint than the database: one of them was altered. "
                "Keep both and run `trail verify`"
            )
        return False
    fresh = _written(path, text)
    try:
        path.hardlink_to(fresh)  # never overwrites
    except FileExistsError:
        return _export(path, text)
    finally:
        fresh.unlink()
    return True


def _replace(path: Path, text: str) -> None:
    _written(path, text).replace(path)
    descriptor = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _written(path: Path, text: str) -> Path:
    fresh = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    with fresh.open("x") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    return fresh
