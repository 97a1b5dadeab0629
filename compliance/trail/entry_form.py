"""Read the body of an entry strictly: canonical bytes, exactly the members of an entry."""

import json
from typing import Any

from compliance.trail.tlog import canonical

ACT = {"acted_at", "action", "actor", "actor_id", "id", "reason", "role", "source"}
_TEXTS = {"at", "log", "op", "record", "record_id"}
_MEMBERS = _TEXTS | {"act", "after", "new", "old", "prev", "record_seq", "v"}
_OPERATIONS = {"insert", "update", "delete"}


class EntryMalformed(ValueError):
    """The body is canonical JSON, and not the form of an entry."""


def parse(body: bytes) -> dict[str, Any]:
    """Return the members of an entry, or raise `NotCanonical` or `EntryMalformed`."""
    members = canonical.loads(body)
    if not isinstance(members, dict) or members.keys() != _MEMBERS:
        raise EntryMalformed("not the members of an entry")
    if (
        not all(isinstance(members[name], str) for name in _TEXTS)
        or members["v"] != 2
        or not isinstance(members["act"], dict)
        or members["act"].keys() != ACT
        or not all(isinstance(one, str) for one in members["act"].values())
        or members["op"] not in _OPERATIONS
        or type(members["record_seq"]) is not int
        or not isinstance(members["new"], dict)
        or not isinstance(members["old"], dict)
        or not all(_is_digest(members[name]) for name in ("after", "prev"))
    ):
        raise EntryMalformed("a member has a value that no entry has")
    return dict(members)


def guess(body: bytes) -> dict[str, Any]:
    """Return what can still be read of a body that `parse` refused; empty when nothing can."""
    try:
        members = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return members if isinstance(members, dict) else {}


def _is_digest(value: object) -> bool:
    if value is None:
        return True
    if not isinstance(value, str) or len(value) != 64:
        return False
    return all(digit in "0123456789abcdef" for digit in value)
