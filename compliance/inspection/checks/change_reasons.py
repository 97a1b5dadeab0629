"""DI-04: read the reason of every change and deletion as an inspector does."""

from collections import Counter, defaultdict

from compliance.inspection import entries, outcomes, wording
from compliance.inspection.entries import TrailEntry
from compliance.inspection.models import FindingClass
from compliance.inspection.outcomes import Evidence, Fact, Outcome
from compliance.inspection.registry import CHECKS, Parameters
from compliance.inspection.snapshots import OWN_TABLES, Snapshot
from compliance.trail import recording

_MACHINES = frozenset({"system", "device"})


@CHECKS.register("DI-04")
def check(snapshot: Snapshot, parameters: Parameters) -> Outcome:
    """Report changes without a reason, and reasons given by people that say nothing."""
    examined = 0
    empty: dict[str, list[TrailEntry]] = defaultdict(list)
    for entry in entries.changes(snapshot):
        if entry.record in OWN_TABLES:
            continue
        examined += 1
        if not _is_meaningful(entry):
            empty[entry.actor].append(entry)
    if not examined:
        return outcomes.not_applicable("No record in scope was changed or deleted.")
    failing = sum(len(found) for found in empty.values())
    if not failing:
        return outcomes.clean(examined=examined)
    few = int(str(parameters["few"]))
    return outcomes.finding(
        [_fact(actor, found) for actor, found in sorted(empty.items())],
        examined=examined,
        failing=failing,
        proposed=FindingClass.MAJOR if failing > few else None,
        proposed_because=f"{failing} changes without a meaningful reason are more than {few}",
    )


def _is_meaningful(entry: TrailEntry) -> bool:
    if entry.role in _MACHINES:  # a machine's reason is generated; it only must not be missing
        return bool(entry.reason)
    try:
        recording.demand_reason(entry.reason)
    except recording.ReasonNotMeaningful:
        return False
    return True


def _fact(actor: str, found: list[TrailEntry]) -> Fact:
    reasons = Counter(f"“{entry.reason}”" if entry.reason else "none" for entry in found)
    said = wording.listed(
        f"{reason} ({number})" if number > 1 else reason
        for reason, number in sorted(reasons.items())
    )
    tables = wording.listed(sorted({entry.record for entry in found}))
    text = (
        f"{actor} made {wording.count(len(found), 'change')} in {tables} between "
        f"{wording.moment(found[0].at)} and {wording.moment(found[-1].at)} with the "
        f"{'reason' if len(reasons) == 1 else 'reasons'} {said}; trail "
        f"{'entry' if len(found) == 1 else 'entries'} "
        f"{wording.listed(str(entry.entry_id) for entry in found)}."
    )
    return Fact(
        text,
        evidence=tuple(
            Evidence(entry.record, entry.record_id, {"op": entry.op, "reason": entry.reason})
            for entry in found
        ),
        people=frozenset({actor}),
    )
