"""Run inspections in workers."""

from typing import Any

from celery import shared_task
from django.db.models import Q
from django.utils import timezone

from compliance.inspection import inspections
from compliance.inspection.models import Inspection, InspectionState


@shared_task
def run_inspection(*, inspection_id: int, **_: Any) -> None:
    """Run one requested inspection; one that another worker has is left to it."""
    inspections.run(Inspection.objects.get(pk=inspection_id), at=timezone.now())


@shared_task
def run_forgotten_inspections(**_: Any) -> None:
    """Queue again what was asked for and never run, or whose worker was lost."""
    lost = timezone.now() - inspections.LOST_AFTER
    forgotten = Inspection.objects.filter(
        Q(state=InspectionState.REQUESTED) | Q(state=InspectionState.RUNNING, as_of__lt=lost)
    )
    for pk in forgotten.values_list("pk", flat=True):
        run_inspection.delay(inspection_id=pk)
