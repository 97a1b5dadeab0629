"""Verify proofs about a subtree of the log (draft-ietf-plants-merkle-tree-certs section 4)."""

from collections.abc import Sequence
from dataclasses import dataclass

from compliance.trail.tlog import merkle
from compliance.trail.tlog.merkle import ProofInvalid


@dataclass(frozen=True, slots=True)
class Subtree:
    """The claim that leaves [start, end) of a log are under this root; the range may be empty."""

    start: int
    end: int
    root: bytes

    def __post_init__(self) -> None:
        size = self.end - self.start
        # It starts at a multiple of the smallest power of two that holds it (section 4.1).
        if self.start < 0 or size < 0 or (size and self.start % (1 << (size - 1).bit_length())):
            raise ProofInvalid(f"leaves {self.start} to {self.end} are no subtree")


def consistency_proof(start: int, end: int, size: int, reader: merkle.Reader) -> list[bytes]:
    """Return what shows that a tree of `size` has the perfect subtree of leaves [start, end)."""
    width = end - start
    if width < 1 or width & (width - 1) or start % width or not 0 <= start < end <= size:
        raise ValueError(f"leaves {start} to {end} are no perfect subtree of a tree of {size}")
    proof = []
    low, high = 0, size
    while (low, high) != (start, end):
        middle = low + merkle.split(high - low)
        if end <= middle:
            proof.append(merkle.root_between(middle, high, reader))
            high = middle
        else:
            proof.append(merkle.root_between(low, middle, reader))
            low = middle
    return proof[::-1]


def verify_inclusion(leaf: bytes, index: int, proof: Sequence[bytes], subtree: Subtree) -> None:
    """Raise `ProofInvalid` unless the leaf hash is at `index` of the log, below the subtree."""
    # A subtree is a tree of its own, whose first leaf is `start` (section 4.3).
    size = subtree.end - subtree.start
    merkle.verify_inclusion(leaf, index - subtree.start, size, proof, subtree.root)


def verify_consistency(subtree: Subtree, size: int, proof: Sequence[bytes], root: bytes) -> None:
    """Raise `ProofInvalid` unless the tree of `size` leaves has the subtree.

    Every tree has the empty subtree, which says nothing about `root`. A subtree that is the whole
    tree has its root: then the two are compared, whatever they are.
    """
    if subtree.end > size:
        raise ProofInvalid(f"a tree of {size} has no leaves up to {subtree.end}")
    if subtree.start == subtree.end:
        if proof or subtree.root != merkle.EMPTY_ROOT:
            raise ProofInvalid("an empty subtree has no proof, and SHA-256 of nothing as its root")
        return
    if proof:
        merkle.check_lengths(subtree.root, root, *proof)
    steps = list(proof)
    computed = _roots(subtree.start, subtree.end, size, steps, subtree.root)
    if steps:
        raise ProofInvalid("the proof is too long")
    if computed != (subtree.root, root):
        raise ProofInvalid("the proof leads to another root")


def _roots(
    start: int, end: int, size: int, steps: list[bytes], known: bytes | None
) -> tuple[bytes, bytes]:
    """Return the roots of subtree and tree by the cases of SUBTREE_SUBPROOF (section 4.4.1).

    `known` is the root of the subtree as long as it is not cut; the proof ends with the top.
    """
    if (start, end) == (0, size):
        whole = _last(steps) if known is None else known
        return whole, whole
    middle, sibling = merkle.split(size), _last(steps)
    if end <= middle:
        subtree, left = _roots(start, end, middle, steps, known)
        return subtree, merkle.node_hash(left, sibling)
    if start >= middle:
        subtree, right = _roots(start - middle, end - middle, size - middle, steps, known)
        return subtree, merkle.node_hash(sibling, right)
    # The tree's split cuts the subtree, which then begins at 0 and holds the whole left side.
    subtree, right = _roots(0, end - middle, size - middle, steps, None)
    return merkle.node_hash(sibling, subtree), merkle.node_hash(sibling, right)


def _last(steps: list[bytes]) -> bytes:
    if not steps:
        raise ProofInvalid("the proof is too short")
    return steps.pop()
