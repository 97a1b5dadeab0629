"""DI-21: look for changes of the configuration that quality has not assessed in time."""

from datetime import timedelta

from compliance.configuration.models import ChangeState, ConfigurationChange
from compliance.inspection import outcomes, wording
from compliance.inspection.outcomes import Evidence, Fact, Outcome
from compliance.inspection.registry import CHECKS, Parameters
from compliance.inspection.snapshots import Snapshot


@CHECKS.register("DI-21")
def without_control(snapshot: Snapshot, parameters: Parameters) -> Outcome:
    """Report changed settings that nobody assessed, or that name no approved change."""
    days = int(str(parameters["within_days"]))
    first = snapshot.rows(ConfigurationChange).order_by("pk").first()
    if first is None:
        return outcomes.not_applicable("No process has noted the configuration yet.")
    # The first one is the configuration that the installation was validated with: no change of it.
    later = snapshot.rows(ConfigurationChange).filter(pk__gt=first.pk)
    found = [first, *later.prefetch_related("settings").order_by("pk")]
    before = snapshot.as_of - timedelta(days=days)
    facts = []
    for change in found:
        evidence = Evidence(
            "configuration_configurationchange", str(change.pk), {"number": change.number}
        )
        names = ", ".join(one.name for one in change.settings.order_by("name")[:5])
        what = f"{change.number} ({wording.count(change.settings.count(), 'setting')}: {names})"
        if change.state == ChangeState.FOUND and change.found_at < before:
            text = f"{what}, found on {change.found_at:%Y-%m-%d}, is not assessed."
            facts.append(Fact(text, evidence=(evidence,)))
        elif change.state == ChangeState.ASSESSED and not change.change_number and change != first:
            text = f"{what} was assessed without naming an approved change."
            facts.append(Fact(text, evidence=(evidence,)))
    return outcomes.judged(facts, examined=len(found), failing=len(facts))
