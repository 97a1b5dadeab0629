"""Measure two ways of doing the same, interleaved, in wall time and in CPU of client and backend."""

import gc
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil
from django.db import DEFAULT_DB_ALIAS, connections

Run = Callable[[], object]


@dataclass(frozen=True)
class Row:
    """One figure; `ratio` is value / baseline, both measured in this run.

    `spread` has the least and the greatest that the rounds gave: of the ratio when there is one,
    else of the value. It is printed, and no part of the JSON.
    """

    name: str
    value: float
    unit: str
    baseline: float | None = None
    ratio: float | None = None
    spread: tuple[float, float] | None = None


@dataclass(frozen=True)
class Cost:
    wall_s: float
    cpu_s: float


def cost(run: Run, *, using: str = DEFAULT_DB_ALIAS) -> Cost:
    """Measure one run: wall time, and CPU of this process plus its database backend."""
    backend = psutil.Process(_backend_pid(using))
    own = psutil.Process()
    gc.collect()  # what earlier runs left behind is not this one's cost
    before_cpu = _cpu(own) + _cpu(backend)
    before = time.perf_counter()
    run()
    return Cost(time.perf_counter() - before, _cpu(own) + _cpu(backend) - before_cpu)


def beside(
    ours: Run, baseline: Run, *, rounds: int, between: Run = lambda: None
) -> list[tuple[Cost, Cost]]:
    """Return the costs of both, run in turns so that drift of the machine hits both.

    `between` is done before each round and is not measured.
    """
    found = []
    for turn in range(rounds + 1):
        between()
        if turn % 2:
            pair = (cost(ours), cost(baseline))
        else:
            second = cost(baseline)
            pair = (cost(ours), second)
        if turn:  # the first round warms up
            found.append(pair)
    return found


def compared(
    name: str, pairs: Sequence[tuple[float, float]], *, unit: str, scale: float = 1.0
) -> Row:
    """Return the medians of both sides, their ratio, and the spread of the rounds' own ratios."""
    value, baseline = (statistics.median(side) * scale for side in zip(*pairs, strict=True))
    ratios = [one / other for one, other in pairs]
    return Row(name, value, unit, baseline, value / baseline, (min(ratios), max(ratios)))


def alone(name: str, values: Sequence[float], *, unit: str) -> Row:
    """Return the median of several measurements of the same."""
    return Row(name, statistics.median(values), unit, spread=(min(values), max(values)))


def _cpu(process: psutil.Process) -> float:
    # Nanoseconds on a core (proc(5), schedstat); cpu_times counts ticks of 10 ms.
    schedstat = Path(f"/proc/{process.pid}/schedstat")
    if schedstat.exists():
        tasks = Path(f"/proc/{process.pid}/task").glob("*/schedstat")
        return sum(int(task.read_text().split()[0]) for task in tasks) / 1e9
    times = process.cpu_times()
    return float(times.user + times.system)


def _backend_pid(using: str) -> int:
    with connections[using].cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return int(cursor.fetchone()[0])


def share(times: Sequence[float], part: float = 0.95) -> float:
    """Return what so large a part of the times stays within, in their unit."""
    return sorted(times)[int(part * len(times))]
