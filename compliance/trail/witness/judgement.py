"""Decide whether a checkpoint is cosigned, and answer as the protocol says (C2SP tlog-witness)."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from compliance.trail.tlog import checkpoint, merkle, note, witness_request
from compliance.trail.tlog.checkpoint import Checkpoint
from compliance.trail.tlog.keys import KeyPair, Verifier
from compliance.trail.tlog.witness_request import AddCheckpoint
from compliance.trail.witness.memory import Memory

TEXT = "text/plain; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes back over HTTP."""

    status: int
    body: str
    content_type: str = TEXT


class No(Exception):
    """A refusal with its answer."""

    def __init__(self, status: int, reason: str, content_type: str = TEXT) -> None:
        super().__init__(reason)
        self.answer = Answer(status, f"{reason}\n", content_type)


class Witness:
    """A witness of some logs: `signers` are its keys, of one name or several."""

    def __init__(
        self,
        *,
        signers: Sequence[KeyPair],
        logs: Mapping[str, Sequence[Verifier]],
        memory: Memory,
        clock: Callable[[], float],
    ) -> None:
        self._signers = signers
        self._logs = logs
        self._memory = memory
        self._clock = clock

    def add_checkpoint(self, body: bytes) -> Answer:
        """Answer one request; the checkpoint is on disk before this returns 200."""
        try:
            asked, current = self._read(body)
            with self._memory.held(current.origin) as slot:
                _demand_continuation(asked, current, slot.last)
                slot.keep(current, asked.note)
                text = _text_of(asked.note)
                # Signed inside: "the largest size observed" must be true at the time it states.
                at = int(self._clock())
                lines = [note.signature_of(text, one, at=at).line for one in self._signers]
        except No as refusal:
            return refusal.answer
        return Answer(200, "".join(lines))

    def _read(self, body: bytes) -> tuple[AddCheckpoint, Checkpoint]:
        """Return the request with its checkpoint, signed by a key that is trusted for its log."""
        try:
            asked = AddCheckpoint.parse(body)
            current = Checkpoint.parse(_text_of(asked.note))
        except (witness_request.RequestInvalid, checkpoint.CheckpointInvalid) as error:
            raise No(400, str(error)) from error
        trusted = self._logs.get(current.origin)
        if trusted is None:
            raise No(404, "unknown log")
        try:
            note.open(asked.note, trusted)
        except note.NoteInvalid as error:
            # Also where a signature line is no signature: then none of them verified.
            raise No(403, f"invalid signature: {error}") from error
        if asked.old > current.size:
            raise No(400, "the old size is larger than the checkpoint's")
        return asked, current


def _text_of(signed: str) -> str:
    text, blank, lines = signed.rpartition("\n\n")
    if not blank or not lines.endswith("\n"):
        raise witness_request.RequestInvalid("the checkpoint is no text with signature lines")
    return text + "\n"


def _demand_continuation(
    asked: AddCheckpoint, current: Checkpoint, last: Checkpoint | None
) -> None:
    size, root = (last.size, last.root) if last else (0, merkle.EMPTY_ROOT)
    if asked.old != size:
        raise No(409, str(size), witness_request.SIZE_TYPE)
    if current.size == size and current.root != root and not asked.steps:
        raise No(409, f"another root was cosigned for {size} leaves")
    try:
        merkle.verify_consistency(size, current.size, asked.steps, root, current.root)
    except merkle.ProofInvalid as error:
        raise No(422, f"the consistency proof does not verify: {error}") from error
