"""SG-08: look for security alarms that nobody acknowledged in time (21 CFR 11.300(d))."""

from datetime import timedelta

from compliance.access.models import SecurityAlarm
from compliance.inspection import outcomes, wording
from compliance.inspection.outcomes import Evidence, Fact, Outcome
from compliance.inspection.registry import CHECKS, Parameters
from compliance.inspection.snapshots import Snapshot


@CHECKS.register("SG-08")
def check(snapshot: Snapshot, parameters: Parameters) -> Outcome:
    """Report alarms that waited longer than the hours allowed, whether they still wait or not."""
    within = timedelta(hours=int(str(parameters["within_hours"])))
    raised = list(snapshot.rows(SecurityAlarm).filter(raised_at__lte=snapshot.as_of))
    if not raised:
        return outcomes.not_applicable("No security alarm was raised.")
    late = [
        one for one in raised if (one.acknowledged_at or snapshot.as_of) - one.raised_at > within
    ]
    facts = [_fact(snapshot, one) for one in late]
    return outcomes.judged(facts, examined=len(raised), failing=len(late))


def _fact(snapshot: Snapshot, alarm: SecurityAlarm) -> Fact:
    ended_at = alarm.acknowledged_at or snapshot.as_of
    waited = wording.duration(ended_at - alarm.raised_at)
    state = (
        f"was acknowledged {waited} later"
        if alarm.acknowledged_at
        else f"nobody had acknowledged it {waited} later"
    )
    return Fact(
        f"“{alarm.get_kind_display()}” about {alarm.about} was raised on "
        f"{wording.moment(alarm.raised_at)} and {state}.",
        evidence=(Evidence("access_securityalarm", str(alarm.pk), {"kind": alarm.kind}),),
    )
