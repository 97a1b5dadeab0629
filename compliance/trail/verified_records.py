"""Follow each record through its entries: numbered without a gap, each naming the one before."""

from collections.abc import Iterator
from typing import NamedTuple

from compliance.trail.findings import Findings, Verdict

_UNKNOWN = bytes(32)  # no SHA-256 that anybody will meet


class Head(NamedTuple):
    """The last entry of a record: its number, its digest and the digest of the row after it."""

    seq: int
    digest: bytes | None
    after: bytes | None
    is_deleted: bool


class Heads:
    """The last entry of every record, in some 200 bytes each: a log has millions."""

    def __init__(self) -> None:
        self._tables: dict[str, dict[str, bytes]] = {}

    def get(self, table: str, record_id: str) -> Head | None:
        packed = self._tables.get(table, {}).get(record_id)
        return None if packed is None else _unpack(packed)

    def put(self, table: str, record_id: str, head: Head) -> None:
        self._tables.setdefault(table, {})[record_id] = (
            head.seq.to_bytes(8, "big")
            + (head.digest or _UNKNOWN)
            + (head.after or _UNKNOWN)
            + bytes([head.is_deleted])
        )

    def take(self, table: str, record_id: str) -> Head | None:
        """Return the last entry of a record and forget it."""
        packed = self._tables.get(table, {}).pop(record_id, None)
        return None if packed is None else _unpack(packed)

    def left(self, table: str) -> Iterator[tuple[str, Head]]:
        """Yield what was not taken of a table."""
        for record_id, packed in self._tables.get(table, {}).items():
            yield record_id, _unpack(packed)

    def tables(self) -> Iterator[str]:
        yield from sorted(self._tables)


def _unpack(packed: bytes) -> Head:
    digest, after = packed[8:40], packed[40:72]
    return Head(
        seq=int.from_bytes(packed[:8], "big"),
        digest=None if digest == _UNKNOWN else digest,
        after=None if after == _UNKNOWN else after,
        is_deleted=packed[72] == 1,
    )


class Step(NamedTuple):
    """What one entry says about its record."""

    table: str
    record_id: str
    seq: int
    op: str
    prev: bytes | None
    after: bytes | None
    digest: bytes | None


def follow(
    heads: Heads, step: Step, findings: Findings, *, index: int | None, entry_id: int
) -> None:
    """Compare an entry with the one before it of the same record, and remember it."""
    before = heads.get(step.table, step.record_id)
    verdict, message = _compare(before, step)
    if verdict is not None:
        findings.add(
            verdict,
            message,
            index=index,
            entry_id=entry_id,
            record=f"{step.table} {step.record_id}",
        )
    if before is None or step.seq >= before.seq or before.is_deleted:
        is_deleted = step.op == "delete"
        head = Head(step.seq, step.digest, None if is_deleted else step.after, is_deleted)
        heads.put(step.table, step.record_id, head)


def _compare(before: Head | None, step: Step) -> tuple[Verdict | None, str]:
    is_first = before is None or before.is_deleted
    expected = 1 if before is None or before.is_deleted else before.seq + 1
    if step.seq > expected:
        return Verdict.MISSING, (
            f"this is number {step.seq} of its record, where number {expected} must follow"
        )
    if step.seq < expected:
        return Verdict.REORDERED, (
            f"number {step.seq} of its record comes after number {expected - 1}"
        )
    if is_first != (step.op == "insert"):
        return Verdict.TAMPERED, f"the record cannot begin or go on with {step.op!r}"
    known = None if before is None or before.is_deleted else before.digest
    if is_first and step.prev is not None:
        return Verdict.TAMPERED, "the first entry of a record names one before it"
    if known is not None and step.prev != known:
        return Verdict.TAMPERED, "it does not name the digest of its record's entry before it"
    return None, ""
