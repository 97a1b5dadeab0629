"""Review results as a second person, by signature (21 CFR 211.194(a)(8))."""

from collections.abc import Mapping

from batches.laboratory import analysts, results, states
from batches.laboratory.actions import Action
from batches.laboratory.models import Result, ResultReview, RunState, Sample
from batches.laboratory.runs import ReviewerIsAnalyst
from batches.laboratory.states import ResultStep
from compliance.access import authority
from compliance.access.duties import Duty
from compliance.access.models import User
from compliance.refusals import Refused
from compliance.signatures import signing
from compliance.signatures.models import Meaning
from compliance.signatures.signing import Confirmed
from compliance.trail import recording
from compliance.trail.tlog import canonical


class RunUnreviewed(Refused):
    """A run is reviewed, with its audit trail, before the results from it."""

    code = "run-unreviewed"


class TrendUnexplained(Refused):
    """An out-of-trend result is not waved through (EU GMP 6.16)."""

    code = "oot-unexplained"
    status = 422


def review(result: Result, *, confirmed: Confirmed, comment: str = "") -> ResultReview:
    """Review one result; raise `ReviewerIsAnalyst`, `RunUnreviewed` or `TrendUnexplained`."""
    reviewer, at = confirmed.signer, confirmed.at
    authority.demand(reviewer, Duty.REVIEW_RESULTS)
    with recording.recording(
        Action.RESULT_REVIEWED, actor=reviewer, at=at, reason=f"review of {result}"
    ):
        Sample.objects.select_for_update(no_key=True).get(pk=result.sample_id)
        stored = Result.objects.select_related("run", "sample__batch").get(pk=result.pk)
        states.demand(stored, results.state_of(stored), ResultStep.REVIEW)
        _demand_another(stored, reviewer)
        if stored.run is not None and stored.run.state != RunState.REVIEWED:
            raise RunUnreviewed(f"{stored}: review {stored.run} and its audit trail first")
        if stored.trend and len(comment.strip()) < 8:
            raise TrendUnexplained(
                f"{stored} is out of trend ({stored.trend}): say in the comment what was found"
            )
        signature = signing.sign(
            stored, meaning=Meaning.REVIEWED, confirmed=confirmed, comment=comment.strip()
        )
        return ResultReview.objects.create(
            result=stored, reviewer=reviewer, signature=signature, comment=comment.strip(),
            reviewed_at=at,
        )  # fmt: skip


def _demand_another(result: Result, reviewer: User) -> None:
    if analysts.of(result) & analysts.names(reviewer):
        raise ReviewerIsAnalyst(f"{result}: its analyst does not review it; ask another person")


@signing.signable(Result, meanings=[Meaning.REVIEWED])
def content(result: Result) -> Mapping[str, canonical.Value]:
    """What a signature under a result covers: all of it, with its determinations."""
    return {
        "sample": str(result.sample),
        "tag": result.tag,
        "version": result.version,
        "value": result.value_text,
        "unit": result.unit,
        "analyst": result.analyst,
        "reported_at": result.reported_at.isoformat(),
        "reason": result.reason,
        "test": str(result.test) if result.test else None,
        "judgement": result.judgement,
        "trend": result.trend,
        "run": str(result.run) if result.run else None,
        "replicates": [
            [one.number, one.value_text, str(one.injection) if one.injection else None]
            for one in result.replicates.select_related("injection__run").order_by("number")
        ],
    }
