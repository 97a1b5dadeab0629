"""Keep the log sealed and its search columns filled: the loop of the sequencer's process."""

import logging
from threading import Event

from django.db import InterfaceError, OperationalError, connections

from compliance.trail import projecting, sequencer, stored

log = logging.getLogger(__name__)
# An entry is sealed well within a second. What a turn costs beside its entries, two commits and a dozen
# statements, is taken from the writers.
IDLE_S = 0.5
LONGEST_PAUSE_S = 5.0


def run(stop: Event) -> None:
    """Seal until told to stop; outlives restarts of the database.

    Ends with an exception when storage lies (`SealMismatch`): going on would seal the evidence in.
    """
    pause = IDLE_S
    while not stop.is_set():
        try:
            done = max(_turn(log_id) for log_id in _logs())
        except (OperationalError, InterfaceError) as error:
            connections[sequencer.ALIAS].close()
            pause = min(pause * 2, LONGEST_PAUSE_S)
            log.warning("Database not reachable, again in %.1f s: %s", pause, str(error).strip())
            stop.wait(pause)
            continue
        pause = IDLE_S
        if done < projecting.BATCH:
            stop.wait(IDLE_S)
    connections[sequencer.ALIAS].close()


def _logs() -> list[int]:
    with connections[sequencer.ALIAS].cursor() as cursor:
        return stored.logs(cursor)


def _turn(log_id: int) -> int:
    """Seal a batch of one log, and project one; return how much was done of the larger part."""
    sealed = sequencer.seal(log_id=log_id)
    if sealed.count:
        log.debug("Sealed %s entries, log %s has %s", sealed.count, log_id, sealed.size)
    return max(sealed.count, projecting.project(log_id=log_id))
