"""QS-01, QS-02: look for periodic reviews of systems and reviews of risks that are late."""

from datetime import date

from compliance.inspection import outcomes, wording
from compliance.inspection.outcomes import Evidence, Fact, Outcome
from compliance.inspection.registry import CHECKS, Parameters
from compliance.inspection.snapshots import Snapshot
from compliance.quality import periodic_reviews, risks
from compliance.quality.models import PeriodicReview, ReviewState, Risk, RiskState


@CHECKS.register("QS-01")
def systems(snapshot: Snapshot, parameters: Parameters) -> Outcome:
    """Report systems whose next periodic review is overdue."""
    done = snapshot.rows(PeriodicReview).filter(state=ReviewState.CONCLUDED)
    names = set(done.values_list("system", flat=True))
    if not names:
        return outcomes.not_applicable("No periodic review is concluded, so none follows it.")
    on = snapshot.as_of.date()
    facts = []
    for system, due_on in periodic_reviews.overdue(on=on):
        last = done.filter(system=system).order_by("-concluded_at", "-pk")[0]
        evidence = Evidence("quality_periodicreview", str(last.pk), {"number": last.number})
        text = f"The next periodic review of {system}, after {last.number},"
        facts.append(Fact(f"{text} {_late(due_on, on)}", evidence=(evidence,)))
    return outcomes.judged(facts, examined=len(names), failing=len(facts))


@CHECKS.register("QS-02")
def of_risks(snapshot: Snapshot, parameters: Parameters) -> Outcome:
    """Report decided risks whose day of review has passed."""
    decided = [RiskState.ACCEPTED, RiskState.TO_MITIGATE]
    number = snapshot.rows(Risk).filter(state__in=decided).count()
    if not number:
        return outcomes.not_applicable("No risk is decided.")
    on = snapshot.as_of.date()
    facts = [
        Fact(
            f"The review of risk {one.number} ({one.title}) {_late(one.review_due_on, on)}",
            evidence=(Evidence("quality_risk", str(one.pk), {"number": one.number}),),
        )
        for one in risks.overdue(on=on)
        if one.review_due_on is not None
    ]
    return outcomes.judged(facts, examined=number, failing=len(facts))


def _late(due_on: date, on: date) -> str:
    return (
        f"was due on {due_on:%Y-%m-%d} and not done on {on:%Y-%m-%d}, "
        f"{wording.count((on - due_on).days, 'day')} late."
    )
