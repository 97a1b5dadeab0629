"""EQ-01: find equipment used while its calibration or service was due (211.68(a), 211.67)."""

import re
from collections.abc import Iterator
from copy import copy
from datetime import UTC, datetime

from batches.assets import doubts, past_states, running_hours
from batches.assets.models import Equipment, EquipmentUse
from batches.execution.models import Batch
from compliance.inspection import outcomes, wording
from compliance.inspection.outcomes import Evidence, Fact, Outcome
from compliance.inspection.registry import CHECKS, Parameters
from compliance.inspection.snapshots import Snapshot
from compliance.quality.models import Deviation


@CHECKS.register("EQ-01")
def check(snapshot: Snapshot, parameters: Parameters) -> Outcome:
    """Report uses in doubt without a deviation; name those that a deviation does speak of."""
    batches = {one.number: one for one in snapshot.rows(Batch)}
    uses = EquipmentUse.objects.filter(campaign__in=batches).select_related("equipment")
    try:
        past = {one: _as_used(one, at=snapshot.as_of) for one in uses.order_by("used_from", "pk")}
    except past_states.PastUnknown as unknown:
        return outcomes.not_assessable(str(unknown))
    judged = [one for one, equipment in past.items() if _is_cared_for(equipment)]
    if not judged:
        return outcomes.not_applicable(
            "No use of equipment that is calibrated or serviced is recorded in scope."
        )
    in_doubt = {
        use.pk
        for equipment in {one.equipment for one in judged}
        for use in doubts.impact(equipment, at=snapshot.as_of)
    }
    facts, covered = [], []
    for use in judged:
        is_in_doubt = use.pk in in_doubt
        problems = list(_problems(use, past[use], is_in_doubt=is_in_doubt, at=snapshot.as_of))
        if not problems:
            continue
        words = f"Batch {use.campaign}: {_words(use)}; {wording.listed(problems)}"
        names = [
            one.number
            for one in batches[use.campaign].deviations.order_by("number")
            if _speaks_of(one, use.equipment)
        ]
        if names:
            covered.append(f"{words}, see {wording.listed(names)}")
        else:
            facts.append(_fact(use, f"{words}. No deviation of the batch names {use.equipment}."))
    remark = f"Covered by a deviation: {'; '.join(covered)}." if covered else ""
    return outcomes.judged(facts, examined=len(judged), failing=len(facts), remark=remark)


def _is_cared_for(equipment: Equipment) -> bool:
    return equipment.is_calibrated or equipment.service_after_hours is not None


def _problems(
    use: EquipmentUse, equipment: Equipment, *, is_in_doubt: bool, at: datetime
) -> Iterator[str]:
    end = use.used_until or at
    if is_in_doubt:
        good = doubts.last_good(use.equipment, before=end)
        if good is None:
            yield "no verified calibration covers the use"
        elif good.due_on < end.astimezone(UTC).date():
            yield f"its calibration held until {good.due_on} only"
        else:
            yield "a calibration after it found the instrument out of tolerance"
    due_at = running_hours.service_due_at(equipment, at=end)
    if due_at is not None and due_at < end:
        hours = equipment.service_after_hours
        yield f"its service after {hours} running hours was due at {wording.moment(due_at)}"


def _as_used(use: EquipmentUse, *, at: datetime) -> Equipment:
    """Return equipment as it was at the end of a use: what was done later mends nothing in it."""
    past = past_states.at_moment(use.equipment, at=use.used_until or at)
    if past is None:  # registered later than it was used, so that no service before is known
        past = copy(use.equipment)
        past.serviced_at = None
    return past


def _words(use: EquipmentUse) -> str:
    until = wording.moment(use.used_until) if use.used_until else "now"
    return (
        f"{use.equipment} ({use.equipment.name}) was used from {wording.moment(use.used_from)} "
        f"to {until}"
    )


def _speaks_of(deviation: Deviation, equipment: Equipment) -> bool:
    """Say whether a deviation names the equipment by its code."""
    said = (
        deviation.title, deviation.description, deviation.concerns, deviation.root_cause,
        deviation.impact, deviation.conclusion,
    )  # fmt: skip
    code = re.compile(rf"(?<![\w-]){re.escape(equipment.code)}(?![\w-])")
    return any(code.search(text) for text in said)


def _fact(use: EquipmentUse, words: str) -> Fact:
    values = {"equipment": use.equipment.code, "from": use.used_from.isoformat()}
    return Fact(
        words,
        evidence=(Evidence("assets_equipmentuse", str(use.pk), values),),
        batches=frozenset({use.campaign}),
    )
