"""Bulk work on real brokers: a worker is killed in the middle, and the run ends whole all the same."""

import json
import os
import signal
import subprocess
import time
from typing import Any

import pytest

from tests.services.conftest import Product

pytestmark = pytest.mark.services

PARTS, MOMENTS = 8, 16
# Parts of half a second or more, so that a worker is killed at one and not between two.
ASK = f"""
import json
from datetime import timedelta
from django.utils import timezone
from compliance.access.duties import Role
from tests import factories
from tests.factories import NOON
from tests.twins.predictions import conftest
from twins.bulk import asking, tasks
asking.MEMBERS_A_PART = 6_000
batch = conftest.make_culture(conftest.make_recipe(), until_h=96.0, seed=300, every_h=6.0)
person = factories.person(Role.PROCESS_ENGINEER)
futures = asking.of_futures(batch, as_of=NOON + timedelta(hours=96), members={PARTS} * 6_000,
    actor=person, at=timezone.now(), reason="futures while a worker is killed")
both = futures, asking.predictions([batch], actor=person, at=timezone.now(),
    reason="predictions while a worker is killed")
for run in both:
    tasks.start(run)
print(json.dumps([run.number for run in both]))
"""
STANDING = """
import json
from django.utils import timezone
from config import queue_status
(bulk,) = (one for one in queue_status.read(at=timezone.now()) if one.name == "bulk")
(parts,) = bulk.work
print(json.dumps({"messages": bulk.messages, "due": parts.due, "claimed": parts.claimed,
    "ran_out": parts.ran_out, "workers": [one.worker for one in parts.claims]}))
"""
CLAIMED = "SELECT count(*) FROM bulk_bulkpart WHERE state = 'claimed'"
DONE = "SELECT count(*) FROM bulk_bulkpart WHERE state = 'done'"
FINISHED = (
    "SELECT count(*) FROM audit.projection WHERE record = 'bulk_bulkpart' "
    "AND action = 'bulk.part-finished'"
)


def standing(of: Product) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(of.must("shell", "-v0", "-c", STANDING).splitlines()[-1])
    return found


def kill_at_a_part(of: Product, worker: subprocess.Popen[bytes]) -> None:
    """Kill a worker with its processes while it is at a part."""
    while True:
        os.killpg(worker.pid, signal.SIGSTOP)
        if of.ask(CLAIMED):
            os.killpg(worker.pid, signal.SIGKILL)
            return
        os.killpg(worker.pid, signal.SIGCONT)
        time.sleep(0.2)


def test_a_run_whose_worker_is_killed_ends_complete_with_each_part_done_once(
    product: Product,
) -> None:
    numbers = json.loads(product.must("shell", "-v0", "-c", ASK).splitlines()[-1])
    parts = PARTS + MOMENTS // 8
    assert standing(product) == {
        "messages": parts, "due": parts, "claimed": 0, "ran_out": 0, "workers": [],
    }  # fmt: skip

    first = product.worker("bulk")
    product.wait_until(f"SELECT ({DONE}) >= 2", True)
    kill_at_a_part(product, first)
    left = product.ask(DONE)
    found = standing(product)
    product.worker("scheduled,bulk")
    product.start("-m", "celery", "-A", "config", "beat")
    product.wait_until("SELECT count(*) FROM bulk_bulkrun WHERE state = 'done'", 2, at_most_s=400)

    assert 2 <= left < parts
    assert found["claimed"] == 1
    (worker,) = found["workers"]
    assert worker.split("/")[1].isdigit()
    assert product.ask(DONE) == parts
    # One claim each, and one more of the part at which the first worker died.
    assert product.ask("SELECT sum(attempts) FROM bulk_bulkpart") == parts + 1
    assert product.ask("SELECT max(attempts) FROM bulk_bulkpart") == 2
    product.start("manage.py", "sequencer")
    product.wait_until(FINISHED, parts)
    assert product.ask("SELECT count(*) FROM predictions_prediction") == MOMENTS
    assert product.ask("SELECT count(DISTINCT as_of) FROM predictions_prediction "
                       "WHERE state = 'done'") == MOMENTS  # fmt: skip
    for number in numbers:
        product.must("bulk", "replay", number)
