"""Commit to the last entry of every record of a log, so that what is missing can be shown.

The list of heads is a Merkle tree over 2**k buckets. A bucket is small enough to be handed over
whole: it shows the head of a record, and also that a record is not there.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import pairwise
from typing import Self

from compliance.trail.tlog import canonical, merkle, tiles

KEY_TAG = b"gmp-audit/head/v1\0"
MAX_BITS = 32
OPERATIONS = frozenset({"insert", "update", "delete"})
_MEMBERS = {"digest", "entries", "id", "index", "op", "record", "seq"}
_PER_BUCKET = 16  # a bucket of a few kilobytes, a proof of a few hashes


class HeadsInvalid(ValueError):
    """Heads, or a proof about them, that do not hold."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """The last entry of one record, and how many entries the record has over all its lives."""

    record: str
    record_id: str
    seq: int
    index: int
    op: str
    digest: bytes
    entries: int

    def __post_init__(self) -> None:
        numbers = (self.seq, self.index, self.entries)
        if not self.record or not self.record_id or self.op not in OPERATIONS:
            raise HeadsInvalid("a head without record, or of no operation")
        if any(type(one) is not int or not 0 <= one <= canonical.MAX_INTEGER for one in numbers):
            raise HeadsInvalid("a number of a head is out of range")
        # Without this count, a whole life before a re-insert could be left out unseen. In a log
        # that continues another one it is less than `seq`, whose first entries are in the old one.
        if not self.seq or not self.entries or len(self.digest) != merkle.HASH_SIZE:
            raise HeadsInvalid(f"{self.record} {self.record_id}: no record has such a head")

    @property
    def key(self) -> bytes:
        """Where the head is in the list."""
        return key_of(self.record, self.record_id)

    def members(self) -> dict[str, canonical.Value]:
        """Return what the bucket commits to."""
        return {
            "digest": self.digest.hex(),
            "entries": self.entries,
            "id": self.record_id,
            "index": self.index,
            "op": self.op,
            "record": self.record,
            "seq": self.seq,
        }

    @classmethod
    def read(cls, members: object) -> Self:
        """Read a head of a bucket, or raise `HeadsInvalid`."""
        if not isinstance(members, Mapping) or set(members) != _MEMBERS:
            raise HeadsInvalid("not the members of a head")
        texts = [members[name] for name in ("digest", "id", "op", "record")]
        if not all(isinstance(one, str) for one in texts):
            raise HeadsInvalid("a text of a head is no text")
        try:
            digest = bytes.fromhex(members["digest"])
        except ValueError as error:
            raise HeadsInvalid("the digest of a head is not hexadecimal") from error
        head = cls(
            record=members["record"],
            record_id=members["id"],
            seq=members["seq"],
            index=members["index"],
            op=members["op"],
            digest=digest,
            entries=members["entries"],
        )
        if head.members() != members:  # capitals or spaces in the digest
            raise HeadsInvalid("the digest of a head is not 64 lower-case digits")
        return head


@dataclass(frozen=True, slots=True, kw_only=True)
class Bucket:
    """The heads of one bucket, with the path from its leaf to the root."""

    number: int
    heads: tuple[Head, ...]
    proof: tuple[bytes, ...]

    def head_of(self, record: str, record_id: str) -> Head | None:
        """Return the head of a record of this bucket; None says that there was no such record."""
        wanted = (record, record_id)
        return next((one for one in self.heads if (one.record, one.record_id) == wanted), None)


class HeadTree:
    """All heads of a log at one tree size; answers with the root and with buckets."""

    def __init__(self, heads: Iterable[Head], *, buckets: int | None = None) -> None:
        """Sort heads into buckets: as many as given, or as suits their number."""
        ordered = sorted((one.key, one) for one in _once(heads))
        self.records = len(ordered)
        self.buckets = buckets or suitable(self.records)
        bits = bits_of(self.buckets)
        self._heads: list[list[Head]] = [[] for _ in range(self.buckets)]
        for key, head in ordered:
            self._heads[bucket_of(key, bits)].append(head)
        self._leaves = tiles.Leaves(leaf_of(heads) for heads in self._heads)
        self.root = self._leaves.hash_at(bits, 0)

    def prove(self, number: int) -> Bucket:
        """Return a bucket with its proof."""
        proof = merkle.inclusion_proof(number, self.buckets, self._leaves)
        return Bucket(number=number, heads=tuple(self._heads[number]), proof=tuple(proof))

    def prove_record(self, record: str, record_id: str) -> Bucket:
        """Return the bucket in which a record is, or would be."""
        return self.prove(bucket_of(key_of(record, record_id), bits_of(self.buckets)))


def verify(bucket: Bucket, *, buckets: int, root: bytes, tree_size: int) -> None:
    """Raise `HeadsInvalid` unless this is the whole bucket under the root of a seal."""
    bits = bits_of(buckets)
    if not 0 <= bucket.number < buckets:
        raise HeadsInvalid(f"there is no bucket {bucket.number} of {buckets}")
    keys = [head.key for head in bucket.heads]
    if any(later <= earlier for earlier, later in pairwise(keys)):
        raise HeadsInvalid(f"the heads of bucket {bucket.number} are not in order")
    if any(bucket_of(key, bits) != bucket.number for key in keys):
        raise HeadsInvalid(f"a head is not of bucket {bucket.number}")
    if any(head.index >= tree_size for head in bucket.heads):
        raise HeadsInvalid(f"a head of bucket {bucket.number} is not of the first {tree_size}")
    try:
        leaf = leaf_of(bucket.heads)
        merkle.verify_inclusion(leaf, bucket.number, buckets, bucket.proof, root)
    except merkle.ProofInvalid as error:
        raise HeadsInvalid(f"bucket {bucket.number}: {error}") from error


def key_of(record: str, record_id: str) -> bytes:
    """Return the key under which the head of a record is sorted."""
    length = len(record.encode())
    return sha256(KEY_TAG + f"{length}:{record}:{record_id}".encode()).digest()


def bits_of(buckets: int) -> int:
    """Return k of 2**k buckets, or raise `HeadsInvalid`."""
    bits = buckets.bit_length() - 1
    if buckets < 1 or buckets & (buckets - 1) or bits > MAX_BITS:
        raise HeadsInvalid(f"{buckets} buckets are no power of two up to 2**{MAX_BITS}")
    return bits


def bucket_of(key: bytes, bits: int) -> int:
    """Return the bucket of a key: its first bits."""
    return int.from_bytes(key[:4], "big") >> (32 - bits)


def leaf_of(heads: Sequence[Head]) -> bytes:
    """Return the leaf hash of a bucket."""
    return merkle.leaf_hash(canonical.dumps([head.members() for head in heads]))


def _once(heads: Iterable[Head]) -> Iterable[Head]:
    seen = set()
    for head in heads:
        if (head.record, head.record_id) in seen:
            raise HeadsInvalid(f"{head.record} {head.record_id} has two heads")
        seen.add((head.record, head.record_id))
        yield head


def suitable(records: int) -> int:
    """Return how many buckets suit so many records."""
    return 1 << max(0, (records // _PER_BUCKET).bit_length())
