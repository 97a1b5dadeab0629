"""Adding many entries at once gives the very bytes that adding them one by one gives."""

from hashlib import sha256

import pytest

from compliance.trail.tlog import growing, leaf, merkle
from compliance.trail.tlog.growing import End

ORIGIN = "example.com/log“ü”"


def digests(count: int, start: int = 0) -> list[bytes]:
    return [sha256(f"{start + n}".encode()).digest() for n in range(count)]


def one_by_one(size: int) -> tuple[leaf.Chain, merkle.CompactRange, list[bytes], list[merkle.Node]]:
    chain, tree = leaf.Chain(origin=ORIGIN), merkle.CompactRange()
    hashes, nodes = [], []
    for digest in digests(size):
        hashes.append(chain.append(digest))
        nodes += tree.append(hashes[-1])
    return chain, tree, hashes, nodes


def start() -> End:
    return End(origin=ORIGIN, size=0, chain=leaf.chain_start(ORIGIN), range=())


@pytest.mark.parametrize("before", range(40))
def test_any_batch_after_any_size_gives_the_tree_of_single_appends(before: int) -> None:
    begun = growing.grow(start(), digests(before)).end
    for added in range(40):
        chain, tree, hashes, nodes = one_by_one(before + added)

        grown = growing.grow(begun, digests(added, before))

        assert grown.leaf_hashes == hashes[before:]
        assert grown.end.chain == chain.head
        assert grown.end.range == tree.hashes
        assert grown.end.root == tree.root()
        new = {node for node in nodes if (node[1] + 1) << node[0] > before}
        assert set(grown.nodes) == new
        assert len(grown.nodes) == len(new)


def test_a_digest_of_another_length_is_refused() -> None:
    with pytest.raises(leaf.LeafInvalid):
        growing.grow(start(), [b"short"])
