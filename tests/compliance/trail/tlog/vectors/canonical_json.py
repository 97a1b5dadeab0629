"""Verdicts on the RFC 8785 pairs and on the published corpus of ES6 numbers."""

import hashlib
import json
import struct
from collections.abc import Iterator
from pathlib import Path

from compliance.trail.tlog import canonical
from tests.compliance.trail.tlog.vectors.verdicts import Verdict, accepts, family


@family("RFC 8785 pairs", least=9)
def pairs(vectors: Path) -> Iterator[Verdict]:
    folder = vectors / "jcs"
    for file in sorted((folder / "input").iterdir()):
        ours = canonical.jcs(json.loads(file.read_bytes()))
        text = (folder / "output" / file.name).read_bytes()
        octets = (folder / "outhex" / file.with_suffix(".txt").name).read_text()
        yield Verdict(f"{file.name} as text", True, ours == text)
        yield Verdict(f"{file.name} as bytes", True, ours == bytes.fromhex(octets))
        # The profile has neither floats nor other keys than names: it refuses, and never differs.
        inside = file.name == "arrays.json"
        got = accepts(canonical.NotCanonical, canonical.loads, text)
        yield Verdict(f"{file.name} in the profile", inside, got)


@family("RFC 8785 sample numbers", least=7)
def samples(vectors: Path) -> Iterator[Verdict]:
    for line in (vectors / "jcs" / "es6_sample_lines.csv").read_text().split():
        bits, text = line.split(",")
        yield Verdict(line, True, canonical.jcs(_double(int(bits, 16))) == text.encode())


@family("RFC 8785 checksums of 1,000 and 10,000", least=2)
def checksums(vectors: Path) -> Iterator[Verdict]:
    published = json.loads((vectors / "jcs" / "es6_numbers_checksums_open.json").read_bytes())
    numbers = _es6_numbers(published["static_u64_hex"])
    digest, lines, size = hashlib.sha256(), 0, 0
    for checksum in sorted(published["checksums"], key=lambda one: one["lines"]):
        while lines < checksum["lines"]:
            bits = next(numbers)
            line = f"{bits:x},".encode() + canonical.jcs(_double(bits)) + b"\n"
            digest.update(line)
            lines, size = lines + 1, size + len(line)
        got = (digest.hexdigest(), size) == (checksum["sha256"], checksum["bytes"])
        yield Verdict(f"{lines} numbers", True, got)


def _double(bits: int) -> float:
    number: float = struct.unpack("<d", bits.to_bytes(8, "little"))[0]
    return number


def _es6_numbers(static: list[str]) -> Iterator[int]:
    yield from (int(bits, 16) for bits in static)
    yield from range(0x0010000000000000, 0x0010000000000000 + 2000)
    block = bytes(32)
    while True:
        block = hashlib.sha256(block).digest()
        for start in range(0, 32, 8):
            bits = int.from_bytes(block[start : start + 8], "little")
            if bits & 0x7FF0000000000000 != 0x7FF0000000000000 and bits & ~(1 << 63):
                yield bits
