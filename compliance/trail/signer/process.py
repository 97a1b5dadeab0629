"""Keep the log signed and published: the loop of the signer's process."""

import logging
import time
from pathlib import Path
from threading import Event

from django.conf import settings
from django.db import InterfaceError, OperationalError, connections
from django.utils import timezone

from compliance.trail import checkpoints
from compliance.trail.signer import delivery
from compliance.trail.signer.core import CheckpointSigner

log = logging.getLogger(__name__)
SIGN_EVERY_S = 1.0
POLL_S = 0.1
LONGEST_PAUSE_S = 5.0
_SIZE = "SELECT size FROM audit.log_state WHERE log_id = %s"


def run(stop: Event) -> None:
    """Sign and publish until told to stop; outlives restarts of the database.

    Ends with an exception when the log was rewritten (`LogForked`), the memory or a key is not
    usable, or a checkpoint is published with other bytes: going on would sign over the evidence.
    """
    with delivery.signer() as own:
        pause, signed_size, signed_s = POLL_S, -1, 0.0
        while not stop.is_set():
            try:
                if _size() != signed_size and time.monotonic() - signed_s >= SIGN_EVERY_S:
                    signed_size, signed_s = _sign(own), time.monotonic()
            except (OperationalError, InterfaceError) as error:
                connections[delivery.ALIAS].close()
                pause = min(pause * 2, LONGEST_PAUSE_S)
                log.warning("Database not reachable, again in %.1f s: %s", pause, error)
                stop.wait(pause)
                continue
            pause = POLL_S
            stop.wait(POLL_S)
    connections[delivery.ALIAS].close()


def _sign(own: CheckpointSigner) -> int:
    signed = delivery.sign(own, at=timezone.now())
    checkpoints.publish(Path(settings.PUBLISHED_DIR), using=delivery.ALIAS)
    return signed.checkpoint.size


def _size() -> int:
    with connections[delivery.ALIAS].cursor() as cursor:
        cursor.execute(_SIZE, [delivery.LOG_ID])
        (size,) = cursor.fetchone()
    return int(size)
