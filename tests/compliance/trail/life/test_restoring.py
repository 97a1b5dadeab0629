"""A database restored from an older copy: refused by the signer, described, recovered or continued."""

import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import connections
from django.utils import timezone

from compliance.trail import (
    checkpoints,
    continuing,
    enforcement,
    entry_form,
    exported,
    keys,
    log_events,
    new_logs,
    recovering,
    restoring,
    sequencer,
    stored,
    verification,
)
from compliance.trail.detaching import NotDetachable
from compliance.trail.findings import Verdict
from compliance.trail.signer.failure import SignerRefused
from compliance.trail.tlog import leaf, merkle
from tests import trail_log
from tests.attacks.test_inventions_in_the_database import quietly
from tests.compliance.trail.life import copies
from tests.compliance.trail.life.conftest import ACTOR, TWO, settle
from tests.conftest import administrator
from tests.trail_app.models import Everything, Stamp, Vessel

START = trail_log.BEGUN + 40  # with those of the fixture


@pytest.fixture
def database(fresh_log: Any) -> Iterator[str]:
    yield fresh_log.database
    copies.discard(fresh_log.database)


@pytest.fixture
def restored(database: str, tmp_path: Path) -> exported.Source:
    """Restore a log of 40 leaves that had grown to 358; return the export of all."""
    trail_log.vessels(40, "A")
    Vessel.objects.exists()
    trail_log.seal_and_sign()
    copies.back_up(database)
    go_on()
    source = exported.Folder(copies.export(tmp_path / "export"))
    copies.restore(database)
    return source


def go_on() -> int:
    with trail_log.act("volume read again"):
        for vessel in Vessel.objects.order_by("pk")[:10]:
            vessel.volume_l = "12.50"
            vessel.save()
    trail_log.seal_and_sign()
    trail_log.vessels(300, "B")
    with trail_log.act("taken out of service"):
        Vessel.objects.filter(name__in=["B-3", "B-4", "A-20"]).delete()
        Stamp.objects.create(text="”it’s 37 °C”")
        Everything.objects.create(
            flag=True, small=-3, whole=7, big=2**60, exact="1.2500000000", text="α\n\"\\", word="w",
            address="10.0.0.1", on="2026-02-28", clock="12:30:00.000001", at=trail_log.NOON,
            lasting=timedelta(days=3, seconds=7.5), raw=b"\0\xff", document={"a": [1, None, "x"]},
        )  # fmt: skip
        Everything.objects.create()
    return trail_log.seal_and_sign()


def rows() -> list[tuple[Any, ...]]:
    found = []
    with connections["default"].cursor() as cursor:
        for table in ("vessel", "stamp", "everything"):
            cursor.execute(f"SELECT to_jsonb(t)::text FROM trail_app_{table} t ORDER BY 1")
            found += cursor.fetchall()
    return found


def check(source: exported.Source | None = None) -> restoring.Restored:
    return restoring.check(source=source)


def recover(source: exported.Source) -> recovering.Recovered:
    return recovering.recover(
        source, actor=ACTOR, at=timezone.now(), reason="restored after disk failure"
    )


def new_origin(restored: restoring.Restored) -> continuing.Continued:
    return continuing.new_origin(
        restored, persons=TWO, actor=ACTOR, at=timezone.now(), reason="tail lost with the disk"
    )


def bodies(log_id: int) -> list[dict[str, Any]]:
    with connections["default"].cursor() as cursor:
        cursor.execute(
            "SELECT e.body FROM audit.leaf l JOIN audit.entry e USING (entry_id) "
            "WHERE l.log_id = %s ORDER BY idx",
            [log_id],
        )
        return [entry_form.parse(bytes(body)) for (body,) in cursor.fetchall()]


def signing_times() -> list[tuple[int, int]]:
    """Return when each checkpoint was signed, to the second."""
    with connections["default"].cursor() as cursor:
        cursor.execute(
            "SELECT size, floor(extract(epoch FROM signed_at))::bigint FROM audit.checkpoint "
            "ORDER BY size"
        )
        return list(cursor.fetchall())


def blocked(mode: str) -> None:
    """Wait until somebody waits for a lock of this mode on where acts are written."""
    deadline = time.monotonic() + 240
    with connections["default"].cursor() as cursor:
        while time.monotonic() < deadline:
            cursor.execute(
                "SELECT EXISTS (SELECT FROM pg_locks "
                "WHERE relation = 'audit.current_log'::regclass AND mode = %s AND NOT granted)",
                [mode],
            )
            if cursor.fetchone() == (True,):
                return
            time.sleep(0.05)
    raise AssertionError(f"nobody waits for {mode}")


# --- What is lost


def test_nothing_is_lost_of_a_log_as_it_was_signed(database: str) -> None:
    trail_log.vessels(5, "A")
    trail_log.seal_and_sign()
    trail_log.vessels(5, "B")

    found = check()

    assert not found.is_lost
    assert found.lines()[0].startswith("Nothing is lost")


def test_a_restored_log_is_refused_by_the_signer_and_described(restored: exported.Source) -> None:
    with pytest.raises(SignerRefused, match="rolled back"):
        checkpoints.sign(timezone.now())

    found = check(restored)

    sizes = {one.size for one in found.lost}
    assert (found.size, found.common) == (START, START)
    assert sizes == {START + 10, max(sizes)}
    assert {one.source.split()[0] for one in found.lost} == {"the", "published", "export"}
    text = "\n".join(found.lines())
    assert f"leaves {START} to {found.lost_to - 1}" in text
    assert f"Lost: checkpoint {START + 10} (published {START + 10}.note)" in text
    assert found.kept is not None and found.kept.size == START


def test_a_rewritten_end_is_no_common_history(restored: exported.Source) -> None:
    trail_log.vessels(330, "other")
    settle()

    found = check()

    assert found.common == START
    assert found.size == START + 330
    assert f"330 leaves after {START} are of another history" in "\n".join(found.lines())


def test_a_note_of_a_witness_counts_and_a_forged_one_does_not(database: str) -> None:
    trail_log.vessels(5, "A")
    copies.back_up(database)
    trail_log.seal_and_sign()
    (path, note), *_ = checkpoints.published(settings.PUBLISHED_DIR)
    path.unlink()
    (settings.PUBLISHED_DIR / "latest").unlink()
    (keys.folder() / "signer" / "state.json").unlink()
    copies.restore(database)
    assert not check().is_lost

    found = restoring.check(
        notes=[("witness", note), ("forged", note.replace(f"\n{trail_log.BEGUN + 5}\n", "\n99\n"))]
    )

    assert [one.source for one in found.lost] == ["witness"]
    assert found.refused and found.refused[0].startswith("forged")


# --- Recovery


@pytest.mark.requirement("P11-c1", "211-68b")
def test_the_lost_end_is_put_back_from_the_export(database: str, tmp_path: Path) -> None:
    trail_log.vessels(40, "A")
    trail_log.seal_and_sign()
    copies.back_up(database)
    size = go_on()
    expected, source = rows(), exported.Folder(copies.export(tmp_path))
    root = checkpoints.sign(timezone.now()).checkpoint.root
    times = signing_times()
    copies.restore(database)
    assert rows() != expected

    found = recover(source)

    assert (found.start, found.end) == (START, size)
    assert found.rows.incomplete == ()
    assert rows() == expected
    with connections["default"].cursor() as cursor:
        reader = stored.reader(cursor)
        assert merkle.root_at(size, reader) == root
        assert enforcement.problems(cursor) == []
    assert not check(source).is_lost
    assert signing_times() == times
    assert trail_log.seal_and_sign() > size  # the signer goes on; the recovery is an entry
    assert bodies(1)[-1]["new"]["kind"] == "recovery"


def test_records_go_on_after_a_recovery_without_a_fork(restored: exported.Source) -> None:
    recover(restored)

    with trail_log.act("volume read again"):
        vessel = Vessel.objects.order_by("pk").first()
        assert vessel is not None
        vessel.volume_l = 13
        vessel.save()
    trail_log.vessels(3, "C")
    trail_log.seal_and_sign()

    steps = [
        (one["record_seq"], one["prev"])
        for one in bodies(1)
        if one["record"] == "trail_app_vessel" and one["record_id"] == str(vessel.pk)
    ]
    assert [seq for seq, _ in steps] == [1, 2, 3]
    assert len({prev for _, prev in steps}) == 3


def test_entries_that_were_unsealed_in_the_copy_are_sealed_where_they_were(
    database: str, tmp_path: Path
) -> None:
    trail_log.vessels(40, "A")
    trail_log.seal_and_sign()
    trail_log.vessels(7, "late")
    copies.back_up(database)
    size = go_on()
    source = exported.Folder(copies.export(tmp_path))
    copies.restore(database)

    assert recover(source).end == size

    assert trail_log.seal_and_sign() > size


def test_a_secret_value_does_not_come_back_and_is_named(database: str, tmp_path: Path) -> None:
    trail_log.vessels(4, "A")
    trail_log.seal_and_sign()
    copies.back_up(database)
    with trail_log.act():
        Vessel.objects.create(name="S", secret="hunter2")
    trail_log.seal_and_sign()
    source = exported.Folder(copies.export(tmp_path))
    copies.restore(database)

    found = recover(source)

    assert [one.split(": ")[1] for one in found.rows.incomplete] == ["secret"]


def test_what_a_copy_from_before_a_migration_has_no_place_for_is_named(
    database: str, tmp_path: Path
) -> None:
    trail_log.vessels(4, "A")
    trail_log.seal_and_sign()
    copies.back_up(database)
    with trail_log.act():
        vessel = Vessel.objects.create(name="S", volume_l=5)
        Stamp.objects.create(text="in a table of its own")
    trail_log.seal_and_sign()
    source = exported.Folder(copies.export(tmp_path))
    copies.restore(database)
    with administrator(database) as superuser:
        quietly(
            superuser,
            "ALTER TABLE trail_app_vessel DROP COLUMN volume_l",
            "DROP TABLE trail_app_stamp",
        )

    found = recover(source)

    assert found.rows.incomplete == (
        "trail_app_stamp (no such table)",
        f"trail_app_vessel {vessel.pk}: volume_l",
    )


@pytest.mark.requirement("211-68b")
def test_an_altered_export_is_refused_and_nothing_is_written(restored: exported.Source) -> None:
    class Altered:
        def get(self, key: str) -> bytes | None:
            data = restored.get(key)
            return data.replace(b"12.500000", b"99.500000") if data and "bodies" in key else data

        children = restored.children

    with pytest.raises(recovering.Unrecoverable, match="not those that were signed"):
        recover(Altered())

    assert check().size == START


def test_an_export_with_a_hole_is_refused(restored: exported.Source) -> None:
    class Holed:
        def get(self, key: str) -> bytes | None:
            return None if "bodies/001" in key else restored.get(key)

        children = restored.children

    with pytest.raises(recovering.Unrecoverable, match="bodies/001"):
        recover(Holed())

    assert check().size == START


def test_a_database_that_went_on_is_not_recovered(restored: exported.Source) -> None:
    trail_log.vessels(2, "other")
    with pytest.raises(recovering.Unrecoverable, match="written after"):
        recover(restored)
    settle()

    with pytest.raises(recovering.Unrecoverable, match="not those that were signed"):
        recover(restored)


# --- A new origin


def test_writers_move_to_the_new_origin_whose_first_entry_says_what_was_lost(
    restored: exported.Source,
) -> None:
    trail_log.vessels(3, "after the restore")
    found = check(restored)

    continued = new_origin(found)

    trail_log.vessels(4, "C")  # no restart in between
    settle((1, continued.log_id))
    assert continued.origin == settings.LOG_ORIGIN.removesuffix("/1") + "/2"
    first, *others = bodies(continued.log_id)
    (event,) = log_events.documents("origin")
    assert first["new"]["kind"] == "origin"
    assert len(others) == 4
    assert {one["log"] for one in (first, *others)} == {continued.origin}
    assert (event["restored_size"], event["lost_from"]) == (START, START)
    assert (event["lost_to"], event["closed_size"]) == (found.lost_to, START + 3)
    assert event["old_checkpoint"] == found.lost[-1].note
    assert [one["name"] for one in event["persons"]] == [one.name for one in TWO]
    assert keys.history().open(event["old_checkpoint"]).size == found.lost_to
    assert len(bodies(1)) == START + 3


def test_the_new_log_is_signed_with_its_own_keys_and_the_old_one_stays_readable(
    restored: exported.Source,
) -> None:
    continued = new_origin(check(restored))
    settle((continued.log_id,))

    signed = checkpoints.sign(timezone.now(), origin=continued.origin)

    (event,) = log_events.documents("origin")
    history = keys.history(continued.origin)
    assert history.open(signed.note).origin == continued.origin
    assert event["keys"] == [one.vkey for one in history.records]
    with pytest.raises(SignerRefused):
        checkpoints.sign(timezone.now())
    with connections["default"].cursor() as cursor:
        state = stored.state(cursor, log_id=1)
        assert merkle.root_at(event["closed_size"], stored.reader(cursor)) == state.root
        assert event["closed_root"] == state.root.hex()
    found = verification.verify().faults
    assert {one.verdict for one in found} == {Verdict.MISSING}  # the lost end of the old one
    assert not any(continued.origin in one.message for one in found)


def test_a_record_continues_from_its_entry_in_the_old_log(restored: exported.Source) -> None:
    continued = new_origin(check(restored))
    with trail_log.act("volume read again"):
        vessel = Vessel.objects.order_by("pk").first()
        assert vessel is not None
        vessel.volume_l = 13
        vessel.save()
    settle((1, continued.log_id))

    last = bodies(continued.log_id)[-1]

    with connections["default"].cursor() as cursor:
        cursor.execute(
            "SELECT e.body FROM audit.entry e WHERE log_id = 1 AND digest = %s",
            [bytes.fromhex(last["prev"])],
        )
        (body,) = cursor.fetchone()
    assert entry_form.parse(bytes(body))["record_id"] == str(vessel.pk)
    assert leaf.entry_digest(bytes(body)).hex() == last["prev"]


def test_an_origin_that_a_second_restore_forgot_is_not_used_again(
    restored: exported.Source, database: str
) -> None:
    first = new_origin(check())
    settle((1, first.log_id))
    checkpoints.sign(timezone.now(), origin=first.origin)
    copies.restore(database)

    found = check()
    second = new_origin(found)

    assert found.lost_logs == (first.origin,)
    assert second.origin == settings.LOG_ORIGIN.removesuffix("/1") + "/3"
    assert log_events.documents("origin")[0]["lost_logs"] == [first.origin]
    with pytest.raises(new_logs.OriginUnusable):
        new_logs.begin(first.origin, actor=ACTOR, at=timezone.now(), reason="once more")


def test_no_new_origin_without_a_loss_nor_without_two_persons(
    restored: exported.Source,
) -> None:
    found = check()
    with pytest.raises(NotDetachable):
        continuing.new_origin(
            found, persons=TWO[:1], actor=ACTOR, at=timezone.now(), reason="tail was lost"
        )
    recover(restored)

    with pytest.raises(continuing.NothingLost):
        new_origin(check())


@pytest.mark.parametrize("is_written", [False, True])
def test_acts_under_way_end_in_the_old_log_and_waiting_ones_go_to_the_new(
    restored: exported.Source, is_written: bool
) -> None:
    """An act that has begun holds the new origin up; one that begins meanwhile is in the new log.

    Where the first one left an entry, that is sealed first, and the second one need not wait.
    """
    begun, go, ends = threading.Event(), threading.Event(), list[BaseException]()

    def slow() -> None:
        try:
            with trail_log.act():
                Vessel.objects.exists()  # an act begins with its first statement
                if is_written:
                    Vessel.objects.create(name="slow")
                begun.set()
                go.wait(20)
        except BaseException as error:
            ends.append(error)
        finally:
            connections.close_all()

    def waiting() -> None:
        try:
            with trail_log.act():
                Vessel.objects.create(name="waiting")
        except BaseException as error:
            ends.append(error)
        finally:
            connections.close_all()

    def released() -> None:
        blocked("AccessExclusiveLock")  # the new origin waits for the slow act
        later.start()
        blocked("AccessShareLock")  # and the next act for the new origin
        go.set()
        connections.close_all()

    threads = [threading.Thread(target=slow), threading.Thread(target=released)]
    later = threading.Thread(target=waiting)
    threads[0].start()
    begun.wait(20)
    threads[1].start()
    continued = new_origin(check())
    for thread in (*threads, later):
        thread.join()
    settle((1, continued.log_id))

    assert ends == []
    names = {log: [one["new"].get("name") for one in bodies(log)] for log in (1, continued.log_id)}
    assert ("slow" in names[1]) == is_written
    assert "waiting" in names[1 if is_written else continued.log_id]
    assert names[continued.log_id][0] is None  # the event itself is first
    with connections["default"].cursor() as cursor:
        cursor.execute("SELECT count(*) FROM audit.entry")
        (entries,) = cursor.fetchone()
    assert entries == len(names[1]) + len(names[continued.log_id])
    assert sequencer.seal(log_id=1).count == 0
