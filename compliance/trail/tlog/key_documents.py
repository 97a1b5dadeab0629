"""Write and read the signed documents by which a log's keys begin, follow each other and end."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from hashlib import sha256

from compliance.trail.tlog import canonical, merkle, note, octets, shapes
from compliance.trail.tlog.checkpoint import Checkpoint, CheckpointInvalid
from compliance.trail.tlog.keys import Signer, Verifier

VERSION = 1
MAX_SIZE = canonical.MAX_INTEGER
_MEMBERS = {
    "v", "event", "vkey", "from_size", "to_size", "compromised_at", "signed_by", "signature",
}  # fmt: skip


class KeyRefused(ValueError):
    """Something about a key of the log that must not be believed."""


class DocumentInvalid(KeyRefused):
    """Not the form of a document about a key."""


class DocumentUnsigned(KeyRefused):
    """The key that a document names as its signer did not sign it."""


class Event(StrEnum):
    BEGIN = "begin"  # a further key signs from `from_size` on
    ROTATE = "rotate"  # the same, and its signer stops at `to_size`
    RETIRE = "retire"  # the key stops at `to_size`
    COMPROMISE = "compromise"  # the same, and nothing of it counts from `compromised_at` on


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """One event in the life of a key; sizes are tree sizes, ends are exclusive."""

    event: Event
    verifier: Verifier
    signed_by: Verifier
    from_size: int | None = None
    to_size: int | None = None
    compromised_at: datetime | None = None

    def __post_init__(self) -> None:
        has = (
            self.from_size is not None,
            self.to_size is not None,
            self.compromised_at is not None,
        )
        if has != _NEEDED[self.event]:
            raise DocumentInvalid(f"a document of the event {self.event} has other members")
        sizes = [size for size in (self.from_size, self.to_size) if size is not None]
        if any(not 0 <= size <= MAX_SIZE for size in sizes):
            raise DocumentInvalid("a size is out of range")

    def signed(self, signer: Signer, *, origin: str, at: int) -> str:
        """Return the canonical JSON of this document with its signature."""
        if signer.verifier != self.signed_by:
            raise DocumentInvalid(f"{signer.name} is not the key that signs this document")
        signature = octets.to_base64(
            note.sign(_signed_text(origin, self), [signer], at=at).encode()
        )
        return canonical.dumps(self.members() | {"signature": signature}).decode()

    def members(self) -> dict[str, canonical.Value]:
        """Return what is signed."""
        moment = self.compromised_at
        return {
            "v": VERSION,
            "event": str(self.event),
            "vkey": self.verifier.vkey,
            "from_size": self.from_size,
            "to_size": self.to_size,
            "compromised_at": _written(moment) if moment else None,
            "signed_by": self.signed_by.vkey,
        }


_NEEDED = {  # from_size, to_size, compromised_at
    Event.BEGIN: (True, False, False),
    Event.ROTATE: (True, True, False),
    Event.RETIRE: (False, True, False),
    Event.COMPROMISE: (False, True, True),
}


def parse(text: str, *, origin: str) -> Document:
    """Read a document that its signer signed, or raise `KeyRefused`.

    Whether that key had a right to sign is for `key_history`.
    """
    try:
        members = canonical.loads(text.encode())
    except (canonical.NotCanonical, UnicodeError) as error:
        raise DocumentInvalid(f"a document about a key: {error}") from error
    if not isinstance(members, dict) or set(members) != _MEMBERS:
        raise DocumentInvalid("not the members of a document about a key")
    signature = str(members["signature"])
    document = _read(members)
    # Another version, JSON true for 1, a number for a text: one comparison for all.
    if canonical.dumps(document.members() | {"signature": signature}) != text.encode():
        raise DocumentInvalid("not the form of a document of version 1")
    _demand_signature(document, signature, origin)
    return document


def _read(members: Mapping[str, object]) -> Document:
    try:
        return Document(
            event=Event(str(members["event"])),
            verifier=Verifier.parse(str(members["vkey"])),
            signed_by=Verifier.parse(str(members["signed_by"])),
            from_size=_size(members["from_size"]),
            to_size=_size(members["to_size"]),
            compromised_at=_moment(members["compromised_at"]),
        )
    except KeyRefused:
        raise
    except ValueError as error:
        raise DocumentInvalid(f"a document about a key: {error}") from error


def _demand_signature(document: Document, signature: str, origin: str) -> None:
    try:
        opened = note.open(octets.from_base64(signature), [document.signed_by])
    except note.NoteInvalid as error:
        raise DocumentUnsigned(f"{document.signed_by.name} did not sign: {error}") from error
    except ValueError as error:
        raise DocumentInvalid(f"the signature is {error}") from error
    if opened.text != _signed_text(origin, document) or opened.unknown:
        raise DocumentUnsigned("the signature is over something else than this document")


def _signed_text(origin: str, document: Document) -> str:
    """Return what a key signs to sign a document: the checkpoint of a log with it as only leaf.

    ML-DSA-44 note signatures cover checkpoints and nothing else. The origin has the document's
    hash: each document is a log of its own, so that no key ever signs two trees of one origin.
    """
    data = canonical.dumps(document.members())
    try:
        only = Checkpoint(
            origin=f"{origin}/key/{sha256(data).hexdigest()}", size=1, root=merkle.leaf_hash(data)
        )
    except CheckpointInvalid as error:
        raise DocumentInvalid(str(error)) from error
    return only.text()


def _size(value: object) -> int | None:
    if value is None or type(value) is int:
        return value
    raise DocumentInvalid("a size is no whole number")


def _moment(value: object) -> datetime | None:
    return None if value is None else shapes.moment(value)


def _written(moment: datetime) -> str:
    # Not strftime: whether %Y fills up with zeros depends on the platform.
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"
