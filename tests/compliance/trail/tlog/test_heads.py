"""Heads of records: what is sealed, shown, and shown to be absent."""

from dataclasses import replace
from hashlib import sha256

import pytest

from compliance.trail.tlog import heads, merkle
from compliance.trail.tlog.heads import Head, HeadsInvalid, HeadTree


def head(number: int, **values: object) -> Head:
    made = Head(
        record="batches",
        record_id=str(number),
        seq=1,
        index=number,
        op="insert",
        digest=sha256(str(number).encode()).digest(),
        entries=1,
    )
    return replace(made, **values)  # type: ignore[arg-type]


@pytest.mark.parametrize("buckets", [1, 2, 4, 16])
@pytest.mark.parametrize("records", range(20))
def test_every_record_and_every_absent_one_is_proven_in_every_small_tree(
    buckets: int, records: int
) -> None:
    tree = HeadTree([head(number) for number in range(records)], buckets=buckets)

    for number in range(records + 5):
        bucket = tree.prove_record("batches", str(number))
        heads.verify(bucket, buckets=buckets, root=tree.root, tree_size=records)

        found = bucket.head_of("batches", str(number))
        assert found == (head(number) if number < records else None)


def test_the_root_is_that_of_rfc_6962_over_the_bucket_leaves() -> None:
    tree = HeadTree([head(number) for number in range(40)], buckets=8)

    range_ = merkle.CompactRange()
    for number in range(8):
        range_.append(heads.leaf_of(tree.prove(number).heads))

    assert tree.root == range_.root()


def test_a_head_left_out_added_or_moved_breaks_the_proof() -> None:
    tree = HeadTree([head(number) for number in range(40)], buckets=4)
    bucket = tree.prove(1)
    stranger = tree.prove(2).heads[0]
    forged = [
        replace(bucket, heads=bucket.heads[1:]),
        replace(bucket, heads=bucket.heads[::-1]),
        replace(bucket, heads=(*bucket.heads, stranger)),
        replace(bucket, heads=(replace(bucket.heads[0], entries=9), *bucket.heads[1:])),
        replace(bucket, number=2),
        replace(bucket, number=4),
        replace(bucket, proof=bucket.proof[1:]),
    ]

    for one in forged:
        with pytest.raises(HeadsInvalid):
            heads.verify(one, buckets=4, root=tree.root, tree_size=40)


def test_a_head_from_after_the_seal_is_refused() -> None:
    tree = HeadTree([head(number) for number in range(40)], buckets=1)

    with pytest.raises(HeadsInvalid):
        heads.verify(tree.prove(0), buckets=1, root=tree.root, tree_size=39)


@pytest.mark.parametrize("buckets", [0, 3, 2**33, -1])
def test_only_powers_of_two_are_numbers_of_buckets(buckets: int) -> None:
    with pytest.raises(HeadsInvalid):
        heads.bits_of(buckets)


def test_one_record_has_one_head() -> None:
    with pytest.raises(HeadsInvalid):
        HeadTree([head(1), head(1, seq=2, entries=2)])


def test_record_and_id_cannot_be_moved_into_each_other() -> None:
    assert heads.key_of("ab", "c") != heads.key_of("a", "bc")
    assert heads.key_of("a", "1:b") != heads.key_of("a:1", "b")


@pytest.mark.parametrize(
    "change",
    [
        {"digest": "AB" * 32},
        {"digest": "ab" * 31},
        {"entries": 0},
        {"seq": 0},
        {"seq": True},
        {"index": -1},
        {"op": "merge"},
        {"id": ""},
        {"more": 1},
        {"entries": 2**53},
    ],
)
def test_a_head_of_another_form_is_not_read(change: dict[str, object]) -> None:
    assert Head.read(head(1).members()) == head(1)

    with pytest.raises(HeadsInvalid):
        Head.read({**head(1).members(), **change})
