"""Read the body of an entry strictly: canonical bytes, exactly what an entry has (form v2).

Knows neither Django nor the database, and stands alone with `tlog`: `trail verify` and the
inspector's verifier read entries by this one form (docs/evidence-bundle.md, section 5).
"""

import json
from collections.abc import Mapping
from typing import Any

from compliance.trail.tlog import canonical, commitment, heads, shapes

VERSION = 2
ACT = {"acted_at", "action", "actor", "actor_id", "id", "reason", "role", "source"}
_MEMBERS = {
    "act", "after", "at", "log", "new", "old", "op", "prev", "record", "record_id", "record_seq",
    "v",
}  # fmt: skip
_OPERATIONS = frozenset(heads.OPERATIONS)


class EntryMalformed(ValueError):
    """The body is canonical JSON, and not the form of an entry."""


def parse(body: bytes) -> dict[str, Any]:
    """Return the members of an entry, or raise `NotCanonical` or `EntryMalformed`."""
    value = canonical.loads(body)
    try:
        members = shapes.members(value, _MEMBERS)
        shapes.version(members["v"], VERSION)
        _check_act(members["act"])
        _check_values(members)
        _check_operation(members)
    except shapes.Wrong as error:
        raise EntryMalformed(str(error)) from error
    return dict(members)


def guess(body: bytes) -> dict[str, Any]:
    """Return what can still be read of a body that `parse` refused; empty when nothing can."""
    try:
        members = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return members if isinstance(members, dict) else {}


def _check_act(value: object) -> None:
    act = shapes.members(value, ACT)
    for text in act.values():
        shapes.text(text)
    shapes.moment(act["acted_at"])


def _check_values(members: Mapping[str, Any]) -> None:
    shapes.moment(members["at"])
    shapes.text(members["log"])
    shapes.text(members["record"], filled=True)
    shapes.text(members["record_id"], filled=True)
    shapes.whole(members["record_seq"], least=1)
    for name in ("after", "prev"):
        if members[name] is not None:
            shapes.hex32(members[name])
    if not isinstance(members["op"], str) or members["op"] not in _OPERATIONS:
        raise shapes.Wrong("not an operation")
    if not all(isinstance(members[name], dict) for name in ("new", "old")):
        raise shapes.Wrong("new and old are objects")
    if any(map(commitment.is_named_only, members["new"].values())):
        raise shapes.Wrong("a new value is committed to, not only said to be")


def _check_operation(entry: Mapping[str, Any]) -> None:
    """Demand what an operation has and what it cannot have."""
    op, new, old = entry["op"], entry["new"], entry["old"]
    # In a log that continues another one, too: there a record's first entry here is no insert.
    is_first = entry["record_seq"] == 1
    if is_first != (op == "insert") or is_first != (entry["prev"] is None):
        raise shapes.Wrong("an insert is the first entry, and follows none")
    if (entry["after"] is not None) != (op == "update"):
        raise shapes.Wrong("after is of an update, and of nothing else")
    fits = {
        "insert": not old,
        "update": bool(new) and new.keys() == old.keys(),
        "delete": not new,
    }
    if not fits[op]:
        raise shapes.Wrong(f"new and old are not those of {op}")
