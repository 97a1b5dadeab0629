"""Keep the log sealed: the loop of the sequencer's process."""

import logging
from threading import Event

from django.db import InterfaceError, OperationalError, connections

from compliance.trail import sequencer

log = logging.getLogger(__name__)
IDLE_S = 0.1
LONGEST_PAUSE_S = 5.0


def run(stop: Event) -> None:
    """Seal until told to stop; outlives restarts of the database.

    Ends with an exception when storage lies (`SealMismatch`): going on would seal the evidence in.
    """
    pause = IDLE_S
    while not stop.is_set():
        try:
            sealed = sequencer.seal()
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
