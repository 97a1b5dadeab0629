"""Explain alerts in workers: each new one once, and whatever people ask for."""

import logging
from typing import Any

from celery import shared_task
from django.utils import timezone

from compliance.refusals import Refused
from twins.explanations import requests
from twins.explanations.models import Explanation
from twins.predictions.asked import queueing
from twins.predictions.models import Alert

log = logging.getLogger(__name__)


@shared_task(soft_time_limit=queueing.MOST_S, time_limit=queueing.HARD_S)
def explain_alert(*, alert_id: int, **_: Any) -> int | None:
    """Explain a new alert, unless somebody has or does already."""
    alert = Alert.objects.select_related("prediction__model_version").get(pk=alert_id)
    try:
        explanation = requests.for_alert(alert, at=timezone.now())
    except Refused as refused:
        log.info("no explanation of alert %s: %s", alert_id, refused)
        return None
    return _run(explanation)


@shared_task(soft_time_limit=queueing.MOST_S, time_limit=queueing.HARD_S)
def explain(*, explanation_id: int, **_: Any) -> int | None:
    """Run one request, unless somebody has or does already."""
    return _run(Explanation.objects.get(pk=explanation_id))


@shared_task
def look_after_explanations(**_: Any) -> int:
    """Queue what was lost, left behind or never asked for; end what kills its workers."""
    alerts = requests.without(at_most=queueing.CATCH_UP)
    return queueing.sweep(
        requests.ROOM, run=explain, begin=explain_alert, without=alerts, at=timezone.now()
    )


def _run(explanation: Explanation) -> int | None:
    from twins.explanations import runs  # compiles the penicillin model: in workers only

    try:
        done = runs.explain(explanation, at=timezone.now())
    except Refused as refused:
        log.warning("no %s: %s", explanation, refused)
        return None
    return done.pk if done else None
