"""Issue evidence bundles to people and machines, each on record."""

import re
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from hashlib import sha256
from pathlib import Path

from django.conf import settings
from django.utils import timezone

from compliance.refusals import Refused, Unavailable
from compliance.trail import (
    bundles,
    checkpoints,
    keys,
    log_events,
    log_source,
    projecting,
    seals,
    sequencer,
    subjects,
)
from compliance.trail.actions import Action
from compliance.trail.log_source import LogSource
from compliance.trail.recording import Actor
from compliance.trail.signer.failure import AlreadyRunning
from compliance.trail.subjects import Wanted
from compliance.trail.tlog import canonical, note
from compliance.trail.tlog.checkpoint import Checkpoint, CheckpointInvalid
from compliance.trail.tlog.note import NoteInvalid
from compliance.trail.verifier import build, writing

KIND = "evidence"
PATIENCE_S = 60.0  # for the checkpoint of a signer that runs: it signs once a second
_POLL_S = 0.2


class NotReady(Refused):
    """The log has not yet said what evidence rests on."""

    code = "evidence-not-ready"
    status = 409


class ValuesProtected(Refused):
    """Who asks may not see all that the bundle discloses."""

    code = "values-protected"
    status = 403


class HeldNotOurs(Refused):
    """A checkpoint that somebody holds is not one of this log as it is here."""

    code = "held-checkpoint-differs"
    status = 409


@dataclass(frozen=True, slots=True, kw_only=True)
class Issued:
    """A bundle as it was handed out; `late` entries of its subject were not ready to be in it."""

    data: bytes
    file_name: str
    title: str
    tree_size: int
    sha256: str
    late: int

    @property
    def remark(self) -> str:
        """What whoever asked has to know; empty when everything is in it."""
        if not self.late:
            return ""
        one = "1 entry is" if self.late == 1 else f"{self.late:,} entries are"
        return (
            f"{one} not in it: no signed checkpoint covers that yet. "
            "Ask again in a moment; if it stays so, the sequencer or the signer does not run."
        )


def issue(
    wanted: Wanted,
    *,
    actor: Actor,
    at: datetime,
    reason: str = "",
    held: Sequence[bytes] = (),
    most: int = subjects.MOST,
    may_open: bool = True,
) -> Issued:
    """Return the bundle and record who got which one; nothing in here waits for the sequencer.

    `held` are checkpoints that others hold, as signed notes. A bundle discloses the protected values
    of its entries; who may not open them gets none. Raise `NoSuchSubject`, `TooMuch`, `NotReady`,
    `ValuesProtected` or `HeldNotOurs`.
    """
    with log_source.opened() as source:
        size = source.newest()
        if not size:
            raise NotReady(
                "no checkpoint is signed yet. The signer signs one when it runs; "
                "`manage.py trail bundle --seal` does it at once"
            )
        resolved = subjects.resolve(wanted, size=size, most=most)
        sizes = [_held(source, one) for one in held]
        try:
            contents = bundles.gather(
                source, resolved.subject, created_at=at, indices=resolved.indices, sizes=sizes,
                policy=_file(settings.LOG_POLICY), authorities=_file(settings.TSA_ROOTS),
                verifier=verifier(),
            )  # fmt: skip
        except bundles.NoSeal as error:
            raise NotReady(
                "the heads of records are not sealed yet, so nothing could show that a record is "
                "complete. The schedule does it every hour; `manage.py trail bundle --seal` does it "
                "at once, also beside a running signer"
            ) from error
        if contents.openings and not may_open:
            raise ValuesProtected(
                f"it would disclose {len(contents.openings):,} protected values; ask somebody "
                "whose role may open them"
            )
        data = writing.bundle(contents)
    issued = Issued(
        data=data,
        file_name=_file_name(wanted, size),
        title=resolved.subject.title,
        tree_size=size,
        sha256=sha256(data).hexdigest(),
        late=resolved.late,
    )
    _record(wanted, issued, actor=actor, at=at, reason=reason)
    return issued


def seal_now(
    at: datetime, *, say: Callable[[str], object] | None = None, patience_s: float = PATIENCE_S
) -> None:
    """Seal and sign what is there, with the heads of all records; for commands only.

    Where a signer runs already, its checkpoint is waited for, and `say` is told so; raise
    `Unavailable` when none comes that covers the seal.
    """
    keys.ensure()
    _seal_entries()
    seals.seal(at)
    signed(_seal_entries(), say=say, patience_s=patience_s)


def signed(
    size: int, *, say: Callable[[str], object] | None = None, patience_s: float = PATIENCE_S
) -> int:
    """Sign the log, or wait for the checkpoint of so many leaves where a signer runs already.

    Return the size of the newest checkpoint; raise `Unavailable` when none comes that covers it.
    """
    try:
        return checkpoints.sign(timezone.now()).checkpoint.size
    except AlreadyRunning:
        if say:
            say(
                f"A signer runs: waiting up to {patience_s:g} s for its checkpoint of {size:,} leaves"
            )
        return _wait_until_signed(size, patience_s=patience_s)


def _wait_until_signed(size: int, *, patience_s: float) -> int:
    """Wait for another signer's checkpoint of so many leaves; sign it here if that signer ends."""
    deadline = time.monotonic() + patience_s
    while (newest := _newest()) < size:
        if time.monotonic() >= deadline:
            raise Unavailable(
                f"the entries are sealed, but no checkpoint of {size:,} leaves came within "
                f"{patience_s:g} s: the newest one has {newest:,}. The signer that runs does not "
                "sign; its log says why. Run this again when it signs, or after it was stopped"
            )
        time.sleep(_POLL_S)
        with suppress(AlreadyRunning):
            checkpoints.sign(timezone.now())
    return newest


def _newest() -> int:
    with log_source.opened() as source:
        return source.newest()


@lru_cache(maxsize=1)
def verifier() -> bytes:
    """Return the verifier as one file that runs by itself."""
    return build.build()


def _seal_entries() -> int:
    """Seal what is committed, make it found by search, and return the size of the log."""
    while (sealed := sequencer.seal()).count:
        pass
    while projecting.project():
        pass
    return sealed.size


def _held(source: LogSource, signed: bytes) -> int:
    """Return the size of a held checkpoint when this log has that very one."""
    try:
        held = Checkpoint.parse(note.split(signed)[0])
    except (NoteInvalid, CheckpointInvalid, ValueError) as error:
        raise HeldNotOurs(f"that is no checkpoint: {error}") from error
    if held.origin != source.origin:
        raise HeldNotOurs(f"that checkpoint is of {held.origin}, this log is {source.origin}")
    try:
        ours = Checkpoint.parse(note.split(source.note(held.size))[0])
    except LookupError as error:
        raise HeldNotOurs(
            f"this log signed no checkpoint of {held.size} leaves, or has lost it: run "
            "`manage.py trail verify` before anything else"
        ) from error
    if ours.root != held.root:
        raise HeldNotOurs(
            f"FORK: the held checkpoint of {held.size} leaves has another root than ours. Keep "
            "both; one of them shows a history that was rewritten"
        )
    return held.size


def _file(path: str) -> bytes | None:
    if not path:
        return None
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise Unavailable(f"{path} cannot be read: {error.strerror}") from error


def _file_name(wanted: Wanted, size: int) -> str:
    about = wanted.name or "-".join(wanted.records[0] if wanted.records else ())
    plain = re.sub(r"[^A-Za-z0-9.-]+", "-", about).strip("-.")[:60]
    return "-".join(["evidence", str(wanted.kind), *([plain] if plain else []), str(size)]) + ".zip"


def _record(wanted: Wanted, issued: Issued, *, actor: Actor, at: datetime, reason: str) -> None:
    document: dict[str, canonical.Value] = {
        "v": 1,
        "subject": {"kind": str(wanted.kind), "title": issued.title},
        "tree_size": issued.tree_size,
        "sha256": issued.sha256,
    }
    log_events.record(
        KIND, document, actor=actor, at=at, reason=reason.strip() or "evidence bundle issued",
        action=Action.EVIDENCE_ISSUED,
    )  # fmt: skip
