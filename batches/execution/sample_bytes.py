"""Write the one byte form of a sample of a series, and hash it into its segment's Merkle tree."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import NamedTuple

from compliance.trail.tlog import merkle


class Reading(NamedTuple):
    """One value of one tag, with the digits that the source sent."""

    tag: str
    observed_at: datetime
    value: Decimal
    unit: str


def plain(value: Decimal) -> str:
    """Return the digits without an exponent, as PostgreSQL's numeric writes them."""
    return f"{value.copy_abs() if value.is_zero() else value:f}"


def moment(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


class LeafHasher:
    """Hashes samples of one segment; a tag and its unit are escaped once."""

    def __init__(self) -> None:
        self._middles: dict[tuple[str, str], tuple[str, str]] = {}

    def __call__(self, *, position: int, tag: str, at: str, value: str, unit: str) -> bytes:
        """Return the leaf hash of a sample: canonical JSON of its five members."""
        parts = self._middles.get((tag, unit))
        if parts is None:
            escaped = [json.dumps(text, ensure_ascii=False) for text in (tag, unit)]
            parts = (f',"tag":{escaped[0]},"u":{escaped[1]},"v":"', '"}')
            self._middles[tag, unit] = parts
        return merkle.leaf_hash(f'{{"at":"{at}","p":{position}{parts[0]}{value}{parts[1]}'.encode())


def leaf_hashes(readings: Iterable[Reading]) -> list[bytes]:
    """Return the leaf hashes of a segment, in order."""
    hasher = LeafHasher()
    return [
        hasher(
            position=position,
            tag=one.tag,
            at=moment(one.observed_at),
            value=plain(one.value),
            unit=one.unit,
        )
        for position, one in enumerate(readings)
    ]


@dataclass(frozen=True)
class HashReader:
    """Answers a proof's questions from the leaf hashes of one segment."""

    leaves: Sequence[bytes]

    def hash_at(self, level: int, position: int) -> bytes:
        first = position << level
        return merkle.root_of(self.leaves[first : first + (1 << level)])
