"""All levels of a range are those of the tree, at every size."""

from hashlib import sha256

import pytest

from compliance.trail.tlog import merkle
from compliance.trail.verifying.pyramid import Pyramid

LEAVES = [sha256(bytes([n])).digest() for n in range(130)]


@pytest.mark.parametrize("size", range(131))
def test_a_range_of_every_size_has_the_roots_of_the_tree(size: int) -> None:
    found = Pyramid(b"".join(LEAVES[:size]))

    for smaller in range(size + 1):
        tree = merkle.CompactRange()
        for one in LEAVES[:smaller]:
            tree.append(one)
        assert tuple(found.hashes(smaller)) == tree.hashes
        assert found.fold(smaller) == tree.root()
