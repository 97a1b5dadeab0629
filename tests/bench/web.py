"""Serve the product by its own web server on a database of the benchmark."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpx

START_S = 60.0


class DidNotStart(Exception):
    """The web server does not answer: then no figure counts."""


@contextmanager
def serving(database: str, *, workers: int = 1) -> Iterator[str]:
    """Run gunicorn on a free port of this machine; yield its address."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = f"http://127.0.0.1:{listener.getsockname()[1]}"
        command = [
            *(sys.executable, "-m", "gunicorn", "config.wsgi", "--log-level", "warning"),
            *("--bind", f"fd://{listener.fileno()}", "--workers", str(workers)),
            *("--worker-class", "config.web_worker.Worker"),
            *("--threads", "4", "--no-control-socket"),
        ]
        environment = {
            **os.environ,
            "GMP_BENCH_DATABASE": database,
            "DJANGO_SETTINGS_MODULE": "tests.bench.settings",
            "GMP_LOG_LEVEL": "WARNING",
        }
        with subprocess.Popen(
            command, env=environment, pass_fds=[listener.fileno()], stdout=sys.stderr
        ) as server:
            try:
                _wait(address, server)
                yield address
            finally:
                server.terminate()


def _wait(address: str, server: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline and server.poll() is None:
        try:
            if httpx.get(f"{address}/health", timeout=5).status_code < 500:
                return
        except httpx.TransportError:
            time.sleep(0.1)
    raise DidNotStart(f"no answer at {address}")
