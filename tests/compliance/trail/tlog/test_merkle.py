"""Test the Merkle tree against the recursive definition of RFC 6962."""

from functools import cache
from hashlib import sha256
from itertools import pairwise

import pytest

from compliance.trail.tlog import merkle, tiles

LARGEST = 256
LEAVES = [merkle.leaf_hash(b"leaf %d" % index) for index in range(LARGEST)]
READER = tiles.Leaves(LEAVES)


@cache
def mth(start: int, end: int) -> bytes:
    """MTH of RFC 6962 section 2.1, word by word."""
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


def path(index: int, start: int, end: int) -> list[bytes]:
    """PATH of RFC 6962 section 2.1.1."""
    if end - start == 1:
        return []
    middle = start + k(end - start)
    if index < middle:
        return [*path(index, start, middle), mth(middle, end)]
    return [*path(index, middle, end), mth(start, middle)]


def subproof(old: int, start: int, end: int, *, whole: bool) -> list[bytes]:
    """SUBPROOF of RFC 6962 section 2.1.2."""
    if old == end:
        return [] if whole else [mth(start, end)]
    middle = start + k(end - start)
    if old <= middle:
        return [*subproof(old, start, middle, whole=whole), mth(middle, end)]
    return [*subproof(old, middle, end, whole=False), mth(start, middle)]


def flipped(one: bytes) -> bytes:
    return bytes([one[0] ^ 1]) + one[1:]


def test_every_root_up_to_256_leaves_is_that_of_the_definition() -> None:
    growing = merkle.CompactRange()

    assert growing.root() == merkle.root_of([]) == merkle.root_at(0, READER) == mth(0, 0)
    for size in range(1, LARGEST + 1):
        growing.append(LEAVES[size - 1])
        assert growing.root() == mth(0, size)
        assert merkle.root_of(LEAVES[:size]) == mth(0, size)
        assert merkle.root_at(size, READER) == mth(0, size)


def test_every_completed_node_is_told_once_when_its_last_leaf_arrives() -> None:
    growing = merkle.CompactRange()
    told: list[tuple[int, int]] = []

    for size, leaf in enumerate(LEAVES, start=1):
        for level, position, node in growing.append(leaf):
            assert (position + 1) << level == size
            assert node == mth(position << level, size)
            told.append((level, position))

    assert sorted(told) == [
        (level, position) for level in range(1, 9) for position in range(LARGEST >> level)
    ]


def test_a_range_continues_from_what_was_stored() -> None:
    growing = merkle.CompactRange()
    for size, leaf in enumerate(LEAVES[:-1]):
        restored = merkle.CompactRange(size, growing.hashes)

        assert restored.append(leaf) == growing.append(leaf)
        assert restored.root() == growing.root()


def test_a_range_that_does_not_fit_its_size_is_refused() -> None:
    for size, hashes in ((3, LEAVES[:1]), (0, LEAVES[:1]), (-1, LEAVES[:1]), (1, [b"short"])):
        with pytest.raises(ValueError, match="range"):
            merkle.CompactRange(size, hashes)
    with pytest.raises(ValueError, match="32 bytes"):
        merkle.CompactRange().append(b"data instead of its hash")


def test_every_inclusion_proof_up_to_256_leaves_is_that_of_the_definition_and_verifies() -> None:
    for size in range(1, LARGEST + 1):
        root = mth(0, size)
        for index in range(size):
            proof = merkle.inclusion_proof(index, size, READER)
            assert proof == path(index, 0, size)
            merkle.verify_inclusion(LEAVES[index], index, size, proof, root)


def test_every_consistency_proof_up_to_256_leaves_is_that_of_the_definition_and_verifies() -> None:
    for new in range(1, LARGEST + 1):
        for old in range(1, new + 1):
            proof = merkle.consistency_proof(old, new, READER)
            assert proof == subproof(old, 0, new, whole=True)
            merkle.verify_consistency(old, new, proof, mth(0, old), mth(0, new))


def test_an_inclusion_proof_with_anything_changed_is_refused() -> None:
    for size in range(1, 49):
        root = mth(0, size)
        for index in range(size):
            leaf, proof = LEAVES[index], path(index, 0, size)
            for wrong in broken(proof):
                with pytest.raises(merkle.ProofInvalid):
                    merkle.verify_inclusion(leaf, index, size, wrong, root)
            with pytest.raises(merkle.ProofInvalid, match="another root"):
                merkle.verify_inclusion(flipped(leaf), index, size, proof, root)
            with pytest.raises(merkle.ProofInvalid, match="another root"):
                merkle.verify_inclusion(leaf, index, size, proof, flipped(root))
            for other in {*range(-1, size + 2), index + 64} - {index}:
                with pytest.raises(merkle.ProofInvalid):
                    merkle.verify_inclusion(leaf, other, size, proof, root)


def test_a_consistency_proof_with_anything_changed_is_refused() -> None:
    for new in range(1, 49):
        for old in range(1, new + 1):
            roots = mth(0, old), mth(0, new)
            proof = subproof(old, 0, new, whole=True)
            for wrong in broken(proof):
                with pytest.raises(merkle.ProofInvalid):
                    merkle.verify_consistency(old, new, wrong, *roots)
            with pytest.raises(merkle.ProofInvalid):
                merkle.verify_consistency(old, new, proof, flipped(roots[0]), roots[1])
            with pytest.raises(merkle.ProofInvalid):
                merkle.verify_consistency(old, new, proof, roots[0], flipped(roots[1]))
            if old < new:
                with pytest.raises(merkle.ProofInvalid):
                    merkle.verify_consistency(new, old, proof, roots[1], roots[0])


def broken(proof: list[bytes]) -> list[list[bytes]]:
    """Return the proof with each step changed, cut, grown, left out, doubled, and swapped."""
    wrong = [[*proof, LEAVES[0]], [LEAVES[0], *proof], [*proof, b""]]
    for place, step in enumerate(proof):
        before, after = proof[:place], proof[place + 1 :]
        wrong += [
            [*before, flipped(step), *after],
            [*before, step[:-1] + bytes([step[-1] ^ 0x80]), *after],
            [*before, step[:-1], *after],
            [*before, step + b"\x00", *after],
            [*before, *after],
            [*before, step, step, *after],
        ]
    for place, (first, second) in enumerate(pairwise(proof)):
        wrong.append([*proof[:place], second, first, *proof[place + 2 :]])
    return wrong


def test_a_proof_that_is_too_long_or_too_short_is_told_apart() -> None:
    for size in range(2, 20):
        proof, grown = path(0, 0, size), [*path(0, 0, size), LEAVES[0]]
        with pytest.raises(merkle.ProofInvalid, match="too long"):
            merkle.verify_inclusion(LEAVES[0], 0, size, grown, mth(0, size))
        with pytest.raises(merkle.ProofInvalid, match="too short"):
            merkle.verify_inclusion(LEAVES[0], 0, size, proof[:-1], mth(0, size))
        proof = subproof(1, 0, size, whole=True)
        with pytest.raises(merkle.ProofInvalid, match="too long"):
            merkle.verify_consistency(1, size, [*proof, LEAVES[0]], mth(0, 1), mth(0, size))
        with pytest.raises(merkle.ProofInvalid, match="too short"):
            merkle.verify_consistency(1, size, proof[:-1], mth(0, 1), mth(0, size))


def test_a_byte_cannot_move_between_two_neighbours() -> None:
    left, right = LEAVES[0], LEAVES[1]

    assert merkle.node_hash(left + right[:1], right[1:]) == mth(0, 2)
    with pytest.raises(merkle.ProofInvalid, match="32 bytes"):
        merkle.verify_inclusion(left + right[:1], 0, 2, [right[1:]], mth(0, 2))
    with pytest.raises(merkle.ProofInvalid, match="32 bytes"):
        merkle.verify_inclusion(b"", 0, 1, [], b"")


def test_inner_nodes_cannot_be_shown_as_leaves() -> None:
    left, right = LEAVES[0], LEAVES[1]

    assert merkle.leaf_hash(left + right) != merkle.node_hash(left, right)
    with pytest.raises(merkle.ProofInvalid):
        merkle.verify_inclusion(merkle.leaf_hash(left + right), 0, 1, [], mth(0, 2))


def test_every_tree_continues_the_empty_one() -> None:
    assert merkle.consistency_proof(0, 7, READER) == []

    merkle.verify_consistency(0, 7, [], merkle.EMPTY_ROOT, mth(0, 7))
    merkle.verify_consistency(0, 0, [], merkle.EMPTY_ROOT, merkle.EMPTY_ROOT)


@pytest.mark.parametrize(
    ("sizes", "proof", "roots", "reason"),
    [
        ((0, 7), [LEAVES[0]], (merkle.EMPTY_ROOT, mth(0, 7)), "too long"),
        ((0, 7), [], (mth(0, 1), mth(0, 7)), "empty tree"),
        ((0, 0), [], (mth(0, 1), mth(0, 1)), "empty tree"),
        ((0, 0), [], (b"", b""), "32 bytes"),
        ((7, 7), [], (mth(0, 7), mth(0, 6)), "two roots for one size"),
        ((7, 7), [LEAVES[0]], (mth(0, 7), mth(0, 7)), "too long"),
        ((3, 7), [], (mth(0, 3), mth(0, 7)), "too short"),
        ((-1, 7), [], (mth(0, 1), mth(0, 7)), "does not continue"),
        ((8, 7), [], (mth(0, 8), mth(0, 7)), "does not continue"),
    ],
)
def test_an_impossible_consistency_is_refused_with_its_reason(
    sizes: tuple[int, int], proof: list[bytes], roots: tuple[bytes, bytes], reason: str
) -> None:
    with pytest.raises(merkle.ProofInvalid, match=reason):
        merkle.verify_consistency(*sizes, proof, *roots)


def test_no_proof_is_made_for_what_is_not_in_the_tree() -> None:
    for index, size in ((0, 0), (3, 3), (-1, 3)):
        with pytest.raises(ValueError, match="not in a tree"):
            merkle.inclusion_proof(index, size, READER)
    for old, new in ((4, 3), (-1, 3)):
        with pytest.raises(ValueError, match="does not continue"):
            merkle.consistency_proof(old, new, READER)
    with pytest.raises(ValueError, match="no tree"):
        merkle.root_at(-1, READER)
