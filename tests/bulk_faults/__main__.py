"""Run the faults of bulk work: `python -m tests.bulk_faults --seconds 300 --batches 12`.

A whole installation predicts batches in bulk and runs futures of one, while its workers, their
processes and the broker are killed with kill -9. Prints what was asked, killed and found, and ends
with 1 unless every prediction was made once, none is missing, and the results are, to the byte, those
of one process that repeats them from the record.
"""

import argparse
import json
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path

import psutil

from tests.bulk_faults.checking import Books
from tests.journeys import site
from tests.journeys.conftest import Installation

SETTLED_S = 300.0  # at most, after the last kill
# A supervisor gives up what dies five times within a minute.
SAME_AGAIN_S = 20.0
MAKE = """
import json
from compliance.access.duties import Role
from tests import factories
from tests.factories import NOON
from tests.twins.predictions import conftest
from datetime import timedelta
from django.utils import timezone
from twins.bulk import asking, tasks
recipe = conftest.make_recipe()
made = [conftest.make_culture(recipe, until_h={hours}, seed=300 + n, every_h=6.0)
        for n in range({batches})]
person = factories.person(Role.PROCESS_ENGINEER)
first = asking.predictions(made, actor=person, at=timezone.now(), reason="bulk work under kill -9")
second = asking.of_futures(made[0], as_of=NOON + timedelta(hours={hours}), members={members},
    actor=person, at=timezone.now(), reason="futures under kill -9")
for run in (first, second):
    tasks.start(run)
print(json.dumps([first.number, second.number]))
"""


class Faults:
    """An installation at bulk work, and what kills its workers."""

    def __init__(self, installation: Installation, *, seconds: float, seed: int) -> None:
        self.installation, self.seconds = installation, seconds
        self.dice = random.Random(seed)
        self.killed: Counter[str] = Counter()
        self.whole_at = 0.0

    def run(self, *, batches: int, hours: int, members: int) -> list[str]:
        """Kill for the given time, let the work end, and return what is not as it must be."""
        code = MAKE.format(batches=batches, hours=hours, members=members)
        numbers = json.loads(self.installation.ask(code).splitlines()[-1])
        print(f"asked: {', '.join(numbers)}; {batches} batches of {hours} h", flush=True)
        end = time.monotonic() + self.seconds
        while (left := end - time.monotonic()) > 0:
            time.sleep(min(left, self.dice.uniform(0.5, 3.0)))
            self._kill(self.dice.choice(["child", "child", "child", "parent", "broker"]))
        print(
            "killed: " + ", ".join(f"{n} {c}" for n, c in sorted(self.killed.items())), flush=True
        )
        try:
            self.installation.manage("bulk", "watch", *numbers, timeout=SETTLED_S)
        except subprocess.TimeoutExpired:
            return [f"work is still open {SETTLED_S:.0f} s after the last kill"]
        return Books(self.installation).faults(numbers, batches=batches, hours=hours)

    def _kill(self, what: str) -> None:
        now = time.monotonic()
        name = self.dice.choice(["bulk", "bulk", "worker"])
        pid = self.installation.pids().get(name)
        # A worker may end with the broker: both count against the patience of the supervisor.
        is_whole = what != "child" and now - self.whole_at >= SAME_AGAIN_S
        if what == "broker" and is_whole:
            with suppress(AssertionError):  # killed, and not up again yet
                self.installation.kill_server("valkey")
                self.whole_at = now
                self.killed["broker"] += 1
            return
        if pid is None or not psutil.pid_exists(pid):
            return  # it is not up again yet
        if what == "parent" and is_whole:
            self.whole_at = now
            self.killed[f"{name} with its processes"] += 1
            psutil.Process(pid).kill()
            return
        children = psutil.Process(pid).children()
        if children:
            self.killed[f"process of {name}"] += 1
            self.dice.choice(children).kill()


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bulk_faults", description=__doc__)
    parser.add_argument("--seconds", type=float, default=300)
    parser.add_argument("--batches", type=int, default=12)
    parser.add_argument("--hours", type=int, default=96, help="how far each batch has come")
    parser.add_argument("--members", type=int, default=20_000, help="futures of the first batch")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="gmp-bulk-faults-"))
    installation = Installation(folder)
    installation.environment.update(GMP_BULK_PROCESSES="2", GMP_WORKER_PROCESSES="2")
    try:
        migrated = installation.manage("migrate", "--verbosity", "0", timeout=1_000)
        if migrated.returncode:
            raise SystemExit(migrated.stderr)
        with site.running(installation, "--without-web"):
            faults = Faults(installation, seconds=given.seconds, seed=given.seed).run(
                batches=given.batches, hours=given.hours, members=given.members
            )
        verified = installation.manage("trail", "verify")
        if verified.returncode:
            faults.append(f"the trail does not verify: {verified.stdout}")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    for fault in faults:
        print(f"FAULT {fault}")
    print("bulk faults: " + ("each prediction is made once" if not faults else f"{len(faults)}"))
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
