"""Write, read and verify self-contained proofs that an entry is in a log (C2SP tlog-proof)."""

import re
from dataclasses import dataclass
from typing import Self

from compliance.trail.tlog import checkpoint, merkle, note, octets, policy
from compliance.trail.tlog.checkpoint import Checkpoint
from compliance.trail.tlog.policy import Policy, Verdict

HEADER = "c2sp.org/tlog-proof@v1"
SUFFIX = ".tlog-proof"
MAX_STEPS = 63  # a tree has at most 2**63 - 1 leaves
MAX_EXTRA_BYTES = 256 * 1024
MAX_BYTES = note.MAX_BYTES + 2 * MAX_EXTRA_BYTES

_INDEX = re.compile(r"index (0|[1-9][0-9]{0,18})")
_EXTRA = "extra "


class ProofFileInvalid(ValueError):
    """Not the form of a proof file, or values that cannot be one."""


class ProofRefused(Exception):
    """A proof file in good form that does not prove what it is for; says which part failed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProofFile:
    """The place of one entry, its path to the root, and the checkpoint that signs the root.

    `extra` is authenticated by nothing: nobody may trust it for what it says.
    """

    index: int
    steps: tuple[bytes, ...]
    checkpoint: str
    extra: bytes | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.index < checkpoint.MAX_SIZE:
            raise ProofFileInvalid(f"{self.index} is no index of an entry")
        if len(self.steps) > MAX_STEPS or any(len(one) != merkle.HASH_SIZE for one in self.steps):
            raise ProofFileInvalid("an inclusion proof is at most 63 hashes of 32 bytes")
        if self.extra is not None and not 0 < len(self.extra) <= MAX_EXTRA_BYTES:
            raise ProofFileInvalid("extra data is left out when empty, and has at most 256 KiB")
        try:
            text, _ = note.split(self.checkpoint)
            Checkpoint.parse(text)
        except (note.NoteInvalid, checkpoint.CheckpointInvalid) as error:
            raise ProofFileInvalid(f"the checkpoint: {error}") from error

    def text(self) -> str:
        """Return the content of the file."""
        lines = [HEADER]
        if self.extra is not None:
            lines.append(_EXTRA + octets.to_base64(self.extra))
        lines.append(f"index {self.index}")
        lines.extend(octets.to_base64(one) for one in self.steps)
        return "\n".join(lines) + "\n\n" + self.checkpoint

    @classmethod
    def parse(cls, content: str | bytes) -> Self:
        """Read a file in its one form, or raise `ProofFileInvalid`."""
        head, blank, signed = _decoded(content).partition("\n\n")
        lines = head.split("\n")
        if not blank or lines.pop(0) != HEADER:
            raise ProofFileInvalid(f"not {HEADER}, lines, an empty line and a checkpoint")
        try:
            extra = None
            if lines and lines[0].startswith(_EXTRA):
                extra = octets.from_base64(lines.pop(0).removeprefix(_EXTRA))
            match = _INDEX.fullmatch(lines.pop(0)) if lines else None
            steps = tuple(octets.from_base64(line) for line in lines[: MAX_STEPS + 1])
        except ValueError as error:
            raise ProofFileInvalid(str(error)) from error
        if match is None or len(lines) > MAX_STEPS:
            raise ProofFileInvalid("not an index line and at most 63 hashes")
        return cls(index=int(match[1]), steps=steps, checkpoint=signed, extra=extra)

    def verify(self, *, leaf_hash: bytes, policy: Policy, latest: int | None = None) -> Verdict:
        """Return who vouches for this leaf at this index, or raise `ProofRefused`.

        `latest`, POSIX seconds, is the time after which a cosignature cannot have been made.
        """
        verdict = self._weigh(policy, latest)
        if not verdict.is_met:
            raise ProofRefused(verdict.shortfall)
        signed = verdict.checkpoint
        try:
            merkle.verify_inclusion(leaf_hash, self.index, signed.size, self.steps, signed.root)
        except merkle.ProofInvalid as error:
            raise ProofRefused(str(error)) from error
        return verdict

    def _weigh(self, trusted: Policy, latest: int | None) -> Verdict:
        try:
            return trusted.weigh(self.checkpoint, latest=latest)
        except policy.NotOfLog as error:
            raise ProofRefused(str(error)) from error


def _decoded(content: str | bytes) -> str:
    try:
        data = content.encode() if isinstance(content, str) else content
        text = data.decode()
    except UnicodeError as error:
        raise ProofFileInvalid("not UTF-8") from error
    if len(data) > MAX_BYTES:
        raise ProofFileInvalid(f"longer than {MAX_BYTES} bytes")
    return text
