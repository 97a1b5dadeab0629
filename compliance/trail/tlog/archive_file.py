"""Write and read an archive file: the entries of one perfect subtree of a log, with its proof.

The file is one line that names the format, the manifest as one line of canonical JSON, and the
data: for n = end - start leaves n lengths of bodies (4 bytes each, big-endian), n times the chain
head before the leaf and the leaf hash (32 bytes each), then the bodies one after the other.
Whoever has nothing but the file and the log's public keys can verify every entry in it.
"""

import base64
import struct
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Self

from compliance.trail.tlog import canonical, leaf, merkle, note, subtrees
from compliance.trail.tlog.checkpoint import Checkpoint, CheckpointInvalid
from compliance.trail.tlog.leaf import Leaf
from compliance.trail.tlog.subtrees import Subtree

MAGIC = b"gmp-audit/archive/v1\n"
VERSION = 1
MAX_MANIFEST = 1 << 20
_HASHES = 2 * merkle.HASH_SIZE


class ArchiveInvalid(ValueError):
    """The file is not the archive it claims to be; `index` is the first leaf that shows it."""

    def __init__(self, message: str, *, index: int | None = None) -> None:
        self.index = index
        super().__init__(message if index is None else f"leaf {index}: {message}")


@dataclass(frozen=True, slots=True)
class Archived:
    """One entry with what its leaf is made of."""

    index: int
    previous: bytes
    leaf_hash: bytes
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What an archive file claims: its place in the log, and the checkpoint that covers it."""

    origin: str
    start: int
    end: int
    subtree_root: bytes
    checkpoint: str  # the signed note
    proof: tuple[bytes, ...]  # of the subtree, to the checkpoint's root
    timestamp: bytes | None  # RFC 3161 token over the note
    sha256: bytes  # of the data

    def to_line(self) -> bytes:
        token = self.timestamp
        return canonical.dumps(
            {
                "checkpoint": self.checkpoint,
                "end": self.end,
                "origin": self.origin,
                "proof": [one.hex() for one in self.proof],
                "sha256": self.sha256.hex(),
                "start": self.start,
                "subtree_root": self.subtree_root.hex(),
                "timestamp": None if token is None else base64.b64encode(token).decode(),
                "v": VERSION,
            }
        )

    @classmethod
    def parse(cls, line: bytes) -> Self:
        """Read a manifest, or raise `ArchiveInvalid`."""
        try:
            match canonical.loads(line):
                case {
                    "checkpoint": str(checkpoint), "end": int(end), "origin": str(origin),
                    "proof": [*proof], "sha256": str(digest), "start": int(start),
                    "subtree_root": str(root), "timestamp": None | str() as token, "v": 1,
                }:  # fmt: skip
                    found = cls(
                        origin=origin,
                        start=start + 0,
                        end=end + 0,
                        subtree_root=bytes.fromhex(root),
                        checkpoint=checkpoint,
                        proof=tuple(bytes.fromhex(str(one)) for one in proof),
                        timestamp=None if token is None else base64.b64decode(token, validate=True),
                        sha256=bytes.fromhex(digest),
                    )
                case _:
                    raise ArchiveInvalid("not the members of a manifest of version 1")
        except ArchiveInvalid:
            raise
        except ValueError as error:
            raise ArchiveInvalid(f"the manifest is not readable: {error}") from error
        if found.to_line() != line:
            raise ArchiveInvalid("not the form of a manifest of version 1")
        return found

    def claimed(self) -> Checkpoint:
        """Return the checkpoint that the subtree is proved to; its signatures are not verified."""
        try:
            checkpoint = Checkpoint.parse(note.split(self.checkpoint)[0])
            subtrees.verify_consistency(
                Subtree(self.start, self.end, self.subtree_root),
                checkpoint.size,
                self.proof,
                checkpoint.root,
            )
        except (note.NoteInvalid, CheckpointInvalid, merkle.ProofInvalid) as error:
            raise ArchiveInvalid(f"the checkpoint does not cover the archive: {error}") from error
        if checkpoint.origin != self.origin:
            raise ArchiveInvalid(f"the checkpoint is of another log, {checkpoint.origin}")
        return checkpoint


def data_of(leaves: Sequence[Archived]) -> bytes:
    """Return the data of an archive file, for `Manifest.sha256` and `written`."""
    lengths = struct.pack(f">{len(leaves)}I", *(len(one.body) for one in leaves))
    hashes = b"".join(one.previous + one.leaf_hash for one in leaves)
    return b"".join((lengths, hashes, *(one.body for one in leaves)))


def written(manifest: Manifest, data: bytes) -> bytes:
    """Return the bytes of the whole file."""
    return MAGIC + manifest.to_line() + b"\n" + data


class Archive:
    """An archive file in memory or mapped; reading one entry touches little of it."""

    def __init__(self, content: bytes | memoryview) -> None:
        """Read the manifest and the table of lengths, or raise `ArchiveInvalid`."""
        view = memoryview(content)
        if bytes(view[: len(MAGIC)]) != MAGIC:
            raise ArchiveInvalid("not an archive of version 1")
        head = bytes(view[len(MAGIC) : len(MAGIC) + MAX_MANIFEST])
        line, newline, _ = head.partition(b"\n")
        if not newline:
            raise ArchiveInvalid("the manifest does not end")
        self.manifest = Manifest.parse(line)
        self.data = view[len(MAGIC) + len(line) + 1 :]
        self._offsets = self._measured()

    def _measured(self) -> "array[int]":
        count = self.manifest.end - self.manifest.start
        place = count * (4 + _HASHES)
        is_possible = self.manifest.origin and self.manifest.start >= 0 and count > 0
        if not is_possible or len(self.data) < place:
            raise ArchiveInvalid("the file is shorter than its entries")
        offsets = array("q", [place])  # not a list: many archives may be open at a time
        for length in struct.unpack_from(f">{count}I", self.data):
            place += length
            offsets.append(place)
        if place != len(self.data):
            raise ArchiveInvalid(f"the file has {len(self.data)} bytes of data, and not {place}")
        return offsets

    def at(self, index: int) -> Archived:
        """Return one entry as it stands in the file, or raise `IndexError`."""
        number = index - self.manifest.start
        if not 0 <= number < len(self._offsets) - 1:
            raise IndexError(f"leaf {index} is not in this archive")
        hashes = 4 * (len(self._offsets) - 1) + number * _HASHES
        middle = hashes + merkle.HASH_SIZE
        return Archived(
            index,
            bytes(self.data[hashes:middle]),
            bytes(self.data[middle : hashes + _HASHES]),
            bytes(self.data[self._offsets[number] : self._offsets[number + 1]]),
        )

    def entries(self) -> Iterator[Archived]:
        """Yield all entries in order, as they stand in the file."""
        return map(self.at, range(self.manifest.start, self.manifest.end))

    def verified(self, index: int) -> Archived:
        """Return one entry whose leaf is made of it, or raise `ArchiveInvalid`."""
        found = self.at(index)
        if _leaf_of(self.manifest.origin, found).hash != found.leaf_hash:
            raise ArchiveInvalid("the entry is not the one that was sealed here", index=index)
        return found

    def faults(self) -> Iterator[ArchiveInvalid]:
        """Yield everything that is wrong, each leaf by itself; signatures are the caller's."""
        try:
            self.manifest.claimed()
        except ArchiveInvalid as error:
            yield error
        tree, chain = merkle.CompactRange(), None
        is_whole = True
        for found in self.entries():
            computed = _leaf_of(self.manifest.origin, found)
            if computed.hash != found.leaf_hash:
                is_whole = False
                yield ArchiveInvalid(
                    "the entry is not the one that was sealed here", index=found.index
                )
            if chain is not None and chain != found.previous:
                is_whole = False
                yield ArchiveInvalid("the chain is broken before this leaf", index=found.index)
            chain = leaf.chain_next(found.previous, found.leaf_hash)
            tree.append(found.leaf_hash)
        if tree.root() != self.manifest.subtree_root:
            yield ArchiveInvalid("its entries do not lead to the subtree's root")
        elif is_whole and sha256(self.data).digest() != self.manifest.sha256:
            yield ArchiveInvalid("its data does not have the checksum in the manifest")

    def verify(self) -> None:
        """Raise the first fault as `ArchiveInvalid`."""
        for fault in self.faults():
            raise fault


def _leaf_of(origin: str, found: Archived) -> Leaf:
    return Leaf(
        origin=origin,
        index=found.index,
        digest=leaf.entry_digest(found.body),
        previous=found.previous,
    )
