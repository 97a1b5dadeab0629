"""A log of several ranges is verified as one, by one process or by several, at once or resumed."""

import os
import re
from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.db import connection

from compliance.trail import sequencer, verification
from compliance.trail.findings import Verdict
from compliance.trail.tlog import leaf
from compliance.trail.verification import Report
from compliance.trail.verifying import work
from tests import trail_log
from tests.attacks.test_trail_as_superuser import entry_of_leaf, plant, unguarded
from tests.trail_app.models import Vessel

Superuser = psycopg.Connection[Any]
SMALLEST = 1100


@pytest.fixture(autouse=True)
def small_ranges(monkeypatch: pytest.MonkeyPatch, settings: Any, tmp_path: Any) -> None:
    """Cut the log into ranges of 256 leaves, read 64 at a time."""
    monkeypatch.setattr(work, "RANGE", 256)
    monkeypatch.setattr(work, "CHUNK", 64)
    settings.VAR_DIR = tmp_path


@pytest.fixture
def log(fresh_log: Any) -> int:
    """Return the size of a log of more than four ranges, with checkpoints within them."""
    trail_log.vessels(300, "A")
    trail_log.seal_and_sign()
    with trail_log.act("volume read again"):
        Vessel.objects.filter(name__endswith="7").update(volume_l=7)
    trail_log.seal_and_sign()
    trail_log.vessels(770, "B")
    return trail_log.seal_and_sign()


def verdicts(report: Report) -> set[tuple[Verdict, int | None]]:
    return {(fault.verdict, fault.index) for fault in report.faults}


@pytest.mark.parametrize("processes", [1, 2])
def test_a_log_in_order_is_intact(log: int, processes: int) -> None:
    report = verification.verify(processes=processes)

    assert report.faults == ()
    assert (report.leaves, report.entries, report.rows) == (log, log, report.records)
    assert log >= SMALLEST
    with connection.cursor() as cursor:
        cursor.execute("SELECT root FROM audit.log_state")
        assert cursor.fetchone() == (report.root,)


@pytest.mark.parametrize("processes", [1, 2])
@pytest.mark.parametrize("index", [0, 255, 256, 700, SMALLEST - 1])
def test_a_flipped_bit_is_named_in_whatever_range_it_is(
    log: int, as_superuser: Superuser, index: int, processes: int
) -> None:
    entry_id, body = entry_of_leaf(as_superuser, index)
    with unguarded(as_superuser, "audit.entry"):
        as_superuser.execute(
            "UPDATE audit.entry SET body = %s WHERE entry_id = %s", [body[:-1] + b"|", entry_id]
        )

    report = verification.verify(processes=processes)

    assert verdicts(report) == {(Verdict.TAMPERED, index)}


def test_leaves_exchanged_between_ranges_are_reordered(log: int, as_superuser: Superuser) -> None:
    early, late = trail_log.leaf_of("A-60"), trail_log.leaf_of("B-500")
    one, _ = entry_of_leaf(as_superuser, early)
    two, _ = entry_of_leaf(as_superuser, late)
    with unguarded(as_superuser, "audit.leaf"):
        for entry_id, index in ((-1, early), (one, late), (two, early)):
            as_superuser.execute(
                "UPDATE audit.leaf SET entry_id = %s WHERE idx = %s", [entry_id, index]
            )

    found = verdicts(verification.verify())
    assert found == {(Verdict.REORDERED, early), (Verdict.REORDERED, late)}


@pytest.mark.parametrize("gap", [(255, 256), (256, 257), (250, 260), (256, 512), (200, 800)])
def test_missing_leaves_are_named_where_they_begin(
    log: int, as_superuser: Superuser, gap: tuple[int, int]
) -> None:
    with unguarded(as_superuser, "audit.leaf"):
        as_superuser.execute("DELETE FROM audit.leaf WHERE idx >= %s AND idx < %s", gap)

    report = verification.verify()

    assert report.first and (report.first.verdict, report.first.index) == (Verdict.MISSING, gap[0])


@pytest.mark.parametrize("index", [255, 256, 600])
def test_a_chain_broken_between_two_leaves_is_named(
    log: int, as_superuser: Superuser, index: int
) -> None:
    _, body = entry_of_leaf(as_superuser, index)
    previous = bytes(32)
    one = leaf.Leaf(
        origin=settings.LOG_ORIGIN, index=index, digest=leaf.entry_digest(body), previous=previous
    )
    with unguarded(as_superuser, "audit.leaf"):
        as_superuser.execute(
            "UPDATE audit.leaf SET previous = %s, leaf_hash = %s WHERE idx = %s",
            [previous, one.hash, index],
        )

    assert (Verdict.TAMPERED, index) in verdicts(verification.verify())


@pytest.mark.parametrize("position", [0, 3])
def test_an_altered_subtree_root_is_named(log: int, as_superuser: Superuser, position: int) -> None:
    with unguarded(as_superuser, "audit.node"):
        as_superuser.execute(
            "UPDATE audit.node SET h = sha256('') WHERE level = 8 AND pos = %s", [position]
        )

    assert verdicts(verification.verify()) == {(Verdict.TAMPERED, position << 8)}


def test_a_time_long_before_an_earlier_range_is_out_of_its_bracket(
    log: int, as_superuser: Superuser
) -> None:
    _, body = entry_of_leaf(as_superuser, 20)
    start = body.index(b',"at":"') + 7
    plant(as_superuser, body[:start] + b"2020" + body[start + 4 :])
    trail_log.seal_and_sign()

    assert (Verdict.TIME_OUT_OF_BRACKET, log) in verdicts(verification.verify())


def test_an_interrupted_run_is_resumed_and_a_fresh_one_trusts_nothing_of_it(
    log: int, as_superuser: Superuser, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        pass

    def killed(done: int, total: int) -> None:
        if done >= 768:
            raise Killed

    with pytest.raises(Killed):
        verification.verify(killed)

    resumed = verification.verify(resume=True)
    assert resumed.faults == ()
    assert any(re.match("3 of 5 ranges .* interrupted", note) for note in resumed.notes)
    assert not list((settings.VAR_DIR / "verify").glob("run-*"))

    with pytest.raises(Killed):
        verification.verify(killed)
    fresh = verification.verify()
    assert fresh.faults == () and fresh.notes == ()


def test_a_range_with_a_fault_is_looked_at_again_when_a_run_is_resumed(
    log: int, as_superuser: Superuser, tmp_path: Any
) -> None:
    with unguarded(as_superuser, "audit.entry"):
        as_superuser.execute("UPDATE audit.entry SET digest = sha256('') WHERE entry_id = 10")

    def killed(done: int, total: int) -> None:
        if done >= 768:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        verification.verify(killed)

    resumed = verification.verify(resume=True)

    assert (Verdict.TAMPERED, 9) in verdicts(resumed)


def test_a_worker_that_is_killed_is_no_verdict(log: int, monkeypatch: pytest.MonkeyPatch) -> None:
    from compliance.trail.verifying import pool

    started = pool._start

    def short_lived(plan: Any) -> Any:
        child = started(plan)
        os.kill(child.pid, 9)
        return child

    monkeypatch.setattr(pool, "_start", short_lived)
    with pytest.raises((pool.WorkerFailed, BrokenPipeError)):
        verification.verify(processes=2)


def test_search_may_lag_behind_the_seals(log: int) -> None:
    trail_log.vessels(5, "late")
    sequencer.seal()

    assert verification.verify().faults == ()


def test_one_log_alone_is_verified(log: int) -> None:
    report = verification.verify(log_id=1)

    assert report.faults == () and report.leaves == log
    with pytest.raises(verification.NotAssessable):
        verification.verify(log_id=99)


def test_a_column_that_came_with_a_migration_is_a_note(log: int, as_superuser: Superuser) -> None:
    as_superuser.execute("ALTER TABLE trail_app_vessel ADD COLUMN newer text NOT NULL DEFAULT 'x'")
    as_superuser.commit()

    report = verification.verify()

    assert set(report.counts) == {Verdict.DISABLED}
    assert any("trail_app_vessel: newer came or went" in note for note in report.notes)
