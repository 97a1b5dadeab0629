"""Write the one byte form of a sample of a series, and hash it into its segment's Merkle tree."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from hashlib import sha256
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
        self._middles: dict[tuple[str, str], str] = {}

    def __call__(self, *, position: int, tag: str, at: str, value: str, unit: str) -> bytes:
        """Return the leaf hash of a sample: canonical JSON of its five members."""
        middle = self._middles.get((tag, unit)) or self._middle(tag, unit)
        return merkle.leaf_hash(f'{{"at":"{at}","p":{position}{middle}{value}"}}'.encode())

    def block(
        self, start: int, ats: Sequence[str], tags: Sequence[str], values: Sequence[str],
        units: Sequence[str],
    ) -> list[bytes]:  # fmt: skip
        """Return the leaf hashes of samples in a row: as one each, without a call for each."""
        pairs = zip(tags, units, strict=True)
        for tag, unit in set(pairs) - self._middles.keys():
            self._middle(tag, unit)
        middles = self._middles
        # Each begins with the octet 0 of a leaf (RFC 9162 2.1.1).
        return [
            sha256(
                f'\0{{"at":"{at}","p":{position}{middles[tag, unit]}{value}"}}'.encode()
            ).digest()
            for position, (at, tag, value, unit) in enumerate(
                zip(ats, tags, values, units, strict=True), start=start
            )
        ]

    def _middle(self, tag: str, unit: str) -> str:
        escaped = [json.dumps(text, ensure_ascii=False) for text in (tag, unit)]
        made = f',"tag":{escaped[0]},"u":{escaped[1]},"v":"'
        self._middles[tag, unit] = made
        return made


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
