"""DV-04: look for corrective and preventive actions that are late, or whose effect nobody checked."""

from compliance.inspection import outcomes, wording
from compliance.inspection.outcomes import Evidence, Fact, Outcome
from compliance.inspection.registry import CHECKS, Parameters
from compliance.inspection.snapshots import Snapshot
from compliance.quality import capas
from compliance.quality.models import Capa


@CHECKS.register("DV-04")
def check(snapshot: Snapshot, parameters: Parameters) -> Outcome:
    """Report CAPA whose implementation, or check of the effect, is overdue."""
    number = snapshot.rows(Capa).count()
    if not number:
        return outcomes.not_applicable("No CAPA on record.")
    on = snapshot.as_of.date()
    facts = [
        Fact(
            f"{one.number} ({one.title}) was {one.get_state_display().lower()} on {on:%Y-%m-%d}; to "
            f"{what} was due on {due_on:%Y-%m-%d}, "
            f"{wording.count((on - due_on).days, 'day')} before.",
            evidence=(Evidence("quality_capa", str(one.pk), {"number": one.number}),),
        )
        for one, due_on, what in capas.overdue(on=on)
    ]
    return outcomes.judged(facts, examined=number, failing=len(facts))
