"""Read the lines of a policy file strictly (C2SP tlog-policy: syntax and structure)."""

import re
from dataclasses import dataclass, field

from compliance.trail.tlog.keys import KeyInvalid, Verifier

NONE = "none"
MAX_BYTES = 1_000_000
# tlog-checkpoint and tlog-cosignature: what a log may sign with, and what a witness must.
LOG_TYPES = frozenset({0x01, 0x06})
WITNESS_TYPES = frozenset({0x04, 0x06})

_FOREIGN = re.compile(rb"[^\x09\x0a\x20-\x7e\x80-\xff]")
_SPACE = re.compile(r"[ \t]+")
_NUMBER = re.compile(r"[1-9][0-9]{0,8}")


class PolicyInvalid(ValueError):
    """Not a policy; says in which line, and why."""


@dataclass(frozen=True, slots=True)
class Log:
    """A log that is trusted to sign checkpoints of the origin that its key is named for."""

    verifier: Verifier
    url: str | None

    @property
    def origin(self) -> str:
        return self.verifier.name


@dataclass(frozen=True, slots=True)
class Witness:
    """A witness under its name in this policy, which means nothing elsewhere."""

    name: str
    verifier: Verifier
    url: str | None


@dataclass(frozen=True, slots=True)
class Group:
    """Members of which at least `threshold` must have witnessed."""

    name: str
    threshold: int
    members: tuple[str, ...]


@dataclass
class Found:
    """What the lines so far define."""

    logs: list[Log] = field(default_factory=list)
    witnesses: dict[str, Witness] = field(default_factory=dict)
    groups: dict[str, Group] = field(default_factory=dict)
    quorum: str = ""
    members: set[str] = field(default_factory=set)

    def defines(self, name: str) -> bool:
        return name in self.witnesses or name in self.groups


def read(content: str | bytes) -> Found:
    """Return what a file defines, or raise `PolicyInvalid`."""
    data = content.encode("utf-8", "surrogateescape") if isinstance(content, str) else content
    if len(data) > MAX_BYTES or _FOREIGN.search(data):
        raise PolicyInvalid("too long, or a control character other than tab and newline")
    if not data.endswith(b"\n"):
        raise PolicyInvalid("the last line does not end in a newline: is the file complete?")
    found = Found()
    # Names are opaque octets: whatever is no UTF-8 stays apart from everything that is.
    lines = data.decode("utf-8", "surrogateescape").split("\n")
    for number, line in enumerate(lines, start=1):
        words = _SPACE.split(line.strip(" \t"))
        if not words[0] or words[0].startswith("#"):
            continue
        try:
            _define(found, words)
        except (PolicyInvalid, KeyInvalid) as error:
            raise PolicyInvalid(f"line {number}: {error}") from error
    if not found.quorum:
        raise PolicyInvalid("there is no quorum line")
    return found


def shown(name: str) -> str:
    """Return a name for people, whatever octets it has."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _define(found: Found, words: list[str]) -> None:
    match words:
        case ["log", vkey, *url] if len(url) <= 1:
            found.logs.append(Log(_key(found, vkey, LOG_TYPES), url[0] if url else None))
        case ["witness", name, vkey, *url] if len(url) <= 1:
            verifier = _key(found, vkey, WITNESS_TYPES)
            found.witnesses[_fresh(found, name)] = Witness(name, verifier, url[0] if url else None)
        case ["group", name, count, *members] if members:
            threshold = _threshold(count, len(members))
            for member in members:
                _join(found, member)
            found.groups[_fresh(found, name)] = Group(name, threshold, tuple(members))
        case ["quorum", name]:
            if found.quorum:
                raise PolicyInvalid("a second quorum line")
            if name != NONE and not found.defines(name):
                raise PolicyInvalid(f"{shown(name)} is not defined above")
            found.quorum = name
        case _:
            raise PolicyInvalid(f"not a line that begins with {shown(words[0])!r}")


def _key(found: Found, vkey: str, types: frozenset[int]) -> Verifier:
    verifier = Verifier.parse(vkey)
    if verifier.algorithm not in types:
        raise PolicyInvalid(f"{verifier.name}: this type of key is not for this use")
    known = [
        *(log.verifier for log in found.logs),
        *(witness.verifier for witness in found.witnesses.values()),
    ]
    # The specification forbids it among logs and among witnesses; one key as both would let a
    # log vouch for itself.
    if any(one.public_key == verifier.public_key for one in known):
        raise PolicyInvalid(f"{verifier.name}: this public key is here already")
    if any((one.name, one.key_id) == (verifier.name, verifier.key_id) for one in known):
        raise PolicyInvalid(f"{verifier.name}: another key here has the same name and key ID")
    return verifier


def _fresh(found: Found, name: str) -> str:
    if name == NONE or found.defines(name):
        raise PolicyInvalid(f"the name {shown(name)} is taken")
    return name


def _threshold(count: str, members: int) -> int:
    if count in {"all", "any"}:
        return members if count == "all" else 1
    if not _NUMBER.fullmatch(count) or int(count) > members:
        raise PolicyInvalid(f"a group of {members} needs all, any or 1 to {members}")
    return int(count)


def _join(found: Found, member: str) -> None:
    if not found.defines(member):
        raise PolicyInvalid(f"{shown(member)} is not defined above")
    # Each name at most once, in all groups together: nobody counts in two ways.
    if member in found.members:
        raise PolicyInvalid(f"{shown(member)} is a member already")
    found.members.add(member)
