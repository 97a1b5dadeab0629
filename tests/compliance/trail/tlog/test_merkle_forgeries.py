"""Test that no proof survives a change, and that nothing but its own claim fits a proof."""

import random
from collections.abc import Iterator, Sequence
from itertools import combinations

import pytest

from compliance.trail.tlog import merkle, tiles
from compliance.trail.tlog.merkle import ProofInvalid

LARGEST = 4_200
DATA = [b"entry %d" % index for index in range(LARGEST)]
LEAVES = [merkle.leaf_hash(data) for data in DATA]
READER = tiles.Leaves(LEAVES)
SIZES = [1, 2, 3, 5, 6, 7, 8, 9, 13, 31, 32, 33, 100, 255, 256, 257, 1_000, 2_047, 4_096, 4_097]

Claim = tuple[tuple[int, int], list[bytes], tuple[bytes, bytes]]  # numbers, proof, two hashes


def inclusions(chosen: random.Random) -> Iterator[Claim]:
    for size in SIZES:
        for index in {0, size // 2, size - 1, chosen.randrange(size)}:
            proof = merkle.inclusion_proof(index, size, READER)
            yield (index, size), proof, (LEAVES[index], merkle.root_at(size, READER))


def consistencies(chosen: random.Random) -> Iterator[Claim]:
    for new in SIZES:
        for old in {1, (new + 1) // 2, max(new - 1, 1), new, chosen.randint(1, new)}:
            roots = merkle.root_at(old, READER), merkle.root_at(new, READER)
            yield (old, new), merkle.consistency_proof(old, new, READER), roots


def included(numbers: tuple[int, int], proof: Sequence[bytes], hashes: tuple[bytes, bytes]) -> bool:
    try:
        merkle.verify_inclusion(hashes[0], *numbers, proof, hashes[1])
    except ProofInvalid:
        return False
    return True


def consistent(
    numbers: tuple[int, int], proof: Sequence[bytes], hashes: tuple[bytes, bytes]
) -> bool:
    try:
        merkle.verify_consistency(*numbers, proof, *hashes)
    except ProofInvalid:
        return False
    return True


CLAIMS = [(included, claim) for claim in inclusions(random.Random(7))]
CLAIMS += [(consistent, claim) for claim in consistencies(random.Random(8))]


def flips(one: bytes) -> Iterator[bytes]:
    """Yield a hash with each of its bits turned."""
    number = int.from_bytes(one, "big")
    for bit in range(8 * len(one)):
        yield (number ^ 1 << bit).to_bytes(len(one), "big")


def changes(proof: list[bytes], foreign: Sequence[bytes]) -> Iterator[list[bytes]]:
    """Yield the proof with steps dropped, doubled, put in, replaced, moved, cut and grown."""
    for place in range(len(proof) + 1):
        before, after = proof[:place], proof[place:]
        yield from ([*before, one, *after] for one in foreign)
        if after:
            step, *behind = after
            yield [*before, *behind]
            yield [*before, step, step, *behind]
            yield [*before, step[::-1], *behind]
            yield from ([*before, one, *behind] for one in foreign)
            yield from ([*before, one, *behind] for one in (b"", step[:-1], step + b"\0", step * 2))
            yield before
    for first, second in combinations(range(len(proof)), 2):
        swapped = proof.copy()
        swapped[first], swapped[second] = proof[second], proof[first]
        yield swapped
    for end in range(len(proof)):
        yield proof[end + 1 :]
    yield proof[::-1]
    yield proof * 2


def test_the_claims_themselves_are_accepted() -> None:
    assert len(CLAIMS) > 100
    assert all(verify(*claim) for verify, claim in CLAIMS)


def test_a_proof_with_any_step_changed_moved_or_of_another_length_is_refused() -> None:
    tried = 0
    for verify, (numbers, proof, hashes) in CLAIMS:
        foreign = {bytes(32), merkle.EMPTY_ROOT, LEAVES[-1], *hashes, *proof}
        for changed in changes(proof, sorted(foreign)):
            if changed != proof:
                assert not verify(numbers, changed, hashes), (numbers, changed)
                tried += 1

    assert tried > 30_000


def test_any_turned_bit_of_a_step_or_hash_is_refused() -> None:
    for verify, (numbers, proof, hashes) in CLAIMS:
        for place, step in enumerate(proof):
            for turned in flips(step):
                assert not verify(numbers, [*proof[:place], turned, *proof[place + 1 :]], hashes)
        for first, second in zip(flips(hashes[0]), flips(hashes[1]), strict=True):
            assert not verify(numbers, proof, (first, hashes[1]))
            assert not verify(numbers, proof, (hashes[0], second))


def test_swapped_hashes_and_numbers_are_refused() -> None:
    for verify, (numbers, proof, hashes) in CLAIMS:
        if hashes[0] != hashes[1]:
            assert not verify(numbers, proof, hashes[::-1])
            assert not verify(numbers[::-1], proof, hashes)
            assert not verify(numbers[::-1], proof, hashes[::-1])


def inclusion_way(index: int, size: int) -> list[str]:
    """Return at which side the siblings stand, by PATH of RFC 9162 section 2.1.3.1."""
    if size == 1:
        return []
    middle = k(size)
    if index < middle:
        return [*inclusion_way(index, middle), "right"]
    return [*inclusion_way(index - middle, size - middle), "left"]


def consistency_way(old: int, new: int, *, whole: bool = True) -> list[str]:
    """Return the same by SUBPROOF of RFC 9162 section 2.1.4.1, from the old tree's corner on."""
    if old == new:
        return ["known" if whole else "given"]
    middle = k(new)
    if old <= middle:
        return [*consistency_way(old, middle, whole=whole), "right"]
    return [*consistency_way(old - middle, new - middle, whole=False), "left"]


def k(size: int) -> int:
    power = 1
    while power * 2 < size:
        power *= 2
    return power


def test_another_place_is_refused_unless_its_way_to_the_root_is_the_same() -> None:
    """A root has one size, and the checkpoint signs both: a proof alone does not bind the size."""
    for verify, (numbers, proof, hashes) in CLAIMS:
        way = inclusion_way if verify is included else consistency_way
        for first in nearby(numbers[0]):
            for second in nearby(numbers[1]):
                possible = 0 <= first < second or (way is consistency_way and 0 < first == second)
                same = possible and (first or way is inclusion_way)
                same = bool(same) and way(first, second) == way(*numbers)
                assert verify((first, second), proof, hashes) == same, (numbers, first, second)


def nearby(number: int) -> set[int]:
    return {-1, 0, *range(number - 2, number + 3), number * 2, number // 2, number ^ 1, 2**63}


def test_at_the_signed_size_no_other_index_is_accepted() -> None:
    for size in (7, 33, 100):
        root = merkle.root_at(size, READER)
        for index in range(size):
            proof = merkle.inclusion_proof(index, size, READER)
            accepted = [
                other
                for other in range(-2, size + 2)
                if included((other, size), proof, (LEAVES[index], root))
            ]
            assert accepted == [index]


def test_at_the_signed_size_no_inner_node_passes_as_a_leaf() -> None:
    for size in (2, 7, 8, 33, 100):
        root = merkle.root_at(size, READER)
        for level in range(1, size.bit_length()):
            for position in range(size >> level):
                node = READER.hash_at(level, position)
                proof = merkle.inclusion_proof(position << level, size, READER)
                for index in range(size):
                    assert not included((index, size), proof[level:], (node, root))
                    assert not included((index, size), proof, (node, root))


def test_the_bytes_below_an_inner_node_are_no_entry_at_any_size() -> None:
    for size in (2, 7, 8, 33):
        root = merkle.root_at(size, READER)
        for level in range(1, size.bit_length()):
            for position in range(size >> level):
                left = READER.hash_at(level - 1, 2 * position)
                right = READER.hash_at(level - 1, 2 * position + 1)
                proof = merkle.inclusion_proof(position << level, size, READER)[level:]
                for entry in (left + right, b"\x01" + left + right):
                    forged = merkle.leaf_hash(entry), root
                    for smaller in range(1, size + 1):
                        assert not included((position, smaller), proof, forged)


def test_a_leaf_without_its_prefix_is_another_leaf() -> None:
    [first] = DATA[:1]

    assert merkle.leaf_hash(first) != merkle.leaf_hash(b"\x00" + first)
    assert merkle.root_of([merkle.leaf_hash(first)]) == merkle.leaf_hash(first)


@pytest.mark.parametrize("size", [3, 6, 100])
def test_two_trees_with_one_entry_changed_are_never_consistent(size: int) -> None:
    for index in range(size):
        forked = [*LEAVES[:index], merkle.leaf_hash(b"forged"), *LEAVES[index + 1 : size + 9]]
        reader, proof_of = tiles.Leaves(forked), merkle.consistency_proof
        roots = merkle.root_at(size, READER), merkle.root_at(size + 9, reader)
        for source in (reader, READER):
            assert not consistent((size, size + 9), proof_of(size, size + 9, source), roots)
