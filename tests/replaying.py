"""Rebuild every controlled row from the entries of the trail alone, and compare it with the table.

An oracle beside the product: it reads the bodies as JSON, folds them in order, and writes the
live rows in its own way; nothing here is the product's capture, verification or recovery.
"""

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import connection

from compliance.trail import capture

AUDIT = {"audit_seq", "audit_head"}
_TAG = b"gmp-audit/entry/v1\0"


@dataclass
class Replayed:
    """One record as its entries say: every version, and whether it is still there."""

    versions: list[dict[str, Any]] = field(default_factory=list)
    digest: str = ""
    is_deleted: bool = False
    faults: list[str] = field(default_factory=list)

    @property
    def values(self) -> dict[str, Any]:
        return self.versions[-1]


def replay() -> dict[tuple[str, str], Replayed]:
    """Fold every entry from the first on; what does not follow from the one before is a fault."""
    found: dict[tuple[str, str], Replayed] = defaultdict(Replayed)
    with connection.cursor() as cursor:
        cursor.execute("SELECT body FROM audit.entry ORDER BY entry_id")
        for (body,) in cursor.fetchall():
            entry = json.loads(bytes(body))
            _fold(found[entry["record"], entry["record_id"]], entry, bytes(body))
    return dict(found)


def differences() -> list[str]:
    """Name everything in which the tables and the replay of the trail differ; empty when nothing."""
    replayed = replay()
    said = [f"{key}: {fault}" for key, one in replayed.items() for fault in one.faults]
    alive = {key for key, one in replayed.items() if not one.is_deleted}
    seen = set()
    for control in capture.controls():
        opaque = set(control.redactable) | set(control.ignored) | AUDIT
        for pk, values, seq, head in _rows(control, opaque):
            key = (control.record, pk)
            seen.add(key)
            said += _compared(key, (values, seq, head), replayed.get(key), opaque)
    said += [f"{key}: the trail has it and the table does not" for key in sorted(alive - seen)]
    return said


def _fold(one: Replayed, entry: dict[str, Any], body: bytes) -> None:
    number = len(one.versions) + 1
    if entry["record_seq"] != number:
        one.faults.append(f"entry {entry['record_seq']} comes where {number} should")
    if (entry["prev"] or "") != one.digest:
        one.faults.append(f"entry {number} does not name the digest of the one before")
    before = one.versions[-1] if one.versions else {}
    for name, old in entry["old"].items():
        if old != before.get(name) and old != {"c": None}:  # a commitment is not repeated
            one.faults.append(f"entry {number} says that {name} was {old}, not {before.get(name)}")
    one.is_deleted = entry["op"] == "delete"
    one.versions.append({**before, **entry["new"]})
    one.digest = hashlib.sha256(_TAG + body).hexdigest()


def _compared(
    key: tuple[str, str], live: tuple[dict[str, Any], int, str], one: Replayed | None,
    opaque: set[str],
) -> Iterator[str]:  # fmt: skip
    values, seq, head = live
    if one is None or one.is_deleted:
        yield f"{key}: the table has it and the trail does not"
        return
    expected = {name: value for name, value in one.values.items() if name not in opaque}
    if expected != values:
        names = sorted(
            name
            for name in expected.keys() | values.keys()
            if expected.get(name) != values.get(name)
        )
        yield f"{key}: {', '.join(names)} differ: {values} is not {expected}"
    if (seq, head) != (len(one.versions), one.digest):
        yield f"{key}: the row names entry {seq}, the trail's newest is {len(one.versions)}"


def _rows(control: Any, opaque: set[str]) -> Iterator[tuple[str, dict[str, Any], int, str]]:
    with connection.cursor() as cursor:
        cursor.execute(f'SELECT * FROM public."{control.table}"')
        names = [column.name for column in cursor.description]
        for row in cursor.fetchall():
            raw = dict(zip(names, row, strict=True))
            values = {
                name: _digest(value) if name in control.digest_only else rendered(value)
                for name, value in raw.items()
                if name not in opaque
            }
            yield str(raw[control.pk]), values, raw["audit_seq"], bytes(raw["audit_head"]).hex()


def rendered(value: Any) -> Any:
    """Write a value as entries do: exact text for everything that JSON has no exact form of."""
    match value:
        case None | bool() | str():
            return value
        case int():
            return value if abs(value) < 2**53 else str(value)
        case Decimal():
            return f"{value:f}"
        case datetime():
            return f"{value.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%f}Z"
        case date():
            return value.isoformat()
        case time():
            return f"{value:%H:%M:%S.%f}"
        case timedelta():
            return f"{Decimal(value // timedelta(microseconds=1)) / 10**6:.6f}"
        case UUID():
            return str(value)
        case bytes() | memoryview():
            return bytes(value).hex()
    return str(value)


def _digest(value: Any) -> Any:
    return None if value is None else "sha256:" + hashlib.sha256(str(value).encode()).hexdigest()
