"""LB-06: ask for the second person who reviewed laboratory results (211.194(a)(8))."""

from batches.execution.models import DispositionState
from batches.laboratory.models import Result
from compliance.inspection import outcomes, wording
from compliance.inspection.outcomes import Evidence, Fact, Outcome
from compliance.inspection.registry import CHECKS, Parameters
from compliance.inspection.snapshots import Snapshot


@CHECKS.register("LB-06")
def check(snapshot: Snapshot, parameters: Parameters) -> Outcome:
    """Report released batches with results that a specification judges and nobody reviewed.

    Results without a specification come from the laboratory's system, which keeps their review.
    """
    rows = snapshot.rows(Result)
    judged = rows.filter(test__isnull=False)
    others = rows.filter(test=None).count()
    if not judged.exists():
        if not others:
            return outcomes.not_applicable("No result is in scope.")
        return outcomes.not_assessable(
            f"{wording.count(others, 'result')} came from the laboratory's system, which does not "
            "send the review; ask for it there.",
            examined=others,
        )
    unreviewed = Result.objects.unreviewed().filter(
        pk__in=judged.values("pk"), sample__batch__disposition=DispositionState.RELEASED
    )
    facts = [
        Fact(
            f"Batch {one.sample.batch} was released; {one.tag} {one.value_text} {one.unit} of "
            f"sample {one.sample.number} was not reviewed by a second person.",
            evidence=(Evidence("laboratory_result", str(one.pk), {"value": one.value_text}),),
            batches=frozenset({one.sample.batch.number}),
        )
        for one in unreviewed.select_related("sample__batch").order_by("pk")
    ]
    remark = (
        f"{wording.count(others, 'more result')} came from the laboratory's system without it."
        if others
        else ""
    )
    return outcomes.judged(facts, examined=judged.count(), failing=len(facts), remark=remark)
