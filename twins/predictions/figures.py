"""Count what twins foresaw, what people made of it, and what came (Annex 22 draft, 3)."""

from datetime import datetime
from statistics import median

from batches.execution.models import Batch
from compliance.quality import figures, kpis, trends
from compliance.quality.figures import Figures
from compliance.quality.kpis import Share
from compliance.quality.models import Origin
from twins.predictions.models import Alert, AlertState, Prediction, PredictionState


@figures.register("twins")
def twins(start: datetime, end: datetime) -> Figures:
    """Count alerts and answers of a period, and its ended batches by what twin and person did.

    Only what qualified versions said. A deviation was foreseen when an alert was raised before it
    was opened; an alert was turned down in error when a deviation came after its rejection.
    """
    raised = Alert.objects.filter(is_trial=False, raised_at__gte=start, raised_at__lt=end)
    answered = Alert.objects.filter(is_trial=False, answered_at__gte=start, answered_at__lt=end)
    minutes = [
        (one.answered_at - one.raised_at).total_seconds() / 60
        for one in answered
        if one.answered_at is not None
    ]
    return {
        "alerts-raised": raised.count(),
        "alerts-accepted": answered.filter(state=AlertState.ACCEPTED).count(),
        "alerts-rejected": answered.filter(state=AlertState.REJECTED).count(),
        "median-minutes-to-answer": round(median(minutes)) if minutes else None,
        **_batches(start, end),
    }


def _batches(start: datetime, end: datetime) -> dict[str, int]:
    watched = Prediction.objects.filter(is_trial=False, state=PredictionState.DONE)
    found = {"batches-watched": 0, "foreseen": 0, "not-foreseen": 0, "rejected-in-error": 0}
    for batch in Batch.objects.filter(
        pk__in=watched.values("batch"), ended_at__gte=start, ended_at__lt=end
    ).prefetch_related("alerts", "deviations"):
        found["batches-watched"] += 1
        alerts = [one for one in batch.alerts.all() if not one.is_trial]
        for deviation in batch.deviations.all():
            if deviation.origin == Origin.WATCH:
                continue
            before = [one for one in alerts if one.raised_at <= deviation.opened_at]
            rejected = [one for one in before if one.state == AlertState.REJECTED]
            found["foreseen" if before else "not-foreseen"] += 1
            if rejected and len(rejected) == len(before):
                found["rejected-in-error"] += 1
    return found


@trends.register("rejected-alerts", title="Alerts of twins rejected, of those answered")
def rejected(start: datetime, end: datetime) -> Share:
    """Of the alerts that people answered in the period: how many they rejected."""
    answered = Alert.objects.filter(is_trial=False, answered_at__gte=start, answered_at__lt=end)
    states = answered.values_list("state", flat=True)
    return kpis.share(one == AlertState.REJECTED for one in states)
