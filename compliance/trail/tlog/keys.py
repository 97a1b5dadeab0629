"""Name, encode and use the keys that sign notes (C2SP signed-note, tlog-cosignature)."""

from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256
from typing import NamedTuple, Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)

from compliance.trail.tlog import octets

ED25519 = 0x01
COSIGNATURE_V1 = 0x04  # Ed25519 with the time of signing, for witnesses

MAX_TIMESTAMP = 2**63 - 1
_PRIVATE = "PRIVATE+KEY+"

# RFC 8032 5.1: p, and the y of the eight points whose order divides 8.
_FIELD = 2**255 - 19
_ORDER_8 = 0x05FC536D880238B13933C6D305ACDFD5F098EFF289F4C345B027B2C28F95E826
_SMALL_ORDER = {0, 1, _FIELD - 1, _ORDER_8, _FIELD - _ORDER_8}


class KeyInvalid(ValueError):
    """A key, or its text form, that cannot be used."""


class SignatureInvalid(ValueError):
    """A known key did not make this signature."""


@dataclass(frozen=True, slots=True)
class Verifier:
    """A public key, the name it signs under, and what its signatures look like."""

    name: str
    algorithm: int
    public_key: bytes

    def __post_init__(self) -> None:
        _check_name(self.name)
        scheme = _scheme(self.algorithm)
        _check_size(self.public_key, scheme.public_key_size)
        scheme.check_public_key(self.public_key)

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
            raise KeyInvalid(f"{name[:80]}: the key ID is not the one of this key")
        return verifier

    def verify(self, text: str, signature: bytes) -> int | None:
        """Return the signed POSIX time, if the algorithm has one, or raise `SignatureInvalid`."""
        try:
            return _scheme(self.algorithm).verify(self.public_key, text, signature)
        except InvalidSignature as error:
            raise SignatureInvalid(f"the signature of {self.name} does not verify") from error


@dataclass(frozen=True, slots=True)
class KeyPair:
    """A private key and the name it signs under."""

    name: str
    algorithm: int
    seed: bytes = field(repr=False)

    def __post_init__(self) -> None:
        _check_name(self.name)
        _check_size(self.seed, _scheme(self.algorithm).seed_size)

    @classmethod
    def generate(cls, name: str, *, algorithm: int = ED25519) -> Self:
        """Make a new key from the randomness of the operating system."""
        return cls(name, algorithm, _scheme(algorithm).generate())

    @property
    def verifier(self) -> Verifier:
        """The public half."""
        return Verifier(self.name, self.algorithm, _scheme(self.algorithm).public_key(self.seed))

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
            raise KeyInvalid(f"{name[:80]}: the key ID is not the one of this key")
        return pair

    def sign(self, text: str, *, at: int | None = None) -> bytes:
        """Sign a text; `at`, POSIX seconds, is for the algorithms that sign the time."""
        return _scheme(self.algorithm).sign(self.seed, text, at)


def verify_ed25519(public_key: bytes, message: bytes, signature: bytes) -> None:
    """Raise `InvalidSignature` unless this key signed this message (RFC 8032 section 5.1.7)."""
    Ed25519PublicKey.from_public_bytes(public_key).verify(signature, message)


def cosigned_message(text: str, at: int) -> bytes:
    """Return what a witness signs for a checkpoint it saw at a POSIX time."""
    return f"cosignature/v1\ntime {at}\n{text}".encode()


class _Scheme(NamedTuple):
    public_key_size: int
    seed_size: int
    check_public_key: Callable[[bytes], None]
    generate: Callable[[], bytes]
    public_key: Callable[[bytes], bytes]
    sign: Callable[[bytes, str, int | None], bytes]
    verify: Callable[[bytes, str, bytes], int | None]


def _check_ed25519(public_key: bytes) -> None:
    # The library verifies with such keys, and with some of them one signature fits many texts:
    # its owner could later say to have signed another.
    y = int.from_bytes(public_key, "little") & ((1 << 255) - 1)
    if y >= _FIELD or y in _SMALL_ORDER:
        raise KeyInvalid("a public key of small order or in a second spelling")


def _generate_ed25519() -> bytes:
    return Ed25519PrivateKey.generate().private_bytes_raw()


def _public_ed25519(seed: bytes) -> bytes:
    return Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()


def _sign_ed25519(seed: bytes, text: str, _at: int | None) -> bytes:
    return Ed25519PrivateKey.from_private_bytes(seed).sign(text.encode())


def _verify_ed25519(public_key: bytes, text: str, signature: bytes) -> None:
    verify_ed25519(public_key, text.encode(), signature)


def _sign_cosignature(seed: bytes, text: str, at: int | None) -> bytes:
    if at is None or not 0 <= at <= MAX_TIMESTAMP:
        raise ValueError(f"a cosignature needs a POSIX time, not {at}")
    signature = Ed25519PrivateKey.from_private_bytes(seed).sign(cosigned_message(text, at))
    return at.to_bytes(8, "big") + signature


def _verify_cosignature(public_key: bytes, text: str, signature: bytes) -> int:
    at = int.from_bytes(signature[:8], "big")
    if at > MAX_TIMESTAMP:
        raise InvalidSignature
    verify_ed25519(public_key, cosigned_message(text, at), signature[8:])
    return at


_ED25519 = _Scheme(
    public_key_size=32,
    seed_size=32,
    check_public_key=_check_ed25519,
    generate=_generate_ed25519,
    public_key=_public_ed25519,
    sign=_sign_ed25519,
    verify=_verify_ed25519,
)
_SCHEMES = {
    ED25519: _ED25519,
    COSIGNATURE_V1: _ED25519._replace(sign=_sign_cosignature, verify=_verify_cosignature),
}


def _scheme(algorithm: int) -> _Scheme:
    if algorithm not in _SCHEMES:
        raise KeyInvalid(f"signature type 0x{algorithm:02x} is not supported")
    return _SCHEMES[algorithm]


def is_name(name: str) -> bool:
    """Say whether a key may have this name: UTF-8, not empty, without space, plus or control."""
    return bool(name) and not any(
        c.isspace() or c == "+" or c < " " or "\ud800" <= c <= "\udfff" for c in name
    )


def _check_name(name: str) -> None:
    if not is_name(name):
        raise KeyInvalid(f"{name[:80]!r} is not a name for a key")


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
