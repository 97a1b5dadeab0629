"""Writers, sequencers and kills at once: every committed entry gets one leaf, and no fork."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from django.conf import settings
from django.db import (
    InternalError,
    OperationalError,
    ProgrammingError,
    connection,
    connections,
    transaction,
)

from compliance.trail import sealing, sequencer, verification
from tests import trail_log
from tests.trail_app.models import Kept, Vessel

ROOT = Path(__file__).resolve().parents[2]


def counted() -> tuple[int, int, int]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT (SELECT count(*) FROM audit.entry), (SELECT count(*) FROM audit.leaf), "
            "(SELECT coalesce(max(idx) + 1, 0) FROM audit.leaf)"
        )
        entries, leaves, end = cursor.fetchone()
        return entries, leaves, end


def write(number: int, rounds: int, failures: list[BaseException]) -> None:
    try:
        for turn in range(rounds):
            with trail_log.act("a turn", name=f"writer {number}"):
                Kept.objects.create(text=f"{number}-{turn}")
                Kept.objects.filter(text="shared").update(
                    text="shared ",
                )
                Kept.objects.filter(text="shared ").update(text="shared")
                try:
                    with transaction.atomic():
                        Vessel.objects.create(name=f"{number}-{turn}")
                        if turn % 3 == 0:
                            raise ZeroDivisionError
                except ZeroDivisionError:
                    pass
    except BaseException as error:
        failures.append(error)
    finally:
        connections.close_all()


def writers(count: int, rounds: int) -> tuple[list[threading.Thread], list[BaseException]]:
    failures: list[BaseException] = []
    threads = [
        threading.Thread(target=write, args=(number, rounds, failures)) for number in range(count)
    ]
    for thread in threads:
        thread.start()
    return threads, failures


def environment(database: str) -> dict[str, str]:
    """Return what lets another process use the fresh database."""
    found = connections["owner"].get_connection_params()
    host, port = quote(str(found.get("host") or ""), safe=""), found.get("port") or 5432
    user, password = quote(str(found.get("user") or "")), quote(str(found.get("password") or ""))
    return {
        **os.environ,
        "DATABASE_URL": f"postgresql://{user}:{password}@/{database}?host={host}&port={port}",
        "GMP_KEYS_DIR": str(settings.KEYS_DIR),
        "GMP_PUBLISHED_DIR": str(settings.PUBLISHED_DIR),
        "GMP_VAR_DIR": str(settings.VAR_DIR),
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "PYTHONUNBUFFERED": "1",
    }


def start(database: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, str(ROOT / "manage.py"), "sequencer"],
        cwd=ROOT,
        env=environment(database),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize("isolation", ["READ COMMITTED", "REPEATABLE READ"])
def test_four_writers_and_two_sequencers_lose_and_double_nothing(
    fresh_log: Any, as_superuser: Any, isolation: str
) -> None:
    as_superuser.execute(
        f'ALTER DATABASE "{fresh_log.database}" SET default_transaction_isolation = %s'
        % as_superuser.execute("SELECT quote_literal(%s)", [isolation.lower()]).fetchone()[0]
    )
    as_superuser.commit()
    connection.close()
    if isolation == "READ COMMITTED":  # elsewhere writers of one row must try again
        with trail_log.act():
            Kept.objects.create(text="shared")
    stop = threading.Event()
    sealers = [threading.Thread(target=sealing.run, args=(stop,)) for _ in range(2)]
    for sealer in sealers:
        sealer.start()

    threads, failures = writers(4, 25)
    for thread in threads:
        thread.join()
    deadline = time.monotonic() + 240
    while counted()[0] != counted()[1] and time.monotonic() < deadline:
        time.sleep(0.1)
    stop.set()
    for sealer in sealers:
        sealer.join()

    assert failures == []
    entries, leaves, end = counted()
    assert entries == leaves == end
    assert entries >= 4 * 25 + 4 * 16
    trail_log.seal_and_sign()
    assert verification.verify().faults == ()


def test_an_entry_committed_late_gets_its_leaf_late(fresh_log: Any) -> None:
    begun, finish = threading.Event(), threading.Event()

    def write_slowly() -> None:
        with trail_log.act():
            Kept.objects.create(text="early number, late commit")
            begun.set()
            finish.wait(20)
        connections.close_all()

    slow = threading.Thread(target=write_slowly)
    slow.start()
    assert begun.wait(20)
    for n in range(5):
        trail_log.vessels(2, f"quick-{n}")
        sequencer.seal()  # moves the mark up to where it may be
    entries, leaves, _ = counted()
    finish.set()
    slow.join()

    assert entries == leaves
    assert sequencer.seal().count == 1
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT entry_id = (SELECT min(entry_id) FROM audit.entry WHERE entry_id > %s) "
            "FROM audit.leaf ORDER BY idx DESC LIMIT 1",
            [entries - 10],
        )
        assert cursor.fetchone() == (True,)
    assert verification.verify().faults == ()


def test_an_entry_of_a_prepared_transaction_gets_its_leaf_when_that_is_committed(
    fresh_log: Any, as_superuser: Any
) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SHOW max_prepared_transactions")
        if cursor.fetchone() == ("0",):
            pytest.skip("this server has no prepared transactions")

    def prepare(name: str) -> None:
        recording_at = trail_log.act(name=name)
        with contextlib.suppress(ProgrammingError, InternalError, OperationalError):
            with recording_at:
                Kept.objects.create(text=name)
                with connection.cursor() as cursor:
                    cursor.execute(f"PREPARE TRANSACTION '{fresh_log.database}-{name}'")
        connections.close_all()

    for name in ("kept", "dropped"):  # each in a session that ends before its transaction does
        thread = threading.Thread(target=prepare, args=(name,))
        thread.start()
        thread.join()
    for n in range(5):
        trail_log.vessels(2, f"quick-{n}")
        sequencer.seal()
    entries, leaves, _ = counted()
    as_superuser.execute(f"COMMIT PREPARED '{fresh_log.database}-kept'")
    as_superuser.execute(f"ROLLBACK PREPARED '{fresh_log.database}-dropped'")

    assert entries == leaves
    assert sequencer.seal().count == 1
    assert [one.text for one in Kept.objects.all()] == ["kept"]
    trail_log.seal_and_sign()
    assert verification.verify().faults == ()


def test_the_low_water_mark_follows_and_hides_nothing(fresh_log: Any) -> None:
    for n in range(4):
        trail_log.vessels(3, f"V{n}")
        sequencer.seal()
    sequencer.seal()
    sequencer.seal()

    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT scan_from, pending_mark, (SELECT max(entry_id) FROM audit.entry) "
            "FROM audit.log_state"
        )
        scan_from, pending, newest = cursor.fetchone()
    assert scan_from == pending == newest
    trail_log.vessels(1, "after")
    assert sequencer.seal().count == 1


def test_batches_smaller_than_the_backlog_are_contiguous(fresh_log: Any) -> None:
    trail_log.vessels(700, "V")

    sizes = []
    while sealed := sequencer.seal(limit=256).count:
        sizes.append(sealed)

    assert sizes[:2] == [256, 256]
    trail_log.seal_and_sign()
    assert verification.verify().faults == ()


def write_until(stop: threading.Event, number: int, failures: list[BaseException]) -> None:
    turn = 0
    while not stop.is_set() and not failures:
        turn += 1
        write(number * 1_000_000 + turn, 3, failures)


def test_a_sequencer_killed_again_and_again_leaves_a_whole_log(fresh_log: Any) -> None:
    stop, failures = threading.Event(), list[BaseException]()
    threads = [
        threading.Thread(target=write_until, args=(stop, number, failures)) for number in range(2)
    ]
    for thread in threads:
        thread.start()
    for pause_s in (0.0, 0.013, 0.11):
        _, before, _ = counted()
        process = start(fresh_log.database)
        deadline = time.monotonic() + 240
        while counted()[1] == before and time.monotonic() < deadline:
            time.sleep(0.002)
        time.sleep(pause_s)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        assert counted()[1] > before  # it was killed at work
    stop.set()
    for thread in threads:
        thread.join()

    process = start(fresh_log.database)
    wait_for_leaves()
    process.terminate()
    out, err = process.communicate(timeout=120)

    assert failures == []
    assert process.returncode == 0, err
    assert "Stopped" in out
    entries, leaves, end = counted()
    assert entries == leaves == end
    trail_log.seal_and_sign()
    assert verification.verify().faults == ()


def test_the_loop_goes_on_after_its_connection_was_cut(fresh_log: Any, as_superuser: Any) -> None:
    stop = threading.Event()
    sealer = threading.Thread(target=sealing.run, args=(stop,))
    sealer.start()
    trail_log.vessels(1, "before")
    wait_for_leaves()
    as_superuser.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    as_superuser.commit()
    connection.close()

    trail_log.vessels(1, "after")
    wait_for_leaves()
    stop.set()
    sealer.join()

    entries, leaves, _ = counted()
    assert entries == leaves


def wait_for_leaves() -> None:
    deadline = time.monotonic() + 240
    while counted()[0] != counted()[1] and time.monotonic() < deadline:
        time.sleep(0.05)
