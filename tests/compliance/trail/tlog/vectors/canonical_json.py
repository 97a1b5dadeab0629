"""Verdicts on the RFC 8785 pairs and on the published corpus of ES6 numbers."""

import hashlib
import json
import struct
from collections.abc import Iterator
from pathlib import Path

from compliance.trail.tlog import canonical
from tests.compliance.trail.tlog.vectors.verdicts import Verdict, accepts, family

# The published data has no negative case: these are ours. None may be read as anything.
REFUSED = {
    "nothing": b"",
    "space before": b" 1",
    "space behind": b"1 ",
    "newline behind": b"1\n",
    "space within": b'{"a": 1}',
    "two values": b"1 2",
    "text behind": b'{"a":1}x',
    "BOM": b"\xef\xbb\xbf1",
    "UTF-16": "1".encode("utf-16"),
    "UTF-16 without BOM": '"a"'.encode("utf-16-le"),
    "UTF-32": "1".encode("utf-32"),
    "NUL behind": b"1\x00",
    "keys out of order": b'{"b":1,"a":2}',
    "capitals behind small letters": b'{"a":1,"B":2}',
    "duplicate key": b'{"a":1,"a":1}',
    "duplicate key, once escaped": b'{"a":1,"\\u0061":2}',
    "duplicate key below": b'{"x":{"a":1,"a":2}}',
    "key that is no name": b'{"a b":1}',
    "empty key": b'{"":1}',
    "fraction of zero": b"1.0",
    "fraction": b"12.5",
    "exponent": b"1e2",
    "exponent beyond a double": b"1E400",
    "minus zero": b"-0",
    "minus zero below": b'{"a":[-0]}',
    "minus zero with fraction": b"-0.0",
    "leading zero": b"01",
    "plus": b"+1",
    "minus alone": b"-",
    "hexadecimal": b"0x1",
    "underscore": b"1_0",
    "Arabic digit": "\N{ARABIC-INDIC DIGIT ONE}".encode(),
    "2^53": b"9007199254740992",
    "-2^53": b"-9007199254740992",
    "2^63": b"9223372036854775808",
    "5,000 digits": b"9" * 5000,
    "NaN": b"NaN",
    "NaN below": b'{"a":NaN}',
    "Infinity": b"Infinity",
    "-Infinity": b"-Infinity",
    "lone high surrogate": b'"\\ud800"',
    "lone low surrogate": b'"\\udc00"',
    "lone surrogate before text": b'"\\ud83dx"',
    "lone surrogate in a key": b'{"\\ud800":1}',
    "reversed pair": b'"\\udc00\\ud800"',
    "pair that is escaped": b'"\\ud83d\\ude00"',
    "surrogate as UTF-8": b'"\xed\xa0\x80"',
    "pair as CESU-8": b'"\xed\xa0\xbd\xed\xb8\x80"',
    "letter that is escaped": b'"\\u00e9"',
    "ASCII that is escaped": b'"\\u0041"',
    "slash that is escaped": b'"\\/"',
    "newline by its number": b'"\\u000A"',
    "control in capitals": b'"\\u001F"',
    "DEL that is escaped": b'"\\u007f"',
    "unknown escape": b'"\\x41"',
    "escape cut off": b'"\\u00"',
    "NUL in a string": b'"\x00"',
    "newline in a string": b'"\n"',
    "tab in a string": b'"\t"',
    "0xFF": b'"\xff"',
    "overlong slash": b'"\xc0\xaf"',
    "overlong NUL": b'"\xc0\x80"',
    "beyond Unicode": b'"\xf4\x90\x80\x80"',
    "UTF-8 cut off": b'"\xe2\x82"',
    "continuation alone": b'"\x80"',
    "single quotes": b"{'a':1}",
    "comma behind, object": b'{"a":1,}',
    "comma behind, list": b"[1,]",
    "comment": b"/**/1",
    "True": b"True",
    "word cut off": b"nul",
    "string cut off": b'"open',
    "key without value": b'{"a"}',
    "number as key": b"{1:1}",
    "deep and open": b"[" * 100_000,
    "deep and closed": b"[" * 100_000 + b"]" * 100_000,
    "65 lists": b"[" * 65 + b"]" * 65,
    "65 objects": b'{"a":' * 65 + b"1" + b"}" * 65,
}


@family("RFC 8785 refusals (ours)", least=70)
def refusals(_: Path) -> Iterator[Verdict]:
    for name, data in REFUSED.items():
        got = accepts(canonical.NotCanonical, canonical.loads, data)
        yield Verdict(name, False, got)


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
