"""Say for each type of note signature what is signed, and by which algorithm.

C2SP signed-note (0x01) and tlog-cosignature (0x04 and 0x06), as they were in 2026.
"""

from collections.abc import Callable
from typing import NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey, MLDSA44PublicKey

from compliance.trail.tlog.checkpoint import Checkpoint, CheckpointInvalid

ED25519 = 0x01
COSIGNATURE_V1 = 0x04  # Ed25519 with the time of signing, for witnesses
ML_DSA_44 = 0x06  # FIPS 204, with the time of signing, for logs and witnesses

MAX_TIMESTAMP = 2**63 - 1
_SUBTREE_LABEL = b"subtree/v1\n\0"

# RFC 8032 5.1: p, and the y of the eight points whose order divides 8.
_FIELD = 2**255 - 19
_ORDER_8 = 0x05FC536D880238B13933C6D305ACDFD5F098EFF289F4C345B027B2C28F95E826
_SMALL_ORDER = {0, 1, _FIELD - 1, _ORDER_8, _FIELD - _ORDER_8}


class KeyInvalid(ValueError):
    """A key, or its text form, that cannot be used."""


class Primitive(NamedTuple):
    """A signature algorithm over bytes; private keys are seeds."""

    public_key_size: int
    seed_size: int
    check_public_key: Callable[[bytes], None]
    generate: Callable[[], bytes]
    public_key: Callable[[bytes], bytes]
    sign: Callable[[bytes, bytes], bytes]
    verify: Callable[[bytes, bytes, bytes], None]


class Scheme(NamedTuple):
    """What a type of note signature makes of a text before it is signed."""

    primitive: Primitive
    is_timed: bool
    max_name: int | None  # bytes
    message: Callable[[str, str, int], bytes]  # name, text, POSIX time

    def sign(
        self, sign: Callable[[bytes], bytes], *, name: str, text: str, at: int | None
    ) -> bytes:
        """Return the signature that goes into the note; `sign` is the key, wherever it is."""
        if not self.is_timed:
            return sign(self.message(name, text, 0))
        if at is None or not 0 <= at <= MAX_TIMESTAMP:
            raise ValueError(f"a cosignature needs a POSIX time, not {at}")
        return at.to_bytes(8, "big") + sign(self.message(name, text, at))

    def verify(self, public_key: bytes, signature: bytes, *, name: str, text: str) -> int | None:
        """Return the signed time, if there is one, or raise `InvalidSignature`."""
        at = int.from_bytes(signature[:8], "big") if self.is_timed else 0
        if at > MAX_TIMESTAMP:
            raise InvalidSignature
        try:
            message = self.message(name, text, at)
        except CheckpointInvalid as error:
            raise InvalidSignature from error
        self.primitive.verify(public_key, message, signature[8:] if self.is_timed else signature)
        # tlog-cosignature: a time of zero says nothing about when.
        return at or None


def of(algorithm: int) -> Scheme:
    """Return the scheme of a signature type, or raise `KeyInvalid`."""
    if algorithm not in _SCHEMES:
        raise KeyInvalid(f"signature type 0x{algorithm:02x} is not supported")
    return _SCHEMES[algorithm]


def verify_ed25519(public_key: bytes, message: bytes, signature: bytes) -> None:
    """Raise `InvalidSignature` unless this key signed this message (RFC 8032 section 5.1.7)."""
    Ed25519PublicKey.from_public_bytes(public_key).verify(signature, message)


def verify_ml_dsa_44(public_key: bytes, message: bytes, signature: bytes) -> None:
    """Raise `InvalidSignature` unless this key signed this message (FIPS 204 algorithm 3)."""
    MLDSA44PublicKey.from_public_bytes(public_key).verify(signature, message)


def cosigned_message(text: str, at: int) -> bytes:
    """Return what an Ed25519 witness signs for a checkpoint it saw at a POSIX time."""
    return f"cosignature/v1\ntime {at}\n{text}".encode()


def cosigned_tree(name: str, text: str, at: int) -> bytes:
    """Return what an ML-DSA-44 key signs for a checkpoint, or raise `CheckpointInvalid`.

    The `cosigned_message` of tlog-cosignature with `start` 0: it covers no extension lines, so a
    checkpoint that has some would be signed in part.
    """
    checkpoint = Checkpoint.parse(text)
    if checkpoint.extensions:
        raise CheckpointInvalid("an ML-DSA-44 signature does not cover extension lines")
    start, end = 0, checkpoint.size
    return b"".join(
        (
            _SUBTREE_LABEL,
            _opaque(name),
            at.to_bytes(8, "big"),
            _opaque(checkpoint.origin),
            start.to_bytes(8, "big"),
            end.to_bytes(8, "big"),
            checkpoint.root,
        )
    )


def _opaque(text: str) -> bytes:
    """Return opaque<1..2^8-1> of RFC 8446 section 3.4."""
    data = text.encode()
    if not 1 <= len(data) <= 255:
        raise CheckpointInvalid("an ML-DSA-44 signature covers names of 1 to 255 bytes")
    return bytes([len(data)]) + data


def _check_ed25519(public_key: bytes) -> None:
    # The library verifies with such keys, and with some of them one signature fits many texts:
    # its owner could later say to have signed another.
    y = int.from_bytes(public_key, "little") & ((1 << 255) - 1)
    if y >= _FIELD or y in _SMALL_ORDER:
        raise KeyInvalid("a public key of small order or in a second spelling")


def _check_ml_dsa_44(public_key: bytes) -> None:
    # Every string of this length is one key, in one spelling (FIPS 204 algorithm 23).
    MLDSA44PublicKey.from_public_bytes(public_key)


_ED25519 = Primitive(
    public_key_size=32,
    seed_size=32,
    check_public_key=_check_ed25519,
    generate=lambda: Ed25519PrivateKey.generate().private_bytes_raw(),
    public_key=lambda seed: (
        Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()
    ),
    sign=lambda seed, message: Ed25519PrivateKey.from_private_bytes(seed).sign(message),
    verify=verify_ed25519,
)
_ML_DSA_44 = Primitive(
    public_key_size=1312,
    seed_size=32,
    check_public_key=_check_ml_dsa_44,
    generate=lambda: MLDSA44PrivateKey.generate().private_bytes_raw(),
    public_key=lambda seed: MLDSA44PrivateKey.from_seed_bytes(seed).public_key().public_bytes_raw(),
    sign=lambda seed, message: MLDSA44PrivateKey.from_seed_bytes(seed).sign(message),
    verify=verify_ml_dsa_44,
)
_SCHEMES = {
    ED25519: Scheme(_ED25519, False, None, lambda _name, text, _at: text.encode()),
    COSIGNATURE_V1: Scheme(
        _ED25519, True, None, lambda _name, text, at: cosigned_message(text, at)
    ),
    ML_DSA_44: Scheme(_ML_DSA_44, True, 255, cosigned_tree),
}
