"""Read an entry's body as the application has it: as text that may be damaged."""

import json
from typing import Any

from compliance.refusals import Refused


class EntryUnreadable(Refused):
    """The stored bytes of an entry are none: `trail verify` names it."""

    code = "entry-unreadable"


def members(body: str) -> dict[str, Any]:
    """Return what an entry says; raise `EntryUnreadable` when it is none."""
    try:
        found = json.loads(body)
        is_entry = isinstance(found["old"], dict) and isinstance(found["new"], dict)
        is_entry &= isinstance(found["op"], str) and isinstance(found["act"], dict)
    except (ValueError, LookupError, TypeError, RecursionError):
        is_entry = False
    if not is_entry:
        raise EntryUnreadable(f"an entry cannot be read, run `trail verify`: {body[:80]}")
    return dict(found)
