"""Hold the samples of one post by columns: a row of its own costs more than what is done with it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import cached_property
from hashlib import sha256

from batches.execution import sample_bytes
from batches.execution.sample_bytes import LeafHasher, Reading
from compliance.trail.tlog import merkle

_BLOCK = 512  # a perfect subtree of the segment's Merkle tree


@dataclass(frozen=True)
class Samples:
    """Samples in the order in which they were sent.

    `values` are digits as PostgreSQL's numeric writes them, `texts` moments in the one form of the
    sealed bytes (sample_bytes), which sorts by time; both are what is hashed and what is stored.
    """

    tags: Sequence[str]
    texts: Sequence[str]
    values: Sequence[str]
    units: Sequence[str]

    def __len__(self) -> int:
        return len(self.tags)

    @cached_property
    def pairs(self) -> frozenset[tuple[str, str]]:
        """Each tag with each unit that it has."""
        return frozenset(zip(self.tags, self.units, strict=True))

    @cached_property
    def first_at(self) -> datetime:
        return datetime.fromisoformat(min(self.texts))

    @cached_property
    def last_at(self) -> datetime:
        return datetime.fromisoformat(max(self.texts))

    def rows(self) -> Iterator[Reading]:
        for tag, at, value, unit in zip(
            self.tags, self.texts, self.values, self.units, strict=True
        ):
            yield Reading(tag, datetime.fromisoformat(at), Decimal(value), unit)

    def chosen(self, positions: Sequence[int]) -> "Samples":
        """Return some of them, in the order given."""
        return Samples(
            *([column[n] for n in positions]
              for column in (self.tags, self.texts, self.values, self.units))
        )  # fmt: skip


def of(rows: Sequence[Reading]) -> Samples:
    """Return rows by columns."""
    return Samples(
        tags=[row.tag for row in rows],
        texts=[sample_bytes.moment(row.observed_at) for row in rows],
        values=[sample_bytes.plain(row.value) for row in rows],
        units=[row.unit for row in rows],
    )


def blocks(samples: Samples) -> Iterator[tuple[int, Samples]]:
    """Yield the samples a block at a time, with the position of its first."""
    for start in range(0, len(samples), _BLOCK):
        end = start + _BLOCK
        yield start, Samples(
            samples.tags[start:end], samples.texts[start:end],
            samples.values[start:end], samples.units[start:end],
        )  # fmt: skip


def hashes(start: int, block: Samples, hasher: LeafHasher) -> list[bytes]:
    """Return the leaf hashes of a block that begins at a position of its segment."""
    return hasher.block(start, block.texts, block.tags, block.values, block.units)


def root(leaf_hashes: Sequence[bytes]) -> bytes:
    """Return the Merkle root as `merkle.root_of` does, a level at a time: half of its time."""
    level = list(leaf_hashes)
    if not level:
        return merkle.EMPTY_ROOT
    while len(level) > 1:
        above = [
            sha256(b"\x01" + left + right).digest()
            for left, right in zip(level[::2], level[1::2], strict=False)
        ]
        if len(level) % 2:
            above.append(level[-1])
        level = above
    return level[0]
