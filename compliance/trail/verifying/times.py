"""Read the one form of a time that entries have, and hold times against each other."""

from datetime import UTC, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

# A statement's time is older than its commit by as long as its transaction took.
LONGEST_TRANSACTION = timedelta(hours=6)
CLOCK_TOLERANCE = timedelta(seconds=60)
LONGEST = int(LONGEST_TRANSACTION.total_seconds()) * 1_000_000
TOLERANCE = int(CLOCK_TOLERANCE.total_seconds()) * 1_000_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
Times = NDArray[np.int64]


def parse(text: str) -> datetime | None:
    """Return a time of the fixed form, else nothing: what is read must write the same text."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    if at.tzinfo != UTC:
        return None
    written = f"{at.year:04}" + at.strftime("-%m-%dT%H:%M:%S.") + f"{at.microsecond:06}Z"
    return at if written == text else None


def since_epoch(at: datetime) -> int:
    """Return the microseconds since 1970."""
    return (at - _EPOCH) // _MICROSECOND


class Clock:
    """Turns times of entries into microseconds; the rows of a statement have the same time."""

    def __init__(self) -> None:
        self._known: dict[str, int] = {}

    def read(self, texts: list[str]) -> Times | None:
        """Return microseconds since 1970, or nothing when one text is no time."""
        known = self._known
        if len(known) > 100_000:
            known.clear()
        for text in set(texts).difference(known):
            at = parse(text)
            if at is None:
                return None
            known[text] = since_epoch(at)
        return np.array([known[text] for text in texts], np.int64)


def bracket(
    times: Times, *, first: int, latest: int | None, signed: tuple[tuple[int, int], ...]
) -> bool:
    """Say whether times of leaves from `first` on are neither long past nor after their signing."""
    running = np.maximum.accumulate(times)
    if latest is not None:
        running = np.maximum(running, latest)
    if (times[1:] < running[:-1] - LONGEST).any():
        return False
    if latest is not None and times[0] < latest - LONGEST:
        return False
    limit = signed_at(first, len(times), signed)
    return not (times > limit + TOLERANCE).any()


def signed_at(first: int, count: int, signed: tuple[tuple[int, int], ...]) -> Times:
    """Return for each leaf when the first checkpoint over it was signed; far away when none was."""
    sizes = np.array([size for size, _ in signed], np.int64)
    moments = np.array([at for _, at in signed] + [1 << 62], np.int64)
    indices = np.arange(first, first + count, dtype=np.int64)
    return moments[np.searchsorted(sizes, indices, side="right")]
