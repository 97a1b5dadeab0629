"""Tell the watch over qualified versions what they saw, and what came of it (Annex 22 draft, 10)."""

from collections.abc import Iterable
from statistics import fmean

from django.db.models import QuerySet

from batches.execution import series
from batches.execution.models import Batch, BatchState
from compliance.quality.models import Deviation
from twins.hub.drift_watch import Watched
from twins.hub.models import ModelVersion, TrainingBatch
from twins.predictions.models import Alert, AlertState, Prediction, PredictionState


def by(version: ModelVersion, checked: frozenset[int]) -> list[Watched]:
    """Return the batches that a version watched for GMP and whose outcome is known, in order.

    The outcome is known once the batch has ended, its alerts are answered and its deviations
    settled. An event is a batch with a deviation; the inputs are the tags of the training data.
    """
    batches = known(version, is_trial=False).exclude(pk__in=checked)
    tags = _tags(version)
    return [_watched(batch, version, tags) for batch in batches]


def known(version: ModelVersion, *, is_trial: bool) -> QuerySet[Batch]:
    """Return the batches that a version predicted and whose outcome is known, in order."""
    predicted = Prediction.objects.filter(
        model_version=version, is_trial=is_trial, state=PredictionState.DONE
    )
    waiting = Alert.objects.filter(state=AlertState.OPEN)
    unsettled = Deviation.objects.unsettled()
    return (
        Batch.objects.filter(
            pk__in=predicted.values("batch"), state__in=[BatchState.COMPLETED, BatchState.ABORTED]
        )
        .exclude(pk__in=waiting.values("batch"))
        .exclude(pk__in=Batch.deviations.through.objects.filter(
            deviation__in=unsettled
        ).values("batch"))
        .order_by("ended_at", "pk")
    )  # fmt: skip


def _tags(version: ModelVersion) -> list[str]:
    trained = TrainingBatch.objects.filter(dossier__version=version)
    means = trained.values_list("means", flat=True)
    return sorted({name for pairs in means for name, _ in pairs})


def _watched(batch: Batch, version: ModelVersion, tags: Iterable[str]) -> Watched:
    alerts = Alert.objects.filter(batch=batch, prediction__model_version=version, is_trial=False)
    return Watched(
        key=batch.pk,
        means=_means(batch, tags),
        is_event=batch.deviations.exists(),
        is_alarmed=alerts.exists(),
    )


def _means(batch: Batch, tags: Iterable[str]) -> dict[str, float]:
    if batch.started_at is None or batch.ended_at is None:
        return {}
    found = {}
    for tag in tags:
        read = series.of(
            batch, tag=tag, first=batch.started_at, last=batch.ended_at, max_points=None
        )
        if read.points:
            found[tag] = fmean(float(point.value) for point in read.points)
    return found
