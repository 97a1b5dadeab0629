"""What an evidence bundle says, as values: the builder's input, the verifier's reading."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from compliance.trail.tlog import note
from compliance.trail.tlog.checkpoint import Checkpoint
from compliance.trail.tlog.heads import Bucket
from compliance.trail.tlog.leaf import Leaf

Record = tuple[str, str]  # table, primary key


class Kind(StrEnum):
    RECORD = "record"
    BATCH = "batch"
    PERIOD = "period"
    PERSON = "person"
    ACT = "act"


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What the bundle is about, and of what it claims to have all entries."""

    kind: Kind
    title: str
    description: str = ""
    records: tuple[Record, ...] = ()
    range: tuple[int, int] | None = None  # first and last index, of a period only


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """An entry with the path from its leaf to the root of the newest checkpoint here."""

    index: int
    body: bytes
    digest: bytes
    previous: bytes
    proof: tuple[bytes, ...]

    def leaf(self, origin: str) -> Leaf:
        """Return the leaf that this entry claims to be in a log."""
        return Leaf(origin=origin, index=self.index, digest=self.digest, previous=self.previous)


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    """A checkpoint of the log, as signed note, with its way to the newest one here."""

    note: bytes
    consistency: tuple[bytes, ...] = ()

    def checkpoint(self) -> Checkpoint:
        """Return what was signed, nothing verified."""
        return Checkpoint.parse(note.split(self.note)[0])


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeStamp:
    """The answer of a time-stamping authority; `note` when later signatures were added to it."""

    response: bytes
    note: bytes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Completeness:
    """The buckets of heads under the seal at an index that show which entries are the last."""

    seal: int | None = None
    buckets: tuple[Bucket, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Opening:
    """The value behind a commitment, disclosed."""

    index: int
    path: str
    salt: bytes
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """Everything in a bundle; `checkpoints` and `timestamps` by tree size, one is `tree_size`."""

    origin: str
    tree_size: int
    created_at: datetime
    subject: Subject
    entries: tuple[Entry, ...]
    checkpoints: Mapping[int, Signed]
    completeness: Completeness = field(default_factory=Completeness)
    openings: tuple[Opening, ...] = ()
    timestamps: Mapping[int, TimeStamp] = field(default_factory=dict)
    policy: bytes | None = None
    authorities: bytes | None = None
    verifier: bytes | None = None

    def stamped_note(self, size: int) -> bytes:
        """Return the note that the token of a size is over."""
        return self.timestamps[size].note or self.checkpoints[size].note
