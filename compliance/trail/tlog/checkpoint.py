"""Write and read the body of a checkpoint: log, size and root (C2SP tlog-checkpoint)."""

import re
from dataclasses import dataclass
from typing import Self

from compliance.trail.tlog import merkle, octets

MAX_SIZE = 2**63 - 1

_LINE = re.compile(r"[^\x00-\x1f\ud800-\udfff]+")
_SIZE = re.compile(r"0|[1-9][0-9]{0,18}")


class CheckpointInvalid(ValueError):
    """Text or values that cannot be a checkpoint."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """The statement of a log about itself: so many leaves, under this root."""

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not all(_LINE.fullmatch(line) for line in (self.origin, *self.extensions)):
            raise CheckpointInvalid("a line is empty or has a control character")
        if not 0 <= self.size <= MAX_SIZE:
            raise CheckpointInvalid(f"no log has {self.size} leaves")
        if len(self.root) != merkle.HASH_SIZE:
            raise CheckpointInvalid("the root is not 32 bytes")
        if not self.size and self.root != merkle.EMPTY_ROOT:
            raise CheckpointInvalid("the root of an empty tree is SHA-256 of nothing")

    def text(self) -> str:
        """Return the body that is signed as a note."""
        lines = (self.origin, str(self.size), octets.to_base64(self.root), *self.extensions)
        return "\n".join(lines) + "\n"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read the body of a checkpoint, or raise `CheckpointInvalid`."""
        # Split at newlines only: splitlines() knows ten more.
        origin, *rest = text.split("\n")
        if len(rest) < 3 or rest.pop():
            raise CheckpointInvalid("a checkpoint is origin, size and root, each with a newline")
        size, root, *extensions = rest
        if not _SIZE.fullmatch(size):
            raise CheckpointInvalid(f"{size[:40]!r} is not a size")
        try:
            return cls(
                origin=origin,
                size=int(size),
                root=octets.from_base64(root),
                extensions=tuple(extensions),
            )
        except CheckpointInvalid:
            raise
        except ValueError as error:
            raise CheckpointInvalid(f"the root is {error}") from error
