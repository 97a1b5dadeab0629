"""Second trees: the same entries under another hash, grown in steps, recorded in the old log."""

import hashlib
import json
from typing import Any

import psycopg
import pytest
from django.db import DatabaseError, connections, transaction
from django.utils import timezone

from compliance.trail import detaching, rehashing, stored
from compliance.trail.findings import Verdict
from compliance.trail.tlog import leaf, merkle, trees
from compliance.trail.tlog.trees import SHA3_256, SHA_256, SHA_512, Hash, Tree
from tests import trail_log
from tests.compliance.trail.life.conftest import ACTOR, LATER, TEN_YEARS, TWO, Archives
from tests.trail_log import BEGUN


def record(hash_: Hash) -> dict[str, Any]:
    return rehashing.record(
        hash_, actor=ACTOR, at=timezone.now(), reason="SHA-256 is to be retired"
    )


def reference(hash_: Hash, leaves: list[bytes]) -> bytes:
    """Compute a root as RFC 9162 2.1.1 defines it, by recursion."""
    if not leaves:
        return hash_.new(b"").digest()
    if len(leaves) == 1:
        return hash_.new(b"\0" + leaves[0]).digest()
    k = 1 << (len(leaves) - 1).bit_length() - 1
    left, right = reference(hash_, leaves[:k]), reference(hash_, leaves[k:])
    return hash_.new(b"\1" + left + right).digest()


@pytest.mark.parametrize("hash_", [SHA_256, SHA_512, SHA3_256], ids=lambda one: one.name)
def test_every_small_tree_has_the_root_of_its_definition(hash_: Hash) -> None:
    tree, leaves = Tree(hash_), list[bytes]()
    for size in range(130):
        assert tree.root() == reference(hash_, leaves)
        assert Tree(hash_, size, tree.hashes).root() == tree.root()
        leaves.append(str(size).encode())
        tree.append(leaves[-1])


def test_with_sha_256_it_is_the_tree_of_the_log() -> None:
    tree, own = Tree(SHA_256), merkle.CompactRange()
    for number in range(100):
        tree.append(bytes([number]))
        own.append(merkle.leaf_hash(bytes([number])))

        assert (tree.root(), tree.hashes) == (own.root(), own.hashes)


@pytest.mark.parametrize("hash_", [SHA_512, SHA3_256], ids=lambda one: one.name)
def test_a_tree_grown_in_steps_is_recorded_and_verified(fresh_log: Any, hash_: Hash) -> None:
    trail_log.vessels(60, "A")
    trail_log.seal_and_sign()

    steps = [rehashing.grow(hash_, limit=17), rehashing.grow(hash_), rehashing.grow(hash_)]
    document = record(hash_)

    assert steps == [17, BEGUN + 60 - 17, 0]
    with connections["default"].cursor() as cursor:
        found = list(stored.leaves(cursor, log_id=1, start=0, end=BEGUN + 60))
        origin = stored.state(cursor).origin
    expected = reference(
        hash_,
        [
            json.dumps(
                {
                    "d": hash_.new(leaf.ENTRY_TAG + one.body).hexdigest(),
                    "h": hash_.name,
                    "i": one.idx,
                    "log": f"{origin}+{hash_.name}",
                    "o": one.leaf_hash.hex(),
                    "v": 1,
                },
                separators=(",", ":"),
            ).encode()
            for one in found
        ],
    )
    assert (document["size"], document["root"]) == (BEGUN + 60, expected.hex())
    assert list(rehashing.check()) == []

    trail_log.vessels(30, "B")
    trail_log.seal_and_sign()
    rehashing.grow(hash_)
    assert record(hash_)["size"] == BEGUN + 60 + 1 + 30
    assert list(rehashing.check()) == []


def test_an_entry_altered_under_its_leaf_is_found_by_the_second_tree(
    fresh_log: Any, as_superuser: psycopg.Connection[Any]
) -> None:
    trail_log.vessels(60, "A")
    trail_log.seal_and_sign()
    rehashing.grow(SHA_512)
    record(SHA_512)
    as_superuser.execute("ALTER TABLE audit.entry DISABLE TRIGGER ALL")
    as_superuser.execute(
        "UPDATE audit.entry SET body = body || ' ' WHERE entry_id = "
        "(SELECT entry_id FROM audit.leaf WHERE idx = 33)"
    )
    as_superuser.commit()

    (fault,) = rehashing.check()

    assert (fault.verdict, fault.index) == (Verdict.TAMPERED, 0)


def test_a_tree_goes_on_over_detached_entries(archives: Archives, next_partition: None) -> None:
    rehashing.grow(SHA3_256, limit=300)
    detaching.detach(
        0, folder=archives.folder, retention=TEN_YEARS, persons=TWO, actor=ACTOR, at=LATER
    )

    rehashing.grow(SHA3_256)
    record(SHA3_256)

    assert list(rehashing.check()) == []
    (archives.folder / archives.spans[0].file).unlink()
    (fault,) = rehashing.check()
    assert fault.verdict == Verdict.MISSING


def test_a_stored_tree_only_grows(fresh_log: Any) -> None:
    trail_log.seal_and_sign()
    assert rehashing.grow(SHA_512) == BEGUN

    for statement in (
        "UPDATE audit.rehash SET size = 0, range = '{}'",
        "UPDATE audit.rehash SET range = '{}'",
        "UPDATE audit.rehash SET origin = 'other'",
    ):
        with pytest.raises(DatabaseError, match="only grows"), transaction.atomic("sequencer"):
            connections["sequencer"].cursor().execute(statement)
    with pytest.raises(DatabaseError, match="permission denied"), transaction.atomic("default"):
        connections["default"].cursor().execute("UPDATE audit.rehash SET size = 0")


def test_the_hashes_are_those_of_the_standard() -> None:
    assert (SHA_512.new, SHA3_256.new) == (hashlib.sha512, hashlib.sha3_256)
    assert set(trees.BY_NAME) == {"sha-512", "sha3-256"}
