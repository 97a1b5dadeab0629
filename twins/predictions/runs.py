"""Run a twin once for a batch and a moment, so that the run can be repeated to the byte."""

import hashlib
import logging
import time
from dataclasses import dataclass
from datetime import datetime, timedelta

from batches.execution.models import Batch
from compliance.refusals import Refused
from compliance.trail import recording
from compliance.trail.recording import System
from twins.hub import versions
from twins.models.forecasts import Forecast
from twins.predictions import alerts, environment, inputs, request_bytes, twin_settings
from twins.predictions.actions import Action
from twins.predictions.models import Prediction, PredictionState

log = logging.getLogger(__name__)
WORKER = System("prediction worker")
# Far above what a run takes (seconds) and what a worker may take (CELERY_TASK_TIME_LIMIT is the
# end of it): whoever still holds a claim then has died.
STALE_AFTER = timedelta(minutes=5)


class ClaimLost(Refused):
    """Another worker took the run over, and its result is the one that counts."""

    code = "prediction-claim-lost"


@dataclass(frozen=True)
class Outcome:
    """What a run came to: a forecast, or the problem that kept it from one."""

    input: bytes = b""
    output: bytes = b""
    forecast: Forecast | None = None
    problem: str = ""


def claim(batch: Batch, *, as_of: datetime, at: datetime) -> Prediction | None:
    """Take the run of a batch and a moment, or None when somebody has it or has done it.

    The unique constraint decides between two workers; a claim whose worker died is taken over by
    a conditional update, so that only one of those who notice gets it.
    """
    told = twin_settings.of(batch.recipe)
    inputs.start_of(batch)
    version = versions.current(batch.recipe.twin, at=at)
    known = Prediction.objects.filter(batch=batch, model_version=version, as_of=as_of)
    if known.exclude(state=PredictionState.CLAIMED).exists():
        return None
    with recording.recording(
        Action.PREDICTION_CLAIMED, actor=WORKER, at=at, reason="the worker before stopped"
    ):
        prediction, is_new = Prediction.objects.get_or_create(
            batch=batch,
            model_version=version,
            as_of=as_of,
            defaults={
                "state": PredictionState.CLAIMED,
                "horizon_h": told.horizon_h,
                "seed": inputs.seed_of(batch),
                "claimed_at": at,
            },
        )
        if is_new:
            return prediction
        taken_over = Prediction.objects.filter(
            pk=prediction.pk, state=PredictionState.CLAIMED, claimed_at__lt=at - STALE_AFTER
        ).update(claimed_at=at)
    if not taken_over:
        return None
    prediction.claimed_at = at
    return prediction


def execute(prediction: Prediction, *, at: datetime) -> Prediction:
    """Run a claimed prediction and record how it ended, with the alerts that it raises.

    Raise `ClaimLost` when it took so long that another worker has taken it over.
    """
    began = time.monotonic()
    outcome = _outcome(prediction)
    ended_at = at + timedelta(seconds=time.monotonic() - began)
    action = Action.PREDICTION_FAILED if outcome.problem else Action.PREDICTION_FINISHED
    with recording.recording(
        action, actor=WORKER, at=ended_at, reason=outcome.problem[:500] or "the twin has answered"
    ):
        changed = Prediction.objects.filter(
            pk=prediction.pk, state=PredictionState.CLAIMED, claimed_at=prediction.claimed_at
        ).update(
            state=PredictionState.FAILED if outcome.problem else PredictionState.DONE,
            input=outcome.input.decode(),
            input_digest=digest(outcome.input) if outcome.input else "",
            output=outcome.output.decode(),
            output_digest=digest(outcome.output) if outcome.output else "",
            status=outcome.forecast.status if outcome.forecast else "",
            environment=environment.current(),
            finished_at=ended_at,
            problem=outcome.problem,
        )
        if not changed:
            raise ClaimLost(f"prediction {prediction.pk} was taken over by another worker")
        prediction.refresh_from_db()
        if outcome.forecast is not None:
            alerts.raise_for(prediction, forecast=outcome.forecast, actor=WORKER, at=ended_at)
    return prediction


def abandon(prediction: Prediction, *, at: datetime) -> bool:
    """Fail a run whose worker died and whose model version is not installed any more."""
    with recording.recording(
        Action.PREDICTION_FAILED, actor=WORKER, at=at, reason="its worker stopped"
    ):
        return bool(
            Prediction.objects.filter(
                pk=prediction.pk,
                state=PredictionState.CLAIMED,
                claimed_at__lt=at - STALE_AFTER,
            ).update(
                state=PredictionState.FAILED,
                finished_at=at,
                problem="The worker stopped, and the twin has been replaced since.",
            )
        )


def digest(data: bytes) -> str:
    """Return the SHA-256 by which stored bytes of a run are known."""
    return hashlib.sha256(data).hexdigest()


def answer(name: str, *, given: bytes) -> tuple[Forecast, bytes]:
    """Ask the installed twin from the stored bytes of a request; return the answer's bytes too."""
    twin = versions.installed(name)
    forecast = twin.run(request_bytes.read(given))
    return forecast, request_bytes.write(forecast)


def _outcome(prediction: Prediction) -> Outcome:
    try:
        request = inputs.assemble(
            prediction.batch,
            as_of=prediction.as_of,
            horizon_h=prediction.horizon_h,
            seed=prediction.seed,
        )
    except Refused as refused:
        return Outcome(problem=str(refused))
    given = request_bytes.write(request)
    try:
        # From the bytes, not from the request: a replay has nothing else.
        forecast, output = answer(prediction.model_version.name, given=given)
    except Exception as error:
        # A twin is pure: what it raises for this input it raises each time, so it is the outcome.
        log.exception("prediction %s failed", prediction.pk)
        return Outcome(input=given, problem=f"{type(error).__name__}: {error}")
    return Outcome(input=given, output=output, forecast=forecast)
