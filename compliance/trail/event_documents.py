"""Read what a log event says: each kind has members of its own, and nothing else is believed."""

import re
from collections.abc import Callable, Mapping
from pathlib import PurePath
from typing import Any

from compliance.trail.tlog import canonical, shapes
from compliance.trail.verifier import documents
from compliance.trail.verifier.documents import Documents

Read = Callable[[object], object]


class EventMalformed(ValueError):
    """The document of a log event is not what the product writes; says what is wrong with it."""


def parse(kind: str, text: str) -> dict[str, Any]:
    """Return the members of an event's document, or raise `EventMalformed`."""
    if kind not in _MEMBERS:
        raise EventMalformed(f"the product writes no log event of kind {kind[:40]!r}")
    own = _MEMBERS[kind]
    try:
        value = shapes.members(canonical.loads(text.encode()), own, more=True)
        for name, read in own.items():
            _member(name, read, value[name])
        if kind == "release-hold" and "event" in value:  # earlier versions named no event
            _member("event", shapes.whole, value["event"])
        documents.keep(Documents(), 0, kind, text)
        if kind == "archive" and value["start"] >= value["end"]:
            raise shapes.Wrong("it holds no leaf")
    except (*documents.UNREADABLE, UnicodeError) as error:
        raise EventMalformed(str(error)) from error
    return dict(value)


def _member(name: str, read: Read, value: object) -> None:
    try:
        read(value)
    except shapes.Wrong as error:
        raise shapes.Wrong(f"{name}: {error}") from error


def _first(value: object) -> None:
    shapes.version(value, 1)


def _hexadecimal(value: object) -> None:
    """Demand the bytes of a hash, of whatever length."""
    if not re.fullmatch("(?:[0-9a-f]{2}){16,}", shapes.text(value)):
        raise shapes.Wrong("not lower-case hexadecimal digits")


def _filled(value: object) -> str:
    return shapes.text(value, filled=True)


def _file(value: object) -> str:
    """Return the name of a file that is in its folder and nowhere else."""
    name = shapes.text(value, filled=True)
    if PurePath(name).name != name or "\0" in name or name == "..":
        raise shapes.Wrong("not the name of a file")
    return name


def _texts(value: object) -> list[str]:
    return [shapes.text(one) for one in shapes.array(value)]


def _persons(value: object) -> None:
    found = [shapes.members(one, ("name", "reason")) for one in shapes.array(value)]
    names = {" ".join(_filled(one["name"]).split()).casefold() for one in found}
    if len(found) != 2 or len(names - {""}) != 2:
        raise shapes.Wrong("not two different persons")
    for one in found:
        _filled(one["reason"])


def _flag(value: object) -> None:
    if not isinstance(value, bool):
        raise shapes.Wrong("neither true nor false")


def _anything(value: object) -> None:
    """Leave it to whoever shows it."""


# What the readers of the product ask for; kinds that `documents` reads have the rest there.
_MEMBERS: Mapping[str, Mapping[str, Read]] = {
    "archive": {
        "v": _first, "origin": _filled, "start": shapes.whole, "end": shapes.whole,
        "subtree_root": shapes.hex32, "sha256": shapes.hex32, "file": _file,
    },
    "child": {
        "v": _first, "origin": _filled, "size": shapes.whole, "root": shapes.hex32,
        "note_sha256": shapes.hex32,
    },
    "ddl": {"v": _first, "by": shapes.text, "command": _filled, "kind": shapes.text,
            "object": shapes.text, "query_sha256": shapes.hex32},
    "detach": {"v": _first, "partition": shapes.whole, "persons": _persons},
    "evidence": {"v": _first, "subject": _anything, "tree_size": shapes.whole,
                 "sha256": shapes.hex32},
    "hold": {"v": _first, "hold": _filled},
    "key": {"signed_by": _filled, "vkey": _filled, "event": _filled},
    "log": {"v": _first, "origin": _filled, "is_parent": _flag, "keys": _texts},
    "origin": {
        "v": _first, "old_origin": _filled, "old_checkpoint": shapes.text, "lost_logs": _texts,
        "lost_from": shapes.whole, "lost_to": shapes.whole, "persons": _persons,
    },
    "recovery": {"v": _first, "origin": _filled, "from": shapes.whole, "to": shapes.whole,
                 "root": shapes.hex32},
    "redactable": {"v": _first},
    "redaction": {"v": _first},
    "rehash": {
        "v": _first, "algorithm": _filled, "old_origin": _filled, "new_origin": _filled,
        "size": shapes.whole, "root": _hexadecimal,
    },
    "release-hold": {"v": _first, "hold": _filled},
    "seal": {"v": _first},
    "timestamp": {"v": _first, "note_sha256": shapes.hex32},
    "verification": {"v": _first, "size": shapes.whole, "root": shapes.hex32,
                     "faults": shapes.whole},
}  # fmt: skip
