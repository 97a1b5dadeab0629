"""Prove and verify sealed segments of readings: each sample through its segment's Merkle root."""

from collections.abc import Iterator
from dataclasses import dataclass

from django.db import connection

from batches.execution import sample_bytes
from batches.execution.models import ReadingSegment
from compliance.trail.bulk_seals import Broken
from compliance.trail.tlog import merkle

_READINGS, _CONFLICTS = "execution_reading", "execution_readingconflict"


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
    hashes = _stored_hashes(segment)
    if len(hashes) != segment.count:
        raise SegmentAltered(
            f"segment {segment.pk} of batch {segment.batch.number} sealed {segment.count} samples, "
            f"{len(hashes)} are stored"
        )
    _verify_conflicts(segment)
    if merkle.root_of(hashes).hex() != segment.root:
        raise SegmentAltered(
            f"segment {segment.pk} of batch {segment.batch.number}: the {segment.count} samples "
            f"from {segment.first_at.isoformat()} to {segment.last_at.isoformat()} are not those "
            "that were sealed"
        )


def broken() -> Iterator[Broken]:
    """Verify every segment, and yield what is wrong with each that was altered."""
    for segment in ReadingSegment.objects.select_related("batch").order_by("pk").iterator():
        try:
            verify(segment)
        except SegmentAltered as altered:
            yield Broken(record=f"execution_readingsegment {segment.pk}", message=str(altered))


def proof(segment: ReadingSegment, *, position: int) -> SampleProof:
    """Return the inclusion proof of one sample of a segment, computed from the stored samples."""
    hashes = _stored_hashes(segment)
    path = merkle.inclusion_proof(position, len(hashes), sample_bytes.HashReader(hashes))
    return SampleProof(
        position=position,
        size=len(hashes),
        leaf_hash=hashes[position],
        path=path,
        root=bytes.fromhex(segment.root),
    )


def _verify_conflicts(segment: ReadingSegment) -> None:
    hashes = _stored_hashes(segment, _CONFLICTS)
    root = merkle.root_of(hashes).hex() if hashes else ""
    if len(hashes) != segment.conflicting or root != segment.conflict_root:
        raise SegmentAltered(
            f"segment {segment.pk} of batch {segment.batch.number}: the {segment.conflicting} "
            "samples kept beside it, in conflict with earlier ones, are not those that were sealed"
        )


def _stored_hashes(segment: ReadingSegment, table: str = _READINGS) -> list[bytes]:
    hasher = sample_bytes.LeafHasher()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT position, tag, to_char(observed_at AT TIME ZONE 'UTC',"  # noqa: S608 -- of two tables
            ' \'YYYY-MM-DD"T"HH24:MI:SS.US"Z"\'), value::text, unit, batch_id'
            f" FROM {table} WHERE segment_id = %s ORDER BY position",
            [segment.pk],
        )
        rows = cursor.fetchall()
    if any(batch_id != segment.batch_id for *_, batch_id in rows):
        raise SegmentAltered(f"segment {segment.pk} has samples that name another batch")
    return [
        hasher(position=position, tag=tag, at=at, value=value, unit=unit)
        for position, tag, at, value, unit, _ in rows
    ]
