"""AI-02: ask whether people answered the alerts of models, in time and with judgement."""

from datetime import timedelta

from compliance.inspection import outcomes, wording
from compliance.inspection.outcomes import Evidence, Fact, Outcome
from compliance.inspection.registry import CHECKS, Parameters
from compliance.inspection.snapshots import Snapshot
from twins.predictions.models import Alert, AlertState


@CHECKS.register("AI-02")
def check(snapshot: Snapshot, parameters: Parameters) -> Outcome:
    """Report alerts that nobody answered in time, and answers that are always the same."""
    within = timedelta(hours=int(str(parameters["answer_within_hours"])))
    least = int(str(parameters["rate_at_least"]))
    alerts = list(snapshot.rows(Alert).select_related("batch"))
    if not alerts:
        return outcomes.not_applicable("No alert is in scope.")
    facts = []
    for one in alerts:
        if (one.answered_at or snapshot.as_of) - one.raised_at <= within:
            continue
        answered = (
            f"was answered {wording.duration(one.answered_at - one.raised_at)} later"
            if one.answered_at
            else "has not been answered"
        )
        facts.append(
            Fact(
                f"The alert on {one.tag} of batch {one.batch.number}, raised on "
                f"{wording.moment(one.raised_at)} with probability {float(one.probability):.2f}, "
                f"{answered}.",
                evidence=(Evidence("predictions_alert", str(one.pk), {"state": one.state}),),
                batches=frozenset({one.batch.number}),
            )
        )
    failing = len(facts)
    decided = [one for one in alerts if one.state != AlertState.OPEN]
    states = {one.state for one in decided}
    if len(decided) >= least and len(states) == 1:
        failing = len(alerts)
        facts.append(
            Fact(
                f"All {len(decided)} answered alerts were {states.pop()}: people did not once "
                "judge otherwise than the model proposed, or never as it proposed.",
                evidence=tuple(
                    Evidence("predictions_alert", str(one.pk), {"state": one.state})
                    for one in decided[:10]
                ),
            )
        )
    return outcomes.judged(facts, examined=len(alerts), failing=failing)
