"""Run the faults: `python -m tests.faults --seconds 300` (8 clients; web, database, network fail).

Prints what was posted, broken, repeated and found, and ends with 1 unless everything accepted is
there exactly once, proven by its receipt, and in the books of both sides, and no answer was a 500.
"""

import argparse
import json
import random
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import psutil

from tests.faults.checking import Books
from tests.faults.clients import PATIENCE_S, Client, Given
from tests.faults.proxy import Proxy
from tests.journeys import site
from tests.journeys.conftest import Installation

POSTS = ("readings",) * 3 + ("events",) * 2 + ("results",) + ("records",) * 2
CUT_ONE_IN = 40  # answers
# A device may ask ten times a second: some clients are told to wait.
RATE = {"GMP_RATE_DEVICE": "600"}
# A supervisor gives up what dies five times within a minute.
SAME_AGAIN_S = 20.0
LONGEST_TRACEBACK = 8_000  # characters
MAKE = """
import json
from datetime import timedelta
from django.utils import timezone
from compliance.access.models import DeviceKind
from tests import factories
from tests.batches.exchange import sending
at = timezone.now() - timedelta(hours=2)
recipe = factories.recipe(at=at)
made = []
for number in range({count}):
    device, token = factories.device_and_token(DeviceKind.LIMS, at=at)
    source = sending.registered(device, f"src-{{number}}", at=at)
    made.append([factories.running_batch(recipe, at=at).number, source.code, token])
print(json.dumps(made))
"""


class Faults:
    """An installation, its clients, and what breaks under them."""

    def __init__(self, installation: Installation, url: str, *, seconds: float, seed: int) -> None:
        self.installation, self.url, self.seconds = installation, url, seconds
        self.dice = random.Random(seed)
        address = urlsplit(url)
        self.proxy = Proxy(
            str(address.hostname), int(address.port or 0), cut_one_in=CUT_ONE_IN, seed=seed
        )
        self.broken: Counter[str] = Counter()
        self.last: dict[str, float] = {}

    def run(self) -> list[str]:
        """Let everything fail for the given time; return what is not as it must be then."""
        begun = datetime.now(UTC)
        made = json.loads(self.installation.ask(MAKE.format(count=len(POSTS))).splitlines()[-1])
        stop = threading.Event()
        through = f"http://127.0.0.1:{self.proxy.port}"
        clients = [
            Client(Given(batch, source, token, posts), through, begun, stop)
            for (batch, source, token), posts in zip(made, POSTS, strict=True)
        ]
        threads = [threading.Thread(target=client.run) for client in clients]
        for thread in threads:
            thread.start()
        end = time.monotonic() + self.seconds
        while (left := end - time.monotonic()) > 0:
            time.sleep(min(left, self.dice.uniform(2, 7)))
            self._break(self.dice.choice(["web", "database", "network"]))
        stop.set()
        self.proxy.calm()
        for thread in threads:
            thread.join(timeout=2 * PATIENCE_S)
        self._tell(clients)
        return self._check(clients)

    def _break(self, which: str) -> None:
        now = time.monotonic()
        if which != "network" and now - self.last.get(which, 0.0) < SAME_AGAIN_S:
            which = "network"
        self.last[which] = now
        self.broken[which] += 1
        if which == "network":
            self.proxy.break_off(for_s=self.dice.uniform(0, 2))
        elif which == "web":
            self._kill_web()
        else:
            self.installation.kill_server("postgres")

    def _kill_web(self) -> None:
        """kill -9 the web server, its master and its workers, or one worker of it."""
        pid = self.installation.pids().get("web")
        if pid is None or not psutil.pid_exists(pid):
            return  # it is not up again yet
        master = psutil.Process(pid)
        workers = master.children()
        whole = [master, *workers] if self.dice.random() < 0.5 or not workers else workers[:1]
        for one in whole:
            one.kill()

    def _tell(self, clients: list[Client]) -> None:
        repeats = sum((client.repeats for client in clients), Counter[str]())
        self.broken["answer"] = self.proxy.cuts
        writes = sum(len(client.accepted) for client in clients)
        print(f"{len(clients)} clients, {writes} writes accepted in {self.seconds:.0f} s")
        print("broken: " + _counts(self.broken))
        print(
            f"asked again: {_counts(repeats)}; "
            f"{sum(client.replayed for client in clients)} of them had been done"
        )

    def _check(self, clients: list[Client]) -> list[str]:
        found = [f"a client gave up: {one.failure}" for one in clients if one.failure]
        found += [f"{one.given.source} wrote nothing" for one in clients if not one.accepted]
        broken = sum(client.repeats["500"] for client in clients)
        found += [f"{broken} answers of 500: what fails has an answer of its own"] if broken else []
        books = Books(self.installation, self.url)
        with ThreadPoolExecutor(len(clients)) as side_by_side:  # each may ask so often only
            for faults in side_by_side.map(books.faults, clients):
                found += faults
        print(f"{books.proven.total()} receipts verified up to a signed checkpoint", flush=True)
        return found


def _counts(counted: Counter[str]) -> str:
    return ", ".join(f"{name} {count}" for name, count in sorted(counted.items()))


def _verified(installation: Installation) -> list[str]:
    done = installation.manage("trail", "verify")
    print(next((one for one in done.stdout.splitlines() if "INTACT" in one), done.stdout))
    return [] if done.returncode == 0 else [f"the trail does not verify: {done.stdout}"]


def _found(installation: Installation, given: argparse.Namespace) -> list[str]:
    installation.environment.update(RATE)
    _done(installation.manage("migrate", "--verbosity", "0", timeout=1_000))
    with site.running(installation) as url:
        found = Faults(installation, url, seconds=given.seconds, seed=given.seed).run()
    return found + _verified(installation)


def _tracebacks(log: Path) -> list[str]:
    """Return what the web server logged of errors that nobody had thought of."""
    lines = log.read_text().splitlines() if log.exists() else []
    of_web = "\n".join(line for line in lines if line.startswith("web "))
    told = of_web.split("Internal Server Error: ")[1:]
    return [f"Internal Server Error: {one[:LONGEST_TRACEBACK]}" for one in told]


def _done(process: "subprocess.CompletedProcess[str]") -> None:
    if process.returncode:
        raise SystemExit(process.stderr)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--seconds", type=float, default=300)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="gmp-faults-"))
    faults = []
    try:
        faults += _found(Installation(folder), given)
    finally:
        faults += _tracebacks(folder / "up.log")
        shutil.rmtree(folder, ignore_errors=True)
        for fault in faults:
            print(f"FAULT {fault}")
    print("faults: " + ("each write is there once, and proven" if not faults else f"{len(faults)}"))
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
