"""Tiles have one path each, and a tree has the tiles that the specification counts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compliance.trail.tlog import tile_paths
from compliance.trail.tlog.tile_paths import PathInvalid, Tile

tiles_of_any_log = st.builds(
    Tile,
    level=st.integers(0, 63),
    index=st.integers(0, 2**55),
    width=st.integers(1, 256),
)


@pytest.mark.parametrize(
    ("tile", "path"),
    [
        (Tile(level=0, index=1234067), "tile/0/x001/x234/067"),
        (Tile(level=0, index=0), "tile/0/000"),
        (Tile(level=1, index=999, width=1), "tile/1/999.p/1"),
        (Tile(level=63, index=1000), "tile/63/x001/000"),
        (Tile(level=0, index=42, width=255, is_entries=True), "tile/entries/042.p/255"),
    ],
)
def test_a_tile_has_the_path_of_the_specification(tile: Tile, path: str) -> None:
    assert tile.path == path
    assert Tile.parse(path) == tile


@given(tiles_of_any_log)
def test_every_path_is_read_back(tile: Tile) -> None:
    assert Tile.parse(tile.path) == tile


@pytest.mark.parametrize(
    "path",
    [
        "tile/0/0",
        "tile/0/00",
        "tile/0/0000",
        "tile/0/x000/001",
        "tile/0/x001",
        "tile/0/001/002",
        "tile/00/000",
        "tile/64/000",
        "tile/-1/000",
        "tile/0/000.p/0",
        "tile/0/000.p/01",
        "tile/0/000.p/256",
        "tile/0/000.p/",
        "tile/0/000/",
        "tile/0/000\n",
        "tile/0/٠٠٠",
        "tile/entries/x",
        "tile/data/000",
        "/tile/0/000",
        "tile/0/X001/000",
        "tile/0/../000",
        "",
    ],
)
def test_a_second_spelling_is_no_path(path: str) -> None:
    with pytest.raises(PathInvalid):
        Tile.parse(path)


def test_seventy_thousand_leaves_have_the_tiles_that_the_specification_names() -> None:
    full = list(tile_paths.full_between(0, 70_000))
    partial = list(tile_paths.partial_at(70_000))

    assert [sum(one.level == level for one in full) for level in (0, 1, 2)] == [273, 1, 0]
    assert [(one.level, one.width) for one in partial] == [(0, 112), (1, 17), (2, 1)]


def test_256_leaves_have_a_full_tile_and_a_partial_one_above() -> None:
    assert [one.path for one in tile_paths.full_between(0, 256)] == ["tile/0/000"]
    assert [one.path for one in tile_paths.partial_at(256)] == ["tile/1/000.p/1"]


@given(st.lists(st.integers(0, 200_000), min_size=1, max_size=5).map(sorted))
def test_a_growing_log_fills_each_tile_once(sizes: list[int]) -> None:
    steps = [
        tile
        for old, new in zip([0, *sizes], sizes, strict=False)
        for tile in tile_paths.full_between(old, new)
    ]

    assert len(steps) == len(set(steps))
    assert set(steps) == set(tile_paths.full_between(0, sizes[-1]))
    assert all(tile.is_within(sizes[-1]) for tile in steps)


@given(st.integers(0, 300_000))
def test_no_tile_is_within_a_tree_that_lacks_a_hash_of_it(size: int) -> None:
    for tile in tile_paths.partial_at(size):
        wider = Tile(level=tile.level, index=tile.index, width=tile.width + 1)
        assert tile.is_within(size)
        assert not wider.is_within(size)
    assert not Tile(level=9, index=0, width=1).is_within(size)
