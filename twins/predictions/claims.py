"""Claim the run of a batch and a moment, so that two workers never both count."""

from datetime import datetime

from batches.execution.models import Batch
from compliance.refusals import Refused
from compliance.trail import recording
from compliance.trail.recording import System
from twins.hub import versions
from twins.predictions import inputs, kinds, leases
from twins.predictions.actions import Action
from twins.predictions.models import Prediction, PredictionState

WORKER = System("prediction worker")


class TwinReplaced(Refused):
    """The worker died, and the version that it ran is not installed any more."""

    code = "prediction-twin-replaced"


def claim(batch: Batch, *, as_of: datetime, at: datetime) -> Prediction | None:
    """Take the run of a batch and a moment, or None when somebody has it or has done it.

    The unique constraint decides between two workers; a claim whose worker died is taken over by
    a conditional update, so that only one of those who notice gets it.
    """
    inputs.start_of(batch)
    horizon_h = kinds.of(batch.recipe.twin).horizon_h(batch.recipe)
    version = versions.current(batch.recipe.twin, at=at)
    known = Prediction.objects.filter(batch=batch, model_version=version, as_of=as_of)
    if known.exclude(state=PredictionState.CLAIMED).exists():
        return None
    with recording.recording(
        Action.PREDICTION_CLAIMED,
        actor=WORKER,
        at=at,
        reason=f"{batch} as of {as_of:%Y-%m-%d %H:%M} UTC",
    ):
        prediction, is_new = Prediction.objects.get_or_create(
            batch=batch,
            model_version=version,
            as_of=as_of,
            defaults={
                **leases.terms(at=at),
                "horizon_h": horizon_h,
                "seed": inputs.seed_of(batch),
                "is_trial": not versions.is_qualified(version),
            },
        )
        is_ours = is_new or leases.take(prediction, at=at)
    return prediction if is_ours else None


def left_behind(*, at: datetime) -> list[Prediction]:
    """Return the claimed runs whose worker died and that can be claimed again.

    Those of a model version that is not installed any more cannot: they are failed here.
    """
    found = []
    stale = Prediction.objects.filter(leases.ran_out(at=at)).select_related(
        "model_version", "batch__recipe"
    )
    for prediction in stale.order_by("pk"):
        if versions.is_installed(prediction.model_version):
            found.append(prediction)
        else:
            _abandon(prediction, at=at)
    return found


def _abandon(prediction: Prediction, *, at: datetime) -> None:
    """Fail a run whose worker died and whose model version is not installed any more."""
    with recording.recording(
        Action.PREDICTION_FAILED, actor=WORKER, at=at, reason="its worker stopped"
    ):
        Prediction.objects.filter(leases.ran_out(at=at), pk=prediction.pk).update(
            state=PredictionState.FAILED,
            finished_at=at,
            refusal=TwinReplaced.code,
            problem="The worker stopped, and the twin has been replaced since.",
        )
