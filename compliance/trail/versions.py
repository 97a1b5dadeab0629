"""Say what a record was after any of its entries, and which entry set each field."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from compliance.refusals import Refused
from compliance.trail import differences, entry_text, timeline
from compliance.trail.differences import Difference
from compliance.trail.models import Entry
from compliance.trail.timeline import Asked

MOST = 10_000


class NotThere(Refused):
    """There is no such version of the record."""

    code = "no-such-version"
    status = 404


class TooLong(Refused):
    """A page would wait too long for this."""

    code = "history-too-long"
    status = 422


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """A field's value, with the entry that set it; `is_gone` when its body is not here."""

    field: str
    value: Any
    entry: Entry

    @property
    def shown(self) -> str:
        """The value as a page shows it."""
        if differences.is_commitment(self.value):
            return "protected"
        return "" if self.value is None else differences.shown(self.value)

    @property
    def is_empty(self) -> bool:
        return self.value is None


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """A record after one of its entries; no settings when that entry deleted it.

    `is_whole` is false when the bytes of an earlier entry are archived or gone.
    """

    entry: Entry
    settings: tuple[Setting, ...]
    is_deleted: bool = False
    is_whole: bool = True

    @property
    def values(self) -> dict[str, Any]:
        return {one.field: one.value for one in self.settings}


@dataclass(frozen=True, slots=True, kw_only=True)
class At:
    """Which version is asked for; the newest one when nothing is said.

    `number` is the record's own number of the entry, `size` a size of the log.
    """

    number: int | None = None
    entry_id: int | None = None
    size: int | None = None
    moment: datetime | None = None

    def covers(self, entry: Entry) -> bool:
        """Tell whether an entry was written at or before this."""
        return (
            (self.number is None or entry.record_seq <= self.number)
            and (self.entry_id is None or entry.entry_id <= self.entry_id)
            and (self.size is None or (entry.index is not None and entry.index < self.size))
            and (self.moment is None or entry.at <= self.moment)
        )


def as_of(record: str, record_id: str, at: At, *, most: int = MOST) -> Version:
    """Return the record as it was, or raise `NotThere` or `TooLong`."""
    found = version(_entries(record, record_id, most), at)
    if found is None:
        raise NotThere(f"{record} {record_id} has no entry at or before that")
    return found


def version(entries: Iterable[Entry], at: At) -> Version | None:
    """Return the last version that is covered, from a record's entries, the first one first."""
    settings: dict[str, Setting] = {}
    last: Entry | None = None
    is_whole = True
    for entry in entries:
        if not at.covers(entry):
            continue
        last = entry
        if entry.body is None:
            is_whole = False
            continue
        if entry.op in ("insert", "delete"):
            settings, is_whole = {}, True
        if entry.op != "delete":
            new = entry_text.members(entry.body)["new"]
            settings |= {
                name: Setting(field=name, value=value, entry=entry) for name, value in new.items()
            }
    if last is None:
        return None
    return Version(
        entry=last,
        settings=tuple(settings[name] for name in sorted(settings)),
        is_deleted=last.op == "delete",
        is_whole=is_whole,
    )


def compared(
    record: str, record_id: str, first: At, second: At, *, most: int = MOST
) -> tuple[Version, Version, list[Difference]]:
    """Return two versions of a record and how they differ."""
    entries = _entries(record, record_id, most)
    old, new = version(entries, first), version(entries, second)
    if old is None or new is None:
        raise NotThere(f"{record} {record_id} has no entry at or before one of the two")
    return old, new, differences.between(old.values, new.values)


def _entries(record: str, record_id: str, most: int) -> list[Entry]:
    found: list[Entry] = []
    for entry in timeline.through(Asked(record=record, record_id=record_id)):
        if len(found) == most:
            raise TooLong(
                f"{record} {record_id} has more than {most:,} entries; "
                "use `manage.py trail timeline`, which takes its time"
            )
        found.append(entry)
    return found[::-1]
