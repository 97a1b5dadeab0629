"""Work on bulk runs in workers: a message says no more than that a run has work left."""

import logging
from typing import Any

from celery import shared_task
from celery.exceptions import SoftTimeLimitExceeded
from django.conf import settings
from django.utils import timezone
from kombu.exceptions import OperationalError as BrokerUnavailable

from twins.bulk import merging, parts, running
from twins.bulk.models import BulkRun, BulkState

log = logging.getLogger(__name__)
# At most so many workers are asked for at once by one run.
WIDTH = 256
# A message that nobody took for so long is dropped; the sweep sends another when one is needed.
EXPIRES_S = 120
HARD_AFTER_S = 30


@shared_task
def run_part(*, run_id: int, **_: Any) -> None:
    """Do the next part of a run, and ask for another worker while there are more.

    Which part is decided when it is taken, so a lost message costs nothing but time, and one that
    comes twice finds another part or none.
    """
    run = BulkRun.objects.get(pk=run_id)
    if run.state != BulkState.RUNNING:
        return
    try:
        was_done = running.go_on(run)
    except SoftTimeLimitExceeded:
        log.warning("%s: the time of a part was over before or after its work", run)
        return
    if was_done and parts.wanted(run, at=timezone.now(), width=WIDTH):
        call(run, 1)


@shared_task
def requeue(**_: Any) -> int:
    """Ask again for workers that a run lacks, and end runs whose last worker died before it could."""
    at, sent = timezone.now(), 0
    for run in BulkRun.objects.filter(state=BulkState.RUNNING).order_by("pk"):
        parts.give_up(run, at=at)
        if not merging.settle(run, at=at):
            sent += call(run, parts.wanted(run, at=at, width=settings.BULK_WIDTH))
    return sent


def start(run: BulkRun) -> None:
    """Ask for workers for a run that was just recorded; without a broker the sweep does."""
    try:
        call(run, min(run.part_count, WIDTH))
    except BrokerUnavailable as error:
        log.warning("%s waits for the broker: %s", run, error)


def call(run: BulkRun, count: int) -> int:
    """Send so many messages, each good for one part."""
    for _ in range(count):
        run_part.apply_async(
            kwargs={"run_id": run.pk},
            expires=EXPIRES_S,
            soft_time_limit=run.seconds,
            time_limit=run.seconds + HARD_AFTER_S,
            retry=False,
        )
    return count
