"""Count what was proposed, what people made of it, and what came (Annex 22 draft, 3)."""

from datetime import datetime

from django.db.models import QuerySet

from compliance.quality import figures, kpis, trends
from compliance.quality.figures import Figures
from compliance.quality.kpis import Share
from twins.advice.models import Comparison, Followed, Proposal, ProposalState


@figures.register("advice")
def advice(start: datetime, end: datetime) -> Figures:
    """Count proposals, answers and comparisons of a period, of qualified versions only.

    A followed proposal has held when its limit was not crossed until the horizon or the batch's end.
    Without a measurement nobody knows, and it counts for neither.
    """
    of_all = Proposal.objects.filter(is_trial=False)
    given = of_all.filter(finished_at__gte=start, finished_at__lt=end)
    ended = of_all.filter(ended_at__gte=start, ended_at__lt=end)
    compared = _compared(start, end)
    followed = compared.filter(followed=Followed.FOLLOWED)
    left = compared.filter(followed=Followed.NOT_FOLLOWED)
    return {
        "moves-proposed": given.filter(outcome="move").count(),
        "none-needed": given.filter(outcome="none-needed").count(),
        "not-enough": given.filter(outcome="not-enough").count(),
        "accepted": ended.filter(state=ProposalState.ACCEPTED).count(),
        "rejected": ended.filter(state=ProposalState.REJECTED).count(),
        "expired": ended.filter(state=ProposalState.EXPIRED).count(),
        "compared": compared.count(),
        "followed": followed.count(),
        "followed-and-held": followed.filter(is_crossed=False).count(),
        "followed-and-crossed": followed.filter(is_crossed=True).count(),
        "not-followed-and-held": left.filter(is_crossed=False).count(),
        "not-followed-and-crossed": left.filter(is_crossed=True).count(),
    }


@trends.register("followed-proposals-held", title="Proposals of moves followed, whose limit held")
def held(start: datetime, end: datetime) -> Share:
    """Of the followed proposals that were compared in the period: after how many the limit held."""
    known = _compared(start, end).filter(followed=Followed.FOLLOWED, is_crossed__isnull=False)
    return kpis.share(not crossed for crossed in known.values_list("is_crossed", flat=True))


def _compared(start: datetime, end: datetime) -> QuerySet[Comparison]:
    return Comparison.objects.filter(
        proposal__is_trial=False, compared_at__gte=start, compared_at__lt=end
    )
