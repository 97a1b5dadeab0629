"""Trained batch twins beside a running batch: is it like normal ones, and if not, why not."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from batches.execution.models import Batch
from batches.recipes.models import MasterRecipe
from compliance.reports.drawing import Drawing
from compliance.trail.tlog import canonical
from twins.hub import batch_models
from twins.models import batch_watch
from twins.models.batch_monitoring.signals import LABORATORY_NAMES, ONLINE_NAMES
from twins.models.batch_watch import Watch, WatchRequest
from twins.predictions import history, inputs, request_bytes, watch_charts, watch_settings
from twins.predictions.models import Prediction
from twins.predictions.said import UNLIKE, WHOLE_BATCH, Said, Warned, digits, in_words
from twins.predictions.signal_settings import STEP

# Of the score, in units of its limit; what adds less is no reason.
LEAST_SHARE = 0.02
DECIDED = frozenset({"normal", "undecided", "deviation"})


def every_h(recipe: MasterRecipe) -> float:
    """Return the hours between two predictions; raise `TwinSettingsInvalid`."""
    return watch_settings.of(recipe).every_h


def horizon_h(recipe: MasterRecipe) -> int:
    """Return how many hours ahead the twin foretells; raise `TwinSettingsInvalid`."""
    watch_settings.of(recipe)  # what cannot be asked is not claimed
    return batch_watch.HORIZON_H


def ask(batch: Batch, *, as_of: datetime, horizon_h: int, seed: int) -> object:
    """Return the samples of a batch as they were visible at a moment; seed and horizon are fixed."""
    started_at = inputs.started_by(batch, as_of)
    told = watch_settings.of(batch.recipe)
    read = history.stepped(
        batch, started_at=started_at, as_of=as_of, tags=told.tags.online.values(),
        step=STEP,
    )  # fmt: skip
    reported = history.reported(
        batch, started_at=started_at, as_of=as_of, tags=told.tags.laboratory.values(),
        step=STEP,
    )  # fmt: skip
    slots = sorted({slot for found in (*read.values(), *reported.values()) for slot in found})

    def columns(
        names: Mapping[str, str], values: Mapping[str, Mapping[int, float]]
    ) -> dict[str, tuple[float | None, ...]]:
        return {
            name: tuple(values.get(tag, {}).get(slot) for slot in slots)
            for name, tag in names.items()
        }

    return WatchRequest(
        as_of_h=history.hours(as_of, since=started_at),
        time_h=tuple(batch_watch.slot_end_h(slot) for slot in slots),
        online=columns(told.tags.online, read),
        laboratory=columns(told.tags.laboratory, reported),
    )


def answer(name: str, *, given: bytes) -> Said:
    """Ask the trained twin from the stored bytes of a request."""
    opened = batch_models.open_(name)
    said: Any = canonical.loads(given)
    watch = batch_watch.run(opened.model, batch_watch.read(said))
    return Said(request_bytes.write(watch), watch.status, watch)


def warnings(prediction: Prediction, said: Said) -> list[Warned]:
    """Warn of the batch as a whole while the alarm stands."""
    watch: Watch = said.answer
    if not watch.alarm:
        return []
    return [
        Warned(
            tag=WHOLE_BATCH,
            side=UNLIKE,
            limit="1",
            unit="of the limit",
            probability=digits(watch.p),
            impact_probability=digits(watch.p_impact),
            contributions=tuple(
                (in_words(one.signal, one.check), digits(one.share))
                for one in watch.shares
                if one.share >= LEAST_SHARE
            ),
            reason=f"the score is {watch.score:.3f} of its limit",
        )
    ]


def stands(document: Mapping[str, Any], *, prediction: Prediction, tag: str, side: str) -> bool:
    """Tell whether the alarm stood in a stored answer."""
    return bool(document["alarm"])


def drawable(document: Mapping[str, Any]) -> list[str]:
    """Return the score, what is foretold, and the strongest signals."""
    known = (*ONLINE_NAMES, *LABORATORY_NAMES)
    signals = [one["signal"] for one in document["shares"][:3] if one["signal"] in known]
    return [
        *([watch_charts.SCORE] if document["history"] else []),
        *(one["quantity"] for one in document["forecasts"]),
        *signals,
    ]


def drawing(prediction: Prediction, document: Mapping[str, Any], what: str) -> Drawing:
    """Draw the score over time, a quantity with its forecast, or a signal as it was read."""
    said: Any = canonical.loads(prediction.input.encode())
    return watch_charts.draw(prediction.batch.number, batch_watch.read(said), document, what)
