"""Run twins in workers: one prediction for each moment that the readings of a batch reach."""

import logging
from datetime import datetime
from typing import Any

from celery import shared_task
from django.utils import timezone

from batches.execution.models import Batch
from compliance.refusals import Refused
from twins.predictions import claims, moments, raised, runs

log = logging.getLogger(__name__)
# One sweep queues at most so many a batch: a new twin beside a long batch does not fill the queue.
CATCH_UP = 8
# What no worker took for so long is dropped: the next sweep asks again, and the queue stays short.
EXPIRES_S = 60


@shared_task
def predict(*, batch_id: int, as_of: str, **_: Any) -> int | None:
    """Predict one batch as of one moment (ISO 8601), unless somebody has or does already."""
    batch = Batch.objects.select_related("recipe").get(pk=batch_id)
    try:
        prediction = runs.predict(batch, as_of=datetime.fromisoformat(as_of), at=timezone.now())
    except Refused as refused:
        log.warning("no prediction of %s as of %s: %s", batch, as_of, refused)
        return None
    if prediction is None:
        return None
    raised.tell(prediction.alerts.order_by("pk"))
    return prediction.pk


@shared_task
def predict_running(**_: Any) -> int:
    """Queue what is due and was never run, and what a worker left behind; return how many."""
    at = timezone.now()
    due = [(run.batch_id, run.as_of) for run in claims.left_behind(at=at)]
    for batch, missing in moments.missing_of_all(at_most=CATCH_UP):
        if isinstance(missing, Refused):
            log.warning("no predictions of %s: %s", batch, missing)
        else:
            due.extend((batch.pk, as_of) for as_of in missing)
    for batch_id, as_of in due:
        predict.apply_async(
            kwargs={"batch_id": batch_id, "as_of": as_of.isoformat()}, expires=EXPIRES_S
        )
    return len(due)
