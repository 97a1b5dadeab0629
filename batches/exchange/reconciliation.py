"""Compare a source's books with ours: a count and one rolling hash over a window of its records.

The algorithm is part of the contract (docs/streams.md): both sides compute it, so it never changes.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime

from django.db.models.functions import Collate

from batches.exchange.models import Source, SourceRecord
from compliance.refusals import Refused

START = b"\0" * 32


class WindowInvalid(Refused):
    """The window names no records: give first and last, or from and to."""

    code = "window-invalid"
    status = 422


@dataclass(frozen=True)
class Window:
    """Numbers `first` to `last`, both included; or the observed times from `start`, before `end`."""

    first: int | None = None
    last: int | None = None
    start: datetime | None = None
    end: datetime | None = None


@dataclass(frozen=True)
class Reconciled:
    count: int
    rolling_hash: str


def roll(before: bytes, *, record_id: str, version: int, digest: str) -> bytes:
    """Take one record into the hash: its id, its version and the digest of its content."""
    return hashlib.sha256(before + f"{record_id}\n{version}\n{digest}\n".encode()).digest()


def reconcile(source: Source, window: Window) -> Reconciled:
    """Return how many records a window has, and the hash over them in order.

    By number, the order is that of the numbers; by time, that of the ids (byte by byte) and then of
    the versions, since two records may have one moment.
    """
    found = SourceRecord.objects.filter(source=source)
    by_number = window.first is not None and window.last is not None
    if by_number == (window.start is not None and window.end is not None):
        raise WindowInvalid("give either first and last (numbers), or from and to (observed times)")
    if by_number:
        found = found.filter(sequence__gte=window.first, sequence__lte=window.last)
        found = found.order_by("sequence")
    else:
        found = found.filter(observed_at__gte=window.start, observed_at__lt=window.end)
        # "C": UTF-8 byte by byte, whatever the collation of the database
        found = found.order_by(Collate("record_id", "C"), "version")
    count, rolled = 0, START
    for record_id, version, digest in found.values_list(
        "record_id", "version", "content_digest"
    ).iterator(chunk_size=5000):
        rolled = roll(rolled, record_id=record_id, version=version, digest=digest)
        count += 1
    return Reconciled(count, rolled.hex())
