"""DV-01: compare when deviations occurred with when they were opened."""

from datetime import datetime, timedelta

from compliance.inspection import outcomes, wording
from compliance.inspection.outcomes import Evidence, Fact, Outcome
from compliance.inspection.registry import CHECKS, Parameters
from compliance.inspection.snapshots import Snapshot
from compliance.quality.models import Deviation, Origin, Severity


@CHECKS.register("DV-01")
def check(snapshot: Snapshot, parameters: Parameters) -> Outcome:
    """Report deviations opened more than the allowed working days after they occurred."""
    days = int(str(parameters["working_days"]))
    found = list(snapshot.rows(Deviation))
    if not found:
        return outcomes.not_applicable("No deviation in scope.")
    imported = [one.number for one in found if one.origin == Origin.IMPORT]
    assessed = [one for one in found if one.origin != Origin.IMPORT]
    remark = ""
    if imported:
        remark = (
            f"Not judged: {wording.listed(imported)}, taken over from another system without the "
            "time of opening there."
        )
    if not assessed:
        return outcomes.not_assessable(remark)
    late = [one for one in assessed if one.opened_at > working_days_after(one.occurred_at, days)]
    if not late:
        return outcomes.clean(examined=len(assessed), remark=remark)
    return outcomes.finding(
        [_fact(one) for one in late], examined=len(assessed), failing=len(late), remark=remark
    )


def working_days_after(moment: datetime, days: int) -> datetime:
    """Return the moment so many working days later; Saturdays and Sundays do not count."""
    while days > 0:
        moment += timedelta(days=1)
        if moment.weekday() < 5:
            days -= 1
    return moment


def _fact(deviation: Deviation) -> Fact:
    gap = deviation.opened_at - deviation.occurred_at
    return Fact(
        f"{deviation.number} ({Severity(deviation.severity).label.lower()}: {deviation.title}) "
        f"occurred on {wording.moment(deviation.occurred_at)} and was opened by "
        f"{deviation.opened_by} on {wording.moment(deviation.opened_at)}, "
        f"{wording.duration(gap)} later.",
        evidence=(Evidence("quality_deviation", str(deviation.pk), {"number": deviation.number}),),
    )
