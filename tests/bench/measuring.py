"""Measure two ways of doing the same, interleaved, in wall time and in CPU of client and backend."""

import json
import platform
import statistics
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil
from django.db import connection

Run = Callable[[], None]


@dataclass(frozen=True)
class Row:
    """One figure; `ratio` is value / baseline, both measured in this run."""

    name: str
    value: float
    unit: str
    baseline: float | None = None
    ratio: float | None = None


@dataclass(frozen=True)
class Cost:
    wall_s: float
    cpu_s: float


def cost(run: Run) -> Cost:
    """Measure one run: wall time, and CPU of this process plus its database backend."""
    backend = psutil.Process(_backend_pid())
    own = psutil.Process()
    before_cpu = _cpu(own) + _cpu(backend)
    before = time.perf_counter()
    run()
    return Cost(time.perf_counter() - before, _cpu(own) + _cpu(backend) - before_cpu)


def beside(ours: Run, baseline: Run, *, rounds: int) -> tuple[Cost, Cost]:
    """Return the median costs of both, run in turns so that drift of the machine hits both."""
    found: tuple[list[Cost], list[Cost]] = ([], [])
    for turn in range(rounds + 1):
        pairs = [(0, ours), (1, baseline)]
        for which, run in pairs if turn % 2 else reversed(pairs):
            measured = cost(run)
            if turn:  # the first round warms up
                found[which].append(measured)
    return _median(found[0]), _median(found[1])


def report(part: str, rows: list[Row], *, folder: Path) -> None:
    """Print the table, say what it ran on, and write it as JSON."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT version(), current_setting('fsync')")
        version, fsync = cursor.fetchone()
    print(f"{part}: {platform.machine()}, {psutil.cpu_count()} cores, Python "
          f"{platform.python_version()}, {version.split(' on ')[0]}, fsync {fsync}")  # fmt: skip
    print(f"{'name':<22}{'value':>14}  {'unit':<12}{'baseline':>14}{'ratio':>8}")
    for row in rows:
        baseline = "" if row.baseline is None else f"{row.baseline:,.3f}"
        ratio = "" if row.ratio is None else f"{row.ratio:.2f}"
        print(f"{row.name:<22}{row.value:>14,.3f}  {row.unit:<12}{baseline:>14}{ratio:>8}")
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{part}.json"
    path.write_text(json.dumps([asdict(row) for row in rows], indent=2) + "\n")
    print(f"written to {path}")


def _median(costs: list[Cost]) -> Cost:
    return Cost(
        statistics.median(one.wall_s for one in costs),
        statistics.median(one.cpu_s for one in costs),
    )


def _cpu(process: psutil.Process) -> float:
    # Nanoseconds on a core (proc(5), schedstat); cpu_times counts ticks of 10 ms.
    schedstat = Path(f"/proc/{process.pid}/schedstat")
    if schedstat.exists():
        tasks = Path(f"/proc/{process.pid}/task").glob("*/schedstat")
        return sum(int(task.read_text().split()[0]) for task in tasks) / 1e9
    times = process.cpu_times()
    return float(times.user + times.system)


def _backend_pid() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return int(cursor.fetchone()[0])
