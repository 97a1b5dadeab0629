"""Add many entries to a log at once: leaves, chain and Merkle tree, in a few steps an entry."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256

from compliance.trail.tlog import leaf, merkle


@dataclass(frozen=True, kw_only=True)
class End:
    """Where a log ends: its size, its chain head, and the left edge of its tree."""

    origin: str
    size: int
    chain: bytes
    range: tuple[bytes, ...]

    @property
    def root(self) -> bytes:
        """The root of the tree."""
        return merkle.CompactRange(self.size, self.range).root()


@dataclass(frozen=True, kw_only=True)
class Growth:
    """What a batch of entries added: leaf hashes, chain heads before each, and complete nodes.

    `nodes` has level, position and hash of every subtree that became complete, without leaves.
    """

    leaf_hashes: list[bytes]
    previous: list[bytes]
    nodes: list[merkle.Node]
    end: End


def grow(end: End, digests: Iterable[bytes]) -> Growth:
    """Return what entry digests add to a log; the same bytes as `leaf.Leaf` and `CompactRange`.

    Raise `LeafInvalid` for a digest that is not 32 bytes.
    """
    digests = list(digests)
    if any(len(one) != merkle.HASH_SIZE for one in digests):
        raise leaf.LeafInvalid("a hash is not 32 bytes")
    chain = leaf.Chain(origin=end.origin, size=end.size, head=end.chain)
    leaf_hashes, previous = chain.extend(digests)
    nodes, hashes = _climb(end, leaf_hashes)
    return Growth(
        leaf_hashes=leaf_hashes,
        previous=previous,
        nodes=nodes,
        end=End(origin=end.origin, size=chain.size, chain=chain.head, range=hashes),
    )


def _climb(end: End, hashes: Sequence[bytes]) -> tuple[list[merkle.Node], tuple[bytes, ...]]:
    """Join new hashes to their parents level by level; return nodes, and the new left edge."""
    edge = list(end.range)  # from the largest subtree to the smallest
    start, level = end.size, 0
    nodes: list[merkle.Node] = []
    rest: list[bytes] = []  # the new edge, smallest first
    row = list(hashes)
    while row or edge:
        if start & 1:  # a left sibling waits in the old edge
            row.insert(0, edge.pop())
            start -= 1
        if len(row) & 1:
            rest.append(row.pop())
        start >>= 1
        level += 1
        pairs = zip(row[::2], row[1::2], strict=True)
        row = [sha256(b"\x01" + left + right).digest() for left, right in pairs]
        nodes += [(level, start + at, node) for at, node in enumerate(row)]
    return nodes, tuple(reversed(rest))
