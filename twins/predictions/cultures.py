"""Ask the CHO twin about a batch: start and feed of its recipe, and what had been measured."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from batches.execution.models import Batch
from batches.recipes.models import MasterRecipe
from twins.models.cho_fed_batch.declared import DECLARATION
from twins.models.declarations import Limit
from twins.models.requests import FeedStep, ForecastRequest
from twins.predictions import history, inputs, twin_settings
from twins.predictions.twin_settings import Pace, number

_KNOWN = {"initial", "feed", "feed_glucose_mmol_l", "feed_glutamine_mmol_l", "advice"}
_TAGS = frozenset(one.tag for one in DECLARATION.outputs) | frozenset(
    one.tag for one in DECLARATION.inputs
)


@dataclass(frozen=True)
class CultureSettings:
    """What a recipe tells its twin. Numbers are decimals in the recipe, floats here."""

    initial: Mapping[str, float]
    feed: tuple[FeedStep, ...]
    feed_glucose_mmol_l: float
    feed_glutamine_mmol_l: float
    limits: tuple[Limit, ...]
    pace: Pace


def settings(recipe: MasterRecipe) -> CultureSettings:
    """Return the settings of a recipe; raise `TwinSettingsInvalid` naming what is wrong."""
    said = recipe.twin_settings
    with twin_settings.read_strictly(recipe, known=_KNOWN):
        return CultureSettings(
            initial={name: number(value) for name, value in said["initial"].items()},
            feed=tuple(FeedStep(number(start), number(rate)) for start, rate in said["feed"]),
            feed_glucose_mmol_l=number(said["feed_glucose_mmol_l"]),
            feed_glutamine_mmol_l=number(said["feed_glutamine_mmol_l"]),
            limits=twin_settings.limits(recipe),
            pace=twin_settings.pace(recipe),
        )


def pace(recipe: MasterRecipe) -> Pace:
    """Return how often the twin runs; raise `TwinSettingsInvalid` for what it cannot be asked."""
    return settings(recipe).pace


def assemble(batch: Batch, *, as_of: datetime, horizon_h: int, seed: int) -> ForecastRequest:
    """Return the request about a batch as of a moment.

    Raise `BatchNotPredictable` or `TwinSettingsInvalid`.
    """
    started_at = inputs.started_by(batch, as_of)
    told = settings(batch.recipe)
    return ForecastRequest(
        as_of_h=history.hours(as_of, since=started_at),
        horizon_h=float(horizon_h),
        seed=seed,
        initial=told.initial,
        feed=told.feed,
        feed_glucose_mmol_l=told.feed_glucose_mmol_l,
        feed_glutamine_mmol_l=told.feed_glutamine_mmol_l,
        observations=history.observations(batch, started_at=started_at, as_of=as_of, tags=_TAGS),
        limits=told.limits,
    )
