"""Attacks on seals of heads, by which an outsider is shown that a record's entries are all of them."""

import dataclasses
import json
from typing import Any

import pytest
from django.db import DatabaseError, connections
from django.utils import timezone
from psycopg import Connection

from compliance.trail import log_events, seals, verification
from compliance.trail.findings import Verdict
from compliance.trail.models import Entry, LogEvent
from compliance.trail.recording import System
from compliance.trail.tlog import heads
from compliance.trail.tlog.heads import Head, HeadTree
from tests import trail_log
from tests.conftest import FreshLog
from tests.trail_app.models import Vessel

Superuser = Connection[Any]
FALSE = "the seal of heads: "


@pytest.fixture
def sealed(fresh_log: FreshLog) -> dict[str, Any]:
    """Return the document of an honest seal, of a log in which a record has a second entry."""
    trail_log.written()
    with trail_log.act("volume read again, out of limits"):
        vessel = Vessel.objects.get(name="A-3")
        vessel.volume_l = 666
        vessel.save()
    trail_log.seal_and_sign()
    seals.seal(timezone.now())
    trail_log.seal_and_sign()
    return newest()


def newest() -> dict[str, Any]:
    event = seals.newest()
    assert event is not None
    found: dict[str, Any] = json.loads(event.document)
    return found


def forged(document: dict[str, Any]) -> int:
    """Write a seal as whoever owns the application and the sequencer could; return its leaf."""
    log_events.record(
        seals.KIND, document, actor=System("sequencer"), at=timezone.now(),
        reason="heads of records", using=seals.ALIAS,
    )  # fmt: skip
    return trail_log.seal_and_sign() - 1


def all_heads(size: int) -> list[Head]:
    found: dict[tuple[str, str], Head] = {}
    for entry in Entry.objects.filter(index__lt=size).order_by("index"):
        before = found.get((entry.record, entry.record_id))
        found[entry.record, entry.record_id] = Head(
            record=entry.record, record_id=entry.record_id, seq=entry.record_seq,
            index=entry.index, op=entry.op, digest=bytes(entry.digest),
            entries=1 + (before.entries if before else 0),
        )  # fmt: skip
    return list(found.values())


def as_it_was(head: Head) -> Head:
    """Return the head of the record before its last entry."""
    entry = Entry.objects.get(record=head.record, record_id=head.record_id, record_seq=head.seq - 1)
    return dataclasses.replace(
        head, seq=entry.record_seq, index=entry.index, op=entry.op, digest=bytes(entry.digest),
        entries=head.entries - 1,
    )  # fmt: skip


def verdicts_at(leaf: int) -> list[str]:
    report = verification.verify()
    assert not report.is_intact
    return [one.message for one in report.faults if one.index == leaf]


def test_an_honest_seal_and_those_before_it_are_computed_again(sealed: dict[str, Any]) -> None:
    trail_log.vessels(40, "later")
    trail_log.seal_and_sign()
    seals.seal(timezone.now())
    trail_log.seal_and_sign()

    report = verification.verify()

    assert report.is_intact
    assert LogEvent.objects.filter(kind=seals.KIND).count() == 2
    assert newest()["records"] > sealed["records"]


@pytest.mark.parametrize("kind", ["seal", "detach", "recovery", "redactable", "ddl"])
def test_the_application_writes_no_seal(sealed: dict[str, Any], kind: str) -> None:
    with pytest.raises(DatabaseError, match=f"kind {kind} is not written by gmp_app"):
        log_events.record(
            kind, sealed, actor=System("sequencer"), at=timezone.now(), reason="heads again"
        )

    with connections["default"].cursor() as cursor:
        cursor.execute("SELECT current_user")
        assert cursor.fetchone() == ("gmp_app",)
    trail_log.seal_and_sign()
    assert verification.verify().is_intact


def test_a_seal_that_hides_the_last_entry_of_a_record_is_named(sealed: dict[str, Any]) -> None:
    lying = [
        as_it_was(head) if (head.record, head.seq) == ("trail_app_vessel", 2) else head
        for head in all_heads(sealed["tree_size"])
    ]
    tree = HeadTree(lying, buckets=sealed["buckets"])
    leaf = forged({**sealed, "root": tree.root.hex()})
    # An honest one afterwards does not make it good.
    seals.seal(timezone.now())
    trail_log.seal_and_sign()

    (message,) = verdicts_at(leaf)

    assert message == f"{FALSE}its root is not that of the last entries of all records"


@pytest.mark.parametrize("says", ["fewer", "as many"])
def test_a_seal_in_which_a_record_was_never_there_is_named(
    sealed: dict[str, Any], says: str
) -> None:
    lying = [head for head in all_heads(sealed["tree_size"]) if head.seq != 2]
    assert len(lying) < sealed["records"]
    tree = HeadTree(lying, buckets=sealed["buckets"])
    records = len(lying) if says == "fewer" else sealed["records"]
    leaf = forged({**sealed, "root": tree.root.hex(), "records": records})

    (message,) = verdicts_at(leaf)

    assert message.startswith(FALSE)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"tree_size": 1 << 40}, "which were not there yet"),
        ({"keys": 999}, "it counts 999 documents about keys"),
        ({"chain": "00" * 32}, "the chain head it seals is not the log's"),
        ({"buckets": 1 << 31}, "2147483648 buckets for"),
    ],
)
def test_a_seal_that_says_anything_else_that_is_false_is_named(
    sealed: dict[str, Any], changed: dict[str, Any], said: str
) -> None:
    leaf = forged({**sealed, **changed})

    (message,) = verdicts_at(leaf)

    assert said in message


def test_a_head_that_is_away_while_the_honest_seal_is_made_is_missed(
    sealed: dict[str, Any], as_superuser: Superuser
) -> None:
    vessel = str(Vessel.objects.get(name="A-3").pk)
    kept = as_superuser.execute(
        "DELETE FROM audit.head WHERE record = 'trail_app_vessel' AND record_id = %s RETURNING *",
        [vessel],
    ).fetchall()
    as_superuser.commit()
    seals.seal(timezone.now())
    leaf = trail_log.seal_and_sign() - 1
    for row in kept:
        as_superuser.execute("INSERT INTO audit.head VALUES (%s, %s, %s, %s)", row)
    as_superuser.commit()

    (message,) = verdicts_at(leaf)

    records = newest()["records"]
    assert message == f"{FALSE}it is of {records} records, and {records + 1} had entries"


def test_a_head_under_the_key_of_another_record_is_named(
    sealed: dict[str, Any], as_superuser: Superuser
) -> None:
    vessel = str(Vessel.objects.get(name="A-3").pk)
    other = heads.key_of("trail_app_vessel", "no such record")
    as_superuser.execute(
        "UPDATE audit.head SET key = %s WHERE record = 'trail_app_vessel' AND record_id = %s",
        [other, vessel],
    )
    as_superuser.commit()

    report = verification.verify()

    assert report.counts[Verdict.TAMPERED] == 1
    assert "is kept under another key" in str(report.faults[0].message)


def test_a_seal_that_cannot_be_read_is_named(sealed: dict[str, Any]) -> None:
    leaf = forged({"v": 1, "tree_size": "all of them"})

    report = verification.verify()

    assert report.counts[Verdict.NONCANONICAL] == 1
    assert report.faults[0].index == leaf
