"""What is buffered goes out in order, under the key it was first sent with, and nothing is dropped."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread
from typing import Any

import httpx
import pytest

from batches.exchange.collectors import delivery
from batches.exchange.collectors.buffer import Buffer
from batches.exchange.collectors.delivery import Delivery, NotNow, Pause
from batches.exchange.collectors.samples import Note, Sample, Taken, Target

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


class Faulty(ThreadingHTTPServer):
    """A server that answers what it is told to, and keeps what it was sent."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answers: list[tuple[int, dict[str, str], Any] | None] = []
        self.posts: list[tuple[str, str, str, list[str]]] = []
        self.numbers: list[tuple[str | None, str | None]] = []

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that is gone is no news."""


class _Handler(BaseHTTPRequestHandler):
    server: Faulty

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self.server.posts.append(
            (self.path, self.headers["Idempotency-Key"], self.headers["Authorization"],
             body.splitlines())
        )  # fmt: skip
        self.server.numbers.append((self.headers["Source"], self.headers["Source-Sequence"]))
        answer = self.server.answers.pop(0) if self.server.answers else (201, {}, {})
        if answer is None:  # the connection breaks before the answer
            self.close_connection = True
            return
        status, headers, problem = answer
        content = json.dumps(problem).encode()
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(content))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def server() -> Iterator[Faulty]:
    made = Faulty()
    thread = Thread(target=made.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield made
    made.shutdown()
    made.server_close()
    thread.join()


@pytest.fixture
def buffer(tmp_path: Path) -> Iterator[Buffer]:
    made = Buffer(tmp_path / "b.sqlite3", source="gw", most=1_000)
    made.put(
        Taken(
            samples=[
                Sample(Target("B 1", "t", "Cel"), NOON + timedelta(seconds=n), str(n))
                for n in range(4)
            ]
        )
    )
    yield made
    made.close()


@pytest.fixture
def sending(server: Faulty, buffer: Buffer) -> Iterator[Delivery]:
    url = f"http://127.0.0.1:{server.server_address[1]}"
    with delivery.client(url, "secret", timeout_s=60) as client:
        yield Delivery(buffer, client, post_at_most=10)


def _refusal(*lines: int, code: str = "readings-refused") -> tuple[int, dict[str, str], Any]:
    errors = [{"pointer": f"/{n}/value", "detail": f"line {n + 1} is wrong"} for n in lines]
    problem = {"type": f"https://x.example/problems/{code}", "detail": "no", "errors": errors}
    return 422, {}, problem


def test_readings_go_out_as_ndjson_with_a_key_of_source_and_range(
    server: Faulty, buffer: Buffer, sending: Delivery
) -> None:
    assert sending.once()
    assert not sending.once()

    path, key, token, lines = server.posts[0]
    assert (path, token) == ("/api/v1/batches/B%201/readings", "Bearer secret")
    assert key.startswith("gw:1-4:")
    assert json.loads(lines[2]) == {
        "tag": "t", "at": "2026-03-01T12:00:02.000000Z", "value": "2", "unit": "Cel"
    }  # fmt: skip
    assert buffer.waiting() == 0


def test_after_a_lost_answer_the_same_is_sent_under_the_same_key(
    server: Faulty, buffer: Buffer, sending: Delivery
) -> None:
    server.answers = [None]
    with pytest.raises(NotNow):
        sending.once()
    buffer.put(Taken(samples=[Sample(Target("B 1", "t", "Cel"), NOON, "99")]))

    sending.once()

    assert server.posts[0] == server.posts[1]


def test_posts_of_a_registered_source_are_numbered_and_a_refused_one_uses_no_number(
    server: Faulty, buffer: Buffer, tmp_path: Path
) -> None:
    numbered = Buffer(tmp_path / "b.sqlite3", source="gw", most=1000, is_numbered=True)
    url = f"http://127.0.0.1:{server.server_address[1]}"
    server.answers = [None, _refusal(0), (201, {}, {}), (404, {}, {"type": "/p/source-unknown"})]

    with delivery.client(url, "secret", timeout_s=60) as client:
        sender = Delivery(numbered, client, post_at_most=2)
        with pytest.raises(NotNow):  # its answer was lost
            sender.once()
        assert sender.once()  # refused: one line of it is put aside
        assert sender.once()
        with pytest.raises(NotNow, match="source-unknown"):
            sender.once()
        while sender.once():
            pass

    assert server.numbers == [("gw", "1")] * 3 + [("gw", "2")] * 2
    assert numbered.waiting() == 0
    numbered.close()


def test_refused_lines_are_put_aside_and_the_others_sent_with_another_key(
    server: Faulty, buffer: Buffer, sending: Delivery
) -> None:
    server.answers = [_refusal(1, 3)]

    sending.once()
    sending.once()

    letters = buffer.dead_letters()
    assert [(one.sequence, one.status, one.code, one.detail) for one in letters] == [
        (2, 422, "readings-refused", "line 2 is wrong"),
        (4, 422, "readings-refused", "line 4 is wrong"),
    ]
    assert [json.loads(line)["value"] for line in server.posts[1][3]] == ["0", "2"]
    assert server.posts[1][1] != server.posts[0][1]
    assert buffer.waiting() == 0


@pytest.mark.parametrize("status", [400, 404, 409, 422])
def test_a_refusal_that_names_no_line_puts_all_aside(
    server: Faulty, buffer: Buffer, sending: Delivery, status: int
) -> None:
    server.answers = [(status, {}, {"type": "x/problems/no", "detail": "no such batch"})]

    sending.once()

    assert [one.detail for one in buffer.dead_letters()] == ["no such batch"] * 4


def test_dead_letters_are_sent_again_when_a_person_says_so(
    server: Faulty, buffer: Buffer, sending: Delivery
) -> None:
    server.answers = [_refusal(0, 1, 2, 3)]
    sending.once()

    assert buffer.send_again() == 4
    sending.once()

    assert len(server.posts[1][3]) == 4
    assert buffer.dead_letters() == []


@pytest.mark.parametrize("status", [401, 403, 408, 425, 429, 500, 502, 503, 302])
def test_what_may_pass_later_stays_in_the_buffer(
    server: Faulty, buffer: Buffer, sending: Delivery, status: int
) -> None:
    server.answers = [(status, {}, {})]

    with pytest.raises(NotNow):
        sending.once()

    assert (buffer.waiting(), buffer.dead_letters()) == (4, [])


def test_a_key_that_is_in_flight_is_asked_for_again(server: Faulty, sending: Delivery) -> None:
    server.answers = [(409, {}, {"type": "https://x/problems/idempotency-key-in-flight"})]

    with pytest.raises(NotNow):
        sending.once()


def test_what_is_too_large_is_halved(server: Faulty, buffer: Buffer, sending: Delivery) -> None:
    server.answers = [(413, {}, {})]

    while sending.once():
        pass

    assert [len(lines) for *_, lines in server.posts] == [4, 2, 2]
    assert buffer.waiting() == 0


def test_a_single_line_that_is_too_large_is_put_aside(server: Faulty, buffer: Buffer) -> None:
    url = f"http://127.0.0.1:{server.server_address[1]}"
    server.answers = [(413, {}, {})]
    with delivery.client(url, "secret", timeout_s=60) as client:
        Delivery(buffer, client, post_at_most=1).once()

    assert [one.status for one in buffer.dead_letters()] == [413]


def test_a_note_goes_out_as_an_event(server: Faulty, buffer: Buffer, sending: Delivery) -> None:
    buffer.put(Taken(notes=[Note("gap", "B 1", NOON, "nothing came")]))

    while sending.once():
        pass

    path, _, _, lines = server.posts[1]
    assert path == "/api/v1/batches/B%201/events"
    assert json.loads(lines[0])["text"] == "nothing came"


def test_it_never_comes_sooner_than_it_was_asked_to(server: Faulty, sending: Delivery) -> None:
    server.answers = [(503, {"Retry-After": "7"}, {})]

    with pytest.raises(NotNow) as refused:
        sending.once()

    assert refused.value.after_s == 7
    assert Pause(drawn=lambda: 0.0).next_s(7) >= 7


def test_retry_after_may_be_a_date() -> None:
    later = datetime.now(UTC) + timedelta(seconds=3_600)

    asked = delivery.retry_after_s(
        httpx.Response(503, headers={"Retry-After": format_datetime(later, usegmt=True)})
    )

    assert asked is not None
    assert 3_000 < asked <= 3_600


@pytest.mark.parametrize("text", ["", "soon", "-1", "99999999999"])
def test_a_retry_after_that_says_nothing_is_none(text: str) -> None:
    assert delivery.retry_after_s(httpx.Response(503, headers={"Retry-After": text})) is None


def test_it_waits_longer_each_time_spread_and_up_to_a_limit() -> None:
    least, most = Pause(drawn=lambda: 0.0), Pause(drawn=lambda: 1.0)

    assert [least.next_s(None) for _ in range(4)] == [0.25, 0.5, 1.0, 2.0]
    assert [most.next_s(None) for _ in range(4)] == [0.5, 1.0, 2.0, 4.0]
    assert [most.next_s(None) for _ in range(100)][-1] == delivery.LONGEST_WAIT_S
    most.reset()
    assert most.next_s(None) == 0.5


def test_it_runs_until_it_is_stopped(server: Faulty, buffer: Buffer, tmp_path: Path) -> None:
    url = f"http://127.0.0.1:{server.server_address[1]}"
    server.answers = [(503, {"Retry-After": "0"}, {})]
    stop = Event()

    def work() -> None:
        own = Buffer(tmp_path / "b.sqlite3", source="gw", most=1_000)
        with delivery.client(url, "secret", timeout_s=60) as client:
            Delivery(own, client, post_at_most=10).run(stop, every_s=0.01)
        own.close()

    thread = Thread(target=work)
    thread.start()
    while buffer.waiting():
        stop.wait(0.01)
    stop.set()
    thread.join()

    assert server.posts[0] == server.posts[1]
