"""Name what is wrong with single records: the entry that does not follow, the column that differs."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from compliance.trail import entry_form
from compliance.trail.entry_form import EntryMalformed
from compliance.trail.findings import KEPT, Verdict
from compliance.trail.tlog import leaf
from compliance.trail.tlog.canonical import NotCanonical
from compliance.trail.verifying import exact, live, spill
from compliance.trail.verifying.source import LARGEST, Source
from compliance.trail.verifying.spill import Records
from compliance.trail.verifying.work import BucketJob, BucketResult, Plan, Table

EXPLAINED = 500
_OPS = {spill.INSERT: "insert", spill.UPDATE: "update", spill.DELETE: "delete"}


class Entry(NamedTuple):
    """What can be read of an entry: its id, its record, its body where that is there."""

    entry_id: int | None
    table: str | None
    record_id: str | None
    body: bytes | None


class Earlier(NamedTuple):
    """The last entry of a record before those that are looked at, as search finds it."""

    place: int
    entry_id: int
    op: str | None
    record_seq: int
    digest: bytes | None
    body: bytes | None
    is_gone: bool


_EARLIER = f"""
SELECT l.idx, p.entry_id, p.op, p.record_seq, e.digest,
    CASE WHEN octet_length(e.body) <= {LARGEST} THEN e.body END, e.entry_id IS NULL
FROM audit.projection p
JOIN audit.leaf l ON l.entry_id = p.entry_id
LEFT JOIN audit.entry e ON e.entry_id = p.entry_id
WHERE p.record = %s AND p.record_id = %s AND l.log_id = %s AND l.idx < %s
ORDER BY p.entry_id DESC LIMIT 1
"""  # noqa: S608 -- a number of ours


@dataclass
class Differing:
    """Rows of a table that are not what their last entries say, with where those entries are."""

    records: dict[str, Records] = field(default_factory=dict)
    entries: int = 0


class Namer:
    """Looks at one faulty record after the other; adds what it finds to the result."""

    def __init__(self, plan: Plan, source: Source, job: BucketJob, result: BucketResult) -> None:
        self._plan = plan
        self._source = source
        self._job = job
        self._result = result
        self._differing: dict[int, Differing] = {}
        self._columns: dict[str, frozenset[str]] = {}

    def name(self, groups: Iterable[Records]) -> None:
        for group in groups:
            self._follow(group)
        for number in list(self._differing):
            self._explain(number)

    def _follow(self, group: Records) -> None:
        entries = group[group["flags"] & spill.LIVE == 0]
        rows = group[group["flags"] & spill.LIVE != 0]
        if (
            len(np.unique(entries["log"])) > 1
        ):  # entries of one record in several logs: by their ids
            entries = self._in_order_of_ids(entries)
        record = _Record(self, group)
        before = self._predecessor(entries, record)
        for step in entries:
            if not step["flags"] & spill.GUESSED:
                verdict, message = _compare(before, step)
                if verdict is not None:
                    self._add_entry(verdict, message, step, record)
            if before is None or step["seq"] >= before["seq"] or before["flags"] & spill.DELETE:
                before = step
        self._compare_rows(before, entries, rows, record)

    def _compare_rows(
        self, head: np.void | None, entries: Records, rows: Records, record: "_Record"
    ) -> None:
        is_deleted = head is None or bool(head["flags"] & spill.DELETE)
        if len(rows) > 1:
            self._add("the record has more than one row", record)
        if not len(rows):
            number = int(head["table"]) if head is not None else spill.UNCONTROLLED
            if not is_deleted and number < spill.UNCONTROLLED:
                self._add("the row is gone, and its last entry is no deletion", record)
            return
        for row in rows:
            if head is None or is_deleted:
                if head is not None or not self._job.is_partial:
                    self._add("the row is there without an entry", record)
                continue
            knows = not head["flags"] & spill.NO_DIGEST
            if row["seq"] != head["seq"] or (knows and (row["digest"] != head["digest"]).any()):
                self._add(
                    f"the row names entry {row['seq']} as its last, the trail has {head['seq']} "
                    "entries of it with another last one",
                    record,
                )
            if not head["flags"] & spill.NO_AFTER and (row["after"] != head["after"]).any():
                self._differs(int(row["table"]), record.name, entries)

    def _predecessor(self, entries: Records, record: "_Record") -> np.void | None:
        """Return the last entry of a record before those that are looked at, if there may be one."""
        if not self._job.since or not len(entries):
            return None
        log_id = int(entries[0]["log"])
        rows = self._source.fetch(_EARLIER, [*record.names(), log_id, self._job.since[log_id]])
        for row in map(Earlier._make, rows):
            one, flags, seq = self._read(self._filled(log_id, row), record)
            one["order"], one["seq"], one["flags"] = row.place, seq, flags
            one["table"], one["log"] = entries[0]["table"], log_id
            found: np.void = one[0]
            return found
        return None

    def _filled(self, log_id: int, row: Earlier) -> Earlier:
        """Return the entry as its archive file has it, where it is not in the database."""
        if not row.is_gone:
            return row
        body = self._source.archived(log_id, row.place, row.entry_id)
        return row._replace(body=body, digest=None if body is None else leaf.entry_digest(body))

    def _read(self, row: Earlier, record: "_Record") -> tuple[Records, int, int]:
        """Return what is kept of an earlier entry, its flags and number; name what is wrong."""

        def wrong(verdict: Verdict, message: str) -> None:
            self._result.findings.add(
                verdict, message, index=row.place, entry_id=row.entry_id, record=record.shown
            )

        if row.is_gone and row.body is None:
            wrong(Verdict.MISSING, "the leaf is there, its entry is not")
            return *exact.guessed(row.op, None), row.record_seq
        body = row.body or b""
        computed = leaf.entry_digest(body)
        if computed != row.digest:
            wrong(Verdict.TAMPERED, "the stored digest is not that of the stored body")
            return *exact.guessed(row.op, None), row.record_seq
        try:
            members = entry_form.parse(body)
        except (NotCanonical, EntryMalformed) as error:
            wrong(Verdict.NONCANONICAL, str(error))
            return *exact.guessed(row.op, computed), row.record_seq
        redactable = {table.name: table.redactable for table in self._plan.tables}
        return *exact.step(members, computed, redactable), members["record_seq"]

    def _in_order_of_ids(self, entries: Records) -> Records:
        ids = [self.entry(one).entry_id or 0 for one in entries]
        return entries[np.argsort(np.array(ids), kind="stable")]

    def _differs(self, number: int, record_id: str, entries: Records) -> None:
        differing = self._differing.setdefault(number, Differing())
        differing.records[record_id] = entries
        differing.entries += len(entries)
        if differing.entries >= EXPLAINED:
            self._explain(number)

    def _explain(self, number: int) -> None:
        """Say which columns differ, by replaying the entries of the records."""
        table, differing = self._plan.tables[number], self._differing.pop(number)
        rows = self._source.fetch(
            f'SELECT t."{table.pk}"::text, {table.row} '  # noqa: S608 -- declared tables
            f'FROM public."{table.table}" t WHERE t."{table.pk}"::text = ANY(%s)',
            [list(differing.records)],
        )
        for record_id, text in rows:
            recorded, inserted = self._replay(table, differing.records[record_id])
            shown = f"{table.name} {record_id}"
            present = json.loads(text)
            wrong = [
                name
                for name in sorted(present)
                if name in recorded and present[name] != recorded[name]
            ]
            if wrong:
                self._add_shown(_difference(wrong, recorded, present), shown)
            elif present.keys() == recorded.keys():
                self._add_shown("the row is not what its last entry says it was", shown)
            elif taken := self._taken(table, recorded.keys() - present.keys(), inserted):
                self._add_shown(
                    f"{', '.join(taken)}: the column is gone, and no entry says that it was "
                    "dropped",
                    shown,
                )
            else:  # a migration added or dropped them after the last entry of the record
                names, count = self._result.came_or_went.get(table.name, (set(), 0))
                names |= present.keys() ^ recorded.keys()
                self._result.came_or_went[table.name] = names, count + 1

    def _taken(self, table: Table, names: Iterable[str], inserted: set[str]) -> list[str]:
        """Return the columns that are not in the table any more, with no entry that tells of it.

        An entry says what a column was renamed to, not from: one former name is excused for each
        name that the record did not begin with, of a column that is there or was dropped openly.
        """
        present = self._present(table)
        gone = {one for one in names if f"{table.name}.{one}" not in present}
        untold = {one for one in gone if f"{table.name}.{one}" not in self._plan.dropped}
        began = {f"{table.name}.{one}" for one in inserted}
        told = self._plan.renamed & (present | self._plan.dropped)
        renamed = {one for one in told if one.startswith(f"{table.name}.")}
        return sorted(untold) if len(untold) > len(renamed - began) else []

    def _present(self, table: Table) -> frozenset[str]:
        """Return the columns that a table has, as `record.column`; asked once, not for each record."""
        if table.name not in self._columns:
            rows = self._source.fetch(
                "SELECT attname::text FROM pg_attribute WHERE attrelid = to_regclass(%s) "
                "AND attnum > 0 AND NOT attisdropped",
                [f'public."{table.table}"'],
            )
            self._columns[table.name] = frozenset(f"{table.name}.{name}" for (name,) in rows)
        return self._columns[table.name]

    def _replay(self, table: Table, entries: Records) -> tuple[dict[str, Any], set[str]]:
        """Return what the record was last, and the columns that it began with."""
        replayed: dict[str, Any] = {}
        inserted: set[str] = set()
        for one in entries:
            members = entry_form.guess(self.entry(one).body or b"")
            new = members.get("new")
            if isinstance(new, dict):
                inserted |= new.keys() if members.get("op") == "insert" else set()
                replayed |= {k: v for k, v in new.items() if k not in table.redactable}
        return replayed, inserted

    def entry(self, one: np.void) -> Entry:
        """Look up an entry by its leaf, or by its id when it has none."""
        order, log_id = int(one["order"]), int(one["log"])
        unsealed = order - spill.UNSEALED
        joined = (
            "FROM audit.entry e LEFT JOIN audit.projection p ON p.entry_id = e.entry_id "
            "WHERE e.log_id = %s AND e.entry_id = %s"
            if unsealed >= 0
            else "FROM audit.leaf l LEFT JOIN audit.entry e ON e.entry_id = l.entry_id "
            "LEFT JOIN audit.projection p ON p.entry_id = l.entry_id "
            "WHERE l.log_id = %s AND l.idx = %s"
        )
        rows = self._source.fetch(
            f"SELECT {'e' if unsealed >= 0 else 'l'}.entry_id, p.record, p.record_id, "
            f"CASE WHEN octet_length(e.body) <= {LARGEST} THEN e.body END {joined}",
            [log_id, unsealed if unsealed >= 0 else order],
        )
        entry_id, table, record_id, body = rows[0] if rows else (None, None, None, None)
        if body is None and unsealed < 0:
            body = self._source.archived(log_id, order, entry_id)
        members = entry_form.guess(body or b"")
        if not one["flags"] & spill.GUESSED and isinstance(members.get("record"), str):
            table, record_id = members["record"], str(members.get("record_id"))
        return Entry(entry_id, table, record_id, body)

    def identity(self, row: np.void) -> str:
        return live.identity(self._plan, self._source, row)

    def table(self, number: int) -> str:
        return self._plan.tables[number].name

    def _add_entry(self, verdict: Verdict, message: str, step: np.void, record: "_Record") -> None:
        order, findings = int(step["order"]), self._result.findings
        index = order if order < spill.UNSEALED else None
        if findings.counts[verdict] >= KEPT:  # counted, and looked up no more
            findings.add(verdict, message, index=index)
            return
        findings.add(
            verdict, message, index=index, entry_id=self.entry(step).entry_id, record=record.shown
        )

    def _add(self, message: str, record: "_Record") -> None:
        findings = self._result.findings
        if findings.counts[Verdict.TAMPERED] >= KEPT:
            findings.add(Verdict.TAMPERED, message)
        else:
            self._add_shown(message, record.shown)

    def _add_shown(self, message: str, record: str) -> None:
        self._result.findings.add(Verdict.TAMPERED, message, record=record)


class _Record:
    """The name of a record, looked up when it is needed."""

    def __init__(self, namer: Namer, group: Records) -> None:
        self._namer = namer
        self._group = group
        self._found: tuple[str, str] | None = None

    @property
    def shown(self) -> str:
        return " ".join(self.names())

    @property
    def name(self) -> str:
        return self.names()[1]

    def names(self) -> tuple[str, str]:
        if self._found is None:
            last = self._group[-1]
            if last["prev"][0] == live.NOWHERE:
                last = self._group[0]
            if last["flags"] & spill.LIVE:
                number = int(last["table"])
                self._found = self._namer.table(number), self._namer.identity(last)
            else:
                entry = self._namer.entry(last)
                self._found = entry.table or "?", entry.record_id or "?"
        return self._found


def _compare(before: np.void | None, step: np.void) -> tuple[Verdict | None, str]:
    """Compare an entry with the one before it of the same record."""
    flags, seq = int(step["flags"]), int(step["seq"])
    op = next(name for flag, name in _OPS.items() if flags & flag)
    is_first = before is None or bool(before["flags"] & spill.DELETE)
    expected = 1 if before is None or is_first else int(before["seq"]) + 1
    if seq > expected:
        message = f"this is number {seq} of its record, where number {expected} must follow"
        return Verdict.MISSING, message
    if seq < expected:
        return Verdict.REORDERED, f"number {seq} of its record comes after number {expected - 1}"
    message = ""
    if is_first != (op == "insert"):
        message = f"the record cannot begin or go on with {op!r}"
    elif is_first and not flags & spill.NO_PREV:
        message = "the first entry of a record names one before it"
    elif not (before is None or is_first or before["flags"] & spill.NO_DIGEST) and (
        flags & spill.NO_PREV or (step["prev"] != before["digest"]).any()
    ):
        message = "it does not name the digest of its record's entry before it"
    return (Verdict.TAMPERED, message) if message else (None, "")


def _difference(names: Sequence[str], recorded: dict[str, Any], live: dict[str, Any]) -> str:
    shown = "; ".join(
        f"{name} is {_short(live[name])}, recorded is {_short(recorded[name])}"
        for name in names[:5]
    )
    return f"changed without an entry: {shown}" + (", and more" if len(names) > 5 else "")


def _short(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else f"{text[:57]}..."
