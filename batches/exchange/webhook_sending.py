"""Post one message to one receiver: to the address that was checked, without following anything."""

import http.client
import socket
import ssl
import threading
import time
from dataclasses import dataclass

from batches.exchange import webhook_addresses
from batches.exchange.webhook_addresses import AddressRefused, Target

CONNECT_S = 5.0
TOTAL_S = 15.0
MOST_ANSWER = 16 * 1024
MOST_BODY = 64 * 1024


@dataclass(frozen=True)
class Answer:
    """What a receiver said; without a status it said nothing, and `text` says why."""

    status: int | None
    text: str
    took_ms: int
    retry_after_s: int = 0

    @property
    def is_success(self) -> bool:
        return self.status is not None and 200 <= self.status < 300

    @property
    def is_gone(self) -> bool:
        return self.status == http.client.GONE


def post(url: str, *, body: bytes, headers: dict[str, str]) -> Answer:
    """Post a body; whatever goes wrong is an answer without a status. A redirect is a failure."""
    began = time.monotonic()
    try:
        status, text, wait = _post(webhook_addresses.parse(url), body, headers)
    except AddressRefused as refused:
        status, text, wait = None, str(refused), 0
    except (OSError, http.client.HTTPException) as error:
        status, text, wait = None, f"{type(error).__name__}: {error}", 0
    took = int((time.monotonic() - began) * 1000)
    return Answer(status, _plain(text), took, wait)


def _post(target: Target, body: bytes, headers: dict[str, str]) -> tuple[int, str, int]:
    if len(body) > MOST_BODY:
        raise AddressRefused(f"a message has at most {MOST_BODY} bytes")
    connection = _connected(target)
    # A receiver that answers a byte now and then would hold us for ever.
    is_cut = threading.Event()
    watch = threading.Timer(TOTAL_S, _cut, [connection, is_cut])
    watch.daemon = True
    watch.start()
    try:
        connection.request("POST", target.path, body, {"Host": target.authority, **headers})
        response = connection.getresponse()
        answer = response.read(MOST_ANSWER)
    finally:
        watch.cancel()
        connection.close()
    if is_cut.is_set():  # what was read so far looks like a whole answer
        raise TimeoutError(f"it took more than {TOTAL_S:g} s")
    said = response.headers.get("Retry-After", "")
    wait = int(said) if said.isascii() and said.isdigit() and len(said) < 7 else 0
    if 300 <= response.status < 400:
        return response.status, "a redirect is not followed: give the final address", wait
    return response.status, answer[:200].decode(errors="replace"), wait


def _connected(target: Target) -> http.client.HTTPConnection:
    address = webhook_addresses.resolve(target)
    connection = http.client.HTTPConnection(target.host, target.port, timeout=TOTAL_S)
    sock = socket.create_connection((address, target.port), timeout=CONNECT_S)
    sock.settimeout(TOTAL_S)
    if target.scheme == "https":
        try:
            sock = ssl.create_default_context().wrap_socket(sock, server_hostname=target.host)
        except BaseException:
            sock.close()
            raise
    connection.sock = sock
    return connection


def _cut(connection: http.client.HTTPConnection, is_cut: threading.Event) -> None:
    is_cut.set()
    sock = connection.sock
    if sock is not None:
        try:
            sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            return  # it has ended by itself


def _plain(text: str) -> str:
    return text.replace("\0", "\ufffd").strip()[:300]
