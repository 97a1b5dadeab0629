"""Prove that a parent log holds the checkpoint of a child: what anchors the one anchors the other."""

from dataclasses import dataclass
from hashlib import sha256
from typing import Self

from compliance.trail.tlog import canonical, leaf, merkle, note
from compliance.trail.tlog.checkpoint import Checkpoint
from compliance.trail.tlog.key_history import KeyHistory
from compliance.trail.tlog.leaf import Leaf

KIND = "child"


class ParentProofInvalid(ValueError):
    """The parent log does not hold this checkpoint of the child."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ParentProof:
    """An entry of the parent log about a child's checkpoint, with both signed notes."""

    child_note: str
    parent_note: str
    index: int
    previous: bytes
    body: bytes
    proof: tuple[bytes, ...]

    def verify(self, *, child: KeyHistory, parent: KeyHistory) -> tuple[Checkpoint, Checkpoint]:
        """Return the checkpoints of child and parent, or raise `ParentProofInvalid`.

        Raise `KeyRefused` where the keys of the one or the other did not sign its note.
        """
        below, above = child.open(self.child_note), parent.open(self.parent_note)
        if _claimed(self.body, above.origin) != document(self.child_note, below):
            raise ParentProofInvalid("the entry is not about this checkpoint")
        sealed = Leaf(
            origin=above.origin,
            index=self.index,
            digest=leaf.entry_digest(self.body),
            previous=self.previous,
        )
        try:
            merkle.verify_inclusion(sealed.hash, self.index, above.size, self.proof, above.root)
        except merkle.ProofInvalid as error:
            raise ParentProofInvalid(str(error)) from error
        return below, above

    def to_json(self) -> bytes:
        return canonical.dumps(
            {
                "v": 1,
                "child": self.child_note,
                "parent": self.parent_note,
                "index": self.index,
                "previous": self.previous.hex(),
                "body": self.body.decode(),
                "proof": [one.hex() for one in self.proof],
            }
        )

    @classmethod
    def from_json(cls, data: bytes) -> Self:
        """Read a proof, or raise `ParentProofInvalid`."""
        try:
            match canonical.loads(data):
                case {
                    "v": 1, "child": str(child), "parent": str(parent), "index": int(index),
                    "previous": str(previous), "body": str(body), "proof": [*proof],
                }:  # fmt: skip
                    found = cls(
                        child_note=child,
                        parent_note=parent,
                        index=index + 0,
                        previous=bytes.fromhex(previous),
                        body=body.encode(),
                        proof=tuple(bytes.fromhex(str(one)) for one in proof),
                    )
                case _:
                    raise ParentProofInvalid("not the members of a proof of version 1")
        except ValueError as error:
            raise ParentProofInvalid(str(error)) from error
        if found.to_json() != data:
            raise ParentProofInvalid("not the form of a proof of version 1")
        return found


def document(text: str, checkpoint: Checkpoint) -> dict[str, canonical.Value]:
    """Return what the parent log says about a child's note."""
    return {
        "v": 1,
        "origin": checkpoint.origin,
        "size": checkpoint.size,
        "root": checkpoint.root.hex(),
        "note_sha256": sha256(text.encode()).hexdigest(),
    }


def read(text: str) -> Checkpoint:
    """Return the checkpoint of a note without looking at its signatures."""
    return Checkpoint.parse(note.split(text)[0])


def _claimed(body: bytes, origin: str) -> canonical.Value:
    """Return what an entry of the parent log says about a child."""
    try:
        match canonical.loads(body):
            case {
                "v": 2, "log": str(log), "op": "insert", "record": "trail_logevent",
                "new": {"kind": str(kind), "document": str(text)},
            } if (log, kind) == (origin, KIND):  # fmt: skip
                return canonical.loads(text.encode())
    except ValueError as error:
        raise ParentProofInvalid(f"the entry is not readable: {error}") from error
    raise ParentProofInvalid("the entry is none of the parent log about a child")
