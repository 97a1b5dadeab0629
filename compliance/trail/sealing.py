"""Keep the log sealed and signed: the loop of the sequencer's process."""

import logging
import time
from pathlib import Path
from threading import Event

from django.conf import settings
from django.db import InterfaceError, OperationalError, connections
from django.utils import timezone

from compliance.trail import checkpoints, keys, sequencer

log = logging.getLogger(__name__)
IDLE_S = 0.1
SIGN_EVERY_S = 1.0
LONGEST_PAUSE_S = 5.0


def run(stop: Event) -> None:
    """Seal, sign and publish until told to stop; outlives restarts of the database.

    Ends with an exception when storage lies (`SealMismatch`) or the log was rewritten
    (`LogForked`): going on would sign over the evidence.
    """
    keys.ensure()
    pause = IDLE_S
    signed_size, signed_s = -1, 0.0
    while not stop.is_set():
        try:
            sealed = sequencer.seal()
            if sealed.size != signed_size and time.monotonic() - signed_s >= SIGN_EVERY_S:
                signed_size, signed_s = _sign(), time.monotonic()
        except (OperationalError, InterfaceError) as error:
            connections[sequencer.ALIAS].close()
            pause = min(pause * 2, LONGEST_PAUSE_S)
            log.warning("Database not reachable, again in %.1f s: %s", pause, str(error).strip())
            stop.wait(pause)
            continue
        pause = IDLE_S
        if sealed.count:
            log.debug("Sealed %s entries, the log has %s", sealed.count, sealed.size)
        if sealed.count < sequencer.BATCH:
            stop.wait(IDLE_S)
    connections[sequencer.ALIAS].close()


def _sign() -> int:
    signed = checkpoints.sign(timezone.now())
    checkpoints.publish(Path(settings.PUBLISHED_DIR))
    return signed.checkpoint.size
