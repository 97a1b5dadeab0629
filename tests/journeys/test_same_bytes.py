"""One worker and three, a restart, any order, the record alone: always the same bytes."""

import json
import subprocess
import sys
from datetime import UTC, datetime

import pytest

from tests.journeys import site
from tests.journeys.conftest import ROOT, Installation

MAKE = """
import json
from compliance.access.duties import Role
from compliance.access.models import User
from tests import factories
from tests.factories import NOON
from tests.twins.predictions import conftest
from batches.execution.models import Batch
from datetime import timedelta
from django.utils import timezone
from twins.bulk import asking, tasks
if not Batch.objects.exists():
    recipe = conftest.make_recipe()
    for fault in ("", "feed-pump-degraded"):
        conftest.make_culture(recipe, until_h=30.0, every_h=6.0, fault=fault)
    factories.person(Role.PROCESS_ENGINEER, username="engineer")
asked = {"actor": User.objects.get(username="engineer"), "at": timezone.now(),
         "reason": "the same once more"}
batches = list(Batch.objects.order_by("-pk"))
runs = [asking.of_futures(batches[0], as_of=NOON + timedelta(hours=30), members=6000, **asked),
        asking.predictions(batches, **asked)]
for run in runs:
    tasks.start(run)
print(json.dumps([run.number for run in runs]))
"""
ONLY_BULK = [f"--without-{part}" for part in ("web", "sequencer", "signer", "worker", "beat")]


def digests(installation: Installation, *, processes: int) -> list[str]:
    """Ask for the same two runs, let so many worker processes do them, and return their digests."""
    installation.environment["GMP_BULK_PROCESSES"] = str(processes)
    with site.running(installation, *ONLY_BULK):
        numbers = json.loads(installation.ask(MAKE).splitlines()[-1])
        watched = installation.manage("bulk", "watch", *numbers, timeout=240)
    assert watched.stdout.count("\tdone\t") == len(numbers), watched.stdout + watched.stderr
    return [line.split()[-1] for line in watched.stdout.splitlines()]


@pytest.mark.timeout(900)
@pytest.mark.requirement("A22-1")
def test_one_and_three_workers_a_restart_and_any_order_give_the_same_bytes(
    installation: Installation,
) -> None:
    assert installation.manage("migrate", "--verbosity", "0").returncode == 0

    by_one = digests(installation, processes=1)
    by_three = digests(installation, processes=3)

    assert by_one == by_three
    again = subprocess.run(
        [sys.executable, "-m", "tests.journeys.repeating"],
        cwd=ROOT, env=installation.environment, text=True, capture_output=True, check=False,
    )  # fmt: skip
    assert again.stdout.strip() == "100 answers, 1 digest, 0 not as recorded", again.stderr
    replayed = installation.manage("replay", "--all")
    assert replayed.returncode == 0, replayed.stdout + replayed.stderr
    numbers = [f"BLK-{datetime.now(UTC).year}-{number:04d}" for number in range(1, 5)]
    done = installation.manage("bulk", "replay", *numbers)
    assert done.stdout.count("identical to the byte") == len(numbers), done.stdout + done.stderr
