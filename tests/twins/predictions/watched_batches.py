"""Recipes whose twin watches, and batches of them with every signal recorded."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import numpy as np

from batches.execution.models import Batch
from batches.execution.sample_bytes import Reading
from batches.laboratory import results, samples
from batches.recipes.drafts import ParameterDraft, PhaseDraft, RecipeDraft
from batches.recipes.models import Criticality, ParameterKind
from tests import factories
from tests.twins.predictions.conftest import LATER, moment
from twins.models.batch_monitoring.signals import LABORATORY, ONLINE, Signal

Columns = dict[str, np.ndarray]
DELAY_H = 4.0


def unit(signal: Signal) -> str:
    return {"-": "1", "1/min": "{rpm}", "l/h": "L/h", "pH": "[pH]"}.get(signal.unit, signal.unit)


def draft(twin: str, **changed: Any) -> RecipeDraft:
    """Return a recipe whose twin watches; each signal is a parameter under its own name."""
    kinds = ((ParameterKind.READING, ONLINE), (ParameterKind.RESULT, LABORATORY))
    said: dict[str, Any] = {
        "title": "Penicillin, made up",
        "phases": [PhaseDraft("Fermenter", "Fermentation", "Culture", "Feed by the schedule.")],
        "parameters": [
            ParameterDraft(one.name, one.name, kind, unit(one), Criticality.OTHER)
            for kind, signals in kinds
            for one in signals
        ],
        "twin": twin,
        "twin_settings": {"every_h": "2.0"},
        **changed,
    }
    return RecipeDraft(**said)


def record(
    batch: Batch, found: Columns, time_h: np.ndarray, *, until_h: float, after_h: float = 0.0
) -> None:
    """Record the signals, and each result at the sample after its report, as the plant would."""
    device = factories.device()
    first, end = (int(one) for one in np.searchsorted(time_h, (after_h + 1e-9, until_h + 1e-9)))
    units = {one.name: unit(one) for one in (*ONLINE, *LABORATORY)}
    factories.stored(
        batch,
        [
            Reading(one.name, at(time_h[step]), Decimal(repr(float(value))), units[one.name])
            for one in ONLINE
            for step, value in enumerate(found[one.name][first:end].tolist(), start=first)
        ],
        by=device,
        at=LATER,
    )
    for step in (first + np.flatnonzero(np.isfinite(found["lab_P"][first:end]))).tolist():
        name = f"S{step}"
        taken = samples.take(
            batch, number=name, taken_at=at(time_h[step] - DELAY_H), actor=device, at=LATER
        )
        for one in LABORATORY:
            results.report(
                taken, tag=one.name, value_text=repr(float(found[one.name][step])),
                unit=units[one.name], reported_at=at(time_h[step]),
                message_id=f"{batch.number}/{name}/{one.name}", actor=device, at=LATER,
            )  # fmt: skip


def at(hour: float) -> Any:
    """Return the moment of a sample, on its twelve minutes."""
    return moment(0) + round(hour * 5) * timedelta(minutes=12)
