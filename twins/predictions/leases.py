"""Hold a claim for as long as its worker lives: a lease that is renewed while the work goes on.

Predictions, parts of bulk runs, proposals and explanations are claimed alike: a row in the state
`claimed` says by whom (`claimed_by`) and when that was last renewed (`claimed_at`).
"""

import logging
import os
import secrets
import socket
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from django.db import Error, connection
from django.db.models import Q, QuerySet
from django.utils import timezone

from compliance.trail import recording
from compliance.trail.recording import System

log = logging.getLogger(__name__)

CLAIMED = "claimed"
RENEW_EVERY_S = 10.0
# Three renewals missed: the worker has died, or its machine is cut off. Should it only have been
# very slow, its result is refused, because the claim is another's by then.
STALE_AFTER = timedelta(seconds=3 * RENEW_EVERY_S)
_LONGEST_HOST = 60


def terms(*, at: datetime) -> dict[str, Any]:
    """Return what a row says that this process claims: host/process/number, never the same twice.

    A renewal leaves it as it is, so whose a claim is can be asked at any moment of the work.
    """
    host = socket.gethostname()[:_LONGEST_HOST]
    holder = f"{host}/{os.getpid()}/{secrets.token_hex(4)}"
    return {"state": CLAIMED, "claimed_at": at, "claimed_by": holder}


def worker(claimed_by: str) -> str:
    """Return the worker of a claim as host/process; the number after it tells claims apart."""
    return claimed_by.rpartition("/")[0]


def alive(*, at: datetime) -> Q:
    """Match rows whose worker is at them."""
    return Q(state=CLAIMED, claimed_at__gte=at - STALE_AFTER)


def ran_out(*, at: datetime) -> Q:
    """Match rows whose worker has died."""
    return Q(state=CLAIMED, claimed_at__lt=at - STALE_AFTER)


def take(
    row: Any, *, at: datetime, free: Sequence[str] = (), also: Mapping[str, Any] | None = None
) -> bool:
    """Claim a row in a free state or whose lease ran out; False when somebody else has it.

    One conditional update in the act of the caller: of those who try at once, one gets it. `also`
    are values that the same update writes.
    """
    said = {**terms(at=at), **(also or {})}
    rows = type(row).objects.filter(Q(state__in=free) | ran_out(at=at), pk=row.pk)
    if not rows.update(**said):
        return False
    for name, value in said.items():
        setattr(row, name, value)
    return True


def own(row: Any) -> QuerySet[Any]:
    """Return the row while the claim that it was taken with holds, else none."""
    rows: QuerySet[Any] = type(row).objects.filter(
        pk=row.pk, state=CLAIMED, claimed_by=row.claimed_by
    )
    return rows


@contextmanager
def held(row: Any, *, action: StrEnum, actor: System) -> Iterator[None]:
    """Renew the claim on a row while the block runs; one that another took over is left to it."""

    def renew(at: datetime) -> None:
        with recording.recording(action, actor=actor, at=at, reason="the work goes on"):
            own(row).update(claimed_at=at)

    with renewed(renew):
        yield


@contextmanager
def renewed(renew: Callable[[datetime], None], *, every_s: float = RENEW_EVERY_S) -> Iterator[None]:
    """Call `renew` with the moment again and again while the block runs; never after it."""
    ended = threading.Event()

    def keep() -> None:
        try:
            while not ended.wait(every_s):
                try:
                    renew(timezone.now())
                except Error as error:
                    # The database is away: the next renewal may still be in time.
                    log.warning("a claim could not be renewed: %s", error)
                    connection.close()
        finally:
            connection.close()

    keeper = threading.Thread(target=keep, name="lease", daemon=True)
    keeper.start()
    try:
        yield
    finally:
        ended.set()
        keeper.join()
