"""Test subtree proofs against the recursive definitions of the draft, every tree exhausted."""

from functools import cache
from hashlib import sha256

import pytest

from compliance.trail.tlog import merkle, subtrees
from compliance.trail.tlog.merkle import ProofInvalid
from compliance.trail.tlog.subtrees import Subtree

LARGEST = 64
LEAVES = [merkle.leaf_hash(b"leaf %d" % index) for index in range(LARGEST)]


@cache
def mth(start: int, end: int) -> bytes:
    """MTH of RFC 9162 section 2.1.1, word by word."""
    if end == start:
        return sha256(b"").digest()
    if end - start == 1:
        return LEAVES[start]
    middle = start + k(end - start)
    return sha256(b"\x01" + mth(start, middle) + mth(middle, end)).digest()


def k(size: int) -> int:
    power = 1
    while power * 2 < size:
        power *= 2
    return power


def subproof(start: int, end: int, first: int, last: int, *, whole: bool) -> list[bytes]:
    """SUBTREE_SUBPROOF of the draft, section 4.4.1, in the tree of leaves [first, last)."""
    if (start, end) == (first, last):
        return [] if whole else [mth(first, last)]
    middle = first + k(last - first)
    if end <= middle:
        return [*subproof(start, end, first, middle, whole=whole), mth(middle, last)]
    if start >= middle:
        return [*subproof(start, end, middle, last, whole=whole), mth(first, middle)]
    return [*subproof(middle, end, middle, last, whole=False), mth(first, middle)]


def bit_ceil(size: int) -> int:
    power = 1
    while power < size:
        power *= 2
    return power


RANGES = [
    (start, end)
    for end in range(1, LARGEST + 1)
    for start in range(end)
    if start % bit_ceil(end - start) == 0
]


def flipped(one: bytes) -> bytes:
    return bytes([one[0] ^ 1]) + one[1:]


def test_only_the_ranges_of_the_draft_are_subtrees() -> None:
    for end in range(-1, LARGEST + 1):
        for start in range(-1, end + 2):
            if (start, end) in RANGES or (start == end >= 0):
                assert Subtree(start, end, b"").end == end
            else:
                with pytest.raises(ProofInvalid, match="no subtree"):
                    Subtree(start, end, b"")


def test_every_subtree_of_every_tree_is_proven() -> None:
    for start, end in RANGES:
        subtree = Subtree(start, end, mth(start, end))
        for size in range(end, LARGEST + 1):
            proof = subproof(start, end, 0, size, whole=True)
            subtrees.verify_consistency(subtree, size, proof, mth(0, size))


def test_a_subtree_from_the_first_leaf_on_is_an_older_tree() -> None:
    for size in range(1, LARGEST + 1):
        for old in range(1, size + 1):
            proof = subproof(0, old, 0, size, whole=True)
            merkle.verify_consistency(old, size, proof, mth(0, old), mth(0, size))


def test_a_subtree_proof_with_anything_changed_is_refused() -> None:
    for start, end in RANGES:
        subtree = Subtree(start, end, mth(start, end))
        for size in {end, end + 1, end + 5, 40, LARGEST} & set(range(end, LARGEST + 1)):
            proof, root = subproof(start, end, 0, size, whole=True), mth(0, size)
            wrong = [[*proof, root], [root, *proof], [*proof, b""]]
            for place, step in enumerate(proof):
                before, after = proof[:place], proof[place + 1 :]
                wrong += [[*before, flipped(step), *after], [*before, *after]]
                wrong += [[*before, step, step, *after], [*before, step[:-1], *after]]
            for changed in wrong:
                with pytest.raises(ProofInvalid):
                    subtrees.verify_consistency(subtree, size, changed, root)
            with pytest.raises(ProofInvalid):
                subtrees.verify_consistency(subtree, size, proof, flipped(root))
            with pytest.raises(ProofInvalid):
                forged = Subtree(start, end, flipped(subtree.root))
                subtrees.verify_consistency(forged, size, proof, root)


def test_every_leaf_of_every_subtree_is_included_at_its_index_only() -> None:
    for start, end in RANGES:
        subtree = Subtree(start, end, mth(start, end))
        for index in range(start, end):
            proof = inclusion(index, start, end)
            subtrees.verify_inclusion(LEAVES[index], index, proof, subtree)
            for other in {start - 1, index - 1, index + 1, end} - {index}:
                with pytest.raises(ProofInvalid):
                    subtrees.verify_inclusion(LEAVES[index], other, proof, subtree)


def inclusion(index: int, start: int, end: int) -> list[bytes]:
    """PATH of RFC 9162 section 2.1.3.1 in the tree of leaves [start, end)."""
    if end - start == 1:
        return []
    middle = start + k(end - start)
    if index < middle:
        return [*inclusion(index, start, middle), mth(middle, end)]
    return [*inclusion(index, middle, end), mth(start, middle)]


def test_a_byte_cannot_move_between_a_subtree_and_its_neighbour() -> None:
    left, right = LEAVES[0], LEAVES[1]

    assert merkle.node_hash(left + right[:1], right[1:]) == mth(0, 2)
    with pytest.raises(ProofInvalid, match="32 bytes"):
        subtrees.verify_consistency(Subtree(0, 1, left + right[:1]), 2, [right[1:]], mth(0, 2))


def test_a_tree_has_no_subtree_behind_its_end() -> None:
    with pytest.raises(ProofInvalid, match="no leaves up to 8"):
        subtrees.verify_consistency(Subtree(4, 8, mth(4, 8)), 7, [], mth(0, 7))
    with pytest.raises(ProofInvalid):
        subtrees.verify_inclusion(LEAVES[0], 0, [], Subtree(0, 0, merkle.EMPTY_ROOT))


def test_the_empty_subtree_is_in_every_tree_and_has_one_root() -> None:
    subtrees.verify_consistency(Subtree(3, 3, merkle.EMPTY_ROOT), 7, [], mth(0, 7))
    for root, proof in ((mth(0, 1), []), (merkle.EMPTY_ROOT, [mth(0, 1)])):
        with pytest.raises(ProofInvalid, match="empty subtree"):
            subtrees.verify_consistency(Subtree(3, 3, root), 7, proof, mth(0, 7))
