"""SG-03: look for people who administered the system and did GMP work (MHRA 2018, 6.16)."""

from collections import defaultdict
from collections.abc import Sequence

from compliance.access import duties
from compliance.access.duties import LABELS, Role
from compliance.access.models import RoleAssignment
from compliance.inspection import entries, outcomes, wording
from compliance.inspection.entries import TrailEntry
from compliance.inspection.models import FindingClass
from compliance.inspection.outcomes import Evidence, Fact, Outcome
from compliance.inspection.registry import CHECKS, Parameters
from compliance.inspection.snapshots import Snapshot
from compliance.signatures.models import Meaning, Signature, Statement
from compliance.trail import capture

# What administration is: people and devices, their sign-ins, and the schedule.
_ADMINISTERED = ("access_", "django_celery_beat_", "trail_")


@CHECKS.register("SG-03")
def check(snapshot: Snapshot, parameters: Parameters) -> Outcome:
    """Report roles that exclude each other held at once, and GMP records written as administrator."""
    held = _held(snapshot)
    privileged = list(entries.of_role(snapshot, Role.SYSTEM_ADMINISTRATOR))
    acknowledged = _acknowledgements(snapshot)
    written = [
        entry
        for entry in privileged
        if not entry.record.startswith(_ADMINISTERED)
        and (entry.record, entry.record_id) not in acknowledged
    ]
    if not held and not privileged:
        return outcomes.not_applicable("Nobody holds a role.")
    facts = [
        fact
        for username, assignments in sorted(held.items())
        if (fact := _conflict(username, assignments))
    ]
    conflicts = len(facts)
    facts += _writes(written)
    examined = len(held) + len(privileged)
    if not written:
        return outcomes.judged(facts, examined=examined, failing=conflicts)
    return outcomes.finding(
        facts,
        examined=examined,
        failing=conflicts + len(written),
        proposed=FindingClass.CRITICAL,
        proposed_because="GMP records were written with administrator rights",
    )


def _acknowledgements(snapshot: Snapshot) -> frozenset[tuple[str, str]]:
    """Return the signatures by which people took on accountability: that is no GMP work."""
    found = snapshot.rows(Signature).filter(
        meaning=Meaning.ACKNOWLEDGED, record=capture.record_of(Statement)
    )
    table = capture.record_of(Signature)
    return frozenset((table, str(pk)) for pk in found.values_list("pk", flat=True))


def _held(snapshot: Snapshot) -> dict[str, list[RoleAssignment]]:
    found: dict[str, list[RoleAssignment]] = defaultdict(list)
    for assignment in snapshot.rows(RoleAssignment).select_related("user"):
        found[assignment.user.username].append(assignment)
    return found


def _conflict(username: str, assignments: Sequence[RoleAssignment]) -> Fact | None:
    for one in assignments:
        for other in assignments:
            if one.pk < other.pk and _overlap(one, other):
                pair = frozenset({one.role, other.role})
                if why := duties.conflict(pair):
                    roles = wording.listed(LABELS[Role(role)] for role in sorted(pair))
                    since = max(one.granted_at, other.granted_at)
                    return Fact(
                        f"{username} held the roles {roles} at the same time from "
                        f"{wording.moment(since)}; {why}.",
                        evidence=tuple(
                            Evidence("access_roleassignment", str(each.pk), {"role": each.role})
                            for each in (one, other)
                        ),
                        people=frozenset({username}),
                    )
    return None


def _overlap(one: RoleAssignment, other: RoleAssignment) -> bool:
    start = max(one.granted_at, other.granted_at)
    return all(each.ended_at is None or each.ended_at > start for each in (one, other))


def _writes(written: Sequence[TrailEntry]) -> list[Fact]:
    by_actor: dict[str, list[TrailEntry]] = defaultdict(list)
    for entry in written:
        by_actor[entry.actor].append(entry)
    return [
        Fact(
            f"{actor}, as system administrator, wrote "
            f"{wording.count(len(found), 'entry', 'entries')} in "
            f"{wording.listed(sorted({entry.record for entry in found}))} "
            f"between {wording.moment(found[0].at)} and {wording.moment(found[-1].at)}; trail "
            f"entries {wording.listed(str(entry.entry_id) for entry in found)}.",
            evidence=tuple(Evidence(entry.record, entry.record_id) for entry in found),
            people=frozenset({actor}),
        )
        for actor, found in sorted(by_actor.items())
    ]
