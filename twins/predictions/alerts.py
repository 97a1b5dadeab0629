"""Raise alerts for predicted deviations, and record what a person answers (Annex 22 draft, 3)."""

from datetime import datetime
from typing import Any

from batches.execution import batches
from batches.execution.models import Batch
from batches.quantities import unit_words
from compliance.access import authority
from compliance.access.authority import Principal
from compliance.access.duties import Duty
from compliance.quality.models import Deviation, Origin, Severity
from compliance.refusals import Refused
from compliance.trail import recording
from compliance.trail.recording import Actor
from twins.predictions import kinds, outputs, quotes
from twins.predictions.actions import Action
from twins.predictions.models import Alert, AlertState, Prediction, PredictionState
from twins.predictions.said import UNLIKE, Said, Warned


class AlertAnswered(Refused):
    """Somebody has answered this alert already."""

    code = "alert-answered"


def raise_for(prediction: Prediction, *, said: Said, actor: Actor, at: datetime) -> list[Alert]:
    """Raise an alert for all that a twin warns of; return the new ones.

    While one is open for the same batch, tag and side, later predictions add none and change
    nothing in it: what a person is looking at stays as it was raised.
    """
    raised = []
    for warned in kinds.of_prediction(prediction).warnings(prediction, said):
        if not _is_armed(prediction, warned):
            continue
        with recording.recording(Action.ALERT_RAISED, actor=actor, at=at, reason=warned.reason):
            # Two predictions of a batch that end together: the open alert is unique.
            alert, is_new = Alert.objects.get_or_create(
                batch=prediction.batch,
                tag=warned.tag,
                side=warned.side,
                state=AlertState.OPEN,
                defaults=_as_raised(prediction, warned, at),
            )
        if is_new:
            raised.append(alert)
    return raised


def answer(
    alert: Alert, *, accept: bool, reason: str, actor: Principal, at: datetime,
    severity: Severity = Severity.MAJOR,
) -> Alert:  # fmt: skip
    """Accept an alert, which opens a deviation linked to its batch, or reject it.

    Raise `NotPermitted`, `ReasonNotMeaningful`, or `AlertAnswered` for the second of two people.
    """
    authority.demand(actor, Duty.ANSWER_ALERT)
    text = recording.demand_reason(reason)
    _demand_open(alert)
    action = Action.ALERT_ACCEPTED if accept else Action.ALERT_REJECTED
    with recording.recording(action, actor=actor, at=at, reason=text):
        deviation = (
            _open_deviation(alert, reason=text, severity=severity, actor=actor, at=at)
            if accept
            else None
        )
        changed = Alert.objects.filter(pk=alert.pk, state=AlertState.OPEN).update(
            state=AlertState.ACCEPTED if accept else AlertState.REJECTED,
            answered_at=at,
            answered_by=actor.trail_identity().name,
            answer_reason=text,
            deviation=deviation,
        )
        if not changed:
            # The other answer was first: this one's deviation is rolled back with it.
            alert.refresh_from_db()
            _demand_open(alert)
    alert.refresh_from_db()
    return alert


def open_of(batch: Batch) -> list[str]:
    """Name the alerts of a batch that nobody has answered: they hold its disposition."""
    return [
        f"{'trial ' if alert.is_trial else ''}alert {alert.pk} on {alert.tag} is not answered"
        for alert in Alert.objects.filter(batch=batch, state=AlertState.OPEN).order_by("pk")
    ]


def _is_armed(prediction: Prediction, warned: Warned) -> bool:
    """Tell whether a new alert says something that the last one of its kind did not.

    After an answer it does once a later prediction had not warned of it; and not while the
    deviation that was opened for it is under investigation.
    """
    last = (
        Alert.objects.filter(batch=prediction.batch, tag=warned.tag, side=warned.side)
        .select_related("prediction", "deviation")
        .order_by("-pk")
        .first()
    )
    if last is None:
        return True
    if last.state == AlertState.OPEN or (last.deviation is not None and last.deviation.is_open):
        return False
    kind = kinds.of_prediction(prediction)
    between = Prediction.objects.filter(
        batch=prediction.batch,
        model_version__name=prediction.model_version.name,
        state=PredictionState.DONE,
        status__in=kind.DECIDED,
        as_of__gt=last.prediction.as_of,
        as_of__lt=prediction.as_of,
    ).order_by("-as_of")
    return any(
        not kind.stands(
            outputs.document(one), prediction=prediction, tag=warned.tag, side=warned.side
        )
        for one in between.iterator(chunk_size=4)
    )


def _as_raised(prediction: Prediction, warned: Warned, at: datetime) -> dict[str, Any]:
    return {
        "prediction": prediction,
        "limit": warned.limit,
        "unit": warned.unit,
        "probability": warned.probability,
        "impact_probability": warned.impact_probability,
        "lead_time_h": warned.lead_time_h,
        "lead_time_low_h": warned.lead_time_low_h,
        "lead_time_high_h": warned.lead_time_high_h,
        "contributions": [list(one) for one in warned.contributions],
        "raised_at": at,
        "is_trial": prediction.is_trial,
    }


def _open_deviation(
    alert: Alert, *, reason: str, severity: Severity, actor: Principal, at: datetime
) -> Deviation:
    prediction = alert.prediction
    said = [outputs.description(alert), *quotes.of(alert), f"Accepted because: {reason}"]
    return batches.open_deviation(
        alert.batch,
        title=_title(alert)[:200],
        description="\n\n".join(said),
        severity=severity,
        # What departs from the approved way is there when the twin sees it, not when it is read.
        occurred_at=min(prediction.as_of, at),
        actor=actor,
        at=at,
        origin=Origin.ALERT,
    )


def _title(alert: Alert) -> str:
    if alert.side == UNLIKE:
        return f"{alert.batch.number}: {outputs.foreseen(alert)}"
    side = alert.get_side_display().lower()
    saw = "found" if outputs.is_past(alert) else "foreseen"
    limit = f"{alert.limit} {unit_words.shown(alert.unit)}"
    return f"{alert.tag} {saw} {side} {limit} in {alert.batch.number}"


def _demand_open(alert: Alert) -> None:
    if alert.state != AlertState.OPEN:
        raise AlertAnswered(
            f"alert {alert.pk} was {alert.get_state_display().lower()} by {alert.answered_by} "
            f"at {alert.answered_at:%Y-%m-%d %H:%M} UTC"
        )
