"""Look after the trail by schedule: show it to others, seal the heads of records, verify it."""

import logging
from pathlib import Path
from typing import Any

from celery import shared_task
from django.conf import settings
from django.utils import timezone

from compliance.trail import (
    checkpoints,
    exporting,
    seals,
    timestamping,
    verification,
    verification_events,
    witnessing,
)
from compliance.trail.recording import System

log = logging.getLogger(__name__)


@shared_task
def publish_checkpoints(**_: Any) -> int:
    """Export checkpoints that are not published yet; safe beside the sequencer, which does too."""
    return len(checkpoints.publish(Path(settings.PUBLISHED_DIR)))


@shared_task
def collect_cosignatures(**_: Any) -> bool:
    """Have the newest checkpoint cosigned by the witnesses of the policy, if there is one."""
    collected = witnessing.collect(timezone.now())
    for alarm in collected.alarms if collected else ():
        log.error("Witness %s: %s %s", alarm.witness, alarm.outcome, alarm.detail)
    return collected is not None and not collected.shortfall


@shared_task
def stamp_time(**_: Any) -> bool:
    """Get a time-stamp for the newest checkpoint, if an authority is set."""
    return timestamping.stamp(timezone.now()) is not None


@shared_task
def export_log(**_: Any) -> int:
    """Copy the log to append-only storage, if one is set; return how many objects were written."""
    exported = exporting.export()
    return exported["written"] if exported else 0


@shared_task
def seal_heads(**_: Any) -> int:
    """Commit to the last entry of every record; return the size of the log that this covers."""
    try:
        return seals.seal(timezone.now()).tree_size
    except seals.NothingToSeal:
        return 0


@shared_task
def verify_trail(**_: Any) -> bool:
    """Verify the whole trail, record the result, and log an error that names the first bad entry."""
    report = verification.verify()
    if report.first is not None:
        log.error(
            "The audit trail is not intact (%s faults): %s",
            sum(report.counts.values()),
            report.first,
        )
    verification_events.record(report, actor=System("verify trail"), at=timezone.now())
    return report.is_intact
