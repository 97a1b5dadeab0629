"""Test that stored tiles answer as the leaves themselves."""

import random
from collections.abc import Sequence

import pytest

from compliance.trail.tlog import merkle, tiles

SIZE = 70_000  # more than 256 * 256: three stored levels
LEAVES = [merkle.leaf_hash(b"leaf %d" % index) for index in range(SIZE)]


class Storage:
    """Levels 0, 8, 16, ... as a table has them, counting what is asked."""

    def __init__(self, leaves: Sequence[bytes]) -> None:
        self.asked: list[tuple[int, int, int]] = []
        self.levels: dict[int, list[bytes]] = {0: []}
        self.edge = merkle.CompactRange()
        for leaf in leaves:
            self.append(leaf)

    def append(self, leaf: bytes) -> None:
        self.levels[0].append(leaf)
        for level, position, node in self.edge.append(leaf):
            if level % tiles.TILE_HEIGHT == 0:
                assert position == len(self.levels.setdefault(level, []))
                self.levels[level].append(node)

    def fetch(self, level: int, start: int, count: int) -> Sequence[bytes]:
        self.asked.append((level, start, count))
        return self.levels.get(level, [])[start : start + count]


@pytest.fixture(scope="module")
def storage() -> Storage:
    return Storage(LEAVES)


@pytest.fixture(scope="module")
def leaves() -> tiles.Leaves:
    return tiles.Leaves(LEAVES)


def test_only_every_eighth_level_is_stored(storage: Storage) -> None:
    stored = {level: len(hashes) for level, hashes in storage.levels.items()}

    assert stored == {0: SIZE, 8: SIZE >> 8, 16: SIZE >> 16}


def test_tiles_answer_as_the_leaves_at_every_level(storage: Storage, leaves: tiles.Leaves) -> None:
    reader = tiles.TiledReader(storage.fetch)

    for level in range(17):
        last = (SIZE >> level) - 1
        for position in {0, 1, last // 2, last - 1, last} & set(range(last + 1)):
            assert reader.hash_at(level, position) == leaves.hash_at(level, position)


def test_tiles_give_the_same_proofs_as_the_leaves(storage: Storage, leaves: tiles.Leaves) -> None:
    chosen = random.Random(20_260_101)
    reader = tiles.TiledReader(storage.fetch, keep=4)
    sizes = [1, 2, 255, 256, 257, 4_095, 65_535, 65_536, 65_537, SIZE]
    sizes += [chosen.randint(1, 5_000) for _ in range(40)]

    for size in sizes:
        root = merkle.root_at(size, reader)
        assert root == merkle.root_at(size, leaves)
        for index in {0, size - 1, chosen.randrange(size), chosen.randrange(size)}:
            proof = merkle.inclusion_proof(index, size, reader)
            assert proof == merkle.inclusion_proof(index, size, leaves)
            merkle.verify_inclusion(LEAVES[index], index, size, proof, root)
        for old in {1, size, chosen.randint(1, size)}:
            proof = merkle.consistency_proof(old, size, reader)
            assert proof == merkle.consistency_proof(old, size, leaves)
            merkle.verify_consistency(old, size, proof, merkle.root_at(old, leaves), root)


def test_a_tile_in_use_is_fetched_once(storage: Storage) -> None:
    storage.asked.clear()
    reader = tiles.TiledReader(storage.fetch)

    for index in range(256):
        merkle.inclusion_proof(index, 65_536, reader)

    assert sorted(storage.asked) == [(0, 0, 256), (8, 0, 256)]


def test_only_the_tiles_used_last_are_kept(storage: Storage) -> None:
    storage.asked.clear()
    reader = tiles.TiledReader(storage.fetch, keep=2)

    for tile in (0, 1, 0, 2, 0, 1):
        reader.hash_at(0, tile * 256)

    assert [start // 256 for _, start, _ in storage.asked] == [0, 1, 2, 1]


def test_a_tile_that_grew_is_fetched_again() -> None:
    growing = Storage(LEAVES[:3])
    reader = tiles.TiledReader(growing.fetch)
    with pytest.raises(tiles.HashMissing):
        reader.hash_at(2, 0)

    growing.append(LEAVES[3])

    assert reader.hash_at(2, 0) == merkle.root_of(LEAVES[:4])


@pytest.mark.parametrize(
    ("level", "position"), [(0, SIZE), (-1, 0), (0, -1), (8, SIZE >> 8), (17, 0), (80, 0)]
)
def test_a_subtree_that_is_not_complete_is_missing(
    storage: Storage, leaves: tiles.Leaves, level: int, position: int
) -> None:
    for reader in (leaves, tiles.TiledReader(storage.fetch)):
        with pytest.raises(tiles.HashMissing):
            reader.hash_at(level, position)


def test_a_stored_hash_of_another_length_is_refused() -> None:
    def fetch(level: int, start: int, count: int) -> Sequence[bytes]:
        return [b"short"][level + start : count]

    reader = tiles.TiledReader(fetch)

    with pytest.raises(ValueError, match="32 bytes"):
        reader.hash_at(0, 0)
