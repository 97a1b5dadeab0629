"""Bind an entry to its place: index, log and the whole history before it."""

from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from typing import Self

from compliance.trail.tlog import canonical, merkle

ENTRY_TAG = b"gmp-audit/entry/v1\0"
CHAIN_TAG = b"gmp-audit/chain/v1\0"
VERSION = 1


class LeafInvalid(ValueError):
    """Bytes or values that cannot be a leaf of a log."""


def entry_digest(body: bytes) -> bytes:
    """Return the digest that the database computes for the body of an entry."""
    return sha256(ENTRY_TAG + body).digest()


def chain_start(origin: str) -> bytes:
    """Return the chain head of a log that has no leaf yet."""
    return sha256(CHAIN_TAG + origin.encode()).digest()


def chain_next(previous: bytes, leaf_hash: bytes) -> bytes:
    """Return the chain head after one more leaf."""
    return sha256(b"\x02" + previous + leaf_hash).digest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaf:
    """One leaf of a log: what the Merkle tree commits to."""

    origin: str
    index: int
    digest: bytes
    previous: bytes  # chain head before this leaf

    def __post_init__(self) -> None:
        if not self.origin:
            raise LeafInvalid("a log has an origin")
        if not 0 <= self.index <= canonical.MAX_INTEGER:
            raise LeafInvalid(f"{self.index} is no index of a leaf")
        if len(self.digest) != merkle.HASH_SIZE or len(self.previous) != merkle.HASH_SIZE:
            raise LeafInvalid("a hash is not 32 bytes")

    @property
    def data(self) -> bytes:
        """The bytes that are hashed."""
        return canonical.dumps(
            {
                "d": self.digest.hex(),
                "i": self.index,
                "log": self.origin,
                "p": self.previous.hex(),
                "v": VERSION,
            }
        )

    @property
    def hash(self) -> bytes:
        """The leaf hash in the Merkle tree."""
        return merkle.leaf_hash(self.data)

    @property
    def chain(self) -> bytes:
        """The chain head after this leaf."""
        return chain_next(self.previous, self.hash)

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Read the bytes of a leaf, or raise `LeafInvalid`."""
        try:
            members = canonical.loads(data)
        except canonical.NotCanonical as error:
            raise LeafInvalid(str(error)) from error
        match members:
            case {"d": str(digest), "i": int(index), "log": str(origin), "p": str(previous)}:
                leaf = cls(
                    origin=origin,
                    index=index + 0,  # JSON true is an int here, and must not stay one
                    digest=_from_hex(digest),
                    previous=_from_hex(previous),
                )
            case _:
                raise LeafInvalid("not the members of a leaf")
        # Other members, another version, capital hexadecimal digits: one comparison for all.
        if leaf.data != data:
            raise LeafInvalid("not the form of a leaf of version 1")
        return leaf


class Chain:
    """The growing end of one log, for the loop that seals many entries."""

    __slots__ = ("_middle", "head", "size")

    def __init__(self, *, origin: str, size: int = 0, head: bytes | None = None) -> None:
        """Continue a log after `size` leaves with its chain head; an empty log needs none."""
        if head is None:
            if size:
                raise ValueError(f"a log of {size} leaves has a chain head")
            head = chain_start(origin)
        Leaf(origin=origin, index=size, digest=head, previous=head)  # refuses what no leaf can hold
        self.size = size
        self.head = head
        self._middle = f',"log":{canonical.dumps(origin).decode()},"p":"'

    def append(self, digest: bytes) -> bytes:
        """Add an entry digest and return its leaf hash; `head` and `size` move on."""
        if len(digest) != merkle.HASH_SIZE:
            raise LeafInvalid("a hash is not 32 bytes")
        # The same bytes as Leaf.data, put together by hand: this runs for every entry.
        data = f'{{"d":"{digest.hex()}","i":{self.size}{self._middle}{self.head.hex()}","v":1}}'
        leaf_hash = sha256(b"\x00" + data.encode()).digest()
        self.head = sha256(b"\x02" + self.head + leaf_hash).digest()
        self.size += 1
        return leaf_hash

    def extend(self, digests: Iterable[bytes]) -> tuple[list[bytes], list[bytes]]:
        """Add entry digests; return their leaf hashes, and the chain heads before each."""
        hashes, heads, head = [], [], self.head
        index, middle = self.size, self._middle
        for digest in digests:  # what `append` does, without a call for each
            data = f'\0{{"d":"{digest.hex()}","i":{index}{middle}{head.hex()}","v":1}}'
            leaf_hash = sha256(data.encode()).digest()
            heads.append(head)
            hashes.append(leaf_hash)
            head = sha256(b"\x02" + head + leaf_hash).digest()
            index += 1
        self.size, self.head = index, head
        return hashes, heads


def _from_hex(text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError as error:
        raise LeafInvalid("a hash is not hexadecimal") from error
