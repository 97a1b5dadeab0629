"""Build reports in workers."""

import logging
from datetime import timedelta
from typing import Any

from celery import Task, shared_task
from django.utils import timezone

from compliance.refusals import Refused, Unavailable
from compliance.reports import building
from compliance.reports.models import Report, ReportState

FORGOTTEN_AFTER = timedelta(minutes=3)
log = logging.getLogger(__name__)


@shared_task(bind=True, max_retries=20)
def build_report(self: Task[Any, Any], /, *, report_id: int, **_: Any) -> None:
    """Build one requested report; when the trail is not sealed yet, try again a little later."""
    report = Report.objects.get(pk=report_id)
    try:
        building.build(report, at=timezone.now())
    except Unavailable as error:
        raise self.retry(exc=error, countdown=3) from error
    except Refused as refused:
        building.fail(report, problem=str(refused), at=timezone.now())
    except Exception as error:
        # Said on the report's own page, beside the log: nobody waits for what will not come.
        building.fail(report, problem=f"{type(error).__name__}: {error}", at=timezone.now())
        raise


@shared_task
def build_forgotten_reports(**_: Any) -> None:
    """Queue again what was asked for and never built: the broker may have lost it."""
    forgotten = Report.objects.filter(
        state=ReportState.REQUESTED, requested_at__lt=timezone.now() - FORGOTTEN_AFTER
    )
    for pk in forgotten.values_list("pk", flat=True):
        build_report.delay(report_id=pk)
