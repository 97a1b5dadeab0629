"""Sign and open notes: text with signature lines below it (C2SP signed-note)."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from compliance.trail.tlog import keys, octets
from compliance.trail.tlog.keys import Signer, Verifier

MAX_BYTES = 1_000_000
MAX_SIGNATURES = 100

_DASH = "\N{EM DASH} "
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f]")


class NoteInvalid(ValueError):
    """A note whose text must not be used."""


class NoteMalformed(NoteInvalid):
    """Not the form of a signed note."""


class SignatureFailed(NoteInvalid):
    """A known key is named, and did not sign this text."""


class NoteUnsigned(NoteInvalid):
    """No known key signed this note."""


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature line, not verified."""

    name: str
    key_id: bytes
    signature: bytes

    @property
    def line(self) -> str:
        """The line in the note, with its newline."""
        return f"{_DASH}{self.name} {octets.to_base64(self.key_id + self.signature)}\n"


@dataclass(frozen=True, slots=True)
class Verified:
    """A signature of a known key, verified; `at` is its POSIX time if it signs one."""

    verifier: Verifier
    at: int | None


@dataclass(frozen=True, slots=True)
class Opened:
    """The text of a note with who signed it, and the signatures of keys nobody here knows."""

    text: str
    verified: tuple[Verified, ...]
    unknown: tuple[Signature, ...]

    @property
    def names(self) -> frozenset[str]:
        """Names under which known keys signed."""
        return frozenset(one.verifier.name for one in self.verified)


def sign(text: str, signers: Iterable[Signer], *, at: int | None = None) -> str:
    """Return the note of a text; `at`, POSIX seconds, is for keys that sign the time."""
    if not text.endswith("\n"):
        raise NoteMalformed("the text does not end in a newline")
    _checked(text)
    lines = [signature_of(text, signer, at=at).line for signer in signers]
    if not lines:
        raise NoteUnsigned("a note needs a signature")
    return f"{text}\n{''.join(lines)}"


def signature_of(text: str, signer: Signer, *, at: int | None = None) -> Signature:
    """Sign a text, as a witness does that answers with its line only."""
    return Signature(signer.name, signer.verifier.key_id, signer.sign(text, at=at))


def add(note: str, signatures: Iterable[Signature]) -> str:
    """Return the note with more signature lines."""
    added = note + "".join(signature.line for signature in signatures)
    split(added)
    return added


def split(note: str | bytes) -> tuple[str, tuple[Signature, ...]]:
    """Return text and signature lines, nothing verified, or raise `NoteMalformed`."""
    note = _checked(note)
    # The text may have empty lines: the last one separates it from the signatures.
    text, blank, lines = note.rpartition("\n\n")
    if not blank or not lines.endswith("\n"):
        raise NoteMalformed("not a text, an empty line and signature lines")
    # Counted before splitting, and split at newlines only: splitlines() knows ten more.
    if lines.count("\n") > MAX_SIGNATURES:
        raise NoteMalformed(f"more than {MAX_SIGNATURES} signatures")
    return text + "\n", tuple(_parse(line) for line in lines[:-1].split("\n"))


def open(  # noqa: A001 -- the verb of the specification; called as note.open
    note: str | bytes, verifiers: Sequence[Verifier]
) -> Opened:
    """Return the text of a note that a known key signed, or raise `NoteInvalid`.

    Signatures of unknown keys are set aside. One of a known key that fails, or a second one of the
    same key, makes the whole note unusable.
    """
    known = _by_identity(verifiers)
    text, signatures = split(note)
    verified: dict[tuple[str, bytes], Verified] = {}
    unknown = []
    for signature in signatures:
        identity = signature.name, signature.key_id
        verifier = known.get(identity)
        if verifier is None:
            unknown.append(signature)
            continue
        if identity in verified:
            raise NoteMalformed(f"two signatures of one key of {verifier.name}")
        try:
            verified[identity] = Verified(verifier, verifier.verify(text, signature.signature))
        except keys.SignatureInvalid as error:
            raise SignatureFailed(str(error)) from error
    if not verified:
        raise NoteUnsigned("no known key signed this note")
    return Opened(text, tuple(verified.values()), tuple(unknown))


def _by_identity(verifiers: Sequence[Verifier]) -> dict[tuple[str, bytes], Verifier]:
    known = {(verifier.name, verifier.key_id): verifier for verifier in verifiers}
    # Key IDs have 32 bits: two keys can meet, and then nobody can say which one is meant.
    if len(known) != len(set(verifiers)):
        raise keys.KeyInvalid("two keys have the same name and the same key ID")
    return known


def _parse(line: str) -> Signature:
    name, space, encoded = line.removeprefix(_DASH).partition(" ")
    if not line.startswith(_DASH) or not space or not keys.is_name(name):
        raise NoteMalformed("a signature line is: em dash, name, base64")
    try:
        identified = octets.from_base64(encoded)
    except ValueError as error:
        raise NoteMalformed(f"the signature of {name} is {error}") from error
    if len(identified) <= 4:
        raise NoteMalformed(f"the signature of {name} is too short")
    return Signature(name, identified[:4], identified[4:])


def _checked(text: str | bytes) -> str:
    try:
        data = text.encode() if isinstance(text, str) else text
        text = data.decode()
    except UnicodeError as error:
        raise NoteMalformed("not UTF-8") from error
    if len(data) > MAX_BYTES:
        raise NoteMalformed(f"longer than {MAX_BYTES} bytes")
    if _CONTROL.search(text):
        raise NoteMalformed("a control character other than newline")
    return text
