"""Readings by columns are those that line by line would give, or are refused as line by line."""

import random
from datetime import UTC, datetime, timedelta

import pytest

from batches.exchange import reading_lines
from batches.exchange.formats import ndjson
from batches.execution import samples
from batches.execution.sample_bytes import Reading

GOOD = b'{"tag":"ph","at":"2026-03-01T08:00:00Z","value":7.01,"unit":"[pH]"}'
LINES = [
    GOOD,
    GOOD.replace(b"7.01", b"-0.0"),
    GOOD.replace(b"7.01", b"-0"),
    GOOD.replace(b"7.01", b"-7.10"),
    GOOD.replace(b"7.01", b"1e3"),
    GOOD.replace(b"7.01", b'"7.01"'),
    GOOD.replace(b"7.01", b"0.00000000000000000000000000001"),
    GOOD.replace(b":00Z", b":00.5Z"),
    GOOD.replace(b":00Z", b":00.000007Z"),
    GOOD.replace(b":00Z", b":00+05:30"),
    GOOD.replace(b'"tag"', b' "tag" '),
    GOOD.replace(b'"ph"', b'"\\u0070h"'),
    GOOD.replace(b'"ph"', b'"unit"'),
    GOOD.replace(b"[pH]", "µS/cm".encode()),
]
FAULTY = [
    b"",
    b"{}",
    b"[1]",
    GOOD.replace(b"7.01", b"NaN"),
    GOOD.replace(b"7.01", b"07"),
    GOOD.replace(b"7.01", b"true"),
    GOOD.replace(b"7.01", b'"1_0"'),
    GOOD.replace(b"7.01", b'"7.01\\n"'),
    GOOD.replace(b":00Z", b":00"),
    GOOD.replace(b"03-01", b"02-30"),
    GOOD.replace(b"2026", b"1999"),
    GOOD.replace(b"T", b" ", 1),
    GOOD.replace(b"08:00:00", b"08:00:60"),
    GOOD.replace(b'"ph"', b'""'),
    GOOD.replace(b'"ph"', b'"' + b"p" * 61 + b'"'),
    GOOD.replace(b"{", b'{"tag":"x",'),
    GOOD.replace(b"}", b',"more":1}'),
    GOOD.replace(b'"ph"', b'"p\xff"'),
    GOOD + b" " + GOOD,
]


@pytest.mark.parametrize("line", LINES)
@pytest.mark.parametrize("end", [b"", b"\n"])
def test_columns_are_what_line_by_line_reads(line: bytes, end: bytes) -> None:
    body = GOOD + b"\n" + line + end

    read = reading_lines.read(body, most=10)

    assert read == samples.of([Reading(*one) for one in ndjson.readings(body, most=10)])


@pytest.mark.parametrize("line", FAULTY)
def test_a_faulty_line_is_refused_and_named(line: bytes) -> None:
    with pytest.raises(ndjson.LinesRefused) as refused:
        reading_lines.read(GOOD + b"\n" + line + b"\n" + GOOD, most=10)

    assert [error["line"] for error in refused.value.errors] == ["2"]


def test_random_posts_are_read_alike() -> None:
    chance = random.Random(7)
    for _ in range(200):
        rows = []
        for _ in range(chance.randint(1, 20)):
            at = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=chance.random() * 1e7)
            value = chance.choice([f"{chance.uniform(-99, 99):.3f}", str(chance.randint(-9, 9))])
            rows.append(
                f'{{"tag":"t{chance.randint(1, 3)}","at":"{at.isoformat()[:-6]}Z",'
                f'"value":{value},"unit":"Cel"}}'
            )
        body = "\n".join(rows).encode()

        read = reading_lines.read(body, most=20)

        assert read == samples.of([Reading(*one) for one in ndjson.readings(body, most=20)])


def test_more_lines_than_are_allowed_are_refused() -> None:
    with pytest.raises(ndjson.LinesRefused, match="at most 2 lines"):
        reading_lines.read(b"\n".join([GOOD] * 3), most=2)
