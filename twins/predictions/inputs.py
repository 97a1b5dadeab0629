"""Say whether a batch can be predicted, since when, and with which random numbers."""

import hashlib
from datetime import datetime

from batches.execution.models import Batch
from compliance.refusals import Refused


class BatchNotPredictable(Refused):
    """The batch has not started, or its recipe names no twin."""

    code = "batch-not-predictable"


def seed_of(batch: Batch) -> int:
    """Return the seed of all predictions of a batch: the same draws make them comparable."""
    digest = hashlib.sha256(b"gmp-prediction/seed/v1\0" + batch.number.encode()).digest()
    return int.from_bytes(digest[:4])


def start_of(batch: Batch) -> datetime:
    """Return when a batch with a twin started; raise `BatchNotPredictable`."""
    if not batch.recipe.twin:
        raise BatchNotPredictable(f"the recipe of {batch} names no twin")
    if batch.started_at is None:
        raise BatchNotPredictable(f"{batch} has not started")
    return batch.started_at


def started_by(batch: Batch, as_of: datetime) -> datetime:
    """Return when a batch with a twin started; raise `BatchNotPredictable` when it was later."""
    started_at = start_of(batch)
    if as_of < started_at:
        raise BatchNotPredictable(f"{batch} had not started at {as_of:%Y-%m-%d %H:%M} UTC")
    return started_at
