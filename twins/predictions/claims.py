"""Claim the run of a batch and a moment, so that two workers never both count."""

from datetime import datetime, timedelta

from batches.execution.models import Batch
from compliance.trail import recording
from compliance.trail.recording import System
from twins.hub import versions
from twins.predictions import inputs, kinds
from twins.predictions.actions import Action
from twins.predictions.models import Prediction, PredictionState

WORKER = System("prediction worker")
# A run takes seconds: whoever still holds a claim after this has died. Should it only have been
# very slow, its result is refused (`runs.ClaimLost`).
STALE_AFTER = timedelta(minutes=5)


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
                "state": PredictionState.CLAIMED,
                "horizon_h": horizon_h,
                "seed": inputs.seed_of(batch),
                "claimed_at": at,
                "is_trial": not versions.is_qualified(version),
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


def left_behind(*, at: datetime) -> list[Prediction]:
    """Return the claimed runs whose worker died and that can be claimed again.

    Those of a model version that is not installed any more cannot: they are failed here.
    """
    found = []
    stale = Prediction.objects.filter(
        state=PredictionState.CLAIMED, claimed_at__lt=at - STALE_AFTER
    ).select_related("model_version", "batch__recipe")
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
        Prediction.objects.filter(
            pk=prediction.pk,
            state=PredictionState.CLAIMED,
            claimed_at__lt=at - STALE_AFTER,
        ).update(
            state=PredictionState.FAILED,
            finished_at=at,
            problem="The worker stopped, and the twin has been replaced since.",
        )
