"""Count complaints and invalidated OOS for the reviews of quality (21 CFR 211.198, 211.192)."""

from datetime import datetime

from batches.execution.models import Batch
from batches.laboratory.models import (
    Complaint,
    ComplaintBatch,
    Conclusion,
    OosInvestigation,
    OosState,
)
from compliance.quality import figures, kpis, trends
from compliance.quality.figures import Figures
from compliance.quality.kpis import Share


@figures.register("complaints")
def complaints(start: datetime, end: datetime) -> Figures:
    opened = Complaint.objects.filter(opened_at__gte=start, opened_at__lt=end)
    closed = Complaint.objects.filter(closed_at__gte=start, closed_at__lt=end)
    until_end = Complaint.objects.filter(opened_at__lt=end)
    return {
        "opened": opened.count(),
        "serious": opened.filter(is_serious=True).count(),
        "closed": closed.count(),
        "closed-without-investigation": closed.filter(needs_investigation=False).count(),
        "open-at-the-end": until_end.count() - until_end.filter(closed_at__lt=end).count(),
    }


@trends.register("invalidated-oos", title="OOS invalidated, of those opened in twelve months")
def invalidated_oos(start: datetime, end: datetime) -> Share:
    """Of the OOS that were opened in the period and are concluded: how many were invalidated."""
    found = OosInvestigation.objects.filter(
        opened_at__gte=start, opened_at__lt=end, state=OosState.CLOSED
    )
    return kpis.share(
        one == Conclusion.INVALIDATED for one in found.values_list("conclusion", flat=True)
    )


@trends.register("complaints", title="Batches with a complaint, of those issued in twelve months")
def complained(start: datetime, end: datetime) -> Share:
    """Of the batches issued in the period: how many a complaint affects."""
    issued = set(
        Batch.objects.filter(issued_at__gte=start, issued_at__lt=end).values_list("pk", flat=True)
    )
    affected = set(
        ComplaintBatch.objects.filter(is_affected=True, batch__in=issued).values_list(
            "batch_id", flat=True
        )
    )
    return kpis.share(pk in affected for pk in issued)
