"""A seal commits to the last entry of every record, whatever the number of buckets."""

from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone

from compliance.trail import log_events, seals
from compliance.trail.models import Entry, LogEvent
from compliance.trail.recording import System
from compliance.trail.tlog import canonical, heads
from compliance.trail.tlog.heads import Head, HeadTree
from tests import trail_log
from tests.conftest import FreshLog
from tests.trail_app.models import Vessel


def heads_of_all(size: int) -> list[Head]:
    """Return every record's head, read entry by entry."""
    found: dict[tuple[str, str], Head] = {}
    for entry in Entry.objects.filter(index__lt=size).order_by("index"):
        key = entry.record, entry.record_id
        before = found.get(key)
        found[key] = Head(
            record=entry.record,
            record_id=entry.record_id,
            seq=entry.record_seq,
            index=entry.index,
            op=entry.op,
            digest=bytes(entry.digest),
            entries=1 + (before.entries if before else 0),
        )
    return list(found.values())


def document(event: LogEvent | None) -> dict[str, Any]:
    assert event is not None
    found = canonical.loads(event.document.encode())
    assert isinstance(found, dict)
    return dict(found)


def test_a_seal_is_the_tree_of_all_heads(fresh_log: FreshLog) -> None:
    trail_log.vessels(300, "S")
    size = trail_log.written()

    sealed = seals.seal(timezone.now())

    expected = HeadTree(heads_of_all(size))
    assert sealed.tree_size == size
    assert (sealed.records, sealed.buckets) == (expected.records, expected.buckets)
    assert sealed.buckets > 1
    assert sealed.root == expected.root
    assert document(seals.newest())["root"] == expected.root.hex()


def test_buckets_prove_records_as_they_were_sealed(fresh_log: FreshLog) -> None:
    trail_log.vessels(100, "S")
    trail_log.written()
    sealed = seals.seal(timezone.now())
    trail_log.vessels(50, "later")
    with trail_log.act("measured again"):
        Vessel.objects.filter(name__startswith="S-1").update(volume_l=77)
    trail_log.seal_and_sign()

    with transaction.atomic(), connection.cursor() as cursor:
        source = seals.SealedHeads(
            cursor, log_id=1, tree_size=sealed.tree_size, buckets=sealed.buckets
        )
        for vessel in Vessel.objects.all():
            bucket = source.prove_record("trail_app_vessel", str(vessel.pk))

            heads.verify(
                bucket, buckets=sealed.buckets, root=sealed.root, tree_size=sealed.tree_size
            )
            is_in = bucket.head_of("trail_app_vessel", str(vessel.pk)) is not None
            assert is_in == (not vessel.name.startswith("later"))


def test_an_empty_log_has_nothing_to_seal(fresh_log: FreshLog) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT size FROM audit.projected")
        assert cursor.fetchone() == (0,)

    with pytest.raises(seals.NothingToSeal):
        seals.seal(timezone.now())


def test_only_the_last_two_seals_keep_their_leaves(fresh_log: FreshLog) -> None:
    for turn in range(4):
        trail_log.vessels(3, f"T{turn}")
        trail_log.seal_and_sign()
        seals.seal(timezone.now())

    with connection.cursor() as cursor:
        cursor.execute("SELECT count(DISTINCT tree_size) FROM audit.seal_leaf")
        assert cursor.fetchone() == (2,)


def test_a_seal_counts_what_the_log_says_about_its_keys_before_it(fresh_log: FreshLog) -> None:
    trail_log.vessels(3, "S")
    trail_log.written()
    seals.seal(timezone.now())
    before = document(seals.newest())["keys"]
    for kind in ("key", "key", "timestamp"):
        log_events.record(
            kind, {"about": '"kind":"key"'}, actor=System("test"), at=timezone.now(), reason="test",
            using="signer",
        )  # fmt: skip
    trail_log.seal_and_sign()

    seals.seal(timezone.now())

    assert document(seals.newest())["keys"] == before + 2
