"""Look after the trail by schedule: publish checkpoints, verify all of it."""

import logging
from pathlib import Path
from typing import Any

from celery import shared_task
from django.conf import settings
from django.utils import timezone

from compliance.trail import checkpoints, verification, verification_events
from compliance.trail.recording import System

log = logging.getLogger(__name__)


@shared_task
def publish_checkpoints(**_: Any) -> int:
    """Export checkpoints that are not published yet; safe beside the sequencer, which does too."""
    return len(checkpoints.publish(Path(settings.PUBLISHED_DIR)))


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
