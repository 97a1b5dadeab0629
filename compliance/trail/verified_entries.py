"""Verify entries one by one: bytes, leaf, place in the chain, search columns and time."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from psycopg import Connection

from compliance.trail import entry_form, verified_records
from compliance.trail.entry_form import EntryMalformed
from compliance.trail.findings import Findings, Verdict
from compliance.trail.stored import LOG_ID
from compliance.trail.tlog import leaf
from compliance.trail.tlog.canonical import NotCanonical
from compliance.trail.tlog.leaf import Leaf
from compliance.trail.verified_records import Heads, Step

# A statement's time is older than its commit by as long as its transaction took.
LONGEST_TRANSACTION = timedelta(hours=6)
CLOCK_TOLERANCE = timedelta(seconds=60)
PROJECTED = (
    *("act", "action", "actor", "role", "op", "reason"),
    *("record", "record_id", "record_seq", "source"),
)


class Row(NamedTuple):
    """A leaf as stored, with its entry and its search columns where those are there."""

    idx: int
    entry_id: int
    leaf_hash: bytes
    previous: bytes
    body: bytes | None
    digest: bytes | None
    is_projected: bool
    at: datetime | None
    act: str | None
    action: str | None
    actor: str | None
    role: str | None
    op: str | None
    reason: str | None
    record: str | None
    record_id: str | None
    record_seq: int | None
    source: str | None


_SEALED = """
SELECT l.idx, l.entry_id, l.leaf_hash, l.previous, e.body, e.digest, p.entry_id IS NOT NULL,
    p.at, p.act, p.action, p.actor, p.role, p.op, p.reason, p.record, p.record_id, p.record_seq,
    p.source
FROM audit.leaf l
LEFT JOIN audit.entry e USING (log_id, entry_id)
LEFT JOIN audit.projection p USING (log_id, entry_id)
WHERE l.log_id = %s ORDER BY l.idx
"""


def sealed(connection: Connection[Any]) -> Iterator[Row]:
    """Stream all leaves in order, a few thousand in memory at a time."""
    with connection.cursor(name="verified_leaves", binary=True) as cursor:
        cursor.itersize = 2000
        cursor.execute(_SEALED, [LOG_ID])
        for row in cursor:
            yield Row(*row)


class Entries:
    """What is known after each entry: the records' heads, and the latest time so far."""

    def __init__(self, *, origin: str, findings: Findings) -> None:
        self.origin = origin
        self.findings = findings
        self.heads = Heads()
        self._latest = datetime(1970, 1, 1, tzinfo=UTC)
        self._misplaced: dict[int, tuple[Row, bytes]] = {}

    def check_sealed(self, row: Row, *, signed_at: datetime | None) -> None:
        """Verify one leaf with its entry; `signed_at` is the first checkpoint's that covers it."""
        if row.body is None or row.digest is None:
            self._add(Verdict.MISSING, "the leaf is there, its entry is not", row)
            self._follow_projection(row, digest=None)
            return
        computed = leaf.entry_digest(row.body)
        is_leaf_right = self._leaf(row, computed) == row.leaf_hash
        if computed != row.digest:
            self._add(Verdict.TAMPERED, "the stored digest is not that of the stored body", row)
        if not is_leaf_right:
            was_sealed = self._leaf(row, row.digest) == row.leaf_hash
            if not was_sealed:
                self._misplaced[row.idx] = row, computed
            self._follow_projection(row, digest=row.digest if was_sealed else None)
            return
        members = self._read(row.body, index=row.idx, entry_id=row.entry_id)
        if members is None:
            self._follow_projection(row, digest=computed)
            return
        self._check_projection(row, members)
        self._check_time(row, members, signed_at)
        self._follow(members, computed, index=row.idx, entry_id=row.entry_id)

    def check_unsealed(self, entry_id: int, body: bytes, digest: bytes) -> datetime | None:
        """Verify what can be verified of an entry that has no leaf yet; return its time."""
        if leaf.entry_digest(body) != digest:
            self.findings.add(
                Verdict.TAMPERED,
                "the stored digest is not that of the stored body (not sealed yet)",
                entry_id=entry_id,
            )
        members = self._read(body, index=None, entry_id=entry_id)
        if members is None:
            return None
        self._follow(members, digest, index=None, entry_id=entry_id)
        return _time(members["at"])

    def settle(self) -> None:
        """Name the leaves that do not fit their entries: exchanged with another one, or altered."""
        by_digest = {computed: row for row, computed in self._misplaced.values()}
        for row, _ in self._misplaced.values():
            other = next(
                (found for digest, found in by_digest.items() if self._is_of(row, digest)), None
            )
            if other is None:
                self._add(Verdict.TAMPERED, "the entry is not the one that was sealed here", row)
            else:
                self._add(
                    Verdict.REORDERED,
                    f"sealed here was the entry that now stands at leaf {other.idx}",
                    row,
                )

    def _is_of(self, row: Row, digest: bytes) -> bool:
        return len(self._misplaced) <= 1000 and self._leaf(row, digest) == row.leaf_hash

    def _leaf(self, row: Row, digest: bytes) -> bytes:
        try:
            return Leaf(
                origin=self.origin, index=row.idx, digest=digest, previous=row.previous
            ).hash
        except leaf.LeafInvalid:
            return b""

    def _read(self, body: bytes, *, index: int | None, entry_id: int) -> dict[str, Any] | None:
        try:
            members = entry_form.parse(body)
        except (NotCanonical, EntryMalformed) as error:
            self.findings.add(Verdict.NONCANONICAL, str(error), index=index, entry_id=entry_id)
            return None
        if members["log"] != self.origin:
            self.findings.add(
                Verdict.TAMPERED,
                f"the entry belongs to the log {members['log']}",
                index=index,
                entry_id=entry_id,
            )
        return members

    def _check_projection(self, row: Row, members: dict[str, Any]) -> None:
        if not row.is_projected:
            self._add(Verdict.PROJECTION_MISMATCH, "search does not find this entry", row)
            return
        wrong = [name for name in PROJECTED if getattr(row, name) != members[name]]
        if row.at != _time(members["at"]):
            wrong.insert(0, "at")
        if wrong:
            self._add(
                Verdict.PROJECTION_MISMATCH,
                f"search shows another {', '.join(wrong)} than the entry",
                row,
            )

    def _check_time(self, row: Row, members: dict[str, Any], signed_at: datetime | None) -> None:
        at = _time(members["at"])
        if at is None:
            self._add(Verdict.NONCANONICAL, f"{members['at']!r} is no time", row)
            return
        if at < self._latest - LONGEST_TRANSACTION:
            self._add(
                Verdict.TIME_OUT_OF_BRACKET,
                f"its time {members['at']} is long before entries sealed earlier",
                row,
            )
        if signed_at is not None and at > signed_at + CLOCK_TOLERANCE:
            self._add(
                Verdict.TIME_OUT_OF_BRACKET,
                f"its time {members['at']} is after the checkpoint that covers it",
                row,
            )
        self._latest = max(self._latest, at)

    def _follow(
        self, members: dict[str, Any], digest: bytes | None, *, index: int | None, entry_id: int
    ) -> None:
        step = Step(
            table=members["record"],
            record_id=members["record_id"],
            seq=members["record_seq"],
            op=members["op"],
            prev=None if members["prev"] is None else bytes.fromhex(members["prev"]),
            after=None if members["after"] is None else bytes.fromhex(members["after"]),
            digest=digest,
        )
        verified_records.follow(self.heads, step, self.findings, index=index, entry_id=entry_id)

    def _follow_projection(self, row: Row, *, digest: bytes | None) -> None:
        """Keep the record's place by its search columns, so that one bad entry is one fault."""
        if row.record is None or row.record_id is None or row.record_seq is None:
            return
        head = verified_records.Head(row.record_seq, digest, None, row.op == "delete")
        self.heads.put(row.record, row.record_id, head)

    def _add(self, verdict: Verdict, message: str, row: Row) -> None:
        record = None if row.record is None else f"{row.record} {row.record_id}"
        self.findings.add(verdict, message, index=row.idx, entry_id=row.entry_id, record=record)


def _time(text: str) -> datetime | None:
    # Fixed form only; what is read must write the same text again.
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    if at.tzinfo != UTC:
        return None
    return at if at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond:06}Z" == text else None
