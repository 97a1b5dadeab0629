"""Read the log as a feed of events: in its order, without a gap that is not accounted for."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import msgspec
from django.apps import apps
from django.db import connection
from django.db.backends.utils import CursorWrapper

from batches.exchange.models import Source
from compliance.access.authority import Principal
from compliance.access.models import Device, User
from compliance.refusals import Refused
from compliance.trail import stored

MOST_SCANNED = 10_000
TYPE = "gmp."
_CURSOR = re.compile(r"([1-9][0-9]{0,4})\.(0|[1-9][0-9]{0,17})", re.ASCII)
_LEAVES = (
    "SELECT l.idx, e.body, e.digest FROM audit.leaf l "
    "LEFT JOIN audit.entry e ON e.entry_id = l.entry_id "
    "WHERE l.log_id = %s AND l.idx >= %s AND l.idx < %s ORDER BY l.idx"
)
# Rooms whose records every reader of the API may read; the others are withheld from devices.
_ROOMS = ("batches.", "compliance.quality")
# Of exchange itself a device reads what is its own.
_BY_SOURCE = frozenset({"exchange_sourcerecord", "exchange_gap"})


class CursorInvalid(Refused):
    """The cursor names no place in the log."""

    code = "cursor-invalid"
    status = 422


@dataclass(frozen=True)
class Filter:
    """Which events are asked for; nothing means all."""

    kinds: Sequence[str] = ()
    record: str = ""

    def takes(self, type_: str, subject: str) -> bool:
        if self.record and self.record != subject:
            return False
        return not self.kinds or any(
            type_ == kind or type_.startswith(f"{kind.removesuffix('.')}.") for kind in self.kinds
        )


@dataclass(frozen=True)
class Reader:
    """Who reads: a person who may see entries sees all; a device what its API shows it."""

    sees_all: bool
    device_id: int | None = None
    source_ids: frozenset[int] = frozenset()

    def may_read(self, entry: dict[str, Any]) -> bool:
        table = entry["record"]
        if self.sees_all:
            return True
        if table not in _open_tables() or self.device_id is None:
            return False
        said = {**entry["old"], **entry["new"]}
        match table:
            case "exchange_receipt":
                return bool(said.get("sender") == f"device:{self.device_id}")
            case "exchange_source":
                return int(entry["record_id"]) in self.source_ids
            case _ if table in _BY_SOURCE:
                # An update names only what changed, so the record itself is asked whose it is.
                return _source_of(table, entry, said) in self.source_ids
        return not table.startswith("exchange_")


@dataclass
class Page:
    """Events in order; with what was left out, they add up to the leaves `first` to `last`."""

    cursor: str
    events: list[dict[str, Any]] = field(default_factory=list)
    first: int | None = None
    last: int | None = None
    filtered: int = 0
    withheld: int = 0
    unavailable: int = 0
    tree_size: int = 0
    has_more: bool = False


def reader(caller: Principal) -> Reader:
    """Return what a person or a device may read of the feed."""
    if isinstance(caller, Device):
        own = Source.objects.filter(device=caller).values_list("pk", flat=True)
        return Reader(sees_all=False, device_id=caller.pk, source_ids=frozenset(own))
    return Reader(sees_all=isinstance(caller, User) and caller.has_perm("trail.view_entry"))


def end() -> str:
    """Return the cursor behind what is sealed now."""
    with connection.cursor() as cursor:
        log = stored.current(cursor, stored.LOG_ID)
        size = stored.state(cursor, log_id=log.log_id).size
    return f"{log.log_id}.{size - 1}" if size else ""


def read(after: str, *, limit: int, wanted: Filter, by: Reader) -> Page:
    """Return up to `limit` events that follow a cursor, of up to 10,000 leaves.

    Only what is sealed is told: its order never changes, and nothing comes in between later.
    """
    with connection.cursor() as cursor:
        log_id, start = _place(cursor, after)
        logs = {one.log_id: one for one in stored.described(cursor)}
        size = stored.state(cursor, log_id=log_id).size
        if start > size:
            raise CursorInvalid(f"the log has {size} leaves; {after} is beyond its end")
        following = logs[log_id].closed_by
        if start == size and following is not None:
            log_id, start = following, 0
            size = stored.state(cursor, log_id=log_id).size
        page = Page(after, tree_size=size)
        until = min(size, start + MOST_SCANNED)
        for index, event in _events(
            cursor, log_id, range(start, until), page=page, wanted=wanted, by=by
        ):
            page.first = index if page.first is None else page.first
            page.last = index
            page.cursor = f"{log_id}.{index}"
            if event is not None:
                page.events.append({**event, "source": logs[log_id].origin})
                if len(page.events) == limit:
                    break
    page.has_more = page.last is not None and page.last + 1 < size
    return page


def _place(cursor: CursorWrapper, after: str) -> tuple[int, int]:
    if not after:
        return stored.LOG_ID, 0
    found = _CURSOR.fullmatch(after)
    if found is None:
        raise CursorInvalid(f"“{after[:40]}” is no cursor: give the id of the last event, or none")
    log_id = int(found[1])
    if log_id not in stored.logs(cursor):
        raise CursorInvalid(f"there is no log {log_id} here")
    return log_id, int(found[2]) + 1


def _events(
    cursor: CursorWrapper, log_id: int, leaves: range, *, page: Page, wanted: Filter, by: Reader
) -> Iterator[tuple[int, dict[str, Any] | None]]:
    """Yield each leaf's index with its event, or None for one that is counted as left out."""
    step = 500
    for first in range(leaves.start, leaves.stop, step):
        cursor.execute(_LEAVES, [log_id, first, min(first + step, leaves.stop)])
        for index, body, digest in cursor.fetchall():
            if body is None:
                page.unavailable += 1
                yield index, None
                continue
            entry = msgspec.json.decode(bytes(body))
            type_ = f"{TYPE}{entry['record']}.{entry['op']}"
            subject = f"{entry['record']}/{entry['record_id']}"
            if not by.may_read(entry):
                page.withheld += 1
                yield index, None
            elif not wanted.takes(type_.removeprefix(TYPE), subject):
                page.filtered += 1
                yield index, None
            else:
                yield (
                    index,
                    {
                        "specversion": "1.0",
                        "id": f"{log_id}.{index}",
                        "type": type_,
                        "subject": subject,
                        "time": entry["at"],
                        "datacontenttype": "application/json",
                        "sequence": f"{index:020d}",
                        "data": _data(entry, digest),
                    },
                )


def _data(entry: dict[str, Any], digest: bytes) -> dict[str, Any]:
    """Return what a CloudEvent (1.0.2, JSON format) carries of an entry."""
    act = entry["act"]
    return {
        "record": entry["record"],
        "record_id": entry["record_id"],
        "record_seq": entry["record_seq"],
        "op": entry["op"],
        "act": act["id"],
        "action": act["action"],
        "acted_at": act["acted_at"],
        "actor": act["actor"],
        "role": act["role"],
        "reason": act["reason"],
        "old": entry["old"],
        "new": entry["new"],
        "entry_digest": bytes(digest).hex(),
    }


@cache
def _open_tables() -> frozenset[str]:
    return frozenset(
        model._meta.db_table
        for config in apps.get_app_configs()
        if config.name.startswith(_ROOMS)
        for model in config.get_models(include_auto_created=True)
    )


def _source_of(table: str, entry: dict[str, Any], said: dict[str, Any]) -> int | None:
    if "source_id" in said:
        return int(said["source_id"])
    model = next(one for one in apps.get_app_config("exchange").get_models()
                 if one._meta.db_table == table)  # fmt: skip
    found = model._default_manager.filter(pk=entry["record_id"]).values_list("source_id", flat=True)
    return found.first()
