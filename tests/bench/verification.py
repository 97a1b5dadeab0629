"""What a full verification costs: plant millions of genuine entries, verify them, measure all of it.

`python -m tests.bench.verification 1000000 --folder /tmp/planted` keeps the database in the folder,
so that a second run only verifies (and plants the rest when it is asked for more).
"""

import argparse
import os
import resource
import sys
import threading
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

ACT_ROWS = 50_000
UPDATED = 4  # of ten entries, so many are updates
AT = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)
_INSERT = """
INSERT INTO bench_app_audited
    (number, title, state, text, low, high, count, is_open, opened_at, due_on)
SELECT 'R-' || n, 'Glucose below its limit on day ' || n %% 14, 'open',
    repeat('The probe and the laboratory agree. ', 6), 11.0 + n %% 7, 45.0, 0, true,
    '2026-03-01T08:00:00Z'::timestamptz + n * interval '1 second', '2026-03-31'::date
FROM generate_series(%s, %s) n
"""
_UPDATE = """
UPDATE bench_app_audited SET count = count + 1, state = 'closed', closed_at = now()
WHERE id >= %s AND id < %s
"""


class Action(StrEnum):
    MEASURED = "bench.measured"


def plant(entries: int) -> None:
    """Bring the log to this many entries: captured by the triggers, sealed by the sequencer."""
    from django.db import connection

    from compliance.trail import recording
    from compliance.trail.recording import System

    done = _sealed(limit=0)
    while (have := _count()) < entries:
        for rows, statement in (
            (ACT_ROWS * (10 - UPDATED) // 10, _INSERT),
            (ACT_ROWS * UPDATED // 10, _UPDATE),
        ):
            with (
                recording.recording(
                    Action.MEASURED, actor=System("bench"), at=AT, reason="measured here"
                ),
                connection.cursor() as cursor,
            ):
                if statement is _INSERT:
                    cursor.execute(statement, [have, have + rows - 1])
                else:
                    cursor.execute("SELECT max(id) FROM bench_app_audited")
                    (last,) = cursor.fetchone()
                    cursor.execute(statement, [last - rows, last])
        done += _sealed(limit=ACT_ROWS)
        print(f"planted {_count():,}", flush=True)


def _count() -> int:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM audit.entry_id_seq"
        )
        return int(cursor.fetchone()[0])


def _sealed(*, limit: int) -> int:
    from compliance.trail import projecting, sequencer

    count = 0
    while (sealed := sequencer.seal(20_000)).count:
        count += sealed.count
    while projecting.project(20_000):
        pass
    return count


@dataclass
class Peaks:
    """The most memory that each process of this verification used, and the CPU of all of them."""

    rss: dict[str, int] = field(default_factory=dict)
    cpu: dict[int, float] = field(default_factory=dict)

    def watch(self, stop: threading.Event) -> None:
        import psutil

        own = psutil.Process()
        postmasters = [
            one for one in psutil.process_iter(["cmdline"])
            if f"{os.environ['GMP_VAR_DIR']}/" in " ".join(one.info["cmdline"] or ())
            and "postgres" in " ".join(one.info["cmdline"] or ())
        ]  # fmt: skip
        base: dict[int, float] = {}
        turn = 0
        while not stop.wait(1):
            turn += 1
            for root, kind in [(own, "python"), *((one, "postgres") for one in postmasters)]:
                for process in (root, *_children(root)):
                    try:
                        times = process.cpu_times()
                        # reading the memory maps costs some milliseconds each
                        memory = process.memory_full_info().uss if turn % 2 else 0
                    except (psutil.Error, OSError):
                        continue
                    if kind == "postgres":  # ours is asked for exactly, at the end
                        base.setdefault(process.pid, times.user + times.system)
                        self.cpu[process.pid] = times.user + times.system - base[process.pid]
                    name = f"{kind} {process.pid}"
                    self.rss[name] = max(self.rss.get(name, 0), memory)


def _children(process: Any) -> list[Any]:
    import psutil

    try:
        return list(process.children(recursive=True))
    except psutil.Error:
        return []


def _own_cpu() -> float:
    """Return the CPU seconds of this process and its children so far."""
    found = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in found)


def verify_rate(entries: int) -> tuple[float, float, Peaks]:
    """Verify a log of this many entries; return entries/s, CPU microseconds an entry, and peaks."""
    from django.utils import timezone

    from compliance.trail import checkpoints, keys

    keys.ensure()
    checkpoints.sign(timezone.now())  # a log that nobody signed is no whole log
    from compliance.trail import verification

    plant(entries)
    peaks, stop = Peaks(), threading.Event()
    watcher = threading.Thread(target=peaks.watch, args=(stop,))
    watcher.start()
    try:
        before, cpu = time.perf_counter(), _own_cpu()
        report = verification.verify()
        seconds = time.perf_counter() - before
        peaks.cpu[0] = _own_cpu() - cpu
    finally:
        stop.set()
        watcher.join()
    if report.faults:
        sys.exit(f"the trail does not verify: {report.faults[0]}")
    return (
        report.entries / seconds,
        sum(peaks.cpu.values()) / report.entries * 1e6,
        peaks,
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("entries", type=int)
    parser.add_argument("--folder", type=Path, default=Path("/tmp/gmp-verification"))
    parser.add_argument("--plant-only", action="store_true")
    options = parser.parse_args()
    os.environ["GMP_VAR_DIR"] = str(options.folder.absolute())
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    prepare()
    if options.plant_only:
        plant(options.entries)
    else:
        rate, cpu, peaks = verify_rate(options.entries)
        print(f"{rate:,.0f} entries/s, {cpu:.1f} us CPU an entry")
        for name, size in sorted(peaks.rss.items(), key=lambda one: -one[1])[:12]:
            print(f"{name}: peak {size / 2**20:,.0f} MiB of its own")
    return 0


def prepare() -> None:
    """Make the tables that are measured, once."""
    import django

    django.setup()
    from django.apps import AppConfig, apps
    from django.core.management import call_command
    from django.db import connections, transaction

    from compliance.trail import capture

    config = AppConfig.create("tests.bench.bench_app")
    config.apps = apps
    apps.app_configs[config.label] = config
    config.import_models()
    apps.clear_cache()
    call_command("migrate", verbosity=0)
    owner = connections["owner"]
    with owner.cursor() as cursor:
        cursor.execute("SELECT to_regclass('public.bench_app_audited') IS NULL")
        (is_new,) = cursor.fetchone()
    if is_new:
        with owner.schema_editor() as editor:
            editor.create_model(apps.get_model("bench_app.Audited"))
    with transaction.atomic(using="owner"):
        capture.install(owner)


if __name__ == "__main__":
    sys.exit(main())
