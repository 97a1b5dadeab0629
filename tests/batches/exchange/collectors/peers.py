"""Simulated peers of the collectors: an OPC UA server, and an edge node of Sparkplug B."""

import contextlib
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from batches.exchange.collectors.sparkplug_payload import Payload

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
NODE = "ns=2;s=Temperature"
DOUBLE, INT16, BOOLEAN, UINT64 = 10, 2, 11, 8
BROKER = ("127.0.0.1", 1883)


def free_port() -> int:
    with socket.socket() as made:
        made.bind(("127.0.0.1", 0))
        return int(made.getsockname()[1])


def has_broker() -> bool:
    with contextlib.suppress(OSError), socket.create_connection(BROKER, timeout=2):
        return True
    return False


def until(is_so: Callable[[], bool], what: str, *, at_most_s: float = 240) -> None:
    """Wait until something is so; the limit only ends a test that would hang."""
    deadline = time.monotonic() + at_most_s
    while not is_so():
        assert time.monotonic() < deadline, f"not in {at_most_s} s: {what}"
        time.sleep(0.1)


class OpcUaServer:
    """The server of `opcua_peer.py`; killed and started again, it is on the same port."""

    def __init__(self, port: int, *security: str) -> None:
        self.port = port
        self._security = security
        self.start()

    @property
    def endpoint(self) -> str:
        return f"opc.tcp://127.0.0.1:{self.port}/"

    def start(self) -> None:
        script = Path(__file__).with_name("opcua_peer.py")
        self._process = subprocess.Popen(
            [sys.executable, str(script), str(self.port), *self._security],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert self._answer() == "serving\n"

    def write(self, value: object, *, status: str = "Good", seconds: float = 0) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{value} {status} {seconds}\n")
        self._process.stdin.flush()
        assert self._answer() == "written\n"

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()

    def _answer(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline()


class EdgeNode:
    """Makes the payloads of one edge node, with its sequence numbers and aliases."""

    def __init__(self, birth: int = 0) -> None:
        self.birth, self.seq = birth, 0

    def born(self, *metrics: dict[str, Any]) -> bytes:
        self.seq = 0
        payload = self._payload()
        payload.metrics.add(name="bdSeq", datatype=UINT64, long_value=self.birth)
        for one in metrics:
            self._add(payload, one)
        return bytes(payload.SerializeToString())

    def said(self, *metrics: dict[str, Any]) -> bytes:
        self.seq = (self.seq + 1) % 256
        payload = self._payload()
        for one in metrics:
            self._add(payload, one)
        return bytes(payload.SerializeToString())

    def died(self) -> bytes:
        payload = Payload()
        payload.metrics.add(name="bdSeq", datatype=UINT64, long_value=self.birth)
        return bytes(payload.SerializeToString())

    def _payload(self) -> Any:
        return Payload(seq=self.seq, timestamp=ms(0))

    @staticmethod
    def _add(payload: Any, said: dict[str, Any]) -> None:
        rest = dict(said)
        seconds, quality = rest.pop("seconds", 0), rest.pop("quality", None)
        metric = payload.metrics.add(timestamp=ms(seconds), **rest)
        if quality is not None:
            metric.properties.keys.append("Quality")
            metric.properties.values.add(type=3, int_value=quality)


def ms(seconds: float) -> int:
    return int((NOON + timedelta(seconds=seconds)).timestamp() * 1_000)
