"""DI-07: look for a clock that went back, or that the acts of the application contradict."""

from django.db import connection

from compliance.inspection import entries, outcomes, wording
from compliance.inspection.outcomes import Fact, Outcome
from compliance.inspection.registry import CHECKS, Parameters
from compliance.inspection.snapshots import Snapshot

# Entry numbers are given in the order of writing, so times that run against them show a clock
# that was set back; the application's own time of the act is a second clock beside it.
_JUMPS = """
SELECT entry_id, at, latest FROM (
    SELECT entry_id, at, max(at) OVER (ORDER BY entry_id ROWS BETWEEN UNBOUNDED PRECEDING
        AND 1 PRECEDING) AS latest
    FROM audit.entry_view WHERE entry_id <= %s) e
WHERE latest - at > make_interval(secs => %s) ORDER BY entry_id
"""
_APART = """
SELECT entry_id, at, acted_at FROM (
    SELECT entry_id, at, (body::json -> 'act' ->> 'acted_at')::timestamptz AS acted_at
    FROM audit.entry_view WHERE entry_id <= %s) e
WHERE abs(extract(epoch FROM at - acted_at)) > %s ORDER BY entry_id
"""


@CHECKS.register("DI-07")
def check(snapshot: Snapshot, parameters: Parameters) -> Outcome:
    """Report entries whose times run back, or differ from the time of their act."""
    examined = entries.number(snapshot)
    if not examined:
        return outcomes.not_applicable("The audit trail has no entries.")
    tolerance = int(str(parameters["tolerance_seconds"]))
    with connection.cursor() as cursor:
        cursor.execute(_JUMPS, [snapshot.extent.last_entry, tolerance])
        back = cursor.fetchall()
        cursor.execute(_APART, [snapshot.extent.last_entry, tolerance])
        apart = cursor.fetchall()
    facts = []
    if back:
        entry_id, at, latest = max(back, key=lambda row: row[2] - row[1])
        facts.append(
            Fact(
                f"{wording.count(len(back), 'entry', 'entries')} {wording.has(len(back))} a time "
                f"more than {tolerance} seconds before an entry written earlier; the largest step "
                f"back is {wording.duration(latest - at)} at entry {entry_id} "
                f"({wording.moment(at)}, after {wording.moment(latest)}). Entries: "
                f"{_numbers(back)}."
            )
        )
    if apart:
        entry_id, at, acted_at = max(apart, key=lambda row: abs(row[1] - row[2]))
        facts.append(
            Fact(
                f"For {wording.count(len(apart), 'entry', 'entries')} the time of the act given by "
                f"the application and the time of the database differ by more than {tolerance} "
                f"seconds; the largest difference is {wording.duration(at - acted_at)} at entry "
                f"{entry_id} (act {wording.moment(acted_at)}, database {wording.moment(at)}). "
                f"Entries: {_numbers(apart)}."
            )
        )
    failing = len({row[0] for row in back} | {row[0] for row in apart})
    return outcomes.judged(facts, examined=examined, failing=failing)


def _numbers(rows: list[tuple[int, object, object]]) -> str:
    return wording.listed(str(row[0]) for row in rows)
