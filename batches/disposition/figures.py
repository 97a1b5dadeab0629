"""Count for the management review how many batches were accepted (ICH Q10, 4.1; FDA quality metrics)."""

from datetime import datetime

from batches.disposition.models import Decision, Outcome
from compliance.quality import kpis, trends
from compliance.quality.kpis import Share


@trends.register("lot-acceptance", title="Batches accepted, of those decided in twelve months")
def lot_acceptance(start: datetime, end: datetime) -> Share:
    """Of the batches that were first released or rejected in the period: how many were released.

    The first of these decisions counts, so a batch that is recalled or confirmed later is counted
    once, in the period in which it was decided about.
    """
    first: dict[int, tuple[datetime, str]] = {}
    decided = Decision.objects.filter(
        outcome__in=(Outcome.RELEASED, Outcome.REJECTED), decided_at__lt=end
    )
    for batch, at, outcome in decided.order_by("pk").values_list("batch", "decided_at", "outcome"):
        first.setdefault(batch, (at, outcome))
    return kpis.share(outcome == Outcome.RELEASED for at, outcome in first.values() if at >= start)
