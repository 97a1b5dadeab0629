"""Write and read the body of `add-checkpoint`: what a log sends a witness (C2SP tlog-witness)."""

import re
from dataclasses import dataclass
from typing import Self

from compliance.trail.tlog import checkpoint, merkle, octets

MAX_STEPS = 63
SIZE_TYPE = "text/x.tlog.size"

_OLD = re.compile(r"old (0|[1-9][0-9]{0,18})")
_SIZE = re.compile(rb"(0|[1-9][0-9]{0,18})\n")


class RequestInvalid(ValueError):
    """Not the body of a request to a witness, or not its answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AddCheckpoint:
    """A checkpoint with the proof that it continues the one of `old` leaves."""

    old: int
    steps: tuple[bytes, ...]
    note: str

    def __post_init__(self) -> None:
        if not 0 <= self.old <= checkpoint.MAX_SIZE:
            raise RequestInvalid(f"no log has {self.old} leaves")
        if len(self.steps) > MAX_STEPS or any(len(one) != merkle.HASH_SIZE for one in self.steps):
            raise RequestInvalid("a consistency proof is at most 63 hashes of 32 bytes")

    def text(self) -> str:
        """Return the body of the request."""
        lines = [f"old {self.old}", *(octets.to_base64(one) for one in self.steps)]
        return "\n".join(lines) + "\n\n" + self.note

    @classmethod
    def parse(cls, body: bytes) -> Self:
        """Read the body of a request, or raise `RequestInvalid`."""
        try:
            head, blank, signed = body.decode().partition("\n\n")
        except UnicodeDecodeError as error:
            raise RequestInvalid("not UTF-8") from error
        first, *lines = head.split("\n")
        match = _OLD.fullmatch(first)
        if not blank or match is None or len(lines) > MAX_STEPS:
            raise RequestInvalid("not an old size, at most 63 hashes, an empty line and a note")
        try:
            steps = tuple(octets.from_base64(line) for line in lines)
        except ValueError as error:
            raise RequestInvalid(f"a line of the proof is {error}") from error
        return cls(old=int(match[1]), steps=steps, note=signed)


def parse_size(body: bytes) -> int:
    """Read the size that a witness answers with 409, or raise `RequestInvalid`."""
    match = _SIZE.fullmatch(body)
    if match is None or int(match[1]) > checkpoint.MAX_SIZE:
        raise RequestInvalid("not a size and a newline")
    return int(match[1])
