"""Run a twin once for a batch and a moment, so that the run can be repeated to the byte."""

import hashlib
import logging
import time
from dataclasses import dataclass
from datetime import datetime, timedelta

from celery.exceptions import SoftTimeLimitExceeded

from batches.execution.models import Batch
from compliance.refusals import Refused
from compliance.trail import recording
from twins.predictions import alerts, claims, environment, kinds, leases, request_bytes
from twins.predictions.actions import Action
from twins.predictions.models import Prediction, PredictionState
from twins.predictions.said import Said

log = logging.getLogger(__name__)


class ClaimLost(Refused):
    """Another worker took the run over, and its result is the one that counts."""

    code = "prediction-claim-lost"


class PredictionBroken(Refused):
    """The twin ended with an error that it has no words for; what it said is in the worker's log."""

    code = "prediction-broken"


@dataclass(frozen=True)
class Outcome:
    """What a run came to: what the twin said, or the refusal that kept it from an answer."""

    input: bytes = b""
    said: Said | None = None
    refused: Refused | None = None


def predict(batch: Batch, *, as_of: datetime, at: datetime) -> Prediction | None:
    """Claim a run and execute it; return None when somebody else does or has."""
    prediction = claims.claim(batch, as_of=as_of, at=at)
    return execute(prediction, at=at) if prediction else None


def execute(prediction: Prediction, *, at: datetime) -> Prediction:
    """Run a claimed prediction and record how it ended, with the alerts that it raises.

    Raise `ClaimLost` when it took so long that another worker has taken it over.
    """
    began = time.monotonic()
    with leases.held(prediction, action=Action.PREDICTION_CLAIMED, actor=claims.WORKER):
        outcome = _outcome(prediction)
    ended_at = at + timedelta(seconds=time.monotonic() - began)
    refused = outcome.refused
    action = Action.PREDICTION_FAILED if refused else Action.PREDICTION_FINISHED
    with recording.recording(
        action,
        actor=claims.WORKER,
        at=ended_at,
        reason=str(refused)[:500] if refused else "the twin has answered",
    ):
        changed = leases.own(prediction).update(
            state=PredictionState.FAILED if refused else PredictionState.DONE,
            input=outcome.input.decode(),
            input_digest=digest(outcome.input) if outcome.input else "",
            output=outcome.said.output.decode() if outcome.said else "",
            output_digest=digest(outcome.said.output) if outcome.said else "",
            status=outcome.said.status if outcome.said else "",
            environment=environment.current(),
            finished_at=ended_at,
            refusal=refused.code if refused else "",
            problem=str(refused) if refused else "",
        )
        if not changed:
            raise ClaimLost(f"prediction {prediction.pk} was taken over by another worker")
        prediction.refresh_from_db()
        if outcome.said is not None:
            alerts.raise_for(prediction, said=outcome.said, actor=claims.WORKER, at=ended_at)
    return prediction


def digest(data: bytes) -> str:
    """Return the SHA-256 by which stored bytes of a run are known."""
    return hashlib.sha256(data).hexdigest()


def answer(name: str, *, given: bytes) -> Said:
    """Ask the installed twin from the stored bytes of a request."""
    return kinds.of(name).answer(name, given=given)


def _outcome(prediction: Prediction) -> Outcome:
    try:
        request = kinds.of_prediction(prediction).ask(
            prediction.batch,
            as_of=prediction.as_of,
            horizon_h=prediction.horizon_h,
            seed=prediction.seed,
        )
    except Refused as refused:
        return Outcome(refused=refused)
    given = request_bytes.write(request)
    try:
        # From the bytes, not from the request: a replay has nothing else.
        said = answer(prediction.model_version.name, given=given)
    except (SoftTimeLimitExceeded, MemoryError):
        raise  # says something of the worker, and nothing of the twin: another one takes it over
    except Refused as refused:
        return Outcome(input=given, refused=refused)
    except Exception:
        # A twin is pure: what it raises for this input it raises each time, so it is the outcome.
        # What a solver says of its own matrices is for the log; people read `problem`.
        name, batch, as_of = (
            prediction.model_version.name, prediction.batch.number, prediction.as_of.isoformat()
        )  # fmt: skip
        log.exception("%s about batch %s as of %s failed", name, batch, as_of)
        broken = PredictionBroken(
            f"{name} ended with an error that it has no words for. The next moment of the batch is "
            f"predicted on its own; the worker's log has the error as “{name} about batch {batch} "
            f"as of {as_of}”"
        )
        return Outcome(input=given, refused=broken)
    return Outcome(input=given, said=said)
