"""Gunicorn's worker of threads, as the product runs it."""

import json
import select
from typing import Any, ClassVar

from gunicorn import util
from gunicorn.http import errors, wsgi
from gunicorn.workers.gthread import ThreadWorker

# A thread waits so long for the next request of its client, and serves so many of them in a row.
STAY_MS, MOST_IN_A_ROW = 2, 20
SMALL = 65_536  # what is larger is not copied to have its head before it


class OneMessage(wsgi.Response):  # type: ignore[misc]
    """An answer whose head is sent together with the first part of its body.

    Gunicorn sends each by itself, which wakes the client twice.
    """

    sock: Any
    _head = b""

    def sendall(self, head: bytes) -> None:
        """Keep the head, in the place of the socket."""
        self._head = head

    def send_headers(self) -> None:
        if self.headers_sent:
            return
        socket, self.sock = self.sock, self
        try:
            super().send_headers()
        finally:
            self.sock = socket

    def _emit_body(self, data: bytes) -> None:
        if self.chunked or len(data) > SMALL:
            self._send_head()
            super()._emit_body(data)
        else:
            head, self._head = self._head, b""
            super()._emit_body(head + data)

    def write_file(self, content: Any) -> None:
        self.send_headers()
        self._send_head()
        super().write_file(content)

    def close(self) -> None:
        self.send_headers()
        self._send_head()
        super().close()

    def _send_head(self) -> None:
        if self._head:
            head, self._head = self._head, b""
            util.write(self.sock, head)


wsgi.Response = OneMessage


class Worker(ThreadWorker):  # type: ignore[misc]  # gunicorn has no types
    """A worker of threads that refuses with RFC 9457 what cannot be read as HTTP/1.1.

    Gunicorn itself would send HTML. And a thread stays with a client who asks again at once, as long
    as nobody waits for a thread: to hand the connection over and back costs as much as many a query.
    """

    REFUSED: ClassVar = {
        errors.LimitRequestLine: (414, "uri-too-long"),
        errors.LimitRequestHeaders: (431, "headers-too-large"),
        errors.UnsupportedTransferCoding: (501, "transfer-coding-unknown"),
        errors.ExpectationFailed: (417, "expectation-unknown"),
    }

    OF_OURS = (
        errors.ConfigurationProblem,
        errors.InvalidResponseHeader,
        errors.InvalidResponseHeaderName,
    )

    def handle(self, conn: Any) -> Any:
        """Answer a request of a connection, and those that follow it at once; return gunicorn's word."""
        is_kept = super().handle(conn)
        for _ in range(MOST_IN_A_ROW):
            if is_kept is not True or not self.alive or conn.parser.unreader.buf.getvalue():
                break
            if self.tpool._work_queue.qsize() or not _is_readable(conn.sock):
                break
            is_kept = super().handle(conn)
        return is_kept

    def handle_error(self, req: Any, client: Any, addr: Any, exc: Exception) -> None:
        """Answer an error that came up before the application was asked."""
        if isinstance(exc, self.OF_OURS) or not isinstance(exc, errors.ParseException):
            super().handle_error(req, client, addr, exc)
            return
        status, code = self.REFUSED.get(type(exc), (400, "malformed"))
        self.log.warning("no request from %s: %s", (addr or ("",))[0], exc)
        try:
            util.write_nonblock(client, _answer(status, code, str(exc)))
        except OSError as gone:
            self.log.debug("nobody waits for the answer: %s", gone)


def _is_readable(sock: Any) -> bool:
    waiting = select.poll()
    waiting.register(sock, select.POLLIN)
    return bool(waiting.poll(STAY_MS))


def _answer(status: int, code: str, detail: str) -> bytes:
    # The application is there only once the worker has loaded it.
    from compliance.api_contract import correlation, problems

    correlated = correlation.chosen({})
    current = correlation.current.set(correlated)
    try:
        said = problems.problem(
            code=code, title=code.replace("-", " ").capitalize(), status_code=status, detail=detail
        )
    finally:
        correlation.current.reset(current)
    body = json.dumps(said).encode()
    head = (
        f"HTTP/1.1 {status} {said['title']}\r\n"
        "Connection: close\r\n"
        f"Content-Type: {problems.MEDIA_TYPE}\r\n"
        f"{correlation.HEADER}: {correlated}\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body
