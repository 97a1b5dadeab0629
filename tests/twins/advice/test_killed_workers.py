"""Workers are killed with kill -9 while they work out a request: the sixth death ends it, in words."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

import pytest

from compliance.access.duties import Role
from tests import factories
from tests.api_client import ApiClient
from tests.conftest import FreshLog
from tests.twins.advice.conftest import AT, made_alert, made_recipe
from twins.advice import requests, runs, tasks
from twins.advice.models import Proposal, ProposalState
from twins.predictions import leases
from twins.predictions.asked import rooms

RUN_OUT = leases.STALE_AFTER + timedelta(seconds=1)
# As Celery does: one process loads all, and each run is in a child of it.
WORKERS = """
import os, sys
from datetime import datetime
import django
django.setup()
from django.db import connections
for alias in connections:
    connections[alias].settings_dict["NAME"] = sys.argv[1]
from twins.advice import runs
from twins.advice.models import Proposal
for line in sys.stdin:
    pk, at = line.split()
    child = os.fork()
    if not child:
        runs.advise(Proposal.objects.get(pk=pk), at=datetime.fromisoformat(at))
        os._exit(0)
    print(child, flush=True)
    _, status = os.waitpid(child, 0)
    print(os.waitstatus_to_exitcode(status), flush=True)
"""


@contextmanager
def _workers(database: str) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [sys.executable, "-c", WORKERS, database],
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "config.settings"},
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    ) as started:  # fmt: skip
        try:
            yield started
        finally:
            started.kill()


def _killed_at_work(workers: subprocess.Popen[str], proposal: Proposal, *, at: datetime) -> None:
    """Let a worker take the request, and kill it with kill -9 while it works it out."""
    assert workers.stdin is not None
    assert workers.stdout is not None
    taken = Proposal.objects.filter(
        pk=proposal.pk, state=ProposalState.CLAIMED, attempts=proposal.attempts + 1
    )
    print(proposal.pk, at.isoformat(), file=workers.stdin, flush=True)
    worker = int(workers.stdout.readline())
    until = time.monotonic() + 240
    while not taken.exists() and time.monotonic() < until:
        time.sleep(0.02)
    os.kill(worker, signal.SIGKILL)
    assert int(workers.stdout.readline()) == -signal.SIGKILL
    proposal.refresh_from_db()
    assert leases.worker(proposal.claimed_by).endswith(f"/{worker}")


def test_six_workers_that_are_killed_end_it_for_all_to_see_and_a_person_asks_again(
    fresh_log: FreshLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    alert = made_alert(made_recipe())
    proposal, when = requests.for_alert(alert, at=AT), AT
    with _workers(fresh_log.database) as workers:
        for number in range(rooms.MOST_ATTEMPTS):
            assert requests.ROOM.left_behind(at=when) == ([proposal] if number else [])
            assert requests.ROOM.give_up(at=when) == 0
            _killed_at_work(workers, proposal, at=when)
            assert (proposal.state, proposal.attempts) == (ProposalState.CLAIMED, number + 1)
            when += RUN_OUT

    assert requests.ROOM.left_behind(at=when) == []
    assert requests.ROOM.give_up(at=when) == 1

    proposal.refresh_from_db()
    assert (proposal.state, proposal.refusal) == ("failed", "advice-workers-died")
    client = ApiClient()
    client.force_login(factories.person(Role.PROCESS_ENGINEER))
    shown = client.get(f"/api/v1/proposals/{proposal.pk}").json()
    assert (shown["state"], shown["refusal"]) == ("failed", "advice-workers-died")
    assert shown["problem"].startswith("Its worker died 6 times")
    for address in (
        f"/admin/advice/proposal/{proposal.pk}/change/",
        f"/admin/predictions/alert/{alert.pk}/change/",
    ):
        page = client.get(address).content.decode()
        assert "Its worker died 6 times" in page, address
        assert "(advice-workers-died)" in page, address
    assert f"/alert/{alert.pk}/acts/advise/" in page

    queued = []
    monkeypatch.setattr(tasks.advise, "delay", lambda **said: queued.append(said["proposal_id"]))
    asked = client.post(f"/api/v1/alerts/{alert.pk}/proposals", "", "application/json")

    assert asked.status_code == 202
    assert queued == [asked.json()["id"]]
    again = runs.advise(Proposal.objects.get(pk=asked.json()["id"]), at=when)
    assert again is not None
    assert (again.state, again.attempts, again.prediction) == ("open", 1, proposal.prediction)
