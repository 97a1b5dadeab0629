"""Read the rows of controlled tables, each as a record beside those of its entries."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import psycopg

from compliance.trail.verifying import spill
from compliance.trail.verifying.source import RECORD, Source
from compliance.trail.verifying.spill import Records
from compliance.trail.verifying.work import LiveJob, LiveResult, Plan, Table, TouchedJob

PAGES = 2048  # 16 MiB of a table
NOWHERE = (1 << 63) - 1  # no page of a table
_ABSENT = bytes(32)


def digest(table: Table) -> str:
    """Return SQL for the digest of a row as its last entry has it."""
    return f"CASE WHEN t.audit_seq = 1 THEN {table.first} ELSE {table.later} END"


def read(plan: Plan, source: Source, job: LiveJob) -> LiveResult:
    """Keep a record of each row in some pages of a table."""
    parts = [
        _rows(plan, source, job, at, min(at + PAGES, job.end))
        for at in range(job.start, job.end, PAGES)
    ]
    spill.write(plan.folder / f"live-{job.table:03}-{job.number:06}.records", parts)
    return LiveResult(rows=sum(len(part) for part in parts))


def read_touched(plan: Plan, source: Source, job: TouchedJob) -> LiveResult:
    """Keep a record of some rows of a table."""
    table = plan.tables[job.table]
    where = f't."{table.pk}" = ANY(%s::text[]::{table.pk_type}[])'
    try:
        found = _one_by_one(source, table, where, [list(job.ids)])
    except psycopg.DataError:  # a planted entry may name any record
        found = _one_by_one(source, table, f't."{table.pk}"::text = ANY(%s)', [list(job.ids)])
    part = _records(plan, job.table, NOWHERE, *found)
    spill.write(plan.folder / f"live-{job.table:03}-{job.number:06}.records", [part])
    return LiveResult(rows=len(part))


def _rows(plan: Plan, source: Source, job: LiveJob, start: int, end: int) -> Records:
    table = plan.tables[job.table]
    # One value each column: a row of its own costs more than its digest.
    (found,) = source.fetch(
        f"SELECT count(*), string_agg(f.id, E'\\x1e'), "  # noqa: S608 -- declared tables
        "string_agg(int8send(f.audit_seq), ''::bytea), string_agg(f.audit_head, ''::bytea), "
        "string_agg(f.d, ''::bytea), "
        "bool_and(octet_length(f.audit_head) = 32) "
        f'FROM (SELECT t."{table.pk}"::text AS id, t.audit_seq, t.audit_head, {digest(table)} AS d '
        f'FROM public."{table.table}" t '
        f"WHERE {_pages(start, end)}) f"
    )
    count, joined, *columns, is_sized = found
    if not count:
        return np.empty(0, spill.RECORD)
    ids = joined.split(RECORD) if joined is not None else []
    widths = (8, 32, 32)
    if not is_sized or len(ids) != count or any(
        value is None or len(value) != count * width
        for value, width in zip(columns, widths, strict=True)
    ):  # fmt: skip
        ids, columns = _one_by_one(source, table, _pages(start, end), [])
    return _records(plan, job.table, start, ids, columns)


def _one_by_one(
    source: Source, table: Table, where: str, values: Sequence[Any]
) -> tuple[list[str], list[bytes]]:
    """Return the same for rows that have nulls or heads of another length where none can be."""
    rows = source.fetch(
        f"SELECT coalesce(t.\"{table.pk}\"::text, ''), "  # noqa: S608 -- declared tables
        f"int8send(coalesce(t.audit_seq, 0)), coalesce(t.audit_head, ''::bytea), {digest(table)} "
        f'FROM public."{table.table}" t WHERE {where}',
        values,
    )
    columns = [
        b"".join(seq for _, seq, *_ in rows),
        b"".join(head if len(head) == 32 else _ABSENT for _, _, head, *_ in rows),
        b"".join(found or _ABSENT for *_, found in rows),
    ]
    return [identity for identity, *_ in rows], columns


def _records(
    plan: Plan, table: int, start: int, ids: list[str], columns: Sequence[bytes]
) -> Records:
    seqs, heads, rows = columns
    records = np.zeros(len(ids), spill.RECORD)
    name, key, secret = plan.tables[table].name, spill.key, plan.secret
    records["key"] = spill.halves(b"".join([key(secret, name, one) for one in ids]), 64)
    records["order"] = spill.LIVE_ORDER
    records["seq"] = np.frombuffer(seqs, ">i8")
    records["digest"] = spill.halves(heads, 32)
    # Where the row is, to find it again in this snapshot.
    records["prev"][:, 0] = start
    records["prev"][:, 1] = np.arange(len(ids))
    records["after"] = spill.halves(rows, 32)
    records["flags"] = spill.LIVE
    records["table"], records["log"] = table, spill.LIVE_LOG
    return records


def _pages(start: int, end: int) -> str:
    return f"t.ctid >= '({start},0)' AND t.ctid < '({end},0)'"


def identity(plan: Plan, source: Source, record: np.void) -> str:
    """Return the primary key of a row that was read, as text."""
    table, (start, place) = plan.tables[int(record["table"])], record["prev"].tolist()
    rows = source.fetch(
        f'SELECT t."{table.pk}"::text FROM public."{table.table}" t '  # noqa: S608 -- declared tables
        f"WHERE {_pages(start, start + PAGES)} "
        f"OFFSET {place} LIMIT 1"
    )
    return str(rows[0][0]) if rows else "?"
