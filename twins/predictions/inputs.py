"""Assemble what a twin is asked about a batch, as it was visible at one moment."""

import hashlib
from datetime import datetime

from batches.execution.models import Batch
from compliance.refusals import Refused
from twins.hub import versions
from twins.models.declarations import Declaration
from twins.models.requests import ForecastRequest
from twins.predictions import history, twin_settings


class BatchNotPredictable(Refused):
    """The batch has not started, or its recipe names no twin."""

    code = "batch-not-predictable"


def seed_of(batch: Batch) -> int:
    """Return the seed of all predictions of a batch: the same draws make them comparable."""
    digest = hashlib.sha256(b"gmp-prediction/seed/v1\0" + batch.number.encode()).digest()
    return int.from_bytes(digest[:4])


def assemble(batch: Batch, *, as_of: datetime, horizon_h: int, seed: int) -> ForecastRequest:
    """Return the request about a batch as of a moment.

    Raise `BatchNotPredictable`, `TwinSettingsInvalid` or `TwinMissing`.
    """
    started_at = started_by(batch, as_of)
    twin = versions.installed(batch.recipe.twin)
    told = twin_settings.of(batch.recipe)
    return ForecastRequest(
        as_of_h=history.hours(as_of, since=started_at),
        horizon_h=float(horizon_h),
        seed=seed,
        initial=told.initial,
        feed=told.feed,
        feed_glucose_mmol_l=told.feed_glucose_mmol_l,
        feed_glutamine_mmol_l=told.feed_glutamine_mmol_l,
        observations=history.observations(
            batch, started_at=started_at, as_of=as_of, tags=_tags(twin.declaration)
        ),
        limits=told.limits,
    )


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


def _tags(declaration: Declaration) -> frozenset[str]:
    return frozenset(output.tag for output in declaration.outputs) | frozenset(
        one.tag for one in declaration.inputs
    )
