"""Sequencer, signer and database are killed at each step; the log stays whole and never forks."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from django.conf import settings
from django.db import OperationalError, connection, connections

from compliance.trail import verification
from tests import trail_log
from tests.attacks.conftest import SealedLog
from tests.attacks.test_trail_under_load import ROOT, counted, environment

# Runs one round of sealing, signing and publishing, and dies before or after one step of it.
ROUND = """
import os, signal, sys
import django
django.setup()
from django.db import connections
from django.conf import settings
from django.utils import timezone
from compliance.trail import binary_copy, checkpoints, sequencer
from compliance.trail.signer import core, delivery

def die():
    if sys.argv[3] == "database":  # its server process: PostgreSQL itself goes down and recovers
        for one in connections.all():
            if one.connection is not None and one.connection.info.backend_pid:
                os.kill(one.connection.info.backend_pid, signal.SIGKILL)
                break
    os.kill(os.getpid(), signal.SIGKILL)

def dying(owner, name, when):
    whole = getattr(owner, name)
    def step(*args, **options):
        if when == "before":
            die()
        found = whole(*args, **options)
        die()
        return found
    setattr(owner, name, step)

steps = {
    "copy": (binary_copy, "write"),
    "read-back": (sequencer, "_read_back"),
    "commit": (sequencer, "_batch"),
    "sign": (core.CheckpointSigner, "sign"),
    "store": (delivery, "_store"),
    "publish": (checkpoints, "_export"),
}
dying(*steps[sys.argv[1]], sys.argv[2])
sequencer.seal()
checkpoints.sign(timezone.now())
checkpoints.publish(settings.PUBLISHED_DIR)
"""
STEPS = [
    ("copy", "after"),
    ("read-back", "after"),
    ("commit", "after"),
    ("sign", "before"),
    ("sign", "after"),
    ("store", "after"),
    ("publish", "before"),
    ("publish", "after"),
]


def died(database: str, step: str, when: str, who: str) -> int:
    ended = subprocess.run(
        [sys.executable, "-c", ROUND, step, when, who],
        cwd=ROOT,
        env=environment(database),
        capture_output=True,
        timeout=240,
        check=False,
    )
    return ended.returncode


def whole_again(log: SealedLog) -> None:
    """Go on, and demand that nothing was lost, doubled, or signed twice."""
    signed = {path.name: path.read_text() for path in Path(settings.PUBLISHED_DIR).glob("*.note")}
    size = trail_log.seal_and_sign()
    entries, leaves, end = counted()
    assert entries == leaves == end == size > log.size
    for name, text in signed.items():
        assert (Path(settings.PUBLISHED_DIR) / name).read_text() == text
    assert verification.verify().faults == ()


@pytest.mark.parametrize(("step", "when"), STEPS)
def test_killed_at_a_step_it_goes_on_without_loss_or_fork(
    sealed_log: SealedLog, step: str, when: str
) -> None:
    trail_log.vessels(20, "more")

    code = died(sealed_log.database, step, when, "process")

    assert code == -signal.SIGKILL
    whole_again(sealed_log)


@pytest.mark.parametrize(("step", "when"), STEPS)
def test_with_the_database_killed_at_a_step_it_goes_on_without_loss_or_fork(
    sealed_log: SealedLog, step: str, when: str
) -> None:
    if not settings.EMBEDDED_POSTGRES or os.geteuid() != 0:
        pytest.skip("the server is not this checkout's own, or not ours to kill")
    trail_log.vessels(20, "more")

    code = died(sealed_log.database, step, when, "database")
    up_again()

    assert code == -signal.SIGKILL
    whole_again(sealed_log)


def up_again() -> None:
    """Wait until PostgreSQL has recovered."""
    deadline = time.monotonic() + 240
    while time.monotonic() < deadline:
        connections.close_all()
        try:
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1")
            return
        except OperationalError:
            time.sleep(0.2)
    pytest.fail("PostgreSQL did not come back")
