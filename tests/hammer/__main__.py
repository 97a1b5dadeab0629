"""Run the hammer: `python -m tests.hammer --transactions 100000` (16 writers, kills at random).

Prints what was committed, killed and verified, and ends with 1 unless the log is whole.
"""

import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path

from tests.hammer import installation

ROOT = Path(__file__).resolve().parents[2]
PROCESSES, THREADS = 4, 4


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--transactions", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--kill-every", type=float, default=4.0, metavar="SECONDS")
    given = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="gmp-hammer-"))
    installation.set_up(folder, create=True)
    from django.db import connections

    from config.embedded import lease

    try:
        return Hammer(folder, given.transactions, given.seed, given.kill_every).run()
    finally:
        connections.close_all()
        lease.release_all()
        shutil.rmtree(folder, ignore_errors=True)


class Hammer:
    """Writers, a sequencer and a signer in processes of their own, and what kills them."""

    def __init__(self, folder: Path, count: int, seed: int, pause_s: float) -> None:
        self.folder, self.count, self.pause_s = folder, count, pause_s
        self.dice = random.Random(seed)
        self.kills: Counter[str] = Counter()
        self.parts: dict[str, subprocess.Popen[bytes]] = {}

    def run(self) -> int:
        from tests import trail_log
        from tests.trail_app.models import Kept

        with trail_log.act():
            Kept.objects.bulk_create([Kept(text="shared") for _ in range(8)])
        begun = time.monotonic()
        writers = [self._writer(number) for number in range(PROCESSES)]
        while any(writer.poll() is None for writer in writers):
            self._keep_parts()
            time.sleep(self.dice.uniform(0.2, 2 * self.pause_s))
            self._kill_one()
        seconds = time.monotonic() - begun
        failed = [writer.returncode for writer in writers if writer.returncode]
        print(f"{PROCESSES * THREADS} writers, {self.count} transactions in {seconds:.0f} s; "
              f"killed: {dict(sorted(self.kills.items()))}", flush=True)  # fmt: skip
        self._settle()
        faults = [*(f"a writer ended with {code}" for code in failed), *self._check()]
        for fault in faults:
            print(f"FAULT {fault}")
        print("hammer: " + ("the log is whole" if not faults else f"{len(faults)} faults"))
        return 1 if faults else 0

    def _writer(self, number: int) -> subprocess.Popen[bytes]:
        words = [str(self.folder), str(number), str(THREADS), str(self.count // PROCESSES)]
        return subprocess.Popen([sys.executable, "-m", "tests.hammer.writing", *words], cwd=ROOT)

    def _keep_parts(self) -> None:
        for name in ("sequencer", "signer"):
            if name not in self.parts or self.parts[name].poll() is not None:
                self.parts[name] = subprocess.Popen(
                    [sys.executable, "manage.py", name], cwd=ROOT, env=dict(os.environ),
                    stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                )  # fmt: skip

    def _kill_one(self) -> None:
        which = self.dice.choice(["sequencer", "signer", "sequencer", "signer", "database"])
        self.kills[which] += 1
        if which == "database":
            with suppress(FileNotFoundError, ProcessLookupError):  # killed, and not up again yet
                pid = int((self.folder / "postgres" / "postmaster.pid").read_text().split("\n")[0])
                os.kill(pid, signal.SIGKILL)
            return
        self.parts[which].kill()
        self.parts[which].wait()

    def _settle(self) -> None:
        for part in self.parts.values():
            part.kill()
            part.wait()
        from django.db import connections

        from tests import trail_log

        connections.close_all()
        trail_log.seal_and_sign()

    def _check(self) -> list[str]:
        """Say what is not as it must be: acknowledged and lost, twice, forked, altered."""
        from django.db import connection
        from django.utils import timezone

        from compliance.trail import seals, verification
        from tests import trail_log
        from tests.trail_app.models import Vessel

        faults = []
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT (SELECT count(*) FROM audit.entry), count(*), count(DISTINCT entry_id), "
                "max(idx) + 1 FROM audit.leaf"
            )
            entries, leaves, distinct, end = cursor.fetchone()
        print(f"{entries} entries, {leaves} leaves, {end} the size of the log", flush=True)
        if not entries == leaves == distinct == end:
            faults.append(f"entries, leaves and size differ: {entries}, {leaves}, {end}")
        names = [
            line
            for path in self.folder.glob("acknowledged-*.txt")
            for line in path.read_text().splitlines()
        ]
        there = set(Vessel.objects.values_list("name", flat=True))
        lost = [name for name in names if name not in there]
        print(f"{len(names)} acknowledged, {len(lost)} of them lost", flush=True)
        if lost or len(names) < self.count - PROCESSES:
            faults.append(f"acknowledged and not there: {lost[:5]}")
        report = verification.verify()
        faults += [str(fault) for fault in report.faults[:20]]
        seals.seal(timezone.now())
        trail_log.seal_and_sign()
        vessel = self.dice.choice(sorted(there))
        return faults + self._bundle(str(Vessel.objects.get(name=vessel).pk))

    def _bundle(self, pk: str) -> list[str]:
        from django.utils import timezone

        from compliance.trail import bundles, keys, log_source
        from compliance.trail.verifier import writing
        from compliance.trail.verifier.contents import Kind, Subject

        subject = Subject(kind=Kind.RECORD, title="One", records=(("trail_app_vessel", pk),))
        with log_source.opened() as source:
            data = writing.bundle(bundles.gather(source, subject, created_at=timezone.now()))
        (self.folder / "bundle.zip").write_bytes(data)
        (self.folder / "keys.txt").write_text("\n".join(one.vkey for one in keys.current()))
        done = subprocess.run(
            [sys.executable, "-m", "compliance.trail.verifier", "verify", "bundle.zip",
             "--trust", "keys.txt"],
            cwd=self.folder, env={**os.environ, "PYTHONPATH": str(ROOT)}, text=True,
            capture_output=True, check=False,
        )  # fmt: skip
        print((done.stdout.strip() or done.stderr.strip()).splitlines()[-1], flush=True)
        return [] if done.returncode == 0 else [f"the bundle does not verify: {done.stdout}"]


if __name__ == "__main__":
    sys.exit(main())
