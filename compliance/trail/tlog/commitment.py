"""Put a commitment in the place of a value that may have to be erased, and open it again."""

from collections.abc import Mapping
from hashlib import sha256
from typing import TypeGuard

TAG = b"gmp-audit/commit/v1\0"
SALT_SIZE = 32
MAX_PATH = 2**16 - 1
_HEX = set("0123456789abcdef")


def commit(path: str, *, salt: bytes, value: str) -> bytes:
    """Return the commitment to the text of a column; `path` is `<table>.<column>`."""
    name = path.encode()
    if len(salt) != SALT_SIZE:
        raise ValueError(f"a salt has {SALT_SIZE} bytes, not {len(salt)}")
    if len(name) > MAX_PATH:
        raise ValueError(f"a path has at most {MAX_PATH} bytes")
    # The length keeps path and salt apart: no two triples give the same bytes.
    return sha256(TAG + len(name).to_bytes(2, "big") + name + salt + value.encode()).digest()


def is_commitment(value: object) -> TypeGuard[Mapping[str, str]]:
    """Say whether a value in an entry is a commitment: {"c": 64 hexadecimal digits}."""
    return isinstance(value, Mapping) and set(value) == {"c"} and is_hex32(value["c"])


def is_named_only(value: object) -> bool:
    """Say whether a value before a change is only said to be committed to: {"c": null}."""
    return isinstance(value, Mapping) and set(value) == {"c"} and value["c"] is None


def is_hex32(value: object) -> TypeGuard[str]:
    """Say whether a value is 32 bytes in lower-case hexadecimal."""
    return isinstance(value, str) and len(value) == 64 and _HEX.issuperset(value)
