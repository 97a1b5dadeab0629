"""What cannot be read as HTTP is answered as the API answers; and threads are shared fairly."""

import http.client
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from tests.config import answering

START_S = 60.0


@contextmanager
def _serving(application: str) -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        command = [
            *(sys.executable, "-m", "gunicorn", application, "--log-level", "critical"),
            *("--bind", f"fd://{listener.fileno()}", "--no-control-socket", "--threads", "2"),
            *("--worker-class", "config.web_worker.Worker"),
        ]
        environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "config.settings"}
        with subprocess.Popen(command, env=environment, pass_fds=[listener.fileno()]) as server:
            try:
                yield listener.getsockname()[1]
            finally:
                server.terminate()


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with _serving("config.wsgi") as found:
        yield found


@pytest.fixture(scope="module")
def answering_port() -> Iterator[int]:
    with _serving("tests.config.answering") as found:
        yield found


def answer(port: int, request: bytes) -> tuple[int, dict[str, str], bytes]:
    """Send bytes as they are; return status, headers and body of what came back."""
    with socket.create_connection(("127.0.0.1", port), timeout=START_S) as connection:
        connection.sendall(request)
        connection.shutdown(socket.SHUT_WR)
        found = b""
        deadline = time.monotonic() + START_S
        while time.monotonic() < deadline and (part := connection.recv(65536)):
            found += part
    head, _, body = found.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    return int(first.split()[1]), dict(line.split(": ", 1) for line in lines), body


HOST = b"Host: localhost\r\n"


@pytest.mark.parametrize(
    ("request_bytes", "status", "code"),
    [
        (b"GET /" + b"a" * 5000 + b" HTTP/1.1\r\n" + HOST + b"\r\n", 414, "uri-too-long"),
        (b"GET / HTTP/1.1\r\nX-A: " + b"a" * 9000 + b"\r\n\r\n", 431, "headers-too-large"),
        (b"GET / HTTP/1.1\r\n" + b"X-A: a\r\n" * 200 + b"\r\n", 431, "headers-too-large"),
        (b"GET / HTTP/1.1\r\nX A: a\r\n\r\n", 400, "malformed"),
        (b"no request at all\r\n\r\n", 400, "malformed"),
        (b"GET / HTTP/9.9\r\n\r\n", 400, "malformed"),
        (
            b"POST /api/v1/batches HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: brotli\r\n\r\n",
            501,
            "transfer-coding-unknown",
        ),
        (b"POST / HTTP/1.1\r\n" + HOST + b"Expect: tea\r\n\r\n", 417, "expectation-unknown"),
        (
            b"POST /api/v1/batches HTTP/1.1\r\n"
            + HOST
            + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\nzz\r\n",
            400,
            "parse-error",
        ),
    ],
)
def test_what_is_no_request_is_refused_with_a_problem(
    port: int, request_bytes: bytes, status: int, code: str
) -> None:
    found, headers, body = answer(port, request_bytes)

    assert found == status
    assert headers["Content-Type"] == "application/problem+json"
    said = json.loads(body)
    assert (said["type"], said["status"]) == (f"/problems/{code}", status)
    assert said["detail"]
    assert said["correlation_id"] == headers["X-Correlation-Id"] != ""


def test_after_a_body_in_chunks_a_connection_goes_on(port: int) -> None:
    chunks = (b"{", b'"a": ', b"1}")
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=START_S)) as connection:
        for _ in range(2):
            connection.request("POST", "/api/v1/nowhere", iter(chunks), encode_chunked=True)
            answered = connection.getresponse()
            assert (answered.status, json.loads(answered.read())["status"]) == (404, 404)


def test_what_follows_a_body_whose_chunks_are_malformed_is_no_request(port: int) -> None:
    sent = (
        b"POST /api/v1/batches HTTP/1.1\r\n"
        + HOST
        + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\nzz\r\n"
    )
    with closing(socket.create_connection(("127.0.0.1", port), timeout=START_S)) as connection:
        connection.sendall(sent + b"GET /health HTTP/1.1\r\n" + HOST + b"\r\n")
        said = b"".join(iter(lambda: connection.recv(65536), b""))

    assert said.count(b"HTTP/1.1 ") == 1
    assert said.startswith(b"HTTP/1.1 400 ")


def _asks(port: int, times: int) -> float:
    """Ask on one connection, one request after the other; return when the last was answered."""
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=START_S)) as connection:
        for _ in range(times):
            connection.request("GET", "/health")
            answered = connection.getresponse()
            answered.read()
            assert answered.status in {200, 503}  # what is well here does not matter
            assert not answered.will_close
    return time.monotonic()


def test_clients_who_ask_without_a_break_keep_no_thread_from_others(port: int) -> None:
    """There are two threads, and four who never wait."""
    with ThreadPoolExecutor(5) as pool:
        busy = [pool.submit(_asks, port, 150) for _ in range(4)]
        time.sleep(0.2)
        late = pool.submit(_asks, port, 3)

        assert late.result() < min(one.result() for one in busy)


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/whole", answering.CONTENT),
        ("GET", "/large", answering.LARGE),
        ("GET", "/parts", answering.CONTENT),
        ("GET", "/known-parts", answering.CONTENT),
        ("GET", "/file", Path(answering.__file__).read_bytes()),
        ("GET", "/no-file", answering.CONTENT),
        ("GET", "/nothing", b""),
        ("GET", "/empty", b""),
        ("HEAD", "/whole", b""),
        ("HEAD", "/file", b""),
    ],
)
def test_every_answer_arrives_whole_and_the_next_one_after_it(
    answering_port: int, method: str, path: str, body: bytes
) -> None:
    where = ("127.0.0.1", answering_port)
    with closing(http.client.HTTPConnection(*where, timeout=START_S)) as connection:
        for _ in range(3):
            connection.request(method, path)
            answered = connection.getresponse()

            assert answered.status == (204 if path == "/nothing" else 200)
            assert answered.read() == body
            assert not answered.will_close


def test_head_and_body_come_in_one_message(answering_port: int) -> None:
    with socket.create_connection(("127.0.0.1", answering_port), timeout=START_S) as connection:
        for _ in range(20):
            connection.sendall(b"GET /whole HTTP/1.1\r\n" + HOST + b"\r\n")

            assert connection.recv(65536).endswith(b"\r\n\r\n" + answering.CONTENT)
