"""Read what the log says about itself: time-stamps, seals, redactions, erasable paths, its origin."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from compliance.trail.tlog import canonical, heads, shapes
from compliance.trail.verifier.entries_check import Seen
from compliance.trail.verifier.findings import Verdict

TABLE = "trail_logevent"
VERSION = 1
UNREADABLE = (canonical.NotCanonical, shapes.Wrong, heads.HeadsInvalid)


@dataclass(frozen=True, slots=True)
class Stamp:
    """A time-stamp token that was put back into the log."""

    size: int
    sha256: bytes


@dataclass(frozen=True, slots=True)
class Redaction:
    """An erased value, and who decided to erase it."""

    index: int
    path: str
    legal_basis: str
    persons: tuple[str, str]


@dataclass(frozen=True, slots=True)
class Seal:
    """The list of record heads at a tree size."""

    tree_size: int
    buckets: int
    records: int
    keys: int
    root: bytes
    chain: bytes


@dataclass(frozen=True, slots=True)
class OldLog:
    """The log that this one continues, as it was closed."""

    origin: str
    size: int
    root: bytes
    chain: bytes


@dataclass(slots=True)
class Documents:
    """All documents in the bundle, by the index of their entries, ascending."""

    keys: dict[int, str] = field(default_factory=dict)
    stamps: dict[int, Stamp] = field(default_factory=dict)
    redactions: dict[int, Redaction] = field(default_factory=dict)
    redactable: dict[int, frozenset[str]] = field(default_factory=dict)
    seals: dict[int, Seal] = field(default_factory=dict)
    origins: dict[int, OldLog] = field(default_factory=dict)

    @property
    def continues(self) -> OldLog | None:
        """The log that this one continues: its first entry says so, and no later one can."""
        return self.origins.get(0)

    def may_redact(self, path: str, index: int) -> bool:
        """Say whether a path was erasable when an entry was written."""
        before = [number for number in self.redactable if number < index]
        return bool(before) and path in self.redactable[max(before)]


def read(seen: Iterable[Seen]) -> Documents:
    """Return the documents of sound entries; a wrong one gets its problem."""
    found = Documents()
    for one in seen:
        if not one.is_sound or one.members is None or one.members["record"] != TABLE:
            continue
        new = one.members["new"]
        if one.members["op"] != "insert" or not all(
            isinstance(new.get(name), str) for name in ("kind", "document")
        ):
            one.add(Verdict.NONCANONICAL, "not what the log writes about itself")
            continue
        try:
            keep(found, one.index, new["kind"], new["document"])
        except UNREADABLE as error:
            one.add(Verdict.NONCANONICAL, f"the document about {new['kind']}: {error}")
    return found


def old_log(members: Mapping[str, Any]) -> OldLog | None:
    """Return the log that an entry says is continued; raise as `tlog` does for another form."""
    new = members["new"]
    if (members["record"], members["op"], new.get("kind")) != (TABLE, "insert", "origin"):
        return None
    return _old_log(canonical.loads(shapes.text(new.get("document")).encode()))


def keep(found: Documents, index: int, kind: str, document: str) -> None:
    """Keep what the log says in an entry, or raise one of `UNREADABLE`."""
    if kind == "key":  # read with the keys that are trusted
        found.keys[index] = document
        return
    if kind not in _READERS:
        return
    value = canonical.loads(document.encode())
    shapes.version(shapes.members(value, ("v",), more=True)["v"], VERSION)
    _READERS[kind](found, index, value)


def _stamp(found: Documents, index: int, value: Any) -> None:
    members = shapes.members(value, ("size", "token_sha256"), more=True)
    digest = shapes.hex32(members["token_sha256"])
    found.stamps[index] = Stamp(shapes.whole(members["size"]), digest)


def _redaction(found: Documents, index: int, value: Any) -> None:
    found.redactions[index] = redaction(value)


def redaction(value: Any) -> Redaction:
    """Return the redaction that a document tells of, or raise `Wrong`."""
    members = shapes.members(value, ("index", "legal_basis", "path", "persons"), more=True)
    persons = [shapes.text(one, filled=True) for one in shapes.array(members["persons"])]
    if len(persons) != 2 or persons[0] == persons[1]:
        raise shapes.Wrong("two different persons decide on a redaction")
    return Redaction(
        index=shapes.whole(members["index"]),
        path=shapes.text(members["path"]),
        legal_basis=shapes.text(members["legal_basis"], filled=True),
        persons=(persons[0], persons[1]),
    )


def _redactable(found: Documents, index: int, value: Any) -> None:
    members = shapes.members(value, ("paths",), more=True)
    paths = [shapes.text(one) for one in shapes.array(members["paths"])]
    shapes.ascending(paths, "paths")
    found.redactable[index] = frozenset(paths)


def _seal(found: Documents, index: int, value: Any) -> None:
    names = ("buckets", "chain", "clock", "keys", "records", "root", "tree_size", "xmin")
    members = shapes.members(value, names, more=True)
    shapes.text(members["xmin"])
    shapes.members(members["clock"], (), more=True)
    heads.bits_of(shapes.whole(members["buckets"], least=1))
    found.seals[index] = Seal(
        tree_size=shapes.whole(members["tree_size"]),
        buckets=members["buckets"],
        records=shapes.whole(members["records"]),
        keys=shapes.whole(members["keys"]),
        root=shapes.hex32(members["root"]),
        chain=shapes.hex32(members["chain"]),
    )


def _origin(found: Documents, index: int, value: Any) -> None:
    found.origins[index] = _old_log(value)


def _old_log(value: Any) -> OldLog:
    names = ("closed_chain", "closed_root", "closed_size", "old_origin")
    members = shapes.members(value, names, more=True)
    return OldLog(
        origin=shapes.text(members["old_origin"], filled=True),
        size=shapes.whole(members["closed_size"]),
        root=shapes.hex32(members["closed_root"]),
        chain=shapes.hex32(members["closed_chain"]),
    )


_READERS: Mapping[str, Callable[[Documents, int, Any], None]] = {
    "timestamp": _stamp,
    "redaction": _redaction,
    "redactable": _redactable,
    "seal": _seal,
    "origin": _origin,
}
