"""Eight clients that post by the contract alone: a key for each write, and again when unsure."""

import hashlib
import json
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

ROWS, LINES = 20, 5  # of a post of readings; of a post of records
_FIRST_WAIT_S, _LONGEST_WAIT_S = 0.2, 4.0
PATIENCE_S = 300.0  # with one write, then a client gives up
NDJSON, JSON = "application/x-ndjson", "application/json"


class GivenUp(Exception):
    """A write was refused, or not answered for as long as a client waits."""


@dataclass(frozen=True)
class Given:
    """What a client is given: which batch, its source, its token, and what it posts."""

    batch: str
    source: str
    token: str
    posts: str


@dataclass(frozen=True)
class Written:
    """One accepted write: its id at the source and the digest of what was sent."""

    id: str
    digest: str


@dataclass
class Client:
    """One client; `accepted` has what it was told is there."""

    given: Given
    url: str
    begun: datetime
    stop: threading.Event
    accepted: list[Written] = field(default_factory=list)
    repeats: Counter[str] = field(default_factory=Counter)
    replayed: int = 0
    failure: Exception | None = None

    def __post_init__(self) -> None:
        self._http = httpx.Client(
            base_url=f"{self.url}/api/v1/", timeout=30,
            headers={"Authorization": f"Bearer {self.given.token}"},
        )  # fmt: skip
        post: dict[str, Callable[[int], None]] = {
            "readings": self._readings, "events": self._event,
            "results": self._result, "records": self._records,
        }  # fmt: skip
        self._post = post[self.given.posts]

    def run(self) -> None:
        """Post until told to stop; the last write is seen through."""
        number = 0
        try:
            while not self.stop.is_set():
                number += 1
                self._post(number)
        except Exception as error:  # told by whoever joins this thread
            self.failure = error
        finally:
            self._http.close()

    def _readings(self, number: int) -> None:
        first = (number - 1) * ROWS
        rows = [
            {"tag": "temperature_c", "unit": "Cel", "value": 36.8,
             "at": (self.begun + timedelta(milliseconds=first + row)).isoformat()}
            for row in range(ROWS)
        ]  # fmt: skip
        body = "".join(json.dumps(row) + "\n" for row in rows).encode()
        numbered = {"Source": self.given.source, "Source-Sequence": str(number)}
        self._write("readings", number, body, NDJSON, numbered)

    def _event(self, number: int) -> None:
        said = {"kind": "observation", "occurred_at": _now(), "text": f"seen as {number}"}
        self._write("events", number, json.dumps(said).encode())

    def _result(self, number: int) -> None:
        """A sample and its result are two writes."""
        sample = f"{self.given.source}-{number}"
        taken = {"number": sample, "taken_at": _now()}
        self._write("samples", 2 * number - 1, json.dumps(taken).encode())
        said = {"sample": sample, "tag": "mab_g_l", "value": "3.10", "unit": "g/L",
                "reported_at": _now()}  # fmt: skip
        self._write("results", 2 * number, json.dumps(said).encode())

    def _write(
        self, to: str, number: int, body: bytes, media_type: str = JSON,
        more: dict[str, str] | None = None,
    ) -> None:  # fmt: skip
        key = f"{self.given.source}:{number}"
        headers = {"Idempotency-Key": key, "Content-Type": media_type, **(more or {})}
        path = f"batches/{self.given.batch}/{to}"
        answer = self._until_answered(lambda: self._http.post(path, content=body, headers=headers))
        self.replayed += answer.headers.get("Idempotency-Replayed") == "true"
        self.accepted.append(Written(key, hashlib.sha256(body).hexdigest()))

    def _records(self, turn: int) -> None:
        """Numbered lines; when an answer is lost, the source is asked what it expects next."""
        first = (turn - 1) * LINES + 1
        lines = [self._line(number) for number in range(first, first + LINES)]
        path = f"sources/{self.given.source}"
        sending = lines
        while sending:
            body = "".join(json.dumps(line) + "\n" for line in sending).encode()
            try:
                answer = self._http.post(
                    f"{path}/records", content=body, headers={"Content-Type": NDJSON}
                )
                if answer.status_code == httpx.codes.OK and "summary" in answer.text:
                    break
                self._must_pass(answer)
                time.sleep(float(answer.headers.get("Retry-After", _FIRST_WAIT_S)))
            except httpx.TransportError as error:
                self.repeats[type(error).__name__] += 1
            standing = self._until_answered(lambda: self._http.get(path))
            expected = standing.json()["next_expected"]
            sending = [line for line in lines if line["sequence"] >= expected]
        self.accepted += [Written(str(line["id"]), digest(line)) for line in lines]

    def _line(self, number: int) -> dict[str, Any]:
        return {
            "id": f"R-{number}", "sequence": number, "kind": "event", "batch": self.given.batch,
            "observed_at": _now(), "sent_at": _now(),
            "data": {"kind": "observation", "text": f"record {number}"},
        }  # fmt: skip

    def _until_answered(self, ask: Callable[[], httpx.Response]) -> httpx.Response:
        """Ask the same again while the answer is lost, 429, 5xx, or the first is under way."""
        deadline, wait_s = time.monotonic() + PATIENCE_S, _FIRST_WAIT_S
        while time.monotonic() < deadline:
            asked_s = 0.0
            try:
                answer = ask()
                if answer.is_success:
                    return answer
                self._must_pass(answer)
                asked_s = float(answer.headers.get("Retry-After", 0))
            except httpx.TransportError as error:
                self.repeats[type(error).__name__] += 1
            time.sleep(max(asked_s, wait_s))
            wait_s = min(2 * wait_s, _LONGEST_WAIT_S)
        raise GivenUp(f"{self.given.source}: no answer within {PATIENCE_S:.0f} s")

    def _must_pass(self, answer: httpx.Response) -> None:
        """Count what may pass when it is sent again; raise for what may not."""
        is_too_often = answer.status_code == httpx.codes.TOO_MANY_REQUESTS
        is_under_way = "idempotency-key-in-flight" in answer.text
        if not (answer.is_server_error or is_too_often or is_under_way):
            raise GivenUp(f"{answer.request.url.path}: {answer.status_code} {answer.text}")
        self.repeats[str(answer.status_code)] += 1


def digest(line: dict[str, Any]) -> str:
    """Return the digest of a record's content, as docs/streams.md says."""
    content = {name: value for name, value in line.items() if name not in ("sequence", "sent_at")}
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def rolling_hash(written: list[Written]) -> str:
    """Return the hash over records of version 1 in order, as docs/streams.md says."""
    rolled = bytes(32)
    for one in written:
        rolled = hashlib.sha256(rolled + f"{one.id}\n1\n{one.digest}\n".encode()).digest()
    return rolled.hex()


def _now() -> str:
    return datetime.now(UTC).isoformat()
