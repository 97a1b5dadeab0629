"""Test what binds an entry to its place in the log."""

import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compliance.trail.tlog import canonical
from compliance.trail.tlog.leaf import (
    Chain,
    Leaf,
    LeafInvalid,
    chain_next,
    chain_start,
    entry_digest,
)

PROPERTY = settings(derandomize=True, deadline=None, database=None, max_examples=150)
ORIGIN = "plant.example/acme/basel/1"

digests = st.binary(min_size=32, max_size=32)
origins = st.text(min_size=1, max_size=20)


def test_the_entry_digest_is_that_of_the_database_constraint() -> None:
    tag = bytes.fromhex("676d702d61756469742f656e7472792f763100")

    assert entry_digest(b"{}") == hashlib.sha256(tag + b"{}").digest()


def test_the_first_leaf_is_made_of_the_published_parts() -> None:
    head = hashlib.sha256(b"gmp-audit/chain/v1\x00plant.example/acme/basel/1").hexdigest()
    digest = entry_digest(b"{}")
    data = f'{{"d":"{digest.hex()}","i":0,"log":"{ORIGIN}","p":"{head}","v":1}}'.encode()
    hashed = hashlib.sha256(b"\x00" + data).digest()
    chain = Chain(origin=ORIGIN)

    assert chain.head.hex() == head
    assert chain.append(digest) == hashed
    assert chain.head == hashlib.sha256(b"\x02" + bytes.fromhex(head) + hashed).digest()
    assert chain.size == 1


@PROPERTY
@given(origins, st.integers(0, canonical.MAX_INTEGER), digests, digests)
def test_the_fast_chain_hashes_the_same_bytes_as_the_leaf(
    origin: str, index: int, digest: bytes, head: bytes
) -> None:
    chain = Chain(origin=origin, size=index, head=head)
    leaf = Leaf(origin=origin, index=index, digest=digest, previous=head)

    hashed = chain.append(digest)

    assert hashed == leaf.hash
    assert chain.head == leaf.chain == chain_next(head, hashed)
    assert chain.size == index + 1


@PROPERTY
@given(origins, st.integers(0, canonical.MAX_INTEGER), digests, digests)
def test_a_leaf_is_read_back_from_its_bytes(
    origin: str, index: int, digest: bytes, previous: bytes
) -> None:
    leaf = Leaf(origin=origin, index=index, digest=digest, previous=previous)

    assert Leaf.parse(leaf.data) == leaf


def test_any_change_of_place_changes_every_later_leaf() -> None:
    bodies = [b"a", b"b", b"c", b"d"]

    def sealed(order: list[bytes], origin: str = ORIGIN) -> list[bytes]:
        chain = Chain(origin=origin)
        return [chain.append(entry_digest(body)) for body in order]

    straight = sealed(bodies)
    swapped = sealed([b"a", b"c", b"b", b"d"])
    assert straight[0] == swapped[0]
    assert not set(straight[1:]) & set(swapped[1:])
    assert not set(straight) & set(sealed(bodies, origin=ORIGIN + "2"))


def test_a_chain_continues_from_its_stored_head() -> None:
    first = Chain(origin=ORIGIN)
    first.append(entry_digest(b"a"))
    second = Chain(origin=ORIGIN, size=first.size, head=first.head)

    assert second.append(entry_digest(b"b")) == first.append(entry_digest(b"b"))


@pytest.mark.parametrize(
    ("origin", "size", "head", "reason"),
    [
        ("", 0, None, "has an origin"),
        (ORIGIN, 1, None, "has a chain head"),
        (ORIGIN, -1, bytes(32), "no index"),
        (ORIGIN, 2**53, bytes(32), "no index"),
        (ORIGIN, 1, bytes(31), "32 bytes"),
        ("\ud800", 0, bytes(32), "surrogate"),
    ],
)
def test_a_chain_that_no_log_can_have_is_refused(
    origin: str, size: int, head: bytes | None, reason: str
) -> None:
    with pytest.raises(ValueError, match=reason):
        Chain(origin=origin, size=size, head=head)


def test_a_body_in_place_of_its_digest_is_refused() -> None:
    with pytest.raises(LeafInvalid):
        Chain(origin=ORIGIN).append(b"{}")


@pytest.mark.parametrize(
    ("part", "other"),
    [
        (b'"i":1', b'"i":true'),
        (b'"i":1', b'"i":-1'),
        (b'"i":1', b'"i":"1"'),
        (b'"v":1', b'"v":2'),
        (b'"v":1', b'"v":true'),
        (b',"v":1', b""),
        (b'"v":1', b'"v":1,"w":1'),
        (b'"log":"o"', b'"log":""'),
        (b'"log":"o"', b'"log":null'),
        (b"ab", b"AB"),
        (b"ab", b"a "),
        (b"ab", b"zz"),
        (b"ab", b""),
        (b'{"d"', b'{ "d"'),
    ],
)
def test_bytes_of_another_form_are_no_leaf(part: bytes, other: bytes) -> None:
    data = Leaf(origin="o", index=1, digest=b"\xab" * 32, previous=bytes(32)).data
    assert Leaf.parse(data).index == 1
    assert part in data

    with pytest.raises(LeafInvalid):
        Leaf.parse(data.replace(part, other, 1))


def test_a_list_is_no_leaf() -> None:
    with pytest.raises(LeafInvalid):
        Leaf.parse(b"[]")


def test_the_start_of_a_chain_depends_on_the_log() -> None:
    assert chain_start("a") != chain_start("b")
