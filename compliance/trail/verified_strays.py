"""Find rows of the log that nothing leads to: what the tables hold against what was verified."""

from collections.abc import Sequence
from dataclasses import dataclass

from compliance.trail.findings import Findings, Verdict
from compliance.trail.verifying.pool import Pool
from compliance.trail.verifying.source import Source
from compliance.trail.verifying.work import CountJob

LISTED = 1000


@dataclass(frozen=True, kw_only=True)
class Verified:
    """How many rows of each table were verified."""

    leaves: int
    entries: int
    projections: int


@dataclass(frozen=True)
class _Search:
    statement: str  # gives index, entry
    message: str
    verdict: Verdict = Verdict.TAMPERED


_LEAVES = (
    _Search(
        "SELECT idx, entry_id FROM audit.leaf WHERE log_id IS NULL OR idx IS NULL "
        "OR log_id NOT IN (SELECT log_id FROM audit.log)",
        "the leaf belongs to no log",
    ),
    _Search(
        "SELECT idx, min(entry_id) FROM audit.leaf GROUP BY log_id, idx HAVING count(*) > 1",
        "the leaf is stored more than once",
    ),
)
_ENTRIES = (
    _Search(
        "SELECT NULL, entry_id FROM audit.entry WHERE log_id IS NULL OR entry_id IS NULL "
        "OR log_id NOT IN (SELECT log_id FROM audit.log)",
        "the entry belongs to no log",
    ),
    _Search(
        "SELECT NULL, entry_id FROM audit.entry GROUP BY entry_id HAVING count(*) > 1",
        "the entry is stored more than once",
    ),
    _Search(
        "SELECT max(idx), entry_id FROM audit.leaf GROUP BY entry_id HAVING count(*) > 1",
        "the entry has more than one leaf",
    ),
    _Search(
        "SELECT l.idx, l.entry_id FROM audit.leaf l JOIN audit.entry e USING (entry_id) "
        "WHERE e.log_id IS DISTINCT FROM l.log_id",
        "the entry is stored as one of another log",
    ),
)
_PROJECTIONS = (
    _Search(
        "SELECT NULL, p.entry_id FROM audit.projection p WHERE NOT EXISTS (SELECT FROM audit.leaf l "
        "WHERE l.log_id = p.log_id AND l.entry_id = p.entry_id)",
        "search shows an entry without a leaf",
        Verdict.PROJECTION_MISMATCH,
    ),
    _Search(
        "SELECT NULL, entry_id FROM audit.projection GROUP BY entry_id HAVING count(*) > 1",
        "search shows the entry more than once",
        Verdict.PROJECTION_MISMATCH,
    ),
)
_TABLES = (
    ("leaves", "audit.leaf", _LEAVES, Verdict.TAMPERED),
    ("entries", "audit.entry", _ENTRIES, Verdict.TAMPERED),
    ("projections", "audit.projection", _PROJECTIONS, Verdict.PROJECTION_MISMATCH),
)


def counted(pool: Pool, only: int | None) -> dict[str, int]:
    """Count the rows of each table, of one log or of all and of none."""
    where, values = ("", ()) if only is None else (" WHERE log_id = %s", (only,))
    jobs = [
        CountJob(statement=f"SELECT count(*) FROM {table}{where}", values=values)  # noqa: S608
        for _, table, _, _ in _TABLES
    ]
    found = [one for one in pool.results(jobs) if isinstance(one, int)]
    return {name: one for (name, *_), one in zip(_TABLES, found, strict=True)}


def check(source: Source, counts: dict[str, int], verified: Verified, findings: Findings) -> None:
    """Name the rows that were counted and not verified, and those that were verified twice."""
    for name, table, searches, verdict in _TABLES:
        difference = counts[name] - getattr(verified, name)
        if difference and not _search(source, searches, findings):
            findings.add(
                verdict,
                f"{table} has {counts[name]} rows, and {getattr(verified, name)} of them are "
                "reached by its indexes: `REINDEX` a copy and verify that",
            )


def _search(source: Source, searches: Sequence[_Search], findings: Findings) -> int:
    count = 0
    for search in searches:
        rows = source.fetch(f"{search.statement} LIMIT {LISTED}")
        count += len(rows)
        for index, entry_id in rows:
            findings.add(search.verdict, search.message, index=index, entry_id=entry_id)
    return count
