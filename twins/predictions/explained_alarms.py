"""Explain the alarm of one batch on the grid: what it may be and what it cost, as plain values."""

from typing import Any

from compliance.refusals import Refused
from twins.models import alarmed_batches
from twins.models.batch_monitoring.model import Model
from twins.models.batch_monitoring.samples import Grid
from twins.models.batch_monitoring.signals import STEP_H
from twins.models.integrate import IntegrationInaccurate
from twins.models.penicillin_fed_batch import explaining
from twins.models.penicillin_fed_batch.signatures import MomentInvalid
from twins.predictions import explained_documents

# A batch of the source ends around here: until then a deviation can go on.
USUAL_END_H = explaining.USUAL_END_H


class MomentUnusable(Refused):
    """An hour of the question is none, or leaves nothing to compare with, or the batch has no start."""

    code = "explain-moment-invalid"
    status = 422


class EstimateInaccurate(Refused):
    """The integration error of the estimate is above its tolerance: there is no explanation."""

    code = "integration-inaccurate"
    status = 422


def told(
    model: Model, grid: Grid, *, batch: str, end_h: float, seed: int, onset_h: float | None = None
) -> dict[str, Any]:
    """Return the alarm of a batch and, when there is one or an onset is given, its explanation.

    The product counts at `end_h`. Raise `MomentUnusable` or `EstimateInaccurate`.
    """
    alarm = alarmed_batches.alarm_of(model, grid)
    said: dict[str, Any] = {
        "alarm": alarm
        and {"since_h": alarm.since_h, "rose_h": alarm.rose_h, "stands": alarm.stands}
    }
    source = "given" if onset_h else "alarm"
    onset_h = onset_h or (alarm.rose_h if alarm else None)
    if onset_h is None:
        return said | {"status": "nothing-to-explain"}
    try:
        found = explaining.explain(
            alarmed_batches.arrays_of(grid),
            alarmed_batches.recipe_of(model),
            onset=round(onset_h / STEP_H) - 1,
            end=round(end_h / STEP_H) - 1,
            seed=seed,
        )
    except (MomentInvalid, alarmed_batches.StartMissing) as error:
        raise MomentUnusable(f"batch {batch}: {error}") from error
    except IntegrationInaccurate as error:
        raise EstimateInaccurate(f"batch {batch}: {error}; nothing is said of it") from error
    said |= {"status": "explained", "onset_h": round(onset_h, 6), "onset_from": source}
    return said | explained_documents.of(found)
