"""A row of the log is altered in the file of its page, past PostgreSQL and all that it writes."""

import os
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from psycopg import sql

from compliance.trail import verification
from compliance.trail.findings import Verdict
from tests import conftest as databases
from tests.attacks.conftest import SealedLog

PAGE = 8192
PRIME, MASK = 16777619, 0xFFFFFFFF
BASES = (
    0x5B1F36E9, 0xB8525960, 0x02AB50AA, 0x1DE66D2A, 0x79FF467A, 0x9BB9F8A3, 0x217E7CD2, 0x83E13D2C,
    0xF8D4474F, 0xE39EB970, 0x42C6AE16, 0x993216FA, 0x7B093B5D, 0x98DAFF3C, 0xF718902A, 0x0B1C9CDB,
    0xE58F764B, 0x187636BC, 0x5D7B3BB1, 0xE73DE7DE, 0x92BEC979, 0xCCA6C0B2, 0x304A0979, 0x85AA43D4,
    0x783125BB, 0x6CA8EAA2, 0xE407EAC6, 0x4B5CFC3E, 0x9FBF8C76, 0x15CA20BE, 0xF2CA9FD3, 0x959BD756,
)  # fmt: skip


def checksum(page: bytes, number: int) -> int:
    """Return the checksum of a page as PostgreSQL computes it (checksum_impl.h)."""
    blank = page[:8] + b"\0\0" + page[10:]
    words = struct.unpack("<2048I", blank) + (0,) * 64
    sums = list(BASES)
    for at, word in enumerate(words):
        mixed = sums[at % 32] ^ word
        sums[at % 32] = (mixed * PRIME & MASK) ^ (mixed >> 17)
    found = 0
    for one in sums:
        found ^= one
    return (found ^ number) % 65535 + 1


@pytest.fixture
def copied(sealed_log: SealedLog) -> Iterator[tuple[str, Path, bytes]]:
    """Copy the log file by file, so that no page of the copy is in memory; return its entries."""
    if not settings.EMBEDDED_POSTGRES or os.geteuid() != 0:
        pytest.skip("the server is not this checkout's own, or its files are not ours to write")
    name = f"{sealed_log.database}_disk"
    databases._drop(name)
    with databases.administrator(sealed_log.database) as connection:
        row = connection.execute(
            "SELECT pg_relation_filepath('audit.entry_p0'), body FROM audit.leaf "
            "JOIN audit.entry USING (entry_id) WHERE idx = 500"
        ).fetchone()
        assert row
    with databases.administrator("postgres") as postgres:
        postgres.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY").format(
                sql.Identifier(name), sql.Identifier(sealed_log.database)
            )
        )
        postgres.execute("CHECKPOINT")
        found = postgres.execute(
            "SELECT oid, current_setting('data_directory') FROM pg_database WHERE datname = %s",
            [name],
        ).fetchone()
        assert found
    yield name, Path(found[1]) / "base" / str(found[0]) / Path(row[0]).name, bytes(row[1])
    databases._drop(name)


def edit(path: Path, body: bytes, *, is_hidden: bool) -> None:
    data = bytearray(path.read_bytes())
    at = data.index(body) + body.index(b'"actor":"test"') + 9
    number = at // PAGE
    page = slice(number * PAGE, (number + 1) * PAGE)
    (stored,) = struct.unpack_from("<H", data, page.start + 8)
    assert checksum(bytes(data[page]), number) == stored
    data[at : at + 4] = b"nemo"
    if is_hidden:
        struct.pack_into("<H", data, page.start + 8, checksum(bytes(data[page]), number))
    path.write_bytes(data)


def test_an_edited_page_with_a_right_checksum_is_named(copied: tuple[str, Path, bytes]) -> None:
    name, path, body = copied
    edit(path, body, is_hidden=True)

    with databases.pointed_at(name):
        report = verification.verify()

    assert {(one.verdict, one.index) for one in report.faults} == {(Verdict.TAMPERED, 500)}


def test_an_edited_page_with_a_wrong_checksum_is_never_intact(
    copied: tuple[str, Path, bytes],
) -> None:
    name, path, body = copied
    edit(path, body, is_hidden=False)

    with (
        databases.pointed_at(name),
        pytest.raises(CommandError, match="NOT ASSESSABLE") as ended,
    ):
        call_command("trail", "verify")

    assert ended.value.returncode == 2
