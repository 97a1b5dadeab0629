"""Walk the contract of docs/api.md and docs/streams.md against a sandbox; write the validation file.

Needs Python 3.11 or later and nothing else. It posts into one running batch of the sandbox, as one
qualified device, and into one source that this device brings:

    export GMP_TOKEN=...
    python contract_tests.py --url https://sandbox.example --batch B-1 --source lims-1

It writes validation.json, validation.txt beside it, and ends with 0 only when every check passed.
"""

import argparse
import hashlib
import http.client
import json
import os
import platform
import ssl
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

VERSION = "1.0"
PASSED, FAILED, NOT_RUN = "passed", "failed", "not run"
NDJSON, JSON, PROBLEM = "application/x-ndjson", "application/json", "application/problem+json"
SEALED_S = 120.0  # at most, until a checkpoint covers a write
MOST_ASKED = 2_000  # requests to reach the rate; where more are allowed, that check is not run


class NotAsTheContract(AssertionError):
    """The answer is another one than the contract says."""


class NotHere(Exception):
    """This check cannot be run against this sandbox; the text says why."""


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def code(self) -> str:
        """The last word of a problem's type."""
        if not self.headers.get("content-type", "").startswith(PROBLEM):
            return ""
        return str(self.json["type"]).rpartition("/")[2]


@dataclass
class Caller:
    """One device: its address, its token, and the ids of the requests of the present check."""

    url: str
    token: str
    seen: list[str] = field(default_factory=list)

    def ask(
        self, method: str, path: str, body: bytes | None = None, *, token: str | None = None,
        **headers: str,
    ) -> Answer:  # fmt: skip
        """Send a request, again after 429; headers have `_` for `-`, empty ones are left out."""
        while (answer := self.ask_once(method, path, body, token=token, **headers)).status == 429:
            time.sleep(float(answer.headers["retry-after"]))
        return answer

    def ask_once(
        self, method: str, path: str, body: bytes | None = None, *, token: str | None = None,
        **headers: str,
    ) -> Answer:  # fmt: skip
        parts = urlsplit(self.url)
        sent = {"Authorization": f"Bearer {self.token if token is None else token}"}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        made: http.client.HTTPConnection
        if parts.scheme == "https":
            made = http.client.HTTPSConnection(
                parts.netloc, timeout=120, context=ssl.create_default_context()
            )
        else:
            made = http.client.HTTPConnection(parts.netloc, timeout=120)
        try:
            wanted = {name: value for name, value in sent.items() if value}
            made.request(
                method, f"{parts.path}{path if path[0] == '/' else f'/api/v1/{path}'}", body, wanted
            )
            said = made.getresponse()
            answer = Answer(
                said.status, {name.lower(): value for name, value in said.getheaders()}, said.read()
            )
        finally:
            made.close()
        self.seen.append(answer.headers.get("x-correlation-id", ""))
        return answer

    def get(self, path: str, **query: Any) -> Any:
        asked = f"{path}?{urlencode(query, doseq=True)}" if query else path
        answer = self.ask("GET", asked)
        demand(answer, 200)
        return answer.json


def demand(answer: Answer, status: int, code: str = "") -> None:
    """Pass when the answer has this status and this code, else say what it is."""
    if (answer.status, answer.code if code else "") != (status, code):
        said = answer.body[:300].decode(errors="replace")
        raise NotAsTheContract(f"wanted {status} {code}, answered {answer.status}: {said}")


def hold(is_so: object, otherwise: str) -> None:
    if not is_so:
        raise NotAsTheContract(otherwise)


@dataclass(frozen=True)
class Check:
    name: str
    clause: str
    run: "Callable[[Pack], str]"


CHECKS: list[Check] = []


def check(clause: str) -> "Callable[[Callable[[Pack], str]], Callable[[Pack], str]]":
    """Add a check of a clause; what it returns is what was seen."""

    def add(run: "Callable[[Pack], str]") -> "Callable[[Pack], str]":
        CHECKS.append(Check(run.__name__, clause, run))
        return run

    return add


@dataclass
class Pack:
    """What a run is given, and the words that its checks have in common."""

    caller: Caller
    batch: str
    source: str
    tag: str
    unit: str
    run: str = field(default_factory=lambda: uuid.uuid4().hex[:12])
    numbers: Iterator[int] = field(default_factory=lambda: iter(range(1, 1_000_000)))

    @property
    def events(self) -> str:
        return f"batches/{quote(self.batch)}/events"

    @property
    def readings(self) -> str:
        return f"batches/{quote(self.batch)}/readings"

    @property
    def stream(self) -> str:
        return f"sources/{quote(self.source)}"

    def key(self) -> str:
        return f"contract-{self.run}-{next(self.numbers)}"

    def event(self, **more: Any) -> bytes:
        said = {"kind": "observation", "occurred_at": now(), "text": f"contract test {self.run}"}
        return json.dumps(said | more).encode()

    def post(self, body: bytes, *, key: str | None = None, **headers: str) -> Answer:
        """Post an event."""
        sent = {"Content_Type": JSON} | headers
        named = self.key() if key is None else key
        return self.caller.ask("POST", self.events, body, Idempotency_Key=named, **sent)

    def count(self) -> int:
        return int(self.caller.get(self.events, limit=1)["count"])

    def refused(self, body: bytes, status: int, code: str, **headers: str) -> Answer:
        """Post what must be refused, and see that nothing was stored."""
        before = self.count()
        answer = self.post(body, **headers)
        demand(answer, status, code)
        hold(self.count() == before, "it was refused, and an event is stored")
        return answer

    def reading(self, **more: Any) -> bytes:
        at = datetime.now(UTC) - timedelta(seconds=1)
        said = {"tag": self.tag, "at": at.isoformat(), "value": 36.8, "unit": self.unit}
        return json.dumps(said | more).encode() + b"\n"

    def store(self, body: bytes, **headers: str) -> Answer:
        """Post readings."""
        sent = {"Content_Type": NDJSON, "Idempotency_Key": self.key()} | headers
        return self.caller.ask("POST", self.readings, body, **sent)

    def line(self, number: int | None, name: str, **more: Any) -> dict[str, Any]:
        said: dict[str, Any] = {
            "id": f"{self.run}-{name}", "kind": "event", "batch": self.batch,
            "observed_at": now(), "sent_at": now(),
            "data": {"kind": "observation", "text": f"contract test {name}"},
        }  # fmt: skip
        return said | ({} if number is None else {"sequence": number}) | more

    def send(self, *lines: dict[str, Any]) -> Answer:
        """Send numbered records."""
        body = "".join(json.dumps(line) + "\n" for line in lines).encode()
        return self.caller.ask("POST", f"{self.stream}/records", body, Content_Type=NDJSON)


def now() -> str:
    return datetime.now(UTC).isoformat()


def digest(line: dict[str, Any]) -> str:
    """Return the digest of a record (docs/streams.md, comparing books)."""
    content = {name: value for name, value in line.items() if name not in ("sequence", "sent_at")}
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def rolling_hash(lines: list[dict[str, Any]]) -> str:
    rolled = bytes(32)
    for line in lines:
        named = f"{line['id']}\n{line.get('version', 1)}\n{digest(line)}\n"
        rolled = hashlib.sha256(rolled + named.encode()).digest()
    return rolled.hex()


# --- Writes that are safe to repeat


@check("api.md, The contract: send a write without Idempotency-Key")
def key_missing(pack: Pack) -> str:
    pack.refused(pack.event(), 400, "idempotency-key-missing", key="")
    return "400 idempotency-key-missing, nothing stored"


@check("api.md, The contract: send the same write again under the same key")
def repeat(pack: Pack) -> str:
    body, key, before = pack.event(), pack.key(), pack.count()
    first, second = pack.post(body, key=key), pack.post(body, key=key)
    demand(first, 201)
    demand(second, 201)
    hold(first.body == second.body, "the second body is another one")
    hold(second.headers.get("idempotency-replayed") == "true", "no Idempotency-Replayed: true")
    hold(pack.count() == before + 1, "it did not act once")
    return "201 twice with the same body, Idempotency-Replayed: true, one event"


@check("api.md, The contract: take a key again for another body")
def conflict(pack: Pack) -> str:
    key = pack.key()
    demand(pack.post(pack.event(), key=key), 201)
    pack.refused(pack.event(text="another body"), 422, "idempotency-key-reused", key=key)
    return "422 idempotency-key-reused, nothing stored"


@check("api.md, The contract: repeat while the first is under way")
def at_once(pack: Pack) -> str:
    body, key, before = pack.event(), pack.key(), pack.count()
    answers: list[Answer] = []
    threads = [
        threading.Thread(target=lambda: answers.append(pack.post(body, key=key))) for _ in range(6)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    taken = [one for one in answers if one.status == 201]
    waiting = [one for one in answers if one.code == "idempotency-key-in-flight"]
    hold(taken and len(taken) + len(waiting) == 6, f"answered {[one.status for one in answers]}")
    hold(len({one.body for one in taken}) == 1, "two of them are different")
    hold(pack.count() == before + 1, "it did not act once")
    return f"6 at once: {len(taken)} the same 201, {len(waiting)} in flight, one event"


@check("api.md, Keys: GET /receipts?idempotency_key= says whether something has arrived")
def receipt(pack: Pack) -> str:
    body, key = pack.event(), pack.key()
    hold(pack.caller.get("receipts", idempotency_key=key)["count"] == 0, "there before it was sent")
    demand(pack.post(body, key=key), 201)
    [found] = pack.caller.get("receipts", idempotency_key=key)["results"]
    hold(found["request_digest"] == hashlib.sha256(body).hexdigest(), "of other bytes")
    hold(found["proof"]["entry_digest"], "the receipt names no entry of the trail")
    deadline = time.monotonic() + SEALED_S
    while not found["proof"]["checkpoint"]:
        hold(time.monotonic() < deadline, f"no checkpoint covers it after {SEALED_S:.0f} s")
        time.sleep(1)
        [found] = pack.caller.get("receipts", idempotency_key=key)["results"]
    return f"digest of the bytes, leaf {found['proof']['index']} under a signed checkpoint"


# --- Versions


@check("api.md, The contract: read: a strong ETag, 304 for If-None-Match")
def version_read(pack: Pack) -> str:
    answer = pack.caller.ask("GET", f"batches/{quote(pack.batch)}")
    demand(answer, 200)
    tag = answer.headers.get("etag", "")
    hold(tag == f'"{hashlib.sha256(answer.body).hexdigest()}"', f"the ETag is {tag or 'missing'}")
    again = pack.caller.ask("GET", f"batches/{quote(pack.batch)}", If_None_Match=tag)
    demand(again, 304)
    return "the ETag is the SHA-256 of the answer; 304"


@check("api.md, The contract: change what is not any more as you read it")
def version_stale(pack: Pack) -> str:
    stale = '"' + "0" * 64 + '"'
    answer = pack.refused(pack.event(), 412, "version-not-current", If_Match=stale)
    hold(answer.json.get("record"), "the refusal does not say which record to read")
    current = pack.caller.ask("GET", answer.json["record"])
    demand(pack.post(pack.event(), If_Match=current.headers["etag"]), 201)
    return "412 version-not-current with its record; 201 with the ETag of that"


# --- Strict bodies


@check(
    "api.md, The contract: send a time without zone, or one that a clock skipped or showed twice"
)
def times(pack: Pack) -> str:
    pack.refused(pack.event(occurred_at="2026-03-02T12:00:00"), 422, "invalid")
    skipped = pack.event(occurred_at="2026-03-29T02:30:00", zone="Europe/Paris")
    pack.refused(skipped, 422, "invalid")
    twice = pack.event(occurred_at="2025-10-26T02:30:00", zone="Europe/Paris")
    pack.refused(twice, 422, "invalid")
    return "422 for each of three, nothing stored"


@check("api.md, The contract: send an unknown member")
def unknown_member(pack: Pack) -> str:
    answer = pack.refused(pack.event(txet="foam"), 422, "invalid")
    pointers = [one["pointer"] for one in answer.json["errors"]]
    hold("/txet" in pointers, f"the errors point at {pointers}")
    return "422, errors point at /txet"


@check(
    "api.md, The contract: a member twice, NaN, 1e400, beyond 2^53 - 1, NUL, half a pair, 33 levels"
)
def strict_json(pack: Pack) -> str:
    head = pack.event()[:-1].decode()
    deep = "[" * 33 + "]" * 33
    details = ("NaN", "1e400", str(2**53), '"\\u0000"', '"\\ud800"', deep)
    bodies = [head + ', "text": "again"}', *(f'{head}, "details": {{"x": {x}}}}}' for x in details)]
    for body in bodies:
        before = pack.count()
        answer = pack.post(body.encode())
        hold(answer.status == 422, f"{body[-60:]} was answered {answer.status}")
        hold(pack.count() == before, f"{body[-60:]} is stored")
    return f"422 for each of {len(bodies)}, nothing stored"


@check("api.md, The contract: send what is not JSON in UTF-8, or begins with a byte order mark")
def bad_json(pack: Pack) -> str:
    bodies = (b'{"kind": ', b"\xef\xbb\xbf" + pack.event(), b'{"text": "\xff"}')
    for body in bodies:
        pack.refused(body, 400, "parse-error")
    return f"400 parse-error for each of {len(bodies)}, nothing stored"


@check("api.md, The contract: send more than 1 MiB of JSON; another media type or charset")
def size_and_type(pack: Pack) -> str:
    large = pack.event(text="x" * (1024 * 1024))
    demand(pack.post(large), 413)
    demand(pack.post(pack.event(), Content_Type="text/plain"), 415)
    demand(pack.post(pack.event(), Content_Type=f"{JSON}; charset=utf-16"), 415)
    return "413; 415; 415"


@check("api.md, The contract: DELETE")
def delete(pack: Pack) -> str:
    answer = pack.caller.ask("DELETE", f"batches/{quote(pack.batch)}", Idempotency_Key=pack.key())
    demand(answer, 405)
    return "405"


# --- Who calls, how often, what a refusal says


@check(
    "api.md, Errors: RFC 9457 application/problem+json; 401 unknown; the type leads to its meaning"
)
def problem(pack: Pack) -> str:
    answer = pack.caller.ask("GET", "batches", token="1.nobody-has-this-token")  # noqa: S106
    demand(answer, 401)
    hold("www-authenticate" in answer.headers, "401 without WWW-Authenticate")
    missing = pack.caller.ask("GET", f"batches/none-{pack.run}")
    demand(missing, 404, missing.code)
    members = {"type", "title", "status", "detail", "instance", "errors", "correlation_id"}
    hold(members <= set(missing.json), f"it lacks {members - set(missing.json)}")
    meaning = pack.caller.ask("GET", missing.json["type"])
    demand(meaning, 200)
    return "401 with WWW-Authenticate; 404 with all members; its type answers 200"


@check("api.md, The contract: send X-Correlation-Id: it comes back, and is in the problem")
def correlation(pack: Pack) -> str:
    name = f"contract-{pack.run}"
    answer = pack.caller.ask("GET", f"batches/none-{pack.run}", X_Correlation_Id=name)
    hold(answer.headers.get("x-correlation-id") == name, "it does not come back")
    hold(answer.json["correlation_id"] == name, "it is not in the problem")
    return "in the header and in the problem"


@check("api.md, The contract: ask too often: 429 with Retry-After; every answer has RateLimit")
def rate(pack: Pack) -> str:
    answer = pack.caller.ask("GET", f"batches/{quote(pack.batch)}")
    policy, left = answer.headers.get("ratelimit-policy", ""), answer.headers.get("ratelimit", "")
    hold("q=" in policy and "r=" in left, "an answer without RateLimit and RateLimit-Policy")
    most = int(policy.partition("q=")[2].partition(";")[0])
    if most > MOST_ASKED:
        raise NotHere(
            f"the headers are there; {most} requests a minute are allowed: set GMP_RATE_DEVICE of "
            f"the sandbox to at most {MOST_ASKED} to see the refusal"
        )
    for _ in range(2 * most):
        answer = pack.caller.ask_once("GET", f"batches/{quote(pack.batch)}")
        if answer.status == 429:
            break
    demand(answer, 429, "throttled")
    wait_s = int(answer.headers.get("retry-after", "0"))
    hold(0 < wait_s <= 60, f"Retry-After is {wait_s}")
    time.sleep(wait_s)
    demand(pack.caller.ask("GET", f"batches/{quote(pack.batch)}"), 200)
    return f"429 with Retry-After: {wait_s}, then 200"


# --- Readings


@check("api.md, Rules: any other unit, an unknown tag, NaN is refused and nothing is stored")
def wrong_unit(pack: Pack) -> str:
    good = pack.reading()
    for bad in ({"unit": "K"}, {"tag": f"none_{pack.run}"}, {"value": "NaN"}, {"at": "2026-03-02"}):
        answer = pack.store(good + pack.reading(**bad))
        hold(answer.status == 422, f"{bad} was answered {answer.status}: {answer.body[:200]!r}")
    answer = pack.store(good)
    demand(answer, 201)
    hold(answer.json["repeated"] == 0, "the good line beside a bad one was stored")
    return "422 for each of four; the good line beside it is not stored"


@check("streams.md, Readings: the same is repeated; with another value it is never overwritten")
def readings(pack: Pack) -> str:
    at = datetime.now(UTC).isoformat()
    demand(pack.store(pack.reading(at=at)), 201)
    same, other = pack.store(pack.reading(at=at)), pack.store(pack.reading(at=at, value=36.9))
    hold(same.json["repeated"] == 1 and same.json["count"] == 0, f"{same.json}")
    hold(other.json["conflicting"] == 1, f"{other.json}")
    return "repeated 1; conflicting 1"


# --- Streams


def standing(pack: Pack) -> int:
    """Return the number that the source is to use next."""
    if not pack.source:
        raise NotHere("no source was given (--source)")
    return int(pack.caller.get(pack.stream)["highest"]) + 1


@check(
    "streams.md, A source and its records: a line for each line, and a summary; sent again: repeated"
)
def stream(pack: Pack) -> str:
    first = standing(pack)
    lines = [pack.line(first + n, f"s{n}") for n in range(3)]
    for outcome in ("accepted", "repeated"):
        answer = pack.send(*lines)
        demand(answer, 200)
        said = [json.loads(one) for one in answer.body.splitlines()]
        hold([one.get("outcome") for one in said[:3]] == [outcome] * 3, f"{said}")
        hold(
            [one["content_digest"] for one in said[:3]] == [digest(one) for one in lines], "digest"
        )
        hold(said[3]["summary"]["next_expected"] == first + 3, f"{said[3]}")
    return f"3 accepted, 3 repeated, next expected {first + 3}"


@check("streams.md, A source and its records: a version with other content is refused")
def stream_conflict(pack: Pack) -> str:
    line = pack.line(standing(pack), "v")
    demand(pack.send(line), 200)
    answer = pack.send({**line, "data": {"kind": "observation", "text": "another"}})
    demand(answer, 422, "lines-refused")
    codes = [one["code"] for one in answer.json["errors"]]
    hold(codes == ["version-differs"], f"the errors are {codes}")
    return "lines-refused: version-differs"


@check(
    "streams.md, What is missing: a number that is left out opens a gap, and it closes when it comes"
)
def gap(pack: Pack) -> str:
    first = standing(pack)
    before = pack.caller.get(pack.stream)
    demand(pack.send(pack.line(first + 1, "g1")), 200)
    opened = pack.caller.get(pack.stream)
    hold(opened["open_gaps"] == before["open_gaps"] + 1, f"{opened}")
    demand(pack.send(pack.line(first, "g0")), 200)
    closed = pack.caller.get(pack.stream)
    hold(closed["open_gaps"] == before["open_gaps"], f"{closed}")
    return f"{first} was left out: one gap; it came: none"


@check("streams.md, Comparing books: a count and a rolling hash that both sides compute")
def books(pack: Pack) -> str:
    first = standing(pack)
    lines = [pack.line(first + n, f"b{n}") for n in range(4)]
    demand(pack.send(*lines), 200)
    found = pack.caller.get(f"{pack.stream}/reconciliation", first=first, last=first + 3)
    ours = {"count": 4, "rolling_hash": rolling_hash(lines)}
    hold({name: found[name] for name in ours} == ours, f"theirs {found}, ours {ours}")
    return f"4, {ours['rolling_hash'][:16]}... on both sides"


@check("streams.md, Did you get this?: is_received for each id that was asked for")
def stream_receipt(pack: Pack) -> str:
    line = pack.line(standing(pack), "r")
    demand(pack.send(line), 200)
    names = [line["id"], f"{pack.run}-never-sent"]
    found = pack.caller.get("receipts", source=pack.source, id=names)["records"]
    hold([one["is_received"] for one in found] == [True, False], f"{found}")
    hold(found[0]["versions"][0]["content_digest"] == digest(line), "the digest is another one")
    return "true for the one that was sent, false for the other"


# --- The feed


@check("streams.md, The feed of changes: strictly increasing, nothing left out unsaid")
def feed(pack: Pack) -> str:
    body, key = pack.event(text=f"feed {pack.run}"), pack.key()
    cursor, seen, last = "", False, -1
    demand(pack.post(body, key=key), 201)
    deadline = time.monotonic() + SEALED_S
    while True:
        page = pack.caller.get("feed", limit=1000, **({"after": cursor} if cursor else {}))
        numbers = [int(one["sequence"]) for one in page["events"]]
        hold(numbers == sorted(set(numbers)) and all(n > last for n in numbers), "not increasing")
        if page["first"] is not None:
            told = len(numbers) + sum(page["omitted"].values())
            hold(page["first"] == last + 1, f"after leaf {last} comes {page['first']}")
            hold(
                told == page["last"] - page["first"] + 1, f"{told} of the leaves are accounted for"
            )
            last = page["last"]
        seen = seen or any(f"feed {pack.run}" in json.dumps(one) for one in page["events"])
        cursor = page["cursor"]
        if seen and not page["has_more"]:
            return f"{last + 1} leaves without a gap; the event that was posted is among them"
        if not page["has_more"]:
            hold(time.monotonic() < deadline, "what was posted does not come")
            time.sleep(1)


# --- The run and its file


@dataclass(frozen=True)
class Outcome:
    name: str
    clause: str
    outcome: str
    observed: str
    begun_at: str
    seconds: float
    correlation_ids: list[str]


def run(pack: Pack) -> list[Outcome]:
    found = []
    for one in CHECKS:
        pack.caller.seen.clear()
        begun, at = time.monotonic(), now()
        try:
            outcome, observed = PASSED, one.run(pack)
        except NotHere as why:
            outcome, observed = NOT_RUN, str(why)
        except (
            NotAsTheContract,
            OSError,
            http.client.HTTPException,
            LookupError,
            ValueError,
        ) as why:
            outcome, observed = FAILED, f"{type(why).__name__}: {why}"
        found.append(
            Outcome(
                one.name, one.clause, outcome, observed, at, round(time.monotonic() - begun, 3),
                list(filter(None, pack.caller.seen)),
            )
        )  # fmt: skip
        print(f"{outcome:<8} {one.name:<16} {observed}", flush=True)
    return found


def schema_of(caller: Caller) -> dict[str, str]:
    """Say which contract the sandbox offers: the version of its schema, and its digest."""
    answer = caller.ask("GET", "/api/schema/", Accept="application/vnd.oai.openapi+json")
    if answer.status != 200:
        return {"version": "", "sha256": "", "answered": str(answer.status)}
    said = answer.json["info"]
    return {
        "title": said["title"], "version": said["version"],
        "sha256": hashlib.sha256(answer.body).hexdigest(),
    }  # fmt: skip


def report(pack: Pack, outcomes: list[Outcome], *, begun_at: str) -> dict[str, Any]:
    counts = {
        name: sum(one.outcome == name for one in outcomes) for name in (PASSED, FAILED, NOT_RUN)
    }
    return {
        "what": "Contract tests of the API for LIMS, MES and sensors",
        "run": pack.run,
        "url": pack.caller.url,
        "batch": pack.batch,
        "source": pack.source,
        "begun_at": begun_at,
        "ended_at": now(),
        "pack": {
            "version": VERSION,
            "sha256": hashlib.sha256(Path(__file__).read_bytes()).hexdigest(),
            "python": platform.python_version(),
        },
        "schema": schema_of(pack.caller),
        "is_passed": counts[FAILED] == 0 and counts[NOT_RUN] == 0,
        "counts": counts,
        "checks": [asdict(one) for one in outcomes],
    }


def as_text(said: dict[str, Any]) -> str:
    """Return the report for people, with room for who reviews it."""
    head = [
        said["what"],
        f"run {said['run']} of {said['url']}, batch {said['batch']}, source {said['source'] or '-'}",
        f"from {said['begun_at']} to {said['ended_at']}",
        f"pack {said['pack']['version']} (SHA-256 {said['pack']['sha256']})",
        f"Python {said['pack']['python']}; schema {said['schema']['version'] or 'not read'} "
        f"(SHA-256 {said['schema']['sha256'] or '-'})",
        ", ".join(f"{count} {name}" for name, count in said["counts"].items()),
        "",
    ]
    for one in said["checks"]:
        head += [
            f"[{one['outcome'].upper()}] {one['name']}, {one['begun_at']}, {one['seconds']} s",
            f"    clause:   {one['clause']}",
            f"    observed: {one['observed']}",
            "",
        ]
    return "\n".join([*head, "Reviewed by: ____________________  on: __________", ""])


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--url", required=True, help="of the sandbox, without /api/v1")
    parser.add_argument("--batch", required=True, help="a running batch of the sandbox")
    parser.add_argument("--source", default="", help="a source that the device brings")
    parser.add_argument("--tag", default="temperature_c", help="a parameter of the recipe")
    parser.add_argument("--unit", default="Cel", help="the unit of that parameter")
    parser.add_argument("--to", type=Path, default=Path("validation.json"))
    given = parser.parse_args()
    token = os.environ.get("GMP_TOKEN", "")
    if not token:
        parser.error("set GMP_TOKEN to the token of a qualified device")
    begun_at = now()
    pack = Pack(
        Caller(given.url.rstrip("/"), token), given.batch, given.source, given.tag, given.unit
    )
    said = report(pack, run(pack), begun_at=begun_at)
    given.to.write_text(json.dumps(said, indent=2) + "\n")
    given.to.with_suffix(".txt").write_text(as_text(said))
    counts = ", ".join(f"{count} {name}" for name, count in said["counts"].items())
    print(f"{counts}; written to {given.to} and {given.to.with_suffix('.txt')}")
    return 0 if said["is_passed"] else 1


if __name__ == "__main__":
    sys.exit(main())
