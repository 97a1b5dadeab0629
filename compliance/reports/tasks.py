"""Build reports in workers."""

import logging
from typing import Any

from celery import Task, shared_task
from django.utils import timezone

from compliance.refusals import Refused, Unavailable
from compliance.reports import building
from compliance.reports.models import Report, ReportState

log = logging.getLogger(__name__)


@shared_task(bind=True, max_retries=20)
def build_report(self: Task[Any, Any], *, report_id: int, **_: Any) -> None:
    """Build one requested report; when the trail is not sealed yet, try again a little later."""
    report = Report.objects.get(pk=report_id)
    try:
        building.build(report, at=timezone.now())
    except Unavailable as error:
        raise self.retry(exc=error, countdown=3) from error
    except Refused as refused:
        building.fail(report, problem=str(refused), at=timezone.now())


@shared_task
def build_forgotten_reports(**_: Any) -> None:
    """Queue again what was asked for and never built: the broker may have lost it."""
    for pk in Report.objects.filter(state=ReportState.REQUESTED).values_list("pk", flat=True):
        build_report.delay(report_id=pk)
