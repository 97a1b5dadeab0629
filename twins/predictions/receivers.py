"""Queue predictions when a batch gets readings."""

import logging
from typing import Any

from kombu.exceptions import OperationalError as BrokerUnavailable

from batches.execution.models import Batch, ReadingSegment
from compliance.refusals import Refused
from twins.predictions import moments, tasks

log = logging.getLogger(__name__)


def on_batch_event(*, batch: Batch, kind: str, record_id: int, **_: Any) -> None:
    """Queue one prediction for each moment of the grid that new readings have reached."""
    if kind != "readings" or not batch.recipe.twin:  # most recipes have none, and posts are many
        return
    segment = ReadingSegment.objects.select_related("batch__recipe").get(pk=record_id)
    try:
        for as_of in moments.passed(segment):
            tasks.predict.apply_async(
                kwargs={"batch_id": segment.batch_id, "as_of": as_of.isoformat()}, retry=False
            )
    except Refused as refused:
        log.warning("no predictions of %s: %s", segment.batch, refused)
    except BrokerUnavailable as error:
        # The readings are stored; the sweep queues again what is missing.
        log.warning("predictions of %s wait for the broker: %s", segment.batch, error)
