"""Grow, prove and verify the Merkle tree of RFC 9162 section 2.1 (the tree of RFC 6962)."""

from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import Protocol, TypeAlias

HASH_SIZE = 32
EMPTY_ROOT = sha256(b"").digest()

# (level, position, hash) of a perfect subtree of 2**level leaves.
Node: TypeAlias = tuple[int, int, bytes]


class ProofInvalid(ValueError):
    """A proof does not show what it claims."""


class Reader(Protocol):
    """Answers with roots of perfect subtrees, which never change once they are complete."""

    def hash_at(self, level: int, position: int) -> bytes:
        """Return the root of leaves [position << level, (position + 1) << level)."""


def leaf_hash(data: bytes) -> bytes:
    """Hash the bytes of a leaf (RFC 9162 2.1.1)."""
    return sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash two subtrees into their parent (RFC 9162 2.1.1)."""
    return sha256(b"\x01" + left + right).digest()


class CompactRange:
    """The left edge of a growing tree: one perfect subtree root for every set bit of its size."""

    __slots__ = ("_hashes", "size")

    def __init__(self, size: int = 0, hashes: Iterable[bytes] = ()) -> None:
        """Continue from a stored range; hashes run from left (largest) to right."""
        self.size = size
        self._hashes = list(hashes)
        if size < 0 or len(self._hashes) != size.bit_count():
            raise ValueError(f"a range of {size} leaves cannot have {len(self._hashes)} hashes")
        if any(len(one) != HASH_SIZE for one in self._hashes):
            raise ValueError("a range has a hash that is not 32 bytes")

    @property
    def hashes(self) -> tuple[bytes, ...]:
        """Roots of the perfect subtrees, from left (largest) to right."""
        return tuple(self._hashes)

    def append(self, leaf: bytes) -> list[Node]:
        """Add a leaf hash and return the nodes it completed, lowest first, without level 0."""
        if len(leaf) != HASH_SIZE:
            raise ValueError("a leaf hash is 32 bytes")
        hashes = self._hashes
        position = self.size
        self.size = position + 1
        completed: list[Node] = []
        level = 0
        while position & 1:
            leaf = sha256(b"\x01" + hashes.pop() + leaf).digest()
            position >>= 1
            level += 1
            completed.append((level, position, leaf))
        hashes.append(leaf)
        return completed

    def root(self) -> bytes:
        """Return the root of the whole tree."""
        return _fold(self._hashes)


def root_of(leaf_hashes: Iterable[bytes]) -> bytes:
    """Return the root over all given leaf hashes."""
    tree = CompactRange()
    for leaf in leaf_hashes:
        tree.append(leaf)
    return tree.root()


def root_at(size: int, reader: Reader) -> bytes:
    """Return the root of the first `size` leaves."""
    if size < 0:
        raise ValueError(f"no tree has {size} leaves")
    return root_between(0, size, reader)


def inclusion_proof(index: int, size: int, reader: Reader) -> list[bytes]:
    """Return the path from a leaf to the root of `size` leaves (RFC 9162 2.1.3.1)."""
    if not 0 <= index < size:
        raise ValueError(f"leaf {index} is not in a tree of {size}")
    proof = []
    start, end = 0, size
    while end - start > 1:
        middle = start + split(end - start)
        if index < middle:
            proof.append(root_between(middle, end, reader))
            end = middle
        else:
            proof.append(root_between(start, middle, reader))
            start = middle
    return proof[::-1]


def consistency_proof(old: int, new: int, reader: Reader) -> list[bytes]:
    """Return what shows that the tree of `new` only appended to `old` (RFC 9162 2.1.4.1)."""
    if not 0 <= old <= new:
        raise ValueError(f"a tree of {new} does not continue one of {old}")
    if old in (0, new):
        return []
    proof = []
    start, end = 0, new
    while end != old:
        middle = start + split(end - start)
        if old <= middle:
            proof.append(root_between(middle, end, reader))
            end = middle
        else:
            proof.append(root_between(start, middle, reader))
            start = middle
    if start:  # else the old root itself, which the verifier has
        proof.append(root_between(start, end, reader))
    return proof[::-1]


def verify_inclusion(
    leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes
) -> None:
    """Raise `ProofInvalid` unless the leaf hash is at `index` below `root` (RFC 9162 2.1.3.2)."""
    check_lengths(leaf, root, *proof)
    if not 0 <= index < size:
        raise ProofInvalid(f"leaf {index} is not in a tree of {size}")
    node, last, computed = index, size - 1, leaf
    for step in proof:
        if not last:
            raise ProofInvalid("the proof is too long")
        if node & 1 or node == last:
            computed = node_hash(step, computed)
            while node and not node & 1:
                node >>= 1
                last >>= 1
        else:
            computed = node_hash(computed, step)
        node >>= 1
        last >>= 1
    if last:
        raise ProofInvalid("the proof is too short")
    if computed != root:
        raise ProofInvalid("the proof leads to another root")


def verify_consistency(
    old: int, new: int, proof: Sequence[bytes], old_root: bytes, new_root: bytes
) -> None:
    """Raise `ProofInvalid` unless `new` appended to `old` (RFC 9162 2.1.4.2).

    Every tree continues the empty one, so with `old` 0 nothing is said about `new_root`.
    """
    check_lengths(old_root, new_root, *proof)
    if not 0 <= old <= new:
        raise ProofInvalid(f"a tree of {new} does not continue one of {old}")
    for size, root in ((old, old_root), (new, new_root)):
        if not size and root != EMPTY_ROOT:
            raise ProofInvalid("the root of an empty tree is SHA-256 of nothing")
    if old in (0, new):
        if proof:
            raise ProofInvalid("the proof is too long")
        if old == new and old_root != new_root:
            raise ProofInvalid("two roots for one size")
        return
    if not proof:
        raise ProofInvalid("the proof is too short")
    _climb(old, new, proof, old_root, new_root)


def _climb(old: int, new: int, proof: Sequence[bytes], old_root: bytes, new_root: bytes) -> None:
    # A perfect old tree is itself the first step: its root is not repeated in the proof.
    first, *steps = proof if old & (old - 1) else (old_root, *proof)
    node, last = old - 1, new - 1
    while node & 1:
        node >>= 1
        last >>= 1
    computed_old = computed_new = first
    for step in steps:
        if not last:
            raise ProofInvalid("the proof is too long")
        if node & 1 or node == last:
            computed_old = node_hash(step, computed_old)
            computed_new = node_hash(step, computed_new)
            while node and not node & 1:
                node >>= 1
                last >>= 1
        else:
            computed_new = node_hash(computed_new, step)
        node >>= 1
        last >>= 1
    if last:
        raise ProofInvalid("the proof is too short")
    if computed_old != old_root:
        raise ProofInvalid("the proof leads to another old root")
    if computed_new != new_root:
        raise ProofInvalid("the proof leads to another new root")


def split(size: int) -> int:
    """Return the largest power of two below `size`, k in RFC 9162 2.1.1."""
    return 1 << (size - 1).bit_length() - 1


def root_between(start: int, end: int, reader: Reader) -> bytes:
    """Return the root of leaves [start, end), where start is a split point of the tree."""
    roots = []
    while start < end:
        level = (end - start).bit_length() - 1
        roots.append(reader.hash_at(level, start >> level))
        start += 1 << level
    return _fold(roots)


def _fold(roots: Sequence[bytes]) -> bytes:
    if not roots:
        return EMPTY_ROOT
    folded = roots[-1]
    for root in roots[-2::-1]:
        folded = node_hash(root, folded)
    return folded


def check_lengths(*hashes: bytes) -> None:
    if any(len(one) != HASH_SIZE for one in hashes):
        raise ProofInvalid("a hash is not 32 bytes")
