"""DV-03: read the root cause of every closed deviation."""

from compliance.inspection import outcomes, wording
from compliance.inspection.outcomes import Evidence, Fact, Outcome
from compliance.inspection.registry import CHECKS, Parameters
from compliance.inspection.snapshots import Snapshot
from compliance.quality.models import Deviation, DeviationState, RootCause


@CHECKS.register("DV-03")
def check(snapshot: Snapshot, parameters: Parameters) -> Outcome:
    """Report closures without a root cause, and "human error" with nothing ruled out."""
    closed = list(snapshot.rows(Deviation).filter(state=DeviationState.CLOSED))
    if not closed:
        return outcomes.not_applicable("No deviation in scope is closed.")
    least = int(str(parameters["justification_characters"]))
    facts = [
        Fact(
            f"{one.number} ({one.title}), closed on "
            f"{wording.moment(one.closed_at) if one.closed_at else 'an unknown date'}, {problem}.",
            evidence=(
                Evidence(
                    "quality_deviation",
                    str(one.pk),
                    {
                        "number": one.number,
                        "root_cause_category": one.root_cause_category,
                        "alternatives_considered": one.alternatives_considered,
                    },
                ),
            ),
        )
        for one in closed
        if (problem := _problem(one, least))
    ]
    return outcomes.judged(facts, examined=len(closed), failing=len(facts))


def _problem(deviation: Deviation, least: int) -> str:
    if deviation.root_cause_category == RootCause.UNKNOWN or not deviation.root_cause.strip():
        return "states no root cause"
    if deviation.root_cause_category == RootCause.HUMAN_ERROR:
        # EU GMP Chapter 1, 1.4(xiv): process and system causes are not overlooked
        said = deviation.alternatives_considered.strip()
        if not said:
            return "gives human error as the root cause and names no other cause as ruled out"
        if len(said) < least:
            return f"gives human error as the root cause and says of other causes only “{said}”"
    return ""
