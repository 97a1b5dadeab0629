"""Keep all logs signed and published: the loop of the signer's process."""

import logging
import time
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event

from django.conf import settings
from django.db import InterfaceError, OperationalError, connections
from django.utils import timezone

from compliance.trail import checkpoints, stored
from compliance.trail.checkpoints import CheckpointConflict
from compliance.trail.keyring.failure import KeyUnusable
from compliance.trail.signer import delivery
from compliance.trail.signer.core import CheckpointSigner
from compliance.trail.signer.failure import SignerRefused
from compliance.trail.signer.standbys import StandbyBehind

log = logging.getLogger(__name__)
SIGN_EVERY_S = 1.0
POLL_S = 0.1
LONGEST_PAUSE_S = 5.0


@dataclass
class _Own:
    """The signer of one log, and when it signed what."""

    signer: CheckpointSigner
    size: int = -1
    signed_s: float = field(default=0.0)


def run(stop: Event) -> None:
    """Sign and publish every log until told to stop; outlives restarts of the database.

    A log that was rewritten (`LogForked`), or whose memory, key or published checkpoints are not
    what they were, is signed no more: going on would sign over the evidence. The others go on;
    the loop ends with the exception when none is left.
    """
    owns: dict[str, _Own] = {}
    refused: dict[str, Exception] = {}
    # The first log's signer is opened before anything else: a second process ends here.
    owns[str(settings.LOG_ORIGIN)] = _Own(delivery.opened())
    pause = POLL_S
    try:
        while not stop.is_set():
            try:
                _turn(owns, refused)
            except (OperationalError, InterfaceError) as error:
                connections[delivery.ALIAS].close()
                pause = min(pause * 2, LONGEST_PAUSE_S)
                log.warning("Database not reachable, again in %.1f s: %s", pause, error)
                stop.wait(pause)
                continue
            pause = POLL_S
            stop.wait(POLL_S)
    finally:
        for own in owns.values():
            own.signer.close()
        connections[delivery.ALIAS].close()


def _turn(owns: dict[str, _Own], refused: dict[str, Exception]) -> None:
    for origin, size in _open_logs().items():
        if origin in refused:
            continue
        try:
            own = owns.get(origin) or owns.setdefault(origin, _Own(delivery.opened(origin)))
            if own.size != size and time.monotonic() - own.signed_s >= SIGN_EVERY_S:
                own.size, own.signed_s = _sign(own.signer, origin), time.monotonic()
        except StandbyBehind as error:  # asked again at the next turn
            log.warning("%s", error)
        except (SignerRefused, CheckpointConflict, KeyUnusable) as error:
            refused[origin] = error
            log.critical("The log %s is not signed any more: %s", origin, error)
            if owns.keys() <= refused.keys():
                raise


def _sign(own: CheckpointSigner, origin: str) -> int:
    signed = delivery.sign(own, at=timezone.now())
    checkpoints.publish(Path(settings.PUBLISHED_DIR), origin=origin, using=delivery.ALIAS)
    return signed.checkpoint.size


def _open_logs() -> dict[str, int]:
    """Return the size of every log that no other one continues: those are at their end."""
    with connections[delivery.ALIAS].cursor() as cursor:
        found = {one.log_id: one.origin for one in stored.described(cursor) if not one.closed_by}
        cursor.execute("SELECT log_id, size FROM audit.log_state ORDER BY log_id")
        return {found[log_id]: size for log_id, size in cursor.fetchall() if log_id in found}
