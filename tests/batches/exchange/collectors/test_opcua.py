"""Subscribed nodes of a real server in another process: times, status codes, gaps, security."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest
from asyncua import ua
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from batches.exchange.collectors import opcua
from batches.exchange.collectors.buffer import Buffer, BufferFull
from batches.exchange.collectors.configuration import Node, OpcUa, Security
from batches.exchange.collectors.quality import Qualities
from batches.exchange.collectors.samples import Taken, Target
from tests.batches.exchange.collectors import peers
from tests.batches.exchange.collectors.peers import NOON, OpcUaServer

TEMPERATURE = Target("B-1", "temperature_c", "Cel")
NODE = Node(peers.NODE, TEMPERATURE, sampling_ms=10, queue_size=100)


@pytest.fixture
def server() -> Iterator[OpcUaServer]:
    made = OpcUaServer(peers.free_port())
    yield made
    made.kill()


def _said(server: OpcUaServer, security: Security | None = None, node: Node = NODE) -> OpcUa:
    return OpcUa(server.endpoint, 50, security or Security("None"), (node,))


class Running:
    """A collector in a thread, with a look at its buffer."""

    def __init__(self, said: OpcUa, path: Path, *, most: int = 1_000) -> None:
        self.stop, self.error = Event(), None
        self.buffer = Buffer(path, source="gw", most=most)
        self._thread = Thread(target=self._work, args=(said, path, most))
        self._thread.start()

    def _work(self, said: OpcUa, path: Path, most: int) -> None:
        own = Buffer(path, source="gw", most=most)
        try:
            opcua.collect(said, own, self.stop)
        except (BufferFull, opcua.ServerRefused) as error:
            self.error: Exception | None = error
        own.close()

    def lines(self, kind: str = "reading") -> list[Any]:
        rows = self.buffer._connection.execute(
            "SELECT line FROM item WHERE kind = ? ORDER BY sequence", (kind,)
        )
        return [json.loads(line) for (line,) in rows]

    def values(self) -> list[float]:
        return [float(one["value"]) for one in self.lines()]

    def texts(self) -> list[str]:
        return [one["text"] for one in self.lines("event")]

    def ends(self) -> None:
        self._thread.join(timeout=240)
        assert not self._thread.is_alive()

    def close(self) -> None:
        self.stop.set()
        self._thread.join()
        self.buffer.close()


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Callable[..., Running]]:
    made: list[Running] = []

    def start(said: OpcUa, **more: Any) -> Running:
        made.append(Running(said, tmp_path / "b.sqlite3", **more))
        return made[-1]

    yield start
    for one in made:
        one.close()


def test_values_are_collected_with_the_servers_times_and_bad_ones_noted(
    server: OpcUaServer, run: Callable[..., Running]
) -> None:
    running = run(_said(server))
    peers.until(lambda: len(running.texts()) == 1, "the first quality")
    server.write(36.5, seconds=1)
    server.write(99, status="BadSensorFailure", seconds=2)
    server.write(98, status="UncertainLastUsableValue", seconds=3)
    server.write("text", seconds=4)
    server.write(37, seconds=5)
    peers.until(lambda: len(running.values()) == 2, "both good values")

    assert [(one["value"], one["at"]) for one in running.lines()] == [
        ("36.5", "2026-03-01T12:00:01.000000Z"),
        ("37.0", "2026-03-01T12:00:05.000000Z"),
    ]
    said = " ".join(running.texts())
    assert "not good: BadWaitingForInitialData (0x80320000)" in said
    assert "not good: BadSensorFailure (0x808C0000)" in said
    assert "not good: UncertainLastUsableValue (0x40900000)" in said


def test_after_a_restart_of_the_server_it_subscribes_again_and_notes_the_gap(
    server: OpcUaServer, run: Callable[..., Running]
) -> None:
    running = run(_said(server))
    peers.until(lambda: bool(running.texts()), "the subscription")
    server.write(1, seconds=1)
    peers.until(lambda: running.values() == [1], "the first value")
    server.kill()
    server.start()
    peers.until(lambda: any("was not collected" in one for one in running.texts()), "the gap")
    server.write(2, seconds=2)

    peers.until(lambda: running.values() == [1, 2], "the second value")


def test_an_unknown_node_ends_it_with_its_name(
    server: OpcUaServer, run: Callable[..., Running]
) -> None:
    running = run(_said(server, node=Node("ns=2;s=Nothing", TEMPERATURE, 10, 1)))
    running.ends()

    assert isinstance(running.error, opcua.ServerRefused)
    assert "ns=2;s=Nothing" in str(running.error)


def test_a_full_buffer_ends_it(server: OpcUaServer, run: Callable[..., Running]) -> None:
    running = run(_said(server), most=3)
    peers.until(lambda: bool(running.texts()), "the subscription")
    for number in range(6):
        server.write(number, seconds=number)
    running.ends()

    assert isinstance(running.error, BufferFull)


def test_it_signs_and_encrypts_with_the_certificates_of_both(
    tmp_path: Path, run: Callable[..., Running]
) -> None:
    certificate, key = _certificate(tmp_path, "server")
    own, own_key = _certificate(tmp_path, "gateway")
    server = OpcUaServer(peers.free_port(), certificate, key, "urn:server")
    try:
        running = run(_said(server, Security(
            "Basic256Sha256", "SignAndEncrypt", own, own_key, certificate, "urn:gateway"
        )))  # fmt: skip
        peers.until(lambda: bool(running.texts()), "the subscription")
        server.write(1, seconds=1)

        peers.until(lambda: running.values() == [1], "the value")
    finally:
        server.kill()


def _certificate(folder: Path, name: str) -> tuple[str, str]:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    named = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    usage = dict.fromkeys(
        ("key_agreement", "crl_sign", "encipher_only", "decipher_only"), False
    ) | dict.fromkeys(
        ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment",
         "key_cert_sign"), True,
    )  # fmt: skip
    names = [x509.UniformResourceIdentifier(f"urn:{name}"), x509.DNSName("localhost")]
    purposes = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(named).issuer_name(named).public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=30))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.KeyUsage(**usage), critical=True)
        .add_extension(x509.ExtendedKeyUsage(purposes), critical=False)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    encoding = serialization.Encoding
    (folder / f"{name}.der").write_bytes(made.public_bytes(encoding.DER))
    (folder / f"{name}.pem").write_bytes(
        key.private_bytes(
            encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return str(folder / f"{name}.der"), str(folder / f"{name}.pem")


def _read(value: Any, *, status: int = 0, **said: Any) -> Taken:
    data = ua.DataValue(
        value, StatusCode=ua.StatusCode(ua.UInt32(status)), **{"SourceTimestamp": NOON, **said}
    )
    return opcua.read(NODE, data, Qualities(), at=NOON)


def test_a_queue_of_the_server_that_ran_over_is_a_gap_beside_a_value() -> None:
    taken = _read(ua.Variant(1.0), status=0x0480)

    assert [note.kind for note in taken.notes] == ["gap"]
    assert [one.value for one in taken.samples] == ["1.0"]


@pytest.mark.parametrize(
    ("value", "said", "problem"),
    [
        (ua.Variant(1.0), {"SourceTimestamp": None}, "no time of the source"),
        (ua.Variant(float("inf")), {}, "inf is no number"),
        (ua.Variant(True), {}, "bool is no number"),
        (ua.Variant(None), {}, "NoneType is no number"),
        (None, {}, "NoneType is no number"),
    ],
)
def test_what_is_no_number_with_a_time_is_noted(
    value: Any, said: dict[str, Any], problem: str
) -> None:
    taken = _read(value, **said)

    assert taken.samples == []
    assert problem in taken.notes[0].text


def test_single_precision_keeps_the_digits_that_were_meant() -> None:
    single = ua.Variant(36.79999923706055, ua.VariantType.Float)

    assert _read(single).samples[0].value == "36.8"
