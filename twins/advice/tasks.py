"""Run advice in workers: one proposal for each alert, and whatever people ask for."""

import logging
from typing import Any

from celery import shared_task
from django.utils import timezone

from compliance.refusals import Refused
from twins.advice import comparisons, proposals, requests, runs
from twins.advice.models import Proposal
from twins.predictions.asked import queueing
from twins.predictions.models import Alert

log = logging.getLogger(__name__)


@shared_task(soft_time_limit=queueing.MOST_S, time_limit=queueing.HARD_S)
def propose(*, alert_id: int, **_: Any) -> int | None:
    """Advise on a new alert, unless somebody has or does already."""
    alert = Alert.objects.select_related("batch__recipe", "prediction").get(pk=alert_id)
    try:
        proposal = requests.for_alert(alert, at=timezone.now())
    except Refused as refused:
        log.info("no advice on alert %s: %s", alert_id, refused)
        return None
    return _run(proposal)


@shared_task(soft_time_limit=queueing.MOST_S, time_limit=queueing.HARD_S)
def advise(*, proposal_id: int, **_: Any) -> int | None:
    """Run one request, unless somebody has or does already."""
    wanted = Proposal.objects.select_related("alert__batch__recipe", "prediction")
    return _run(wanted.get(pk=proposal_id))


@shared_task
def look_after_proposals(**_: Any) -> int:
    """Record what expired and how it compares; queue what was lost or never asked for.

    What kills its workers is ended.
    """
    at = timezone.now()
    proposals.expire(at=at)
    for proposal in comparisons.due(at_most=queueing.CATCH_UP):
        comparisons.compare(proposal, at=at)
    alerts = requests.without(at_most=queueing.CATCH_UP)
    return queueing.sweep(requests.ROOM, run=advise, begin=propose, without=alerts, at=at)


def _run(proposal: Proposal) -> int | None:
    try:
        done = runs.advise(proposal, at=timezone.now())
    except Refused as refused:
        log.warning("no %s: %s", proposal, refused)
        return None
    return done.pk if done else None
