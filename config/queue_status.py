"""Say how each queue stands: what waits at the broker, what is due by the records, if it is stuck."""

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from config import broker, queue_work, queues
from config.queue_work import Work

# Strangers may ask whether a queue is stuck: it is worked out again this seldom in each process.
_FRESH_S = 15.0
_lock = threading.Lock()
_last: tuple[float, tuple[str, ...]] | None = None


@dataclass(frozen=True)
class QueueStatus:
    """How one queue stands; `messages` is None when the broker did not say in time."""

    name: str
    messages: int | None
    work: tuple[Work, ...]
    waits_since: datetime | None
    stuck_after: timedelta
    is_stuck: bool

    @property
    def stuck_after_s(self) -> int:
        """Return its bound in seconds."""
        return int(self.stuck_after.total_seconds())

    @property
    def messages_said(self) -> str:
        """Return the number of messages as people read it."""
        return broker.UNKNOWN if self.messages is None else str(self.messages)


def read(*, at: datetime) -> list[QueueStatus]:
    """Return how all queues stand; it waits for the broker for a moment at most."""
    depths = broker.depths() or {}
    work = queue_work.of_all(at=at)
    return [_of(name, depths.get(name), work, at=at) for name in queues.ALL]


def stuck(*, at: datetime) -> tuple[str, ...]:
    """Return the queues that are stuck by our own records; the broker is not asked."""
    work = queue_work.of_all(at=at)
    return tuple(name for name in queues.ALL if _of(name, None, work, at=at).is_stuck)


def stuck_lately(*, at: datetime) -> tuple[str, ...]:
    """Return what `stuck` returned last, asking anew when that was a while ago."""
    global _last  # noqa: PLW0603 -- one answer a process
    with _lock:
        if _last is None or time.monotonic() - _last[0] > _FRESH_S:
            _last = time.monotonic(), stuck(at=at)
        return _last[1]


def _of(name: str, messages: int | None, work: Sequence[Work], *, at: datetime) -> QueueStatus:
    own = tuple(one for one in work if one.queue == name)
    since = min((one.waits_since for one in own if one.waits_since is not None), default=None)
    bound = queues.STUCK_AFTER[name]
    is_stuck = since is not None and since < at - bound
    return QueueStatus(name, messages, own, since, bound, is_stuck)
