"""Say which keys of a log count at which tree size, and open its checkpoints accordingly.

Of a checkpoint, every key in force at its size must have signed (Ed25519 and ML-DSA-44: it then
holds while one of the two does), and no other key of the log. Where one key follows another, one
checkpoint is signed by both.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Self

from compliance.trail.tlog import key_documents, note, policy_lines
from compliance.trail.tlog.checkpoint import Checkpoint, CheckpointInvalid
from compliance.trail.tlog.key_documents import Document, Event, KeyRefused
from compliance.trail.tlog.keys import Verifier


class HistoryBroken(KeyRefused):
    """A document does not follow from the ones before it."""


class SignerNotInForce(HistoryBroken):
    """A document is signed by a key that was not in force, or is compromised."""


class NotACheckpoint(KeyRefused):
    """A note that is not a checkpoint of this log."""


class NoKeyInForce(KeyRefused):
    """No key was in force at the size of a checkpoint."""


class KeyOutOfRange(KeyRefused):
    """A key of the log signed a checkpoint of a size at which it was not in force."""


class SignatureWrong(KeyRefused):
    """A signature of a key in force does not verify."""


class SignatureMissing(KeyRefused):
    """A key that was in force did not sign."""


class KeyCompromised(KeyRefused):
    """Nothing proves that a checkpoint was signed before its key was compromised."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRecord:
    """A key and the tree sizes at which it is in force: `from_size` on, before `to_size`."""

    verifier: Verifier
    from_size: int
    to_size: int | None = None
    compromised_at: datetime | None = None

    @property
    def vkey(self) -> str:
        """The text form of the key."""
        return self.verifier.vkey

    def is_in_force(self, size: int) -> bool:
        """Say whether checkpoints of this size need the signature of this key."""
        return self.from_size <= size and (self.to_size is None or size < self.to_size)


@dataclass(frozen=True, slots=True)
class KeyHistory:
    """All keys that one log ever had."""

    origin: str
    records: tuple[KeyRecord, ...]

    @classmethod
    def replay(cls, origin: str, *, pinned: Iterable[Verifier], documents: Iterable[str]) -> Self:
        """Build the history from the keys that the log began with and its documents, in order.

        The pinned keys are what the caller trusts already. Raise `KeyRefused` for a document that
        a key with the right to do so did not sign, or that contradicts the ones before it.
        """
        history = cls(origin, tuple(KeyRecord(verifier=one, from_size=0) for one in pinned))
        for text in documents:
            history = history.followed_by(key_documents.parse(text, origin=origin))
        return history

    def followed_by(self, document: Document) -> Self:
        """Return the history with one more event, or raise `HistoryBroken`."""
        match document.event:
            case Event.BEGIN | Event.ROTATE:
                changed = self._begun(document)
            case Event.RETIRE | Event.COMPROMISE:
                changed = self._ended(document)
        return type(self)(self.origin, changed)

    def in_force(self, size: int) -> tuple[KeyRecord, ...]:
        """Return the keys that must all sign a checkpoint of this size."""
        return tuple(record for record in self.records if record.is_in_force(size))

    def record_of(self, verifier: Verifier) -> KeyRecord | None:
        """Return what is known of a key."""
        return next((one for one in self.records if one.verifier == verifier), None)

    def boundary_between(self, signed: int, size: int) -> int | None:
        """Return the first size above `signed`, below `size`, at which a key comes into force.

        That checkpoint is the one both keys sign; whoever signs must not jump over it.
        """
        starts = (record.from_size for record in self.records)
        return min((start for start in starts if signed < start < size), default=None)

    def signed(self, text: str) -> Checkpoint:
        """Return the checkpoint that all keys in force signed, compromised or not."""
        return self._opened(text)[0]

    def signed_at(self, text: str) -> int | None:
        """Return the POSIX time in the note of such a checkpoint; None where no key signs the time."""
        return self._opened(text)[2]

    def open(self, text: str, *, proved_at: datetime | None = None) -> Checkpoint:
        """Return the checkpoint of a note, or raise a `KeyRefused` that says what is wrong.

        `proved_at` is when a witness or a time-stamping authority saw this very note, as verified
        by the caller: with a compromised key only that time shows that its owner signed.
        """
        return self.timed(text, proved_at=proved_at)[0]

    def timed(
        self, text: str, *, proved_at: datetime | None = None
    ) -> tuple[Checkpoint, int | None]:
        """Return what `open` does, and the POSIX time that was signed with it, if any."""
        checkpoint, records, at = self._opened(text)
        for record in records:
            if record.compromised_at is None:
                continue
            if proved_at is None or proved_at >= record.compromised_at:
                raise KeyCompromised(
                    f"checkpoint {checkpoint.size}: a key that signed it was compromised "
                    f"{record.compromised_at.isoformat()}, and no witness and no time stamp from "
                    "before shows that it existed then"
                )
        return checkpoint, at

    def _opened(self, text: str) -> tuple[Checkpoint, tuple[KeyRecord, ...], int | None]:
        try:
            body, signatures = note.split(text)
            checkpoint = Checkpoint.parse(body)
        except (note.NoteInvalid, CheckpointInvalid) as error:
            raise NotACheckpoint(str(error)) from error
        if checkpoint.origin != self.origin:
            raise NotACheckpoint(f"a checkpoint of {checkpoint.origin}, not of {self.origin}")
        records = self.in_force(checkpoint.size)
        if not records:
            raise NoKeyInForce(f"no key was in force at size {checkpoint.size}")
        self._demand_range(checkpoint.size, signatures)
        return checkpoint, records, _demand_all(text, checkpoint.size, records)

    def _demand_range(self, size: int, signatures: Iterable[note.Signature]) -> None:
        named = {(one.name, one.key_id) for one in signatures}
        for record in self.records:
            identity = record.verifier.name, record.verifier.key_id
            if identity in named and not record.is_in_force(size):
                raise KeyOutOfRange(
                    f"checkpoint {size} is signed by key {identity[1].hex()}, which is in force "
                    f"from {record.from_size} to {record.to_size}"
                )

    def _begun(self, document: Document) -> tuple[KeyRecord, ...]:
        new, start = document.verifier, document.from_size or 0
        signer = self._signer(document, size=start)
        # As of the keys that the log began with: a witness's key, or one of another log, could
        # otherwise sign for this one.
        if new.name != self.origin or new.algorithm not in policy_lines.LOG_TYPES:
            raise HistoryBroken(f"the key of {new.name} is none that signs for {self.origin}")
        if any(_same_identity(new, record.verifier) for record in self.records):
            raise HistoryBroken(f"key {new.key_id.hex()} has been in this log before")
        # Several keys may be exchanged at one size, but none of it in the past.
        if start < max(1, *(record.from_size for record in self.records)):
            raise HistoryBroken("a key begins before one that was announced earlier")
        begun = KeyRecord(verifier=new, from_size=start)
        if document.event is Event.BEGIN:
            return (*self.records, begun)
        if new.algorithm != signer.verifier.algorithm:
            raise HistoryBroken("a key is followed by one of its own type")
        if document.to_size != start + 1:
            raise HistoryBroken("old and new key sign exactly one checkpoint together")
        return (*self._with(replace(signer, to_size=document.to_size)), begun)

    def _ended(self, document: Document) -> tuple[KeyRecord, ...]:
        record = self.record_of(document.verifier)
        end = document.to_size
        if record is None or end is None:
            raise HistoryBroken("a key that this log never had comes to an end")
        moment = document.compromised_at
        # Whoever has a stolen key can only give it up with such a document, so it may sign it.
        if moment is None or document.signed_by != document.verifier:
            self._signer(document, size=end)
        if moment is None and record.to_size is not None:
            raise HistoryBroken("a key comes to an end twice")
        if moment and record.compromised_at and moment >= record.compromised_at:
            raise HistoryBroken("a compromise is corrected to an earlier time only")
        if end <= record.from_size:
            raise HistoryBroken("a key ends before it begins")
        if record.to_size is not None:
            end = min(end, record.to_size)
        return self._with(replace(record, to_size=end, compromised_at=moment))

    def _signer(self, document: Document, *, size: int) -> KeyRecord:
        """Return the record of the key that signed, which must go on and be nobody else's."""
        record = self.record_of(document.signed_by)
        if record is None:
            raise SignerNotInForce("a document about a key is signed by no key of this log")
        # A key that has an end decides nothing more, or its finder could begin keys for ever.
        if record.to_size is not None or record.from_size > size:
            raise SignerNotInForce(
                f"key {record.verifier.key_id.hex()} signed a document about a key "
                "without being in force"
            )
        return record

    def _with(self, changed: KeyRecord) -> tuple[KeyRecord, ...]:
        return tuple(
            changed if record.verifier == changed.verifier else record for record in self.records
        )


def _same_identity(one: Verifier, other: Verifier) -> bool:
    return (one.name, one.key_id) == (other.name, other.key_id) or (
        one.public_key == other.public_key
    )


def _demand_all(text: str, size: int, records: Sequence[KeyRecord]) -> int | None:
    """Return the latest time that the keys signed, where all of them signed."""
    verifiers = [record.verifier for record in records]
    try:
        opened = note.open(text, verifiers)
    except note.NoteUnsigned as error:
        raise SignatureMissing(f"checkpoint {size}: no key in force signed it") from error
    except ValueError as error:
        raise SignatureWrong(f"checkpoint {size}: {error}") from error
    present = {one.verifier for one in opened.verified}
    missing = [one.key_id.hex() for one in verifiers if one not in present]
    if missing:
        raise SignatureMissing(f"checkpoint {size}: key {', '.join(missing)} did not sign it")
    return max((one.at for one in opened.verified if one.at is not None), default=None)
