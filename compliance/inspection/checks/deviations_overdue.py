"""DV-02: look for investigations that are, or were, not completed by their due date."""

from compliance.inspection import outcomes, wording
from compliance.inspection.outcomes import Evidence, Fact, Outcome
from compliance.inspection.registry import CHECKS, Parameters
from compliance.inspection.snapshots import Snapshot
from compliance.quality.models import Deviation, Origin


@CHECKS.register("DV-02")
def check(snapshot: Snapshot, parameters: Parameters) -> Outcome:
    """Report deviations open past, or closed after, their due date."""
    found = list(snapshot.rows(Deviation))
    if not found:
        return outcomes.not_applicable("No deviation in scope.")
    imported = [one.number for one in found if one.origin == Origin.IMPORT]
    assessed = [one for one in found if one.origin != Origin.IMPORT]
    remark = ""
    if imported:
        remark = (
            f"Not judged: {wording.listed(imported)}, taken over from another system, whose due "
            "date is not known here."
        )
    if not assessed:
        return outcomes.not_assessable(remark)
    facts = [fact for one in assessed if (fact := _fact(snapshot, one))]
    return outcomes.judged(facts, examined=len(assessed), failing=len(facts), remark=remark)


def _fact(snapshot: Snapshot, deviation: Deviation) -> Fact | None:
    ended_on = (deviation.closed_at or snapshot.as_of).date()
    overdue = (ended_on - deviation.due_on).days
    if overdue < 1:
        return None
    state = (
        f"was closed on {wording.moment(deviation.closed_at)}"
        if deviation.closed_at
        else f"was {deviation.get_state_display().lower()} on {wording.moment(snapshot.as_of)}"
    )
    return Fact(
        f"{deviation.number} ({deviation.title}) was due on {deviation.due_on:%Y-%m-%d} and "
        f"{state}, {wording.count(overdue, 'day')} late.",
        evidence=(
            Evidence(
                "quality_deviation",
                str(deviation.pk),
                {"number": deviation.number, "due_on": f"{deviation.due_on:%Y-%m-%d}"},
            ),
        ),
    )
