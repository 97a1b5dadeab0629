"""Read a record's history: what each entry changed, and what the record was at any number."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from compliance.trail.models import Entry


@dataclass(frozen=True)
class Change:
    """One column that an entry changed; None stands for no value."""

    field: str
    old: Any
    new: Any


def changes(entry: Entry) -> list[Change]:
    """Return what an entry changed, by column."""
    members = json.loads(entry.body)
    old, new = members["old"], members["new"]
    return [Change(name, old.get(name), new.get(name)) for name in sorted(old.keys() | new.keys())]


def state_at(entries: Iterable[Entry], seq: int) -> dict[str, Any] | None:
    """Return a record's columns after its entry `seq`, or None when it was not there then.

    `entries` are those of one record, the first one first (`Entry.objects.of_record`).
    """
    state: dict[str, Any] | None = None
    for entry in entries:
        if entry.record_seq > seq:
            break
        new = json.loads(entry.body)["new"]
        state = None if entry.op == "delete" else {**(state or {}), **new}
    return state
