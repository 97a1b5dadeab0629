"""Damage real messages in many ways, and read each: refused with a code, or read with a report.

`python -m tests.batches.exchange.mutations COUNT SEED FOLDER` does it in a process of its own and
prints what came of it with the peak of its memory.
"""

import gzip
import io
import json
import random
import resource
import sys
import time
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from batches.exchange.formats import asm, b2mml, declared, detecting, gates, tables
from batches.exchange.formats.contents import Content
from compliance.refusals import Refused
from compliance.trail.tlog import canonical

SEED = 20261125
MOST = 8 * 1024 * 1024
TABLE = {
    "kind": "csv", "makes": "results", "encoding": "utf-8", "newline": "lf", "time_format": "iso",
    "zone": "offset", "columns": [
        {"name": "at", "field": "at"}, {"name": "sample", "field": "sample"},
        {"name": "v", "field": "measure", "tag": "t", "unit": "g/L"},
    ],
}  # fmt: skip
CSV = b"at,sample,v\n" + b"2026-03-02T12:00:00+00:00,S-1,3.10\n" * 20
LINES = b'{"at":"2026-03-02T12:00:00+00:00","sample":"S-1","v":3.10}\n' * 20


@dataclass(frozen=True)
class Damaged:
    """One damaged message as it would be posted."""

    how: str
    data: bytes
    media_type: str
    encoding: str = ""


def seeds(folder: Path) -> list[tuple[bytes, str]]:
    """Return real messages, small enough to damage thousands of times."""
    found = [
        *sorted((folder / "b2mml").glob("*/*.xml")),
        *sorted((folder / "allotropy").rglob("*.json")),
    ]
    real = [
        (one.read_bytes(), "application/xml" if one.suffix == ".xml" else "application/json")
        for one in found
        if one.stat().st_size < 60_000
    ]
    return [*real, (CSV, "text/csv"), (LINES, "application/x-ndjson")]


def _flipped(data: bytes, by: random.Random) -> bytes:
    changed = bytearray(data)
    for _ in range(by.randint(1, 20)):
        changed[by.randrange(len(changed))] ^= 1 << by.randrange(8)
    return bytes(changed)


def _truncated(data: bytes, by: random.Random) -> bytes:
    return data[: by.randrange(len(data))]


def _inserted(data: bytes, by: random.Random) -> bytes:
    place = by.randrange(len(data))
    return data[:place] + by.randbytes(by.randint(1, 40)) + data[place:]


def _repeated(data: bytes, by: random.Random) -> bytes:
    first = by.randrange(len(data))
    last = by.randrange(first, len(data))
    return data[:last] + data[first:last] * by.randint(1, 3) + data[last:]


def _encoded(data: bytes, by: random.Random) -> bytes:
    text = data.decode("utf-8", errors="replace")
    return text.encode(
        by.choice(["utf-16", "utf-32", "utf-16-be", "cp1252", "utf-8-sig"]), "replace"
    )


def _wrong_declaration(data: bytes, by: random.Random) -> bytes:
    name = by.choice(["utf-16", "ebcdic-cp-be", "no-such", "utf-7", "iso-8859-1", "\u00e4"])
    return f'<?xml version="1.0" encoding="{name}"?>'.encode() + data[data.find(b"<", 5) :]


def _huge_number(data: bytes, by: random.Random) -> bytes:
    number = by.choice([b"9" * 100_000, b"1e999999999", b"-1E-999999999", b"0." + b"3" * 5000])
    digits = [place for place, byte in enumerate(data) if 48 <= byte <= 57] or [0]
    place = by.choice(digits)
    return data[:place] + number + data[place + 1 :]


def _text(data: bytes, by: random.Random) -> bytes:
    piece = by.choice([b"\0", b"\\ud800", b"\\u0000", b"\xed\xa0\x80", b"\xc0\x80", b"%", b"N/A"])
    place = by.randrange(len(data))
    return data[:place] + piece + data[place:]


GENERAL: tuple[Callable[[bytes, random.Random], bytes], ...] = (
    _flipped, _truncated, _inserted, _repeated, _encoded, _huge_number, _text,
)  # fmt: skip


def _attacks(by: random.Random) -> Iterator[Damaged]:
    """Yield the attacks that are known by name, each in many sizes."""
    xml, json_ = "application/xml", "application/json"
    space = "http://www.wbf.org/xml/B2MML-V0401"
    while True:
        depth, size = by.choice([65, 1000, 100_000]), by.choice([10_000, 300_000, 5_000_000])
        laughs = "".join(f"<!ENTITY l{n} '{f'&l{n - 1};' * 10}'>" for n in range(1, 10))
        yield Damaged(
            "billion laughs", f"<!DOCTYPE a [<!ENTITY l0 'x'>{laughs}]><a>&l9;</a>".encode(), xml
        )
        long, quoted = "x" * (size // 10), '"1"'
        yield Damaged(
            "quadratic blow-up",
            f"<!DOCTYPE a [<!ENTITY l '{long}'>]><a>{'&l;' * 1000}</a>".encode(),
            xml,
        )
        target = by.choice(["file:///etc/passwd", "http://127.0.0.1:9/x", "jar:http://a!/b"])
        yield Damaged(
            "external entity",
            f"<!DOCTYPE a [<!ENTITY e SYSTEM '{target}'>]><a>&e;</a>".encode(),
            xml,
        )
        yield Damaged("external DTD", f"<!DOCTYPE a SYSTEM '{target}'><a/>".encode(), xml)
        yield Damaged(
            "parameter entity",
            f"<!DOCTYPE a [<!ENTITY % p SYSTEM '{target}'>%p;]><a/>".encode(),
            xml,
        )
        yield Damaged("undefined entity", b"<a>&nbsp;</a>", xml)
        yield Damaged(
            "inclusion",
            f'<a xmlns:x="http://www.w3.org/2001/XInclude"><x:include href="{target}"/></a>'.encode(),
            xml,
        )
        yield Damaged(
            "deep XML", f'<MaterialLot xmlns="{space}">'.encode() + b"<MaterialSubLot>" * depth, xml
        )
        yield Damaged(
            "many attributes",
            f"<a {' '.join(f'a{n}=' + quoted for n in range(by.randint(33, 20_000)))}/>".encode(),
            xml,
        )
        yield Damaged("long attribute", f'<a b="{"x" * size}"/>'.encode(), xml)
        yield Damaged("long text", f"<a>{'x' * size}</a>".encode(), xml)
        yield Damaged(
            "many elements",
            f'<MaterialLot xmlns="{space}">{"<ID/>" * (size // 5)}</MaterialLot>'.encode(),
            xml,
        )
        yield Damaged("long name", f"<{'a' * size}/>".encode(), xml)
        yield Damaged("deep JSON", b"[" * depth + b"]" * depth, json_)
        yield Damaged("deep objects", b'{"a":' * depth + b"1" + b"}" * depth, json_)
        yield Damaged("many parts", b"[" + b"[]," * (size // 3) + b"1]", json_)
        yield Damaged("same members", b"{" + b'"a":1,' * (size // 100) + b'"a":1}', json_)
        yield Damaged(
            "many members",
            ("{" + ",".join(f'"{n}":1' for n in range(size // 50)) + "}").encode(),
            json_,
        )
        yield Damaged("one long line", b"a," * (size // 2), "text/csv")
        yield Damaged("open quote", b'at,sample,v\n"' + b"x" * size, "text/csv")
        yield Damaged("many lines", b"at,sample,v\n" + b"a,b,c\n" * (size // 6), "text/csv")
        packed = gzip.compress(b"\0" * by.choice([MOST - 1, MOST + 1, 200_000_000]), 9)
        yield Damaged("gzip bomb", packed, xml, "gzip")
        yield Damaged("gzip in gzip", gzip.compress(packed), xml, "gzip")
        yield Damaged("cut gzip", packed[: len(packed) // 2], xml, "gzip")
        yield Damaged("gzip and more", gzip.compress(b"<a/>") * 2, xml, "gzip")
        yield Damaged("deflate", zlib.compress(b"<a/>"), xml, "deflate")
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as zipped:
            zipped.writestr("a.xml", b"\0" * 20_000_000)
        yield Damaged("zip bomb", archive.getvalue(), by.choice([xml, json_, "text/csv"]))
        yield Damaged("polyglot", b"%PDF-1.7\n<a/>", by.choice([xml, json_, "text/csv"]))


def damaged(folder: Path, *, count: int, seed: int) -> Iterator[Damaged]:
    """Yield so many damaged messages, the same ones for a seed; one in twenty is a named attack."""
    by = random.Random(seed)
    sources = seeds(folder)
    attacks = _attacks(by)
    for number in range(count):
        if number % 20 == 0:
            yield next(attacks)
            continue
        data, media_type = by.choice(sources)
        how = by.choice(GENERAL)
        if media_type == "application/xml" and number % 9 == 0:
            how = _wrong_declaration
        made = how(data, by)
        if by.random() < 0.2:
            made = by.choice(GENERAL)(made or b"x", by)
        yield Damaged(how.__name__, made, media_type)


def read(one: Damaged) -> Content:
    """Read a message the way the intake does, but for the database."""
    by = declared.parse(TABLE)
    data = gates.inflated(one.data, encoding=one.encoding, most=MOST)
    kind = detecting.kind_of(data, media_type=one.media_type)
    match kind:
        case "xml":
            return b2mml.read(data)
        case "json":
            return asm.read(data)
        case "csv":
            return tables.read(data, by, kind=kind)
    lines = declared.parse({**TABLE, "kind": "ndjson"})
    return tables.read(data, lines, kind=kind)


def main(count: int, seed: int, folder: Path) -> None:
    outcomes: Counter[str] = Counter()
    failures: list[str] = []
    slowest = (0.0, "")
    for number, one in enumerate(damaged(folder, count=count, seed=seed)):
        began = time.process_time()
        try:
            content = read(one)
            canonical.dumps(content.report.as_json())
            outcomes["mapped" if content.report.is_clean else "quarantined"] += 1
        except Refused as refused:
            outcomes[refused.code] += 1
            if not 400 <= refused.status < 500:
                failures.append(f"{number} {one.how}: status {refused.status}")
        except BaseException as error:  # what must never happen is what is counted here
            failures.append(f"{number} {one.how}: {error!r:.200}")
        slowest = max(slowest, (round(time.process_time() - began, 2), f"{number} {one.how}"))
    print(
        json.dumps(
            {"count": count, "outcomes": dict(outcomes.most_common()), "failures": failures,
             "peak_mib": _peak_mib(), "slowest": slowest}
        )
    )  # fmt: skip


def _peak_mib() -> int:
    """Return the most memory since this program was loaded; `ru_maxrss` would count its parent's."""
    status = Path("/proc/self/status")
    for line in status.read_text().splitlines() if status.exists() else ():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) // 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3]))
