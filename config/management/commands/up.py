"""`manage.py up`: everything the product needs, in the foreground, until Ctrl-C."""

import os
import signal
import socket
import sys
import threading
from argparse import ArgumentParser
from contextlib import suppress
from types import FrameType
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from config import listening, queues, status
from config.children import Child
from config.embedded import lease, postgres, valkey
from config.supervisor import GaveUp, Supervisor

KEPT_S = 20  # how long a connection that asks nothing is kept
READY_S = 120.0
PARTS = ("sequencer", "signer", "web", "worker", "bulk", "beat")  # in the order of start
COLOURS = {"sequencer": 35, "signer": 32, "web": 36, "worker": 33, "bulk": 37, "beat": 34}
OTHER_COLOUR = 31


class Command(BaseCommand):
    help = (
        "Run the web server, the workers, the schedule, the sequencer and the signer until Ctrl-C."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--bind",
            default="127.0.0.1:8000",
            metavar="HOST:PORT",
            help="where the web server listens; `auto`: the first free port from 8000",
        )
        parser.add_argument("--workers", type=int, default=2, help="processes of the web server")
        for part in PARTS:
            parser.add_argument(f"--without-{part}", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            with status.Status(settings.VAR_DIR, started_at=timezone.now()) as file:
                if options["without_web"]:
                    self._run(file, None, options)
                else:
                    with listening.bind(options["bind"]) as listener:
                        self._run(file, listener, options)
        except (listening.CannotBind, status.AlreadyUp, GaveUp) as error:
            raise CommandError(str(error)) from error

    def _run(
        self,
        file: status.Status,
        listener: socket.socket | None,
        options: dict[str, Any],
    ) -> None:
        url = listening.url(listener) if listener else None
        supervisor = Supervisor(
            children=[
                child
                for child in children(listener, workers=options["workers"])
                if not options[f"without_{child.name}"]
            ],
            services=services(),
            ready=lambda: url is None or listening.answers(url),
            say=Printer().say,
            changed=lambda pids: file.write(url=url, pids=pids),
        )
        obey_signals(supervisor)
        try:
            supervisor.start()
            supervisor.wait_ready(at_most_s=READY_S)
            if supervisor.is_running:
                self.stdout.write(self.style.SUCCESS(f"Ready: {url or 'without a web server'}"))
            supervisor.wait()
        finally:
            lease.release_all()


def services() -> list[lease.Service]:
    """Return the servers that are ours to run."""
    found: list[lease.Service] = []
    if settings.EMBEDDED_POSTGRES:
        found.append(postgres.service(settings.VAR_DIR))
    if settings.EMBEDDED_BROKER:
        found.append(valkey.service(settings.VAR_DIR))
    return found


def children(listener: socket.socket | None, *, workers: int) -> list[Child]:
    """Return the processes of the product, in the order in which they start."""
    python = sys.executable
    folder = settings.BASE_DIR
    celery = [python, "-m", "celery", "-A", "config"]
    scheduler = "django_celery_beat.schedulers:DatabaseScheduler"
    web = [_web(listener, workers=workers)] if listener else []
    return [
        *(
            Child(name=name, command=[python, str(folder / "manage.py"), name], folder=folder)
            for name in ("sequencer", "signer")
        ),
        *web,
        *(_worker(name, celery) for name in queues.WORKERS),
        Child(
            name="beat",
            command=[*celery, "beat", "--loglevel", "INFO", "--scheduler", scheduler],
            folder=folder,
        ),
    ]


def _worker(name: str, celery: list[str]) -> Child:
    """Return a worker of its queues; that of bulk work gives way to the others (config/celery.py)."""
    is_bulk = name == queues.BULK
    processes = (settings.BULK_PROCESSES if is_bulk else settings.WORKER_PROCESSES) or cores()
    # A process that has grown beyond this ends after its task, and a fresh one takes its place.
    grown_kib = settings.BULK_PART_MEMORY_MB * 1024
    return Child(
        name=name,
        command=[
            *(*celery, "worker", "--loglevel", "INFO", "--hostname", f"{name}@%h"),
            *("--queues", ",".join(queues.WORKERS[name]), "--concurrency", str(processes)),
            *(("--max-memory-per-child", str(grown_kib)) if is_bulk else ()),
        ],
        grace_s=30.0,  # a warm shutdown finishes what it began
        folder=settings.BASE_DIR,
    )


def cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _web(listener: socket.socket, *, workers: int) -> Child:
    return Child(
        name="web",
        command=[
            *(sys.executable, "-m", "gunicorn", "config.wsgi"),
            # The socket is ours, so people wait while the server restarts instead of being refused.
            *("--bind", f"fd://{listener.fileno()}"),
            *("--worker-class", "config.web_worker.Worker"),
            *("--workers", str(workers), "--threads", "4"),
            # Two seconds by default: as often as many a client posts, who then meets a closed door.
            *("--keep-alive", str(KEPT_S)),
            *("--graceful-timeout", "10", "--no-control-socket"),
        ],
        grace_s=15.0,
        folder=settings.BASE_DIR,
        descriptors=[listener.fileno()],
    )


def obey_signals(supervisor: Supervisor) -> None:
    """Stop in order at the first Ctrl-C or SIGTERM, at once at the second."""
    asked = 0

    def obey(number: int, frame: FrameType | None) -> None:
        nonlocal asked
        asked += 1
        supervisor.stop(at_once=asked > 1)

    for kind in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(kind, obey)


class Printer:
    """Print the lines of several processes, each with its name, coloured on a terminal."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._is_coloured = sys.stdout.isatty() and "NO_COLOR" not in os.environ
        self._width = max(map(len, PARTS))

    def say(self, name: str, line: str) -> None:
        prefix = f"{name:<{self._width}} |"
        if self._is_coloured:
            prefix = f"\033[{COLOURS.get(name, OTHER_COLOUR)}m{prefix}\033[0m"
        with self._lock, suppress(BrokenPipeError):  # who read it has gone; the work goes on
            print(prefix, line, flush=True)
