"""Compute all levels of the tree over one range of leaves, each as one value."""

from hashlib import sha256

from compliance.trail.tlog import merkle

_WIDTH = merkle.HASH_SIZE


class Pyramid:
    """The perfect subtrees over leaf hashes that begin at a multiple of the range's size."""

    def __init__(self, leaf_hashes: bytes) -> None:
        self.levels = [leaf_hashes]
        below = leaf_hashes
        while len(below) >= 2 * _WIDTH:
            below = b"".join(
                [
                    sha256(b"\x01" + below[at : at + 64]).digest()
                    for at in range(0, len(below) - 63, 64)
                ]
            )
            self.levels.append(below)

    def hashes(self, size: int) -> list[bytes]:
        """Return the compact range of the first `size` leaves, from left (largest) to right."""
        found, start = [], 0
        for level in reversed(range(size.bit_length())):
            if size >> level & 1:
                place = (start >> level) * _WIDTH
                found.append(self.levels[level][place : place + _WIDTH])
                start += 1 << level
        return found

    def fold(self, size: int) -> bytes:
        """Return the root over the first `size` leaves."""
        return fold(self.hashes(size))


def fold(hashes: list[bytes]) -> bytes:
    """Return the root of a compact range."""
    if not hashes:
        return merkle.EMPTY_ROOT
    folded = hashes[-1]
    for one in hashes[-2::-1]:
        folded = merkle.node_hash(one, folded)
    return folded
