"""Attacks on logs beside the installation's first one: a tenant's, and one that continues another."""

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import connections
from django.utils import timezone
from psycopg import Connection

from compliance.trail import (
    checkpoints,
    continuing,
    keys,
    log_events,
    new_logs,
    projecting,
    recording,
    sequencer,
    stored,
    verification,
)
from compliance.trail.findings import Fault, Verdict
from compliance.trail.recording import System
from compliance.trail.tlog import leaf, merkle
from tests import trail_log
from tests.attacks import colluding
from tests.attacks.test_inventions_in_the_database import quietly

Superuser = Connection[Any]
EAST = "plant.example/acme/east/1"


@pytest.fixture
def east(fresh_log: Any) -> int:
    """Return the number of a second log, signed and published as the first one is."""
    keys.ensure()
    log_id = new_logs.begin(EAST, actor=System("tests"), at=timezone.now(), reason="a site begins")
    with recording.into(log_id):
        trail_log.vessels(20, "east")
    while sequencer.seal(log_id=log_id).count:
        pass
    while projecting.project(log_id=log_id):
        pass
    trail_log.seal_and_sign()
    checkpoints.sign(timezone.now(), origin=EAST)
    checkpoints.publish(Path(settings.PUBLISHED_DIR), origin=EAST)
    return log_id


def emptied(superuser: Superuser, log_id: int) -> None:
    for table in ("checkpoint", "leaf", "node", "projection", "head", "entry"):
        superuser.execute(f"DELETE FROM audit.{table} WHERE log_id = {log_id}")
    superuser.execute(
        "UPDATE audit.log_state SET size = 0, root = %s, chain = %s, range = '{}', scan_from = 0, "
        "pending_mark = 0 WHERE log_id = %s",
        [merkle.EMPTY_ROOT, leaf.chain_start(EAST), log_id],
    )
    superuser.execute(f"UPDATE audit.projected SET size = 0 WHERE log_id = {log_id}")
    superuser.execute("DELETE FROM trail_app_vessel WHERE name LIKE 'east%'")


def removed(superuser: Superuser, log_id: int) -> None:
    emptied(superuser, log_id)
    superuser.execute(f"DELETE FROM audit.current_log WHERE asked_for = {log_id}")
    for table in ("log_state", "projected", "log"):
        superuser.execute(f"DELETE FROM audit.{table} WHERE log_id = {log_id}")


def folders() -> list[Path]:
    return [keys.own_folder(Path(one), EAST) for one in (settings.KEYS_DIR, settings.PUBLISHED_DIR)]


def named(faults: Sequence[Fault], verdict: Verdict, words: str) -> bool:
    return any(one.verdict == verdict and words in one.message for one in faults)


def test_a_second_log_that_is_signed_is_intact(east: int) -> None:
    report = verification.verify()

    assert report.faults == ()
    assert report.checkpoints == 2


def test_everything_of_a_second_log_deleted_is_missed(east: int, as_superuser: Superuser) -> None:
    with colluding.silenced(as_superuser) as silent:
        emptied(silent, east)

    assert named(verification.verify().faults, Verdict.MISSING, EAST)


def test_the_checkpoints_of_a_second_log_are_missed(east: int, as_superuser: Superuser) -> None:
    with colluding.silenced(as_superuser) as silent:
        silent.execute(f"DELETE FROM audit.checkpoint WHERE log_id = {east}")

    faults = verification.verify().faults

    assert named(faults, Verdict.MISSING, f"published 20.note of {EAST} is not in the database")


@pytest.mark.parametrize("left", ["all", "published", "memory", "event"])
def test_a_second_log_that_was_removed_is_missed(
    east: int, as_superuser: Superuser, left: str
) -> None:
    with colluding.silenced(as_superuser) as silent:
        removed(silent, east)
        if left in ("published", "memory"):
            silent.execute("DELETE FROM trail_logevent WHERE kind = 'log'")
    own_keys, published = folders()
    if left in ("published", "event"):
        shutil.rmtree(own_keys)
    if left in ("memory", "event"):
        shutil.rmtree(published)

    faults = verification.verify().faults

    assert named(faults, Verdict.MISSING, f"the log {EAST} is not in the database any more")


def test_a_second_log_rewritten_contradicts_its_published_checkpoint(
    east: int, as_superuser: Superuser
) -> None:
    with colluding.silenced(as_superuser) as silent:
        silent.execute(f"DELETE FROM audit.checkpoint WHERE log_id = {east}")
        silent.execute(
            f"UPDATE audit.leaf SET leaf_hash = sha256('') WHERE log_id = {east} AND idx = 7"
        )

    assert named(verification.verify().faults, Verdict.FORK, f"published 20.note of {EAST}")


def test_the_keys_of_a_second_log_deleted_are_missed(east: int) -> None:
    shutil.rmtree(folders()[0])

    assert named(verification.verify().faults, Verdict.MISSING, "there is no")


def test_keys_that_were_made_for_a_log_which_never_began_are_noted(east: int) -> None:
    keys.ensure("plant.example/acme/west/1")

    report = verification.verify()

    assert report.faults == ()
    assert any("plant.example/acme/west/1" in one for one in report.notes)


def test_a_log_that_is_said_to_continue_none_is_named(east: int, as_superuser: Superuser) -> None:
    with colluding.silenced(as_superuser) as silent:
        silent.execute("UPDATE audit.log SET follows = 99 WHERE log_id = %s", [east])

    assert named(verification.verify().faults, Verdict.TAMPERED, "a log 99 that is not there")


def test_acts_sent_to_a_log_that_nobody_began_are_named(east: int, as_superuser: Superuser) -> None:
    origin = f"{settings.LOG_ORIGIN}x"
    start = leaf.chain_start(origin).hex()
    quietly(as_superuser, f"SELECT audit.open_log('{origin}', '\\x{start}', 1::smallint, false)")
    trail_log.vessels(3, "denied")

    assert named(verification.verify().faults, Verdict.TAMPERED, f"nobody began {origin}")


def taken_over(superuser: Superuser, **changed: Any) -> str:
    """Send the acts of the first log to another one, and tell of it as a lawful continuation does."""
    trail_log.written()
    origin = f"{settings.LOG_ORIGIN[:-1]}2"
    vkeys = [one.vkey for one in keys.ensure(origin).records]
    with connections["default"].cursor() as cursor:
        end = stored.state(cursor)
        cursor.execute("SELECT note, size FROM audit.checkpoint ORDER BY size DESC LIMIT 1")
        note, size = cursor.fetchone()
    start = leaf.chain_start(origin).hex()
    quietly(superuser, f"SELECT audit.open_log('{origin}', '\\x{start}', 1::smallint, false)")
    document = {
        "v": 1, "old_origin": settings.LOG_ORIGIN, "old_checkpoint": note, "lost_logs": [],
        "restored_size": 0, "lost_from": 0, "lost_to": size, "closed_size": end.size,
        "closed_root": end.root.hex(), "closed_chain": end.chain.hex(), "keys": vkeys,
        "persons": [{"name": "Ada", "reason": "lost disk"}, {"name": "Bo", "reason": "lost disk"}],
    } | changed  # fmt: skip
    log_events.record(
        continuing.KIND, document, actor=System("test"), at=timezone.now(),
        reason="tail lost with the disk", using="owner",
    )  # fmt: skip
    trail_log.vessels(3, "hidden")
    for _ in sequencer.seal_all(log_id=2):
        pass
    while projecting.project(log_id=2):
        pass
    checkpoints.sign(timezone.now(), origin=origin)
    return origin


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({}, "that it calls lost is there"),
        ({"old_checkpoint": ""}, "it shows no signed checkpoint"),
        ({"lost_from": 1 << 30}, "nothing was lost after what it kept"),
        ({"closed_size": 3}, "that one does not end where it was closed"),
        ({"lost_logs": [settings.LOG_ORIGIN]}, "that it calls lost is there"),
    ],
)
def test_acts_sent_to_another_log_of_which_an_event_tells_are_named_where_nothing_was_lost(
    fresh_log: Any, as_superuser: Superuser, changed: dict[str, Any], why: str
) -> None:
    origin = taken_over(as_superuser, **changed)

    assert named(verification.verify().faults, Verdict.TAMPERED, why)
    alone = verification.verify(log_id=1)
    assert named(alone.faults, Verdict.TAMPERED, why)
    assert f"{settings.LOG_ORIGIN} is continued by {origin}: acts for it go there" in alone.notes


def test_a_log_put_above_the_others_is_named(east: int, as_superuser: Superuser) -> None:
    with colluding.silenced(as_superuser) as silent:
        silent.execute(f"UPDATE audit.log SET is_parent = true WHERE log_id = {east}")

    assert named(verification.verify().faults, Verdict.TAMPERED, "has another place")
