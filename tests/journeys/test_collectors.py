"""A peer, a collector in a process of its own, the web: each reading once, whatever was killed."""

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from batches.exchange.collectors import sparkplug
from tests.batches.exchange.collectors import peers
from tests.batches.exchange.collectors.peers import EdgeNode, OpcUaServer
from tests.journeys.conftest import ROOT, Installation

# One device and one batch for each test.
MAKE = (
    "from tests import factories as f; from compliance.access.models import DeviceKind as K; "
    "print(*[x for _ in range(2) for x in "
    "(f.running_batch().number, f.device_and_token(K.HISTORIAN)[1])])"
)
READ = (
    "from django.db import connection; c = connection.cursor(); "
    'c.execute("SELECT r.value FROM execution_reading r JOIN execution_batch b ON b.id = r.batch_id'
    " WHERE b.number = '{batch}' ORDER BY r.observed_at\"); "
    "print(*[int(v) for v, in c.fetchall()])"
)


class Site:
    """The web alone: all that a collector needs of the product."""

    def __init__(self, installation: Installation) -> None:
        self.installation, self.port = installation, peers.free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.given: list[str] = []  # batch and token, for each test
        self._web: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        words = ("gunicorn", "config.wsgi", "--bind", f"127.0.0.1:{self.port}", "--threads", "4",
                 "--no-control-socket")  # fmt: skip
        self._web = subprocess.Popen(
            [sys.executable, "-m", *words], cwd=ROOT, env=self.installation.environment,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
        peers.until(self._is_up, "the web answers")

    def kill(self) -> None:
        if self._web is not None:
            os.killpg(self._web.pid, signal.SIGKILL)
            self._web.wait()
            self._web = None

    def _is_up(self) -> bool:
        try:
            return httpx.get(f"{self.url}/api/v1/batches", timeout=30).status_code < 500
        except httpx.TransportError:
            return False


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    folder = Path(tempfile.mkdtemp(prefix="gmp-collectors-"))
    installation = Installation(folder)
    migrated = installation.manage("migrate", "--verbosity", "0", timeout=1_000)
    assert migrated.returncode == 0, migrated.stderr
    made = Site(installation)
    made.given = installation.ask(MAKE).splitlines()[-1].split()
    made.start()
    try:
        yield made
    finally:
        made.kill()
        installation.kill_server("postgres")
        shutil.rmtree(folder, ignore_errors=True)


@dataclass
class Gateway:
    """One collector with its configuration, its buffer and its batch."""

    site: Site
    kind: str
    folder: Path
    batch: str
    token: str
    process: subprocess.Popen[str] | None = None

    @classmethod
    def of(cls, site: Site, kind: str, folder: Path, peer: str) -> "Gateway":
        gateway = cls(site, kind, folder, site.given.pop(0), site.given.pop(0))
        (folder / "token").touch(mode=0o600)
        (folder / "token").write_text(gateway.token)
        (folder / "gateway.toml").write_text(
            f'[collector]\nsource = "gw"\nbuffer = "buffer.sqlite3"\npost_every_s = 0.1\n'
            f'[api]\nurl = "{site.url}"\ntoken_file = "token"\n'
            f'[equipment]\n"BR-101" = "{gateway.batch}"\n{peer}'
        )
        return gateway

    def start(self) -> None:
        self.process = self.site.installation.start("collect", self.kind, "--config", self.config)

    @property
    def config(self) -> str:
        return str(self.folder / "gateway.toml")

    def heard(self, words: str) -> None:
        assert self.process is not None
        assert self.process.stdout is not None
        lines = ""
        while words not in lines:
            line = self.process.stdout.readline()
            assert line, f"it ended before it said “{words}”: {lines}"
            lines += line

    def kill(self) -> None:
        if self.process is not None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.communicate()
            self.process = None

    def stop(self) -> tuple[int, str]:
        assert self.process is not None
        self.process.terminate()
        said, _ = self.process.communicate(timeout=240)
        code, self.process = self.process.returncode, None
        return code, said

    def waiting(self) -> int:
        connection = sqlite3.connect(self.folder / "buffer.sqlite3", timeout=60)
        try:
            found = connection.execute("SELECT count(*) FROM item WHERE kind = 'reading'")
            return int(found.fetchone()[0])
        finally:
            connection.close()

    def series(self) -> list[float]:
        answer = httpx.get(
            f"{self.site.url}/api/v1/batches/{self.batch}/readings",
            params={"tag": "temperature_c"},
            headers={"Authorization": f"Bearer {self.token}"},
            timeout=60,
        ).raise_for_status()
        return [float(point["value"]) for point in answer.json()["points"]]

    def events(self) -> list[str]:
        answer = httpx.get(
            f"{self.site.url}/api/v1/batches/{self.batch}/events",
            headers={"Authorization": f"Bearer {self.token}"},
            timeout=60,
        ).raise_for_status()
        return [one["text"] for one in answer.json()["results"]]

    def stored(self) -> list[int]:
        """Return what is in the database, repeats and all."""
        said = self.site.installation.ask(READ.format(batch=self.batch))
        return [int(one) for one in said.splitlines()[-1].split()]


@pytest.mark.timeout(1800)
def test_opc_ua_readings_are_stored_once_though_collector_web_and_server_are_killed(
    site: Site, tmp_path: Path
) -> None:
    server = OpcUaServer(peers.free_port())
    gateway = Gateway.of(site, "opcua", tmp_path, (
        f'[opcua]\nendpoint = "{server.endpoint}"\npublishing_ms = 50\n'
        f'[opcua.security]\npolicy = "None"\n[[opcua.node]]\nnode = "{peers.NODE}"\n'
        'tag = "temperature_c"\nunit = "Cel"\nequipment = "BR-101"\nsampling_ms = 10\n'
        "queue_size = 100\n"
    ))  # fmt: skip
    try:
        gateway.start()
        gateway.heard("subscribed to 1 nodes")
        for number in range(1, 6):
            server.write(number, seconds=number)
        peers.until(lambda: len(gateway.series()) == 5, "five are stored")
        site.kill()
        for number in range(6, 11):
            server.write(number, seconds=number)
        peers.until(lambda: gateway.waiting() == 5, "five are buffered")
        gateway.kill()
        site.start()
        gateway.start()
        gateway.heard("subscribed to 1 nodes")
        for number in range(11, 16):
            server.write(number, seconds=number)
        peers.until(lambda: len(gateway.series()) == 15, "fifteen are stored")
        server.kill()
        gateway.heard("again in")
        server.start()
        gateway.heard("subscribed to 1 nodes")
        server.write(16, seconds=16)
        peers.until(lambda: len(gateway.series()) == 16, "sixteen are stored")
        code, said = gateway.stop()
    finally:
        gateway.kill()
        server.kill()

    assert (code, said.splitlines()[-1]) == (0, "Stopped")
    assert gateway.stored() == list(range(1, 17))
    events = gateway.events()
    assert any("temperature_c is not good: BadWaitingForInitialData" in one for one in events)
    assert sum("was not collected from" in one for one in events) == 2


def _publisher(name: str) -> paho.Client:
    client = paho.Client(CallbackAPIVersion.VERSION2, client_id=name)
    client.connect(*peers.BROKER)
    client.loop_start()
    return client


@pytest.mark.services
@pytest.mark.timeout(1800)
def test_mqtt_readings_are_stored_once_though_collector_and_web_are_killed(
    site: Site, tmp_path: Path
) -> None:
    if not peers.has_broker():
        pytest.skip("no MQTT broker on 127.0.0.1:1883")
    name = f"gmp-{uuid.uuid4().hex[:12]}"
    gateway = Gateway.of(site, "mqtt", tmp_path, (
        f'[mqtt]\nhost = "127.0.0.1"\nport = 1883\nclient_id = "{name}"\n'
        f'[[mqtt.topic]]\ntopic = "{name}/t"\nvalue = "/v"\nat = "/at"\n'
        'tag = "temperature_c"\nunit = "Cel"\nequipment = "BR-101"\n'
        f'[[mqtt.metric]]\ngroup = "{name}"\nnode = "E1"\nmetric = "T"\n'
        'tag = "temperature_c"\nunit = "Cel"\nequipment = "BR-101"\n'
    ))  # fmt: skip
    edge, publisher = EdgeNode(), _publisher(f"{name}-edge")
    asked: list[Any] = []
    publisher.on_message = lambda _client, _data, message: asked.append(message)
    publisher.subscribe(f"{sparkplug.NAMESPACE}/{name}/NCMD/E1", 1)

    def publish(topic: str, payload: Any) -> None:
        publisher.publish(topic, payload, qos=1).wait_for_publish(120)

    def write(number: int) -> None:
        """Odd ones as JSON, even ones from the edge node by alias."""
        if number % 2:
            at = (peers.NOON + timedelta(seconds=number)).isoformat()
            publish(f"{name}/t", f'{{"v": {number}, "at": "{at}"}}')
        else:
            said = edge.said({"alias": 7, "double_value": number, "seconds": number})
            publish(f"spBv1.0/{name}/NDATA/E1", said)

    try:
        gateway.start()
        gateway.heard("births")
        peers.until(lambda: bool(asked), "the births are asked for")
        birth = {"name": "T", "alias": 7, "datatype": peers.DOUBLE, "double_value": 0}
        publish(f"spBv1.0/{name}/NBIRTH/E1", edge.born(birth))
        for number in range(1, 6):
            write(number)
        peers.until(lambda: len(gateway.series()) == 6, "six are stored")
        site.kill()
        for number in range(6, 11):
            write(number)
        peers.until(lambda: gateway.waiting() == 5, "five are buffered")
        gateway.kill()
        for number in range(11, 16):
            write(number)
        site.start()
        gateway.start()
        peers.until(lambda: len(gateway.series()) == 16, "what the broker kept is stored too")
        publish(f"spBv1.0/{name}/NDEATH/E1", edge.died())
        peers.until(lambda: any("is offline" in one for one in gateway.events()), "the death")
        code, said = gateway.stop()
    finally:
        gateway.kill()
        publisher.loop_stop()
        publisher.disconnect()
        paho.Client(CallbackAPIVersion.VERSION2, client_id=name).connect(*peers.BROKER)

    assert (code, said.splitlines()[-1]) == (0, "Stopped")
    assert gateway.stored() == list(range(16))
