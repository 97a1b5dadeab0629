"""Grow a second tree over the entries of a log, with another hash (RFC 4998 section 5.2).

The tree is that of RFC 9162 2.1 with SHA-512 or SHA3-256 in place of SHA-256. Its leaf holds the
entry's digest under the new hash and the log's own leaf hash, so that it covers the entry and the
older evidence about it: both stay bound when SHA-256 no longer binds anything. The log's own tree
is `merkle`, which is faster and stays SHA-256 for life.
"""

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from compliance.trail.tlog import canonical, leaf

_New = Callable[[bytes], "hashlib._Hash"]


@dataclass(frozen=True, slots=True)
class Hash:
    """A hash function that a tree can have, by its name in the log's events."""

    name: str
    size: int
    new: _New

    def digest(self, data: bytes) -> bytes:
        return self.new(data).digest()

    @property
    def empty_root(self) -> bytes:
        """The root of a tree without leaves (RFC 9162 2.1.1)."""
        return self.digest(b"")


SHA_256 = Hash("sha-256", 32, hashlib.sha256)
SHA_512 = Hash("sha-512", 64, hashlib.sha512)
SHA3_256 = Hash("sha3-256", 32, hashlib.sha3_256)
BY_NAME = {one.name: one for one in (SHA_512, SHA3_256)}


class Tree:
    """The left edge of a growing tree of any hash, as `merkle.CompactRange` is for SHA-256."""

    __slots__ = ("_hash", "_hashes", "size")

    def __init__(self, hash_: Hash, size: int = 0, hashes: Iterable[bytes] = ()) -> None:
        """Continue from a stored range; hashes run from left (largest) to right."""
        self._hash = hash_
        self._hashes = list(hashes)
        self.size = size
        if size < 0 or len(self._hashes) != size.bit_count():
            raise ValueError(f"a range of {size} leaves cannot have {len(self._hashes)} hashes")
        if any(len(one) != hash_.size for one in self._hashes):
            raise ValueError(f"a range has a hash that is not {hash_.size} bytes")

    @property
    def hashes(self) -> tuple[bytes, ...]:
        """Roots of the perfect subtrees, from left (largest) to right."""
        return tuple(self._hashes)

    def append(self, data: bytes) -> None:
        """Add the bytes of a leaf."""
        new, hashes = self._hash.new, self._hashes
        node, position = new(b"\x00" + data).digest(), self.size
        while position & 1:
            node = new(b"\x01" + hashes.pop() + node).digest()
            position >>= 1
        hashes.append(node)
        self.size += 1

    def root(self) -> bytes:
        """Return the root of the whole tree."""
        if not self._hashes:
            return self._hash.empty_root
        folded = self._hashes[-1]
        for one in self._hashes[-2::-1]:
            folded = self._hash.digest(b"\x01" + one + folded)
        return folded


def leaf_data(hash_: Hash, *, origin: str, index: int, body: bytes, old_leaf: bytes) -> bytes:
    """Return the bytes of a leaf: digest under the new hash, and the log's own leaf hash."""
    return canonical.dumps(
        {
            "d": hash_.digest(leaf.ENTRY_TAG + body).hex(),
            "h": hash_.name,
            "i": index,
            "log": origin,
            "o": old_leaf.hex(),
            "v": 1,
        }
    )
