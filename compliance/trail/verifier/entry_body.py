"""Read the body of an entry strictly: canonical bytes, exactly the members of an entry (form v2)."""

from collections.abc import Mapping
from typing import Any

from compliance.trail.tlog import canonical, heads
from compliance.trail.verifier import shapes

VERSION = 2
_MEMBERS = (
    *("act", "after", "at", "log", "new", "old", "op", "prev", "record", "record_id"),
    *("record_seq", "v"),
)
_ACT = ("acted_at", "action", "actor", "actor_id", "id", "reason", "role", "source")


class BodyInvalid(ValueError):
    """Bytes that are no body of an entry; says why."""


def parse(body: bytes) -> Mapping[str, Any]:
    """Return the members of an entry, or raise `BodyInvalid`."""
    try:
        members = shapes.members(canonical.loads(body), _MEMBERS)
        shapes.version(members["v"], VERSION)
        _check_act(members["act"])
        shapes.moment(members["at"])
        shapes.text(members["log"])
        shapes.text(members["record"], filled=True)
        shapes.text(members["record_id"], filled=True)
        shapes.whole(members["record_seq"], least=1)
        for name in ("after", "prev"):
            if members[name] is not None:
                shapes.hex32(members[name])
        if members["op"] not in tuple(heads.OPERATIONS):
            raise shapes.Wrong("not an operation")
        if not all(isinstance(members[name], dict) for name in ("new", "old")):
            raise shapes.Wrong("new and old are objects")
        _check_operation(members)
    except (canonical.NotCanonical, shapes.Wrong) as error:
        raise BodyInvalid(str(error)) from error
    return members


def _check_act(value: object) -> None:
    act = shapes.members(value, _ACT)
    for name in _ACT:
        shapes.text(act[name])
    shapes.moment(act["acted_at"])


def _check_operation(entry: Mapping[str, Any]) -> None:
    """Demand what an operation has and what it cannot have."""
    op, new, old = entry["op"], entry["new"], entry["old"]
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
