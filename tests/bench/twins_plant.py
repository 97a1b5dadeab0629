"""Running batches swept by real workers, on an installation of its own: wall time, queries, scaling."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import psutil

from tests.bench.measuring import Row

ROOT = Path(__file__).resolve().parents[2]
SEEDS = 20  # different batches of the simulated plant; the others are theirs again
UNTIL_H, EVERY_H = 30, 6
AT_MOST_S = 1800.0
FUTURES = 200_000


def rows(batches: int) -> list[Row]:
    """Measure the sweep and its predictions on two workers, and how one worker compares."""
    folder = Path(tempfile.mkdtemp(prefix="gmp-bench-twins-"))
    os.environ["GMP_VAR_DIR"] = str(folder)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    os.environ["GMP_LOG_LEVEL"] = "WARNING"
    import django

    django.setup()
    from django.core.management import call_command
    from django.db import connections

    from config.embedded import lease, valkey

    try:
        call_command("migrate", verbosity=0, interactive=False)
        lease.hold(valkey.service(folder))
        return [*_swept(batches), *_scaled()]
    finally:
        connections.close_all()
        lease.release_all()
        shutil.rmtree(folder, ignore_errors=True)


def _swept(batches: int) -> list[Row]:
    from config.celery import app
    from twins.predictions.models import Prediction, PredictionState

    began = time.monotonic()
    _make(batches)
    print(f"{batches} running batches made in {time.monotonic() - began:.0f} s", file=sys.stderr)
    due, due_s, due_queries = _sweep()
    app.control.purge()
    with _workers(2, "scheduled"):
        # Of one moment each: the newest of what is due.
        asked = _ask(batches)
        begun = time.perf_counter()
        _until(lambda: Prediction.objects.exclude(state=PredictionState.CLAIMED).count() >= asked)
        wall = time.perf_counter() - begun
    forecasts = Prediction.objects.filter(status="forecast").count()
    _, idle_s, idle_queries = _sweep()
    app.control.purge()
    return [
        Row("sweep_batches", batches, "batches"),
        Row("sweep_due", due, "moments"),
        Row("sweep_queueing", due_s, "s"),
        Row("sweep_queries", due_queries, "queries"),
        Row("sweep_again", idle_s, "s"),
        Row("sweep_again_queries", idle_queries, "queries"),
        Row("sweep_predicted_by_two_workers", wall, "s"),
        Row("sweep_a_batch", 1000.0 * wall / asked, "ms wall"),
        Row("sweep_forecasts", forecasts, "predictions"),
    ]


def _make(batches: int) -> None:
    from tests.twins.predictions import conftest

    recipe = conftest.make_recipe()
    for number in range(batches):
        conftest.make_culture(recipe, until_h=UNTIL_H, seed=300 + number % SEEDS)


def _sweep() -> tuple[int, float, int]:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    from twins.predictions import tasks

    begun = time.perf_counter()
    with CaptureQueriesContext(connection) as asked:
        due = tasks.predict_running()
    return due, time.perf_counter() - begun, len(asked)


def _ask(batches: int) -> int:
    from batches.execution.models import Batch
    from tests.factories import NOON
    from twins.predictions import tasks

    as_of = (NOON + timedelta(hours=UNTIL_H)).isoformat()
    for pk in Batch.objects.order_by("pk").values_list("pk", flat=True)[:batches]:
        tasks.predict.delay(batch_id=pk, as_of=as_of)
    return batches


def _scaled() -> list[Row]:
    """Run the same futures with one worker process and with two; the results must be the same."""
    from django.utils import timezone

    from batches.execution.models import Batch
    from compliance.access.duties import Role
    from tests import factories
    from tests.factories import NOON
    from twins.bulk import asking, tasks
    from twins.bulk.models import BulkRun, BulkState

    person = factories.person(Role.PROCESS_ENGINEER)
    batch = Batch.objects.order_by("pk")[0]
    walls, digests = {}, set()
    for processes in (1, 2):
        run = asking.of_futures(
            batch, as_of=NOON + timedelta(hours=UNTIL_H), members=FUTURES, actor=person,
            at=timezone.now(), reason="how it scales over workers",
        )  # fmt: skip
        with _workers(processes, "bulk"):
            begun = time.perf_counter()
            tasks.start(run)
            _until(lambda: BulkRun.objects.get(pk=run.pk).state == BulkState.DONE)  # noqa: B023
            walls[processes] = time.perf_counter() - begun
        digests.add(BulkRun.objects.get(pk=run.pk).result_digest)
    if len(digests) != 1:
        raise SystemExit("one and two workers do not give the same bytes")
    return [
        Row("bulk_futures_one_worker", FUTURES / walls[1], "futures/s"),
        Row(
            "bulk_futures_two_workers", FUTURES / walls[2], "futures/s", FUTURES / walls[1],
            walls[1] / walls[2],
        ),
    ]  # fmt: skip


@contextmanager
def _workers(processes: int, queue: str) -> Iterator[None]:
    worker = subprocess.Popen(
        [
            *(sys.executable, "-m", "celery", "-A", "config", "worker", "--loglevel", "WARNING"),
            *("--queues", queue, "--concurrency", str(processes), "--hostname", f"{queue}@%h"),
        ],
        cwd=ROOT, start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        _until(lambda: len(psutil.Process(worker.pid).children()) >= processes)
        time.sleep(3)
        yield
    finally:
        os.killpg(worker.pid, signal.SIGKILL)
        worker.wait()


def _until(condition) -> None:
    deadline = time.monotonic() + AT_MOST_S
    while not condition():
        if time.monotonic() > deadline:
            raise SystemExit("the workers did not end in time")
        time.sleep(0.1)
