"""Penicillin batches that the model made, recorded through the domain functions as a plant would."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import numpy as np

from batches.execution.models import Batch
from batches.execution.sample_bytes import Reading
from batches.laboratory import results, samples
from batches.recipes.drafts import ParameterDraft, PhaseDraft, RecipeDraft
from batches.recipes.models import Criticality, ParameterKind
from compliance.access.models import Device
from tests import factories
from tests.twins.models.penicillin_fed_batch import made_batch
from tests.twins.predictions.conftest import LATER, moment
from twins.models.batch_monitoring.signals import LABORATORY, ONLINE, Signal
from twins.models.penicillin_fed_batch import asking

TWIN = "penicillin-fed-batch"
SIGNALS = {
    ParameterKind.READING: [one for one in ONLINE if one.name in asking.ONLINE_TAGS],
    ParameterKind.RESULT: [one for one in LABORATORY if one.name in asking.LABORATORY_TAGS],
}
SETTINGS: dict[str, Any] = {
    "every_h": 2,
    "horizon_h": 12,
    "alert_threshold": "0.8",
    "limit_windows": {"lab_X": ["54.0", None], "DO2": ["0.0", None], "T": ["0.0", None]},
    "profile": {
        tag: [[repr(one.start_h), repr(one.value)] for one in steps]
        for tag, steps in made_batch.plan().items()
    },
}
_BOUNDS: dict[str, dict[str, Decimal]] = {
    "lab_X": {"low": Decimal("15.5")},
    "DO2": {"low": Decimal(5)},
    "T": {"low": Decimal(280), "high": Decimal(300)},
}


def unit(signal: Signal) -> str:
    """Return the unit as a recipe writes it."""
    return {"-": "1", "1/min": "{rpm}", "l/h": "L/h", "pH": "[pH]"}.get(signal.unit, signal.unit)


def parameters(**tags: str) -> list[ParameterDraft]:
    """Return the parameters of a recipe, some signals under other tags."""
    return [
        ParameterDraft(
            tags.get(one.name, one.name), one.name, kind, unit(one),
            Criticality.CPP if one.name in _BOUNDS else Criticality.OTHER,
            **_BOUNDS.get(one.name, {}),
        )
        for kind, signals in SIGNALS.items()
        for one in signals
    ]  # fmt: skip


def draft(**changed: Any) -> RecipeDraft:
    """Return a recipe whose twin foretells."""
    said: dict[str, Any] = {
        "title": "Penicillin, made by the model",
        "phases": [PhaseDraft("Fermenter", "Fermentation", "Culture", "Feed by the schedule.")],
        "parameters": parameters(),
        "twin": TWIN,
        "twin_settings": SETTINGS,
        **changed,
    }
    return RecipeDraft(**said)


def course(share: float = 1.0) -> made_batch.Columns:
    """Return what is measured of a batch; a laboratory reports no more than six decimals."""
    found = made_batch.measured(share)
    return found | {tag: np.round(found[tag], 6) for tag in asking.LABORATORY_TAGS}


def at(hour: float) -> datetime:
    """Return the moment of a sample, on its twelve minutes."""
    return moment(0) + round(hour * 5) * timedelta(minutes=12)


def record(
    batch: Batch,
    found: made_batch.Columns,
    *,
    until_h: float,
    after_h: float = 0.0,
    by: Device | None = None,
) -> None:
    """Record what is read or reported in (after_h, until_h], each result at its sampling."""
    device = by or factories.device()
    first, last = round(after_h * 5), round(until_h * 5)
    units = {one.name: unit(one) for signals in SIGNALS.values() for one in signals}
    factories.stored(
        batch,
        [
            Reading(tag, at((row + 1) / 5), Decimal(repr(float(found[tag][row]))), units[tag])
            for row in range(first, last)
            for tag in asking.ONLINE_TAGS
        ],
        by=device,
        at=LATER,
    )
    for row in np.flatnonzero(np.isfinite(found["lab_P"])).tolist():
        if not first <= row < last or row < made_batch.DELAY:
            continue
        taken = samples.take(
            batch, number=f"S{row}", taken_at=at((row + 1 - made_batch.DELAY) / 5), actor=device,
            at=LATER,
        )  # fmt: skip
        for tag in asking.LABORATORY_TAGS:
            results.report(
                taken, tag=tag, value_text=repr(float(found[tag][row])), unit=units[tag],
                reported_at=at((row + 1) / 5), message_id=f"{batch.number}/S{row}/{tag}",
                actor=device, at=LATER,
            )  # fmt: skip
