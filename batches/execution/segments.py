"""Prove and verify sealed segments of readings: each sample through its segment's Merkle root."""

from collections.abc import Iterator
from dataclasses import dataclass

from django.db import connection
from django.db.backends.utils import CursorWrapper

from batches.execution import sample_bytes
from batches.execution.models import Batch, ReadingSegment
from compliance.trail.bulk_seals import Broken
from compliance.trail.tlog import merkle

TABLES = _READINGS, _CONFLICTS = "execution_reading", "execution_readingconflict"
_SEALED = """
SELECT s.id, s.batch_id, coalesce(b.number, s.batch_id::text), s.count, s.conflicting, s.root,
    s.conflict_root, s.first_at, s.last_at
FROM public.execution_readingsegment s LEFT JOIN public.execution_batch b ON b.id = s.batch_id
WHERE s.id > %s ORDER BY s.id LIMIT 2000
"""
# Of each segment all samples that the table has, whether an index leads to them or not; and those
# of no segment, which every reader of a series sees as well.
_COUNTED = """
SELECT f.*, coalesce(b.number, f.batch_id::text) FROM (
    SELECT s.id, r.segment_id, r.batch_id, count(*) FROM public.{table} r
    LEFT JOIN public.execution_readingsegment s ON s.id = r.segment_id
    GROUP BY s.id, r.segment_id, r.batch_id HAVING s.id IS NULL OR count(*) <> s.{column}) f
LEFT JOIN public.execution_batch b ON b.id = f.batch_id ORDER BY 2, 3 LIMIT 1000
"""
_SCANS = ("enable_indexscan", "enable_indexonlyscan", "enable_bitmapscan")


class SegmentAltered(Exception):
    """The stored samples are not those that the segment sealed."""


@dataclass(frozen=True)
class SampleProof:
    """What shows that one sample is in a segment: hash its bytes, follow the path to the root."""

    position: int
    size: int
    leaf_hash: bytes
    path: list[bytes]
    root: bytes


def verify(segment: ReadingSegment) -> None:
    """Recompute a segment from its stored samples; raise `SegmentAltered` where they differ."""
    with connection.cursor() as cursor:
        _verify(cursor, segment)


def _verify(cursor: CursorWrapper, segment: ReadingSegment) -> None:
    hashes = _stored_hashes(cursor, segment)
    if len(hashes) != segment.count:
        raise SegmentAltered(
            f"segment {segment.pk} of batch {segment.batch.number} sealed {segment.count} samples, "
            f"{len(hashes)} are stored"
        )
    _verify_conflicts(cursor, segment)
    if merkle.root_of(hashes).hex() != segment.root:
        raise SegmentAltered(
            f"segment {segment.pk} of batch {segment.batch.number}: the {segment.count} samples "
            f"from {segment.first_at.isoformat()} to {segment.last_at.isoformat()} are not those "
            "that were sealed"
        )


def broken(cursor: CursorWrapper) -> Iterator[Broken]:
    """Verify every segment; yield what is wrong with each, and samples that no segment sealed."""
    altered = set()
    for segment in _sealed(cursor):
        try:
            _verify(cursor, segment)
        except SegmentAltered as found:
            altered.add(segment.pk)
            yield Broken(record=f"execution_readingsegment {segment.pk}", message=str(found))
    for table, column in ((_READINGS, "count"), (_CONFLICTS, "conflicting")):
        for known, number, _, count, batch in _counted(cursor, table, column):
            if known is None:
                message = (
                    f"{count} samples of batch {batch} in {table} belong to no segment: nothing "
                    "says who sent them"
                )
            elif known in altered:
                continue
            else:
                message = (
                    f"{table} has {count} samples of the segment, and its indexes lead to others: "
                    "`REINDEX` a copy and verify that"
                )
            yield Broken(record=f"execution_readingsegment {number}", message=message)


def _sealed(cursor: CursorWrapper) -> Iterator[ReadingSegment]:
    last = -(1 << 62)
    while True:
        cursor.execute(_SEALED, [last])
        rows = cursor.fetchall()
        if not rows:
            return
        for pk, batch_id, number, count, conflicting, root, conflict_root, first, until in rows:
            yield ReadingSegment(
                pk=pk, batch=Batch(pk=batch_id, number=number), count=count, root=root,
                conflicting=conflicting, conflict_root=conflict_root, first_at=first, last_at=until,
            )  # fmt: skip
        last = rows[-1][0]


def _counted(
    cursor: CursorWrapper, table: str, column: str
) -> list[tuple[int | None, int | None, int | None, int, str]]:
    for scan in _SCANS:
        cursor.execute(f"SET LOCAL {scan} = off")
    cursor.execute(_COUNTED.format(table=table, column=column))
    found: list[tuple[int | None, int | None, int | None, int, str]] = cursor.fetchall()
    for scan in _SCANS:
        cursor.execute(f"SET LOCAL {scan} = on")
    return found


def proof(segment: ReadingSegment, *, position: int) -> SampleProof:
    """Return the inclusion proof of one sample of a segment, computed from the stored samples."""
    with connection.cursor() as cursor:
        hashes = _stored_hashes(cursor, segment)
    path = merkle.inclusion_proof(position, len(hashes), sample_bytes.HashReader(hashes))
    return SampleProof(
        position=position,
        size=len(hashes),
        leaf_hash=hashes[position],
        path=path,
        root=bytes.fromhex(segment.root),
    )


def _verify_conflicts(cursor: CursorWrapper, segment: ReadingSegment) -> None:
    hashes = _stored_hashes(cursor, segment, _CONFLICTS)
    root = merkle.root_of(hashes).hex() if hashes else ""
    if len(hashes) != segment.conflicting or root != segment.conflict_root:
        raise SegmentAltered(
            f"segment {segment.pk} of batch {segment.batch.number}: the {segment.conflicting} "
            "samples kept beside it, in conflict with earlier ones, are not those that were sealed"
        )


def _stored_hashes(
    cursor: CursorWrapper, segment: ReadingSegment, table: str = _READINGS
) -> list[bytes]:
    hasher = sample_bytes.LeafHasher()
    cursor.execute(
        "SELECT position, tag, to_char(observed_at AT TIME ZONE 'UTC',"  # noqa: S608 -- of two tables
        ' \'YYYY-MM-DD"T"HH24:MI:SS.US"Z"\'), value::text, unit, batch_id'
        f" FROM public.{table} WHERE segment_id = %s ORDER BY position",
        [segment.pk],
    )
    rows = cursor.fetchall()
    if any(batch_id != segment.batch_id for *_, batch_id in rows):
        raise SegmentAltered(f"segment {segment.pk} has samples that name another batch")
    if any(None in row for row in rows):
        raise SegmentAltered(f"segment {segment.pk} has samples without a place, time or value")
    return [
        hasher(position=position, tag=tag, at=at, value=value, unit=unit)
        for position, tag, at, value, unit, _ in rows
    ]
