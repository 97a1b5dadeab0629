"""The signer beside a real log: its role, its loop, its recovery, the exchange of its keys."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connections, transaction
from django.utils import timezone

from compliance.trail import checkpoints, key_events, keys, sequencer, verification
from compliance.trail.models import LogEvent
from compliance.trail.recording import System
from compliance.trail.signer import delivery, failure
from compliance.trail.tlog import keys as tlog_keys
from compliance.trail.tlog import note
from compliance.trail.tlog.key_history import KeyHistory
from tests import trail_log

ACTOR = System("test")


def sealed(count: int, prefix: str) -> None:
    trail_log.vessels(count, prefix)
    while sequencer.seal().count:
        pass


def stored() -> list[tuple[int, str]]:
    with connections["default"].cursor() as cursor:
        cursor.execute("SELECT size, note FROM audit.checkpoint ORDER BY size")
        return list(cursor.fetchall())


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 240
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.fixture
def log(fresh_log: Any) -> None:
    keys.ensure()
    sealed(5, "A")


@pytest.fixture
def running(log: None) -> Iterator[list[BaseException]]:
    with trail_log.running_signer() as ends:
        yield ends


def test_the_loop_signs_and_publishes_what_was_sealed(running: list[BaseException]) -> None:
    until(lambda: len(stored()) == 1)
    sealed(3, "B")
    until(lambda: len(stored()) == 2)

    size, text = stored()[-1]
    until((settings.PUBLISHED_DIR / f"{size}.note").exists)
    assert keys.history().open(text).size == size
    assert text.count("\n— ") == 2
    assert verification.verify().faults == ()
    assert running == []


def test_the_loop_goes_on_after_its_connection_was_cut(
    running: list[BaseException], as_superuser: psycopg.Connection[Any]
) -> None:
    until(lambda: len(stored()) == 1)
    as_superuser.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    as_superuser.commit()
    connections.close_all()

    sealed(3, "B")
    until(lambda: len(stored()) == 2)

    assert running == []


def test_the_loop_ends_when_the_log_was_rolled_back(
    running: list[BaseException], as_superuser: psycopg.Connection[Any]
) -> None:
    until(lambda: len(stored()) == 1)
    as_superuser.execute("ALTER TABLE audit.log_state DISABLE TRIGGER ALL")
    as_superuser.execute("UPDATE audit.log_state SET size = size - 1")
    as_superuser.commit()

    until(lambda: bool(running))

    assert isinstance(running[0], failure.LogForked)


def test_a_second_signer_is_refused_while_one_runs(running: list[BaseException]) -> None:
    until(lambda: len(stored()) == 1)

    with pytest.raises(failure.AlreadyRunning):
        checkpoints.sign(timezone.now())
    with pytest.raises(CommandError, match="another signer"):
        call_command("trail", "rotate-key", algorithm="ed25519", reason="yearly exchange of keys")


def test_sealing_by_hand_beside_a_signer_that_runs_waits_for_its_checkpoint(
    running: list[BaseException],
) -> None:
    until(lambda: len(stored()) == 1)
    sealed(3, "B")
    said, told = StringIO(), StringIO()

    call_command("trail", "seal", stdout=said, stderr=told)

    size, _ = stored()[-1]
    assert said.getvalue() == f"Sealed 0 entries; a checkpoint of {size} leaves is signed\n"
    assert "A signer runs: waiting" in told.getvalue()
    assert len(stored()) == 2
    assert running == []


# --- Recovery


def test_a_checkpoint_signed_and_not_stored_is_stored_first(
    log: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(*_: Any, **__: Any) -> None:
        raise RuntimeError("power cut")

    with monkeypatch.context() as patched:
        patched.setattr(delivery, "_store", crash)
        with pytest.raises(RuntimeError):
            checkpoints.sign(timezone.now())
    assert stored() == []
    sealed(4, "B")

    checkpoints.sign(timezone.now() + timedelta(minutes=5))

    assert [size for size, _ in stored()] == [trail_log.BEGUN + 5, trail_log.BEGUN + 9]
    assert verification.verify().faults == ()


def test_a_lost_memory_stops_the_signer_until_a_checkpoint_is_adopted(log: None) -> None:
    trail_log.seal_and_sign()
    (delivery.folder() / "state.json").unlink()
    sealed(4, "B")

    with pytest.raises(failure.StateLost):
        checkpoints.sign(timezone.now())
    size, _ = stored()[-1]
    call_command("signer", adopt=settings.PUBLISHED_DIR / f"{size}.note")

    assert checkpoints.sign(timezone.now()).checkpoint.size > size
    assert verification.verify().faults == ()


def test_a_lost_memory_is_noticed_by_the_published_checkpoints_too(
    log: None, as_superuser: psycopg.Connection[Any]
) -> None:
    trail_log.seal_and_sign()
    (delivery.folder() / "state.json").unlink()
    as_superuser.execute("ALTER TABLE audit.checkpoint DISABLE TRIGGER ALL")
    as_superuser.execute("DELETE FROM audit.checkpoint")
    as_superuser.commit()

    with pytest.raises(failure.StateLost):
        checkpoints.sign(timezone.now())


def test_a_memory_restored_from_a_copy_is_noticed(log: None) -> None:
    trail_log.seal_and_sign()
    old = (delivery.folder() / "state.json").read_bytes()
    sealed(4, "B")
    trail_log.seal_and_sign()
    (delivery.folder() / "state.json").write_bytes(old)

    with pytest.raises(failure.StateBehind):
        checkpoints.sign(timezone.now())


def test_an_altered_memory_stops_the_signer_and_is_a_fault(log: None) -> None:
    trail_log.seal_and_sign()
    path = delivery.folder() / "state.json"
    path.write_text(path.read_text().replace(f"\\n{trail_log.BEGUN + 5}\\n", "\\n14\\n"))

    with pytest.raises(failure.StateCorrupt):
        checkpoints.sign(timezone.now())
    assert "signer's own" in str(verification.verify().first)


# --- Its role


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit.log_state SET size = size",
        "SELECT 1 FROM audit.log_state FOR UPDATE",
        "INSERT INTO audit.leaf VALUES (1, 900, 900, '', '')",
        "INSERT INTO audit.node VALUES (1, 8, 0, '')",
        "DELETE FROM audit.checkpoint",
        "UPDATE audit.checkpoint SET note = ''",
        "TRUNCATE audit.checkpoint",
        "SELECT 1 FROM audit.entry",
        "SELECT 1 FROM audit.projection",
        "UPDATE trail_logevent SET kind = kind",
        "DELETE FROM trail_logevent",
        "SELECT audit.ensure_partitions()",
    ],
)
def test_the_signers_role_adds_to_the_log_and_alters_nothing(log: None, statement: str) -> None:
    with pytest.raises(DatabaseError, match="permission denied"):
        with transaction.atomic(using="signer"), connections["signer"].cursor() as cursor:
            cursor.execute(statement)


def test_the_sequencers_role_adds_no_checkpoints(log: None) -> None:
    with pytest.raises(DatabaseError, match="permission denied"):
        with transaction.atomic(using="sequencer"), connections["sequencer"].cursor() as cursor:
            cursor.execute("INSERT INTO audit.checkpoint VALUES (1, 1, '', '')")


# --- The exchange of keys


def outsider() -> KeyHistory:
    """Build the history as somebody does who has the first keys and the log's entries."""
    pinned, _ = keys.register()
    documents = (
        LogEvent.objects.filter(kind="key").order_by("pk").values_list("document", flat=True)
    )
    return KeyHistory.replay(settings.LOG_ORIGIN, pinned=pinned, documents=list(documents))


@pytest.mark.parametrize("algorithm", ["ed25519", "ml-dsa-44"])
def test_a_key_is_exchanged_with_one_checkpoint_signed_by_both(log: None, algorithm: str) -> None:
    trail_log.seal_and_sign()
    call_command("trail", "rotate-key", algorithm=algorithm, reason="yearly exchange of keys")
    sealed(4, "B")

    trail_log.seal_and_sign()

    counts = [text.count("\n— ") for _, text in stored()]
    assert counts == [2, 3, 2]
    assert outsider() == keys.history()
    for size, text in stored():
        assert outsider().open(text).size == size
        assert (settings.PUBLISHED_DIR / f"{size}.note").read_text() == text
    assert verification.verify().faults == ()


def test_both_keys_are_exchanged_twice_and_every_checkpoint_stays_good(log: None) -> None:
    for turn in range(2):
        for algorithm in keys.ALGORITHMS.values():
            key_events.rotate(
                algorithm, actor=ACTOR, at=timezone.now(), reason="yearly exchange of keys"
            )
        sealed(2, f"turn-{turn}")
        trail_log.seal_and_sign()

    assert len(keys.history().records) == 6
    assert len(keys.current()) == 2
    assert verification.verify().faults == ()


def test_a_checkpoint_signed_by_the_old_key_alone_is_a_fault_after_the_exchange(
    log: None, as_superuser: psycopg.Connection[Any]
) -> None:
    trail_log.seal_and_sign()
    old = [keys.signer_of(verifier) for verifier in keys.current()]
    call_command("trail", "rotate-key", algorithm="ed25519", reason="yearly exchange of keys")
    sealed(4, "B")
    trail_log.seal_and_sign()
    size, text = stored()[-1]
    forged = note.sign(note.split(text)[0], old, at=int(time.time()))
    as_superuser.execute("ALTER TABLE audit.checkpoint DISABLE TRIGGER ALL")
    as_superuser.execute("UPDATE audit.checkpoint SET note = %s WHERE size = %s", [forged, size])
    as_superuser.commit()

    assert "in force" in str(verification.verify().first)


def test_an_exchange_interrupted_before_it_was_recorded_is_recorded_later(
    log: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(*_: Any, **__: Any) -> None:
        raise RuntimeError("power cut")

    with monkeypatch.context() as patched:
        patched.setattr(key_events, "deliver", crash)
        with pytest.raises(RuntimeError):
            key_events.rotate(
                tlog_keys.ED25519,
                actor=ACTOR,
                at=datetime.now(UTC),
                reason="yearly exchange of keys",
            )
    assert outsider() != keys.history()

    call_command("trail", "rotate-key", reason="finish the exchange of today")

    assert outsider() == keys.history()


def test_an_exchange_needs_a_reason(log: None) -> None:
    with pytest.raises(CommandError, match="no reason"):
        call_command("trail", "rotate-key", algorithm="ed25519")


# --- The command


def test_the_command_signs_until_it_is_told_to_stop(log: None, fresh_log: Any) -> None:
    from tests.attacks.test_trail_under_load import environment

    root = Path(__file__).resolve().parents[4]
    command = subprocess.Popen(
        [sys.executable, str(root / "manage.py"), "signer"],
        cwd=root,
        env=environment(fresh_log.database),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        until(lambda: len(stored()) == 1)
    finally:
        command.terminate()
        out, err = command.communicate(timeout=240)

    assert command.returncode == 0, err
    assert out.splitlines() == ["Signing the trail", "Stopped"]
