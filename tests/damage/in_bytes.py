"""Damage to the bytes of a bundle."""

from collections.abc import Callable

from compliance.trail.verifier import writing
from compliance.trail.verifier.findings import Verdict
from tests.damage.cases import Case, Scene, damage


def _bytes(made: Scene, change: Callable[[bytearray, int], None], what: str) -> Case:
    data = bytearray(writing.bundle(made.contents))
    at = made.random.randrange(len(data))
    change(data, at)
    return Case(
        bundle=bytes(data),
        trust=made.trust,
        description=f"{what} at byte {at}",
        expected=Verdict.MALFORMED,
    )


@damage
def _bit_flipped(made: Scene) -> Case:
    bit = 1 << made.random.randrange(8)
    return _bytes(made, lambda data, at: data.__setitem__(at, data[at] ^ bit), "bit flipped")


@damage
def _byte_inserted(made: Scene) -> Case:
    return _bytes(made, lambda data, at: data.insert(at, 0x20), "byte inserted")


@damage
def _byte_removed(made: Scene) -> Case:
    return _bytes(made, lambda data, at: data.__delitem__(at), "byte removed")


@damage
def _cut_off(made: Scene) -> Case:
    return _bytes(made, lambda data, at: data.__delitem__(slice(at, None)), "cut off")


@damage
def _longer(made: Scene) -> Case:
    return _bytes(made, lambda data, at: data.extend(b"\0" * (at + 1)), "zeros behind")
