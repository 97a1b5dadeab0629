"""Draw a sample of entries: all that a rule names, and a seeded part of the rest, reproducibly."""

import hashlib
import math
from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence

LEAST, MOST = 5, 60


def draw(
    rest: Iterable[int], *, targeted: Mapping[int, Sequence[str]], seed: str, random: str
) -> dict[int, list[str]]:
    """Return the drawn entries with their reasons: the targeted ones, then the random ones."""
    drawn = {entry: list(reasons) for entry, reasons in targeted.items() if reasons}
    others = [entry for entry in rest if entry not in drawn]
    for entry in sorted(others, key=lambda one: rank(one, seed))[: size(len(others))]:
        drawn[entry] = [random]
    return dict(sorted(drawn.items()))


def thinned(
    targeted: Mapping[int, Sequence[str]], *, rule: str, groups: Mapping[int, Hashable], seed: str
) -> dict[int, list[str]]:
    """Keep of what one rule alone names a part of each group, by the seed; all of anything else.

    Each group has its own part, so that many entries of one kind take no place from another, and
    what is left out goes back to the rest, where the random part may draw it. Of a group the part is
    `LEAST` or the square root, whichever is more, and has no upper bound.
    """
    kept = {entry: list(reasons) for entry, reasons in targeted.items()}
    alone: dict[Hashable, list[int]] = defaultdict(list)
    for entry, reasons in kept.items():
        if reasons == [rule]:
            alone[groups[entry]].append(entry)
    for entries in alone.values():
        part = max(LEAST, math.isqrt(len(entries)))
        for entry in sorted(entries, key=lambda one: rank(one, seed))[part:]:
            kept[entry] = []
    return kept


def size(count: int) -> int:
    """Return how many of so many are drawn at random: the square root, within bounds."""
    return min(count, max(LEAST, min(MOST, math.isqrt(count))))


def rank(entry: int, seed: str) -> bytes:
    """Return the place of an entry in the draw: anybody can compute it again from the seed."""
    return hashlib.sha256(f"gmp-trail-review/1\0{seed}\0{entry}".encode()).digest()


def digest(entries: Iterable[int]) -> str:
    """Return the SHA-256 of the ids of entries, in order: what a review says it covers."""
    text = ",".join(str(entry) for entry in sorted(set(entries)))
    return hashlib.sha256(b"gmp-trail-review/scope/1\0" + text.encode()).hexdigest()
