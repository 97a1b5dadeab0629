"""Name, encode and use the keys that sign notes (C2SP signed-note, tlog-cosignature)."""

from dataclasses import dataclass, field
from hashlib import sha256
from typing import Protocol, Self

from cryptography.exceptions import InvalidSignature

from compliance.trail.tlog import octets, schemes
from compliance.trail.tlog.schemes import (
    COSIGNATURE_V1,
    ED25519,
    MAX_TIMESTAMP,
    ML_DSA_44,
    KeyInvalid,
    cosigned_message,
    verify_ed25519,
)

__all__ = [  # whoever uses keys names their types and their one error from here
    "COSIGNATURE_V1",
    "ED25519",
    "MAX_TIMESTAMP",
    "ML_DSA_44",
    "KeyInvalid",
    "KeyPair",
    "SignatureInvalid",
    "Signer",
    "Verifier",
    "cosigned_message",
    "is_name",
    "verify_ed25519",
]

_PRIVATE = "PRIVATE+KEY+"


class SignatureInvalid(ValueError):
    """A known key did not make this signature."""


@dataclass(frozen=True, slots=True)
class Verifier:
    """A public key, the name it signs under, and what its signatures look like."""

    name: str
    algorithm: int
    public_key: bytes

    def __post_init__(self) -> None:
        _check_name(self.name, self.algorithm)
        primitive = schemes.of(self.algorithm).primitive
        _check_size(self.public_key, primitive.public_key_size)
        primitive.check_public_key(self.public_key)

    @property
    def key_id(self) -> bytes:
        """The four bytes that, with the name, say which key signed."""
        return _key_id(self.name, bytes([self.algorithm]) + self.public_key)

    @property
    def vkey(self) -> str:
        """The text form of this public key."""
        return _to_text(self.name, self.key_id, self.algorithm, self.public_key)

    @classmethod
    def parse(cls, vkey: str) -> Self:
        """Read the text form of a public key, or raise `KeyInvalid`."""
        name, key_id, algorithm, public_key = _from_text(vkey)
        verifier = cls(name, algorithm, public_key)
        if verifier.key_id != key_id:
            raise KeyInvalid(f"{name}: the key ID is not the one of this key")
        return verifier

    def verify(self, text: str, signature: bytes) -> int | None:
        """Return the signed POSIX time, if the algorithm has one, or raise `SignatureInvalid`."""
        try:
            return schemes.of(self.algorithm).verify(
                self.public_key, signature, name=self.name, text=text
            )
        except InvalidSignature as error:
            raise SignatureInvalid(f"the signature of {self.name} does not verify") from error


class Signer(Protocol):
    """A private key that can sign, wherever it is kept."""

    @property
    def name(self) -> str: ...
    @property
    def algorithm(self) -> int: ...
    @property
    def verifier(self) -> Verifier: ...
    def sign(self, text: str, *, at: int | None = None) -> bytes:
        """Sign a text; `at`, POSIX seconds, is for the algorithms that sign the time."""


@dataclass(frozen=True, slots=True)
class KeyPair:
    """A private key and the name it signs under."""

    name: str
    algorithm: int
    seed: bytes = field(repr=False)

    def __post_init__(self) -> None:
        _check_name(self.name, self.algorithm)
        _check_size(self.seed, schemes.of(self.algorithm).primitive.seed_size)

    @classmethod
    def generate(cls, name: str, *, algorithm: int = ED25519) -> Self:
        """Make a new key from the randomness of the operating system."""
        return cls(name, algorithm, schemes.of(algorithm).primitive.generate())

    @property
    def verifier(self) -> Verifier:
        """The public half."""
        public_key = schemes.of(self.algorithm).primitive.public_key(self.seed)
        return Verifier(self.name, self.algorithm, public_key)

    @property
    def skey(self) -> str:
        """The text form of this private key."""
        return _PRIVATE + _to_text(self.name, self.verifier.key_id, self.algorithm, self.seed)

    @classmethod
    def parse(cls, skey: str) -> Self:
        """Read the text form of a private key, or raise `KeyInvalid`."""
        if not skey.startswith(_PRIVATE):
            raise KeyInvalid("not a private key")
        name, key_id, algorithm, seed = _from_text(skey.removeprefix(_PRIVATE))
        pair = cls(name, algorithm, seed)
        if pair.verifier.key_id != key_id:
            raise KeyInvalid(f"{name}: the key ID is not the one of this key")
        return pair

    def sign(self, text: str, *, at: int | None = None) -> bytes:
        """Sign a text; `at`, POSIX seconds, is for the algorithms that sign the time."""
        scheme = schemes.of(self.algorithm)
        return scheme.sign(
            lambda message: scheme.primitive.sign(self.seed, message),
            name=self.name,
            text=text,
            at=at,
        )


def is_name(name: str) -> bool:
    """Say whether a key may have this name: not empty, without spaces, plus or control codes."""
    return bool(name) and not any(c.isspace() or c == "+" or c < " " for c in name)


def _check_name(name: str, algorithm: int) -> None:
    longest = schemes.of(algorithm).max_name
    if not is_name(name) or (longest is not None and len(name.encode()) > longest):
        raise KeyInvalid(f"{name!r} is not a name for a key of this type")


def _check_size(key: bytes, size: int) -> None:
    if len(key) != size:
        raise KeyInvalid(f"a key of this type has {size} bytes, not {len(key)}")


def _key_id(name: str, typed_key: bytes) -> bytes:
    return sha256(name.encode() + b"\n" + typed_key).digest()[:4]


def _to_text(name: str, key_id: bytes, algorithm: int, key: bytes) -> str:
    return f"{name}+{key_id.hex()}+{octets.to_base64(bytes([algorithm]) + key)}"


def _from_text(text: str) -> tuple[str, bytes, int, bytes]:
    try:
        name, hexadecimal, encoded = text.split("+", 2)
        key_id, typed_key = bytes.fromhex(hexadecimal), octets.from_base64(encoded)
    except ValueError as error:
        raise KeyInvalid("a key is written name+id+base64") from error
    if key_id.hex() != hexadecimal or not typed_key:
        raise KeyInvalid("a key is written name+id+base64")
    return name, key_id, typed_key[0], typed_key[1:]
