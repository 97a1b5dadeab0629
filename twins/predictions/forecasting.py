"""Twins that foretell process values: which limits of the recipe will be crossed, when and why."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Protocol

from batches.execution.models import Batch
from batches.recipes.models import MasterRecipe
from compliance.reports.drawing import Drawing
from twins.hub import versions
from twins.hub.versions import TwinMissing
from twins.models.forecasts import Forecast, LimitForecast
from twins.models.requests import Request
from twins.predictions import cultures, fermentations, forecast_charts, request_bytes
from twins.predictions.models import Prediction
from twins.predictions.said import Said, Warned, digits
from twins.predictions.twin_settings import Pace

DECIDED = frozenset({"forecast"})


class Asking(Protocol):
    """How a twin of one process is asked."""

    def pace(self, recipe: MasterRecipe) -> Pace:
        """Return how often the twin runs; raise `TwinSettingsInvalid` for what it cannot be asked."""

    def assemble(self, batch: Batch, *, as_of: datetime, horizon_h: int, seed: int) -> Request:
        """Return the request about a batch as of a moment; raise a refusal."""


_ASKING: Mapping[str, Asking] = {
    "cho-fed-batch": cultures,
    "penicillin-fed-batch": fermentations,
}


def every_h(recipe: MasterRecipe) -> float:
    """Return the hours between two predictions; raise `TwinMissing` or `TwinSettingsInvalid`."""
    return float(asking(recipe.twin).pace(recipe).every_h)


def horizon_h(recipe: MasterRecipe) -> int:
    """Return how many hours ahead it looks; raise `TwinMissing` or `TwinSettingsInvalid`."""
    return asking(recipe.twin).pace(recipe).horizon_h


def ask(batch: Batch, *, as_of: datetime, horizon_h: int, seed: int) -> object:
    """Return the request about a batch as of a moment."""
    return asking(batch.recipe.twin).assemble(batch, as_of=as_of, horizon_h=horizon_h, seed=seed)


def asking(name: str) -> Asking:
    """Return how the twin of this name is asked; raise `TwinMissing`."""
    if name not in _ASKING:
        raise TwinMissing(f"no twin named {name} can be asked; known: {', '.join(sorted(_ASKING))}")
    return _ASKING[name]


def answer(name: str, *, given: bytes) -> Said:
    """Ask the installed twin from the stored bytes of a request."""
    twin = versions.installed(name)
    forecast = twin.run(twin.read(request_bytes.document(given)))
    return Said(request_bytes.write(twin.to_document(forecast)), forecast.status, forecast)


def warnings(prediction: Prediction, said: Said) -> list[Warned]:
    """Return the sides of limits that are likely to be crossed."""
    forecast: Forecast = said.answer
    if said.status not in DECIDED:
        return []
    threshold = _threshold(prediction)
    return [
        _warned(one, threshold)
        for one in forecast.limits
        if one.probability is not None and one.probability >= threshold
    ]


def stands(document: Mapping[str, Any], *, prediction: Prediction, tag: str, side: str) -> bool:
    """Tell whether a stored forecast gave one side of a limit the probability of an alert."""
    threshold = _threshold(prediction)
    return any(
        (one["tag"], one["side"]) == (tag, side) and float(one["probability"] or 0.0) >= threshold
        for one in document["limits"]
    )


def drawable(document: Mapping[str, Any]) -> list[str]:
    """Return the tags that have limits, the most endangered first."""
    endangered = sorted(document["limits"], key=lambda one: -float(one["probability"] or 0.0))
    return list(dict.fromkeys(one["tag"] for one in endangered))


def drawing(prediction: Prediction, document: Mapping[str, Any], what: str) -> Drawing:
    """Draw readings up to `as_of`, median and 5 to 95 % band after it, and the limits of a tag."""
    twin = versions.installed(prediction.model_version.name)
    request = twin.read(request_bytes.document(prediction.input.encode()))
    return forecast_charts.draw(prediction.batch.number, request, document, what)


def _threshold(prediction: Prediction) -> float:
    recipe = prediction.batch.recipe
    return asking(recipe.twin).pace(recipe).alert_threshold


def _warned(limit: LimitForecast, threshold: float) -> Warned:
    return Warned(
        tag=limit.tag,
        side=limit.side,
        limit=digits(limit.bound),
        unit=limit.unit,
        probability=digits(limit.probability),
        lead_time_h=digits(limit.lead_h_median),
        lead_time_low_h=digits(limit.lead_h_10),
        lead_time_high_h=digits(limit.lead_h_90),
        contributions=tuple((one.variable, digits(one.log_odds)) for one in limit.contributions),
        reason=f"probability {limit.probability:.3f}, threshold {threshold:g}",
    )
