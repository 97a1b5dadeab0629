"""Run advice in workers: one proposal for each alert, and whatever people ask for."""

import logging
from typing import Any

from celery import shared_task
from django.utils import timezone

from compliance.refusals import Refused
from twins.advice import comparisons, proposals, requests, runs
from twins.advice.models import Proposal
from twins.predictions.models import Alert

log = logging.getLogger(__name__)
# One sweep queues or does at most so much.
CATCH_UP = 8
# What no worker took for so long is dropped: the next sweep asks again, and the queue stays short.
EXPIRES_S = 60


@shared_task
def propose(*, alert_id: int, **_: Any) -> int | None:
    """Advise on a new alert, unless somebody has or does already."""
    alert = Alert.objects.select_related("batch__recipe", "prediction").get(pk=alert_id)
    try:
        proposal = requests.for_alert(alert, at=timezone.now())
        done = runs.advise(proposal, at=timezone.now())
    except Refused as refused:
        log.info("no advice on alert %s: %s", alert_id, refused)
        return None
    return done.pk if done else None


@shared_task
def advise(*, proposal_id: int, **_: Any) -> int | None:
    """Run one request, unless somebody has or does already."""
    proposal = Proposal.objects.select_related("alert__batch__recipe", "prediction").get(
        pk=proposal_id
    )
    try:
        done = runs.advise(proposal, at=timezone.now())
    except Refused as refused:
        log.warning("no advice %s: %s", proposal_id, refused)
        return None
    return done.pk if done else None


@shared_task
def look_after_proposals(**_: Any) -> int:
    """Record what expired and how it compares; queue what was lost or never asked for.

    What kills its workers is ended.
    """
    at = timezone.now()
    proposals.expire(at=at)
    for proposal in comparisons.due(at_most=CATCH_UP):
        comparisons.compare(proposal, at=at)
    requests.give_up(at=at)
    lost = requests.left_behind(at=at)
    for proposal in lost:
        advise.apply_async(kwargs={"proposal_id": proposal.pk}, expires=EXPIRES_S)
    alerts = requests.without(at_most=CATCH_UP)
    for alert in alerts:
        propose.apply_async(kwargs={"alert_id": alert.pk}, expires=EXPIRES_S)
    return len(lost) + len(alerts)
