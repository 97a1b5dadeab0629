"""Explain alerts in workers: each new one once, and whatever people ask for."""

import logging
from typing import Any

from celery import shared_task
from django.utils import timezone

from compliance.refusals import Refused
from twins.explanations import requests
from twins.explanations.models import Explanation
from twins.predictions.models import Alert

log = logging.getLogger(__name__)
# One sweep queues at most so much.
CATCH_UP = 8
# What no worker took for so long is dropped: the next sweep asks again, and the queue stays short.
EXPIRES_S = 60
# A whole batch takes seconds; after the first time it is refused, after the second its process ends.
MOST_S, HARD_S = 240, 300


@shared_task(soft_time_limit=MOST_S, time_limit=HARD_S)
def explain_alert(*, alert_id: int, **_: Any) -> int | None:
    """Explain a new alert, unless somebody has or does already."""
    alert = Alert.objects.select_related("prediction__model_version").get(pk=alert_id)
    try:
        explanation = requests.for_alert(alert, at=timezone.now())
    except Refused as refused:
        log.info("no explanation of alert %s: %s", alert_id, refused)
        return None
    return _run(explanation)


@shared_task(soft_time_limit=MOST_S, time_limit=HARD_S)
def explain(*, explanation_id: int, **_: Any) -> int | None:
    """Run one request, unless somebody has or does already."""
    return _run(Explanation.objects.get(pk=explanation_id))


@shared_task
def look_after_explanations(**_: Any) -> int:
    """Queue what was lost, left behind or never asked for; end what kills its workers."""
    at = timezone.now()
    requests.give_up(at=at)
    lost = requests.left_behind(at=at)
    for explanation in lost:
        explain.apply_async(kwargs={"explanation_id": explanation.pk}, expires=EXPIRES_S)
    alerts = requests.without(at_most=CATCH_UP)
    for alert in alerts:
        explain_alert.apply_async(kwargs={"alert_id": alert.pk}, expires=EXPIRES_S)
    return len(lost) + len(alerts)


def _run(explanation: Explanation) -> int | None:
    from twins.explanations import runs  # compiles the penicillin model: in workers only

    try:
        done = runs.explain(explanation, at=timezone.now())
    except Refused as refused:
        log.warning("no %s: %s", explanation, refused)
        return None
    return done.pk if done else None
