"""Ask the signer for a checkpoint of the log as the database has it, and store the answer."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from django.conf import settings
from django.db import connections, transaction
from django.db.backends.utils import CursorWrapper

from compliance.trail import keys, stored
from compliance.trail.signer import core, standbys
from compliance.trail.signer.core import CheckpointSigner, Request
from compliance.trail.signer.failure import LogForked, StateBehind
from compliance.trail.signer.memory import STATE
from compliance.trail.stored import State
from compliance.trail.tlog import merkle, note, tiles
from compliance.trail.tlog.checkpoint import Checkpoint

ALIAS = "signer"
FOLDER = "signer"


@dataclass(frozen=True)
class Signed:
    """A checkpoint with the note it was signed in."""

    checkpoint: Checkpoint
    note: str


def folder(origin: str | None = None) -> Path:
    """Return where the signer of a log keeps its memory and its lock."""
    return keys.folder(origin) / FOLDER


@contextmanager
def signer(origin: str | None = None) -> Iterator[CheckpointSigner]:
    """Open this host's signer of a log, or raise `SignerRefused` or `KeyUnusable`."""
    with opened(origin) as checkpoint_signer:
        yield checkpoint_signer


def opened(origin: str | None = None) -> CheckpointSigner:
    """Return this host's signer of a log, to be closed; or raise as `signer` does."""
    return CheckpointSigner(folder(origin), history=keys.history(origin), signer_of=keys.signer_of)


def adopt(text: str, *, at: datetime) -> Checkpoint:
    """Let this host's signer of the note's log go on from it; it was kept elsewhere."""
    origin = Checkpoint.parse(note.split(text)[0]).origin
    return core.adopt(folder(origin), text, history=keys.history(origin), at=at)


def sign(own: CheckpointSigner, *, at: datetime) -> Signed:
    """Bring the stored checkpoints up to the present size of the log; return the last one.

    Several are signed when one of them may not be jumped over: where keys change, and where a
    crash came between signing and storing. Raise `StandbyBehind` where standbys are to have the
    log first, and do not.
    """
    log_id = stored.log_id_of(own.history.origin, using=ALIAS)
    flushed = standbys.flushed(settings.STANDBYS, log_id=log_id, using=ALIAS)
    while True:
        with transaction.atomic(using=ALIAS, durable=True), connections[ALIAS].cursor() as cursor:
            state = stored.state(cursor, log_id=log_id)
            end = state.size if flushed is None else min(state.size, flushed)
            newest = _newest(cursor, log_id)
            _demand_memory(own, newest)
            size = own.due(end)
            if own.last and own.last.checkpoint.size > (newest or 0):
                size = own.last.checkpoint.size  # signed, and not stored before the crash
            signed = _signed(cursor, own, state, size=size, at=at)
            if size != newest:
                # When it was signed: one that a crash kept from being stored was before.
                _store(cursor, signed, log_id=log_id, at=own.last.at if own.last else at)
        if size == end:
            return signed


def _demand_memory(own: CheckpointSigner, newest: int | None) -> None:
    """Let the signer begin where nothing was ever signed, and go on only with its own memory."""
    if own.last is None:
        published = keys.own_folder(Path(settings.PUBLISHED_DIR), own.history.origin)
        if newest is None and not (published.is_dir() and any(published.glob("*.note"))):
            own.begin()
    elif newest is not None and newest > own.last.checkpoint.size:
        raise StateBehind(
            folder(own.history.origin) / STATE, remembered=own.last.checkpoint.size, signed=newest
        )


def _signed(
    cursor: CursorWrapper, own: CheckpointSigner, state: State, *, size: int, at: datetime
) -> Signed:
    reader = stored.reader(cursor, log_id=state.log_id)
    last = own.last.checkpoint if own.last else None
    try:
        # Of the stored leaves, so that log_state cannot name a root that nothing leads to.
        root = merkle.root_at(min(size, state.size), reader)
        within = last is not None and last.size <= state.size
        proof = merkle.consistency_proof(last.size, size, reader) if last and within else []
    except tiles.HashMissing as error:
        raise LogForked(
            f"the log of {state.size} leaves does not continue what was signed: {error}. "
            "Run `trail verify`"
        ) from error
    if size >= state.size and root != state.root:
        raise LogForked(
            f"the log of {state.size} leaves does not continue what was signed: "
            "its root does not follow from the stored leaves. Run `trail verify`"
        )
    size = min(size, state.size)
    text = own.sign(Request(origin=state.origin, size=size, root=root, proof=proof, at=at))
    return Signed(Checkpoint.parse(note.split(text)[0]), text)


def _store(cursor: CursorWrapper, signed: Signed, *, log_id: int, at: datetime) -> None:
    checkpoint = signed.checkpoint
    cursor.execute(
        "INSERT INTO audit.checkpoint (log_id, size, root, note, signed_at) "
        "VALUES (%s, %s, %s, %s, %s)",
        [log_id, checkpoint.size, checkpoint.root, signed.note, at],
    )


def _newest(cursor: CursorWrapper, log_id: int) -> int | None:
    cursor.execute("SELECT max(size) FROM audit.checkpoint WHERE log_id = %s", [log_id])
    (size,) = cursor.fetchone()
    return None if size is None else int(size)
