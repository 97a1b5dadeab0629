"""Count for the periodic reviews of quality what complaints there were (21 CFR 211.198)."""

from datetime import datetime

from batches.laboratory.models import Complaint
from compliance.quality import figures
from compliance.quality.figures import Figures


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
