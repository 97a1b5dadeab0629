"""Sign checkpoints that continue the last one signed, and no others; remember before speaking.

Needs no database: whoever asks brings size, root and proof. What was signed last is on the
signer's own disk, so that a rewritten or restored database finds somebody who remembers.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Self

from compliance.trail.signer import memory
from compliance.trail.signer.failure import (
    ClockWentBack,
    LogForked,
    OverlapSkipped,
    StateCorrupt,
    StateLost,
    StateUnusable,
)
from compliance.trail.signer.memory import Remembered
from compliance.trail.tlog import merkle, note
from compliance.trail.tlog.checkpoint import Checkpoint
from compliance.trail.tlog.key_history import KeyHistory
from compliance.trail.tlog.keys import Signer, Verifier

TOLERANCE = timedelta(seconds=10)  # of a clock that is set right, not of one that is set back


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What to sign, and what shows that it continues the last checkpoint signed."""

    origin: str
    size: int
    root: bytes
    proof: Sequence[bytes]  # consistency, from the last signed size; empty at the first time
    at: datetime


class CheckpointSigner:
    """The signer of one log, holding the lock on its memory; use with `with`."""

    def __init__(
        self, folder: Path, *, history: KeyHistory, signer_of: Callable[[Verifier], Signer]
    ) -> None:
        """Take the lock and read the memory, or raise a `SignerRefused`."""
        self._memory = memory.Memory(folder)
        self._signer_of = signer_of
        self._signers: dict[Verifier, Signer] = {}
        self._may_begin = False
        self.history = history
        try:
            self.last = self._memory.read(history)
        except BaseException:
            self._memory.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let another signer take over; this one signs nothing more."""
        self._memory.close()

    def begin(self) -> None:
        """Allow a first signature without a memory: the caller knows that none was made before."""
        self._may_begin = True

    def sign(self, request: Request) -> str:
        """Return the signed note; for the last size and root again, the note made then.

        Raise `LogForked` when the log does not continue what was signed, `StateLost` when nobody
        knows what was signed, `ClockWentBack`, or `OverlapSkipped`.
        """
        checkpoint = Checkpoint(origin=request.origin, size=request.size, root=request.root)
        last = self.last
        if checkpoint.origin != self.history.origin:
            raise LogForked(f"the keys are of {self.history.origin}, not of {checkpoint.origin}")
        if last is None:
            if not self._may_begin:
                raise StateLost(self._memory.path)
        else:
            _demand_continuation(last.checkpoint, checkpoint, request.proof)
            if checkpoint == last.checkpoint:
                return last.note
            self._demand_overlap(last.checkpoint.size, checkpoint.size)
        at = _monotonic(last, request.at)
        text = note.sign(
            checkpoint.text(), self._signers_at(checkpoint.size), at=int(at.timestamp())
        )
        self.history.signed(text)  # what no verifier would accept does not leave
        # First on the disk, then out: after a crash between the two the same note is given again.
        self._remember(Remembered(note=text, at=at))
        return text

    def due(self, size: int) -> int:
        """Return the next size to sign for a log of this size: some may not be jumped over."""
        signed = self.last.checkpoint.size if self.last else 0
        return self.history.boundary_between(signed, size) or size

    def _demand_overlap(self, signed: int, size: int) -> None:
        if boundary := self.history.boundary_between(signed, size):
            raise OverlapSkipped(f"size {boundary}, where keys change, is to be signed first")

    def _signers_at(self, size: int) -> list[Signer]:
        verifiers = [record.verifier for record in self.history.in_force(size)]
        for one in verifiers:
            if one not in self._signers:
                self._signers[one] = self._signer_of(one)
        return [self._signers[one] for one in verifiers]

    def _remember(self, remembered: Remembered) -> None:
        self._memory.write(remembered)
        self.last = remembered


def adopt(folder: Path, text: str, *, history: KeyHistory, at: datetime) -> Checkpoint:
    """Let the signer go on from a checkpoint kept elsewhere, in place of a lost memory.

    Raise `KeyRefused` when this log's keys did not sign it, `StateUnusable` when the memory is
    there and knows more.
    """
    checkpoint = history.signed(text)
    own = memory.Memory(folder)
    try:
        with suppress(StateCorrupt):
            last = own.read(history)
            if last and last.checkpoint.size > checkpoint.size:
                raise StateUnusable(
                    f"{own.path} remembers {last.checkpoint.size} leaves, which is more than "
                    f"the {checkpoint.size} of this checkpoint"
                )
        signed = history.signed_at(text)
        if signed is not None:
            at = datetime.fromtimestamp(signed, UTC)
        own.write(Remembered(note=text, at=at))
    finally:
        own.close()
    return checkpoint


def _demand_continuation(last: Checkpoint, new: Checkpoint, proof: Sequence[bytes]) -> None:
    if new.size < last.size:
        raise LogForked(
            f"the log has {new.size} leaves, but {last.size} were signed: it was rolled back. "
            "Recover the rest, or begin a new log under a new origin"
        )
    try:
        merkle.verify_consistency(last.size, new.size, proof, last.root, new.root)
    except merkle.ProofInvalid as error:
        raise LogForked(
            f"the log of {new.size} leaves does not continue the signed one of {last.size}: "
            f"{error}. Run `trail verify`"
        ) from error


def _monotonic(last: Remembered | None, at: datetime) -> datetime:
    """Return the time to sign, never before the last one."""
    if last is None or at >= last.at:
        return at
    if last.at - at > TOLERANCE:
        raise ClockWentBack(
            f"it is {at.isoformat()}, and the last checkpoint was signed {last.at.isoformat()}: "
            "set the clock right before anything is signed"
        )
    return last.at
