"""Send what is buffered to the product, in order, until it has answered."""

import logging
import random
import re
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from threading import Event
from typing import Any
from urllib.parse import quote

import httpx

from batches.exchange.collectors import buffer as buffers
from batches.exchange.collectors.buffer import Buffer, Parcel
from batches.exchange.collectors.samples import moment

log = logging.getLogger(__name__)
FIRST_WAIT_S, LONGEST_WAIT_S = 0.5, 60.0
_IN_FLIGHT = "idempotency-key-in-flight"
_UNREGISTERED = "source-unknown"  # an administrator registers it; until then nothing is lost
_MEDIA_TYPES = {"reading": "application/x-ndjson", "event": "application/json"}
_PATHS = {"reading": "readings", "event": "events"}
_POINTER = re.compile(r"/(\d{1,6})(?:/.*)?")
# Of the collector's own rights or of the moment, not of what is sent: the same may pass later.
_LATER = frozenset({401, 403, 408, 425, 429})


class NotNow(Exception):
    """The parcel was not taken now; the same parcel may be taken later."""

    def __init__(self, message: str, *, after_s: float | None = None) -> None:
        super().__init__(message)
        self.after_s = after_s


@dataclass
class Pause:
    """How long to wait after a failure: longer each time, spread, never sooner than asked for."""

    drawn: Callable[[], float] = random.random
    failures: int = field(default=0, init=False)

    def next_s(self, asked_s: float | None) -> float:
        longest = min(LONGEST_WAIT_S, FIRST_WAIT_S * 2.0 ** min(self.failures, 20))
        self.failures += 1
        spread = longest * (0.5 + 0.5 * self.drawn())
        # Many collectors are told the same number of seconds: they come back spread, not at once.
        return spread if asked_s is None else asked_s + FIRST_WAIT_S * self.drawn()

    def reset(self) -> None:
        self.failures = 0


class Delivery:
    """Empties a buffer through the API, one parcel at a time."""

    def __init__(self, buffer: Buffer, client: httpx.Client, *, post_at_most: int) -> None:
        self._buffer, self._client, self._most = buffer, client, post_at_most

    def once(self) -> bool:
        """Send the next parcel and settle its answer; return whether there was one.

        Raise `NotNow` when it stays in the buffer.
        """
        parcel = self._buffer.parcel(self._most)
        if parcel is None:
            return False
        answer = self._post(parcel)
        if answer.is_success:
            self._buffer.delivered(parcel)
            return True
        code = _code(answer)
        status = answer.status_code
        is_later = status in _LATER or code in (_IN_FLIGHT, _UNREGISTERED)
        if answer.is_server_error or is_later:
            raise NotNow(f"HTTP {status} {code}".strip(), after_s=retry_after_s(answer))
        if not answer.is_client_error:
            raise NotNow(f"HTTP {status}: this is not the product's API")
        if status == httpx.codes.REQUEST_ENTITY_TOO_LARGE and len(parcel.lines) > 1:
            self._buffer.split(parcel)
            return True
        reasons = _reasons(parcel, answer)
        log.error("ALARM: %s refused with %s %s: %d lines put aside, none dropped",
                  parcel.key, status, code, len(reasons))  # fmt: skip
        self._buffer.refused(parcel, reasons=reasons, status=status, code=code, at=buffers.now())
        return True

    def run(self, stop: Event, *, every_s: float) -> None:
        """Send until stopped, waiting longer each time nobody takes it."""
        pause = Pause()
        while not stop.is_set():
            try:
                wait_s = 0.0 if self.once() else every_s
                pause.reset()
            except NotNow as error:
                wait_s = pause.next_s(error.after_s)
                log.warning("not delivered, again in %.1f s: %s", wait_s, error)
            stop.wait(wait_s)

    def _post(self, parcel: Parcel) -> httpx.Response:
        path = f"batches/{quote(parcel.batch, safe='')}/{_PATHS[parcel.kind]}"
        headers = {"Idempotency-Key": parcel.key, "Content-Type": _MEDIA_TYPES[parcel.kind]}
        if parcel.number is not None:
            numbered = {"Source": parcel.source, "Source-Sequence": str(parcel.number)}
            headers |= {**numbered, "Sent-At": moment(buffers.now())}
        try:
            return self._client.post(path, content=parcel.body, headers=headers)
        except httpx.HTTPError as error:
            raise NotNow(f"{type(error).__name__}: {error}") from error


def client(url: str, token: str, *, timeout_s: float, ca: str | None = None) -> httpx.Client:
    """Return the client of one device; it follows no redirects, which could take its token along."""
    return httpx.Client(
        base_url=f"{url.rstrip('/')}/api/v1/",
        headers={"Authorization": f"Bearer {token}"},
        timeout=timeout_s,
        verify=ssl.create_default_context(cafile=ca),
        follow_redirects=False,
    )


def retry_after_s(answer: httpx.Response) -> float | None:
    """Return the seconds that the answer asks to wait: a number, or until a date."""
    said = answer.headers.get("Retry-After", "").strip()
    if said.isascii() and said.isdigit() and len(said) < 9:
        return float(said)
    try:
        until = parsedate_to_datetime(said)
    except ValueError:
        return None
    if until.tzinfo is None:
        until = until.replace(tzinfo=UTC)
    return max(0.0, (until - datetime.now(UTC)).total_seconds())


def _reasons(parcel: Parcel, answer: httpx.Response) -> dict[int, str]:
    """Return the reason of each refused line by its sequence; all lines, when none is named."""
    problem = _problem(answer)
    found: dict[int, str] = {}
    if parcel.kind == "reading":
        for error in problem.get("errors") or []:
            named = _POINTER.fullmatch(str(error.get("pointer", "")))
            if named and int(named[1]) < len(parcel.lines):
                sequence = parcel.lines[int(named[1])][0]
                found.setdefault(sequence, str(error.get("detail", "")))
    if found:
        return found
    why = str(problem.get("detail") or problem.get("title") or answer.text[:300])
    return {sequence: why for sequence, _ in parcel.lines}


def _code(answer: httpx.Response) -> str:
    return str(_problem(answer).get("type", "")).rsplit("/", 1)[-1]


def _problem(answer: httpx.Response) -> dict[str, Any]:
    try:
        said = answer.json()
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}
