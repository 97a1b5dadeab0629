"""Keep one record of fixed size for every entry and every live row, in files sorted by bucket."""

import os
from collections.abc import Iterable
from hashlib import blake2b
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

BUCKETS = 256
TOGETHER = 200_000  # records that are sorted at once: 18 MB
# Digests are cut to 16 bytes: whoever could make two entries that agree in those, before either
# is sealed, would have to try 2^64 of them.
RECORD = np.dtype(
    [
        ("key", "<u8", 2),
        ("order", "<i8"),  # index of the leaf; see UNSEALED and LIVE
        ("seq", "<i8"),
        ("digest", "<u8", 2),
        ("prev", "<u8", 2),  # of a live row: its place in the table
        ("after", "<u8", 2),
        ("flags", "<u2"),
        ("table", "<u2"),
        ("log", "<i2"),
        ("spare", "<u2"),
    ]
)
Records = NDArray[np.void]
INSERT, UPDATE, DELETE, LIVE = 1, 2, 4, 8
NO_PREV, NO_DIGEST, NO_AFTER, GUESSED = 16, 32, 64, 128
UNSEALED = 1 << 61  # plus the entry's id: after everything that has a leaf
LIVE_ORDER, LIVE_LOG = (1 << 63) - 1, (1 << 15) - 1  # rows come after the entries of any log
UNCONTROLLED = 1 << 15  # table numbers from here on are of tables that nobody declares


def key(secret: bytes, table: str, record_id: str) -> bytes:
    """Return 64 bytes of which `halves` makes the key that stands for a record.

    Without the secret, which comes first and always has the same length, nobody can make two
    collide. The keyed form of BLAKE2 and its shorter digests would cost two thirds more.
    """
    return blake2b(secret + f"{len(table)}:{table}{record_id}".encode()).digest()


def uncontrolled(table: str) -> int:
    """Return a number for a table that is not controlled."""
    return UNCONTROLLED | int.from_bytes(blake2b(table.encode(), digest_size=2).digest())


def halves(joined: bytes, width: int) -> NDArray[np.uint64]:
    """Return the first 16 bytes of each value of `width` bytes."""
    return np.frombuffer(joined, "<u8").reshape(-1, width // 8)[:, :2]


def write(path: Path, parts: Iterable[Records]) -> None:
    """Write records so that each bucket can be read alone; the file is there whole or not at all."""
    found = list(parts)
    if not any(map(len, found)):
        return
    records = np.concatenate(found)
    bucket = (records["key"][:, 0] % BUCKETS).astype(np.uint8)
    order = np.argsort(bucket, kind="stable")
    offsets = np.zeros(BUCKETS + 1, "<i8")
    np.cumsum(np.bincount(bucket, minlength=BUCKETS), out=offsets[1:])
    partial = path.with_suffix(".partial")
    with partial.open("wb") as file:
        file.write(offsets.tobytes())
        file.write(records[order].tobytes())
    partial.replace(path)


def read(folder: Path, first: int, last: int) -> Records:
    """Read buckets [first, last) of all files."""
    parts = []
    for path in sorted(folder.glob("*.records")):
        with path.open("rb", buffering=0) as file:
            ends = os.pread(file.fileno(), 8, 8 * first) + os.pread(file.fileno(), 8, 8 * last)
            start, end = np.frombuffer(ends, "<i8").tolist()
            place = 8 * (BUCKETS + 1) + start * RECORD.itemsize
            data = os.pread(file.fileno(), (end - start) * RECORD.itemsize, place)
            parts.append(np.frombuffer(data, RECORD))
    return np.concatenate(parts) if parts else np.empty(0, RECORD)


def spans(records: int) -> list[tuple[int, int]]:
    """Return which buckets are worked on together, when there are so many records."""
    jobs = min(BUCKETS, max(1, records // TOGETHER))
    edges = [BUCKETS * at // jobs for at in range(jobs + 1)]
    return list(pairwise(edges))
