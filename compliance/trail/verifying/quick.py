"""Accept bodies that are surely in order, thousands at a time; whatever else is looked at slowly."""

import re
from collections.abc import Callable
from typing import Annotated, Literal, TypeAlias

import msgspec
from msgspec import Meta, Raw, Struct, defstruct

from compliance.trail.tlog import canonical
from compliance.trail.verifying import source

_KEY = re.compile(r"[A-Za-z0-9_.-]+")
# Moments that surely exist; the 29th of February is for the strict reader.
_TIME = re.compile(
    r"[1-9][0-9]{3}-(?:(?:0[1-9]|1[0-2])-(?:0[1-9]|1[0-9]|2[0-8])|(?:0[13-9]|1[0-2])-(?:29|30)"
    r"|(?:0[13578]|1[02])-31)T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]\.[0-9]{6}Z"
)
Whole: TypeAlias = Annotated[int, Meta(ge=-canonical.MAX_INTEGER, le=canonical.MAX_INTEGER)]


# Members in canonical order: what is written again has the bytes that were read, or was not
# canonical. Escapes of msgspec are those of RFC 8785 (a test compares all of them).
class Act(Struct, forbid_unknown_fields=True, gc=False):
    acted_at: str
    action: str
    actor: str
    actor_id: str
    id: str
    reason: str
    role: str
    source: str


class Commitment(Struct, forbid_unknown_fields=True, gc=False):
    c: str


class NamedOnly(Struct, forbid_unknown_fields=True, gc=False):
    c: str | None  # null: the entry before has the commitment


New: TypeAlias = dict[str, bool | Whole | str | Commitment | None]
Old: TypeAlias = dict[str, bool | Whole | str | NamedOnly | None]
Filled: TypeAlias = Annotated[str, Meta(min_length=1)]


class Body(Struct, forbid_unknown_fields=True, gc=False):
    act: Raw  # read once for all entries that have it
    after: str | None
    at: str
    log: str
    new: New
    old: Old
    op: Literal["insert", "update", "delete"]
    prev: str | None
    record: Filled
    record_id: Filled
    record_seq: Annotated[int, Meta(ge=1, le=canonical.MAX_INTEGER)]
    v: Literal[2]


class Reader:
    """Reads the bodies of one log; remembers which sets of members it has seen to be in order."""

    def __init__(self, origin: str) -> None:
        own = defstruct(
            "OwnBody",
            [("log", Literal[origin])],  # made for one log
            bases=(Body,), forbid_unknown_fields=True, gc=False,
        )  # fmt: skip
        self._decode: Callable[[bytes], list[Body]] = msgspec.json.Decoder(own).decode_lines  # type: ignore[assignment]
        self._encode = msgspec.json.Encoder().encode_lines
        self._decode_act = msgspec.json.Decoder(Act).decode
        self._known: set[tuple[str, ...]] = {()}

    def read(self, lines: bytes, count: int) -> tuple[list[Body], list[str]] | None:
        """Return the bodies, one a line, and what the search columns show of the act of each.

        Return nothing when one is not surely in order.
        """
        try:
            bodies = self._decode(lines)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return None
        written = self._encode(bodies)  # with a last line end; compared without copying megabytes
        if len(bodies) != count or len(written) != len(lines) + 1 or not written.startswith(lines):
            return None
        shapes = {tuple(body.new) for body in bodies}
        shapes |= {tuple(body.old) for body in bodies if body.old}
        if not all(self._is_ordered(shape) for shape in shapes - self._known):
            return None
        acts = self._acts(bodies) if all(map(_fits, bodies)) else None
        return None if acts is None else (bodies, acts)

    def _acts(self, bodies: list[Body]) -> list[str] | None:
        texts = [bytes(body.act) for body in bodies]
        known: dict[bytes, str] = {}
        try:
            for text in set(texts):
                act = self._decode_act(text)
                if msgspec.json.encode(act) != text or not _TIME.fullmatch(act.acted_at):
                    return None
                known[text] = source.UNIT.join(
                    (act.id, act.action, act.actor, act.role, act.reason, act.source)
                )
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return None
        return [known[text] for text in texts]

    def _is_ordered(self, names: tuple[str, ...]) -> bool:
        if list(names) != sorted(names) or not all(map(_KEY.fullmatch, names)):
            return False
        if len(self._known) < 10_000:  # updates change any set of columns
            self._known.add(names)
        return True


def _fits(body: Body) -> bool:
    """Say whether an entry has what its operation has (`entry_form` says it in words)."""
    if body.op == "insert":
        return body.record_seq == 1 and body.prev is None and body.after is None and not body.old
    if body.record_seq == 1 or body.prev is None:
        return False
    if body.op == "delete":
        return body.after is None and not body.new
    return body.after is not None and bool(body.new) and body.new.keys() == body.old.keys()


def digests(values: list[str]) -> bytes | None:
    """Return the bytes of hexadecimal SHA-256 digests, joined; nothing when one is none."""
    joined = "".join(values)
    if set(map(len, values)) - {64}:
        return None
    try:
        octets = bytes.fromhex(joined)
    except ValueError:
        return None
    # fromhex allows capitals and spaces, which have no place here
    return octets if octets.hex() == joined else None


def new_of(body: bytes) -> bytes:
    """Return the bytes of `new` of an insertion that was read."""
    # Quotes within texts are escaped, so the first `,"new":` and the last `,"old":` are members.
    return body[body.index(b',"new":') + 7 : body.rindex(b',"old":')]
