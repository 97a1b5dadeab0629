"""Hold a claim for as long as its worker lives: a lease that is renewed while the work goes on."""

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from django.db import Error, connection
from django.utils import timezone

log = logging.getLogger(__name__)

RENEW_EVERY_S = 10.0
# Three renewals missed: the worker has died, or its machine is cut off. Should it only have been
# very slow, its result is refused, because the claim is another's by then.
STALE_AFTER = timedelta(seconds=3 * RENEW_EVERY_S)


@contextmanager
def renewed(renew: Callable[[datetime], None], *, every_s: float = RENEW_EVERY_S) -> Iterator[None]:
    """Call `renew` with the moment again and again while the block runs; never after it."""
    ended = threading.Event()

    def keep() -> None:
        try:
            while not ended.wait(every_s):
                try:
                    renew(timezone.now())
                except (
                    Error
                ) as error:  # the database is away: the next renewal may still be in time
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
