"""Serve a witness over HTTP with a bounded number of threads and bounded requests."""

import logging
import re
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

from compliance.trail.witness.judgement import Answer, Witness

log = logging.getLogger(__name__)
PATH = "/add-checkpoint"
MAX_BODY = 512 * 1024  # 63 hashes and a note of a hundred post-quantum signatures
THREADS = 32
SILENCE_S = 10.0  # a connection that says nothing for so long is closed
LONGEST_S = 60.0  # and none is served for longer, however slowly it speaks

_LENGTH = re.compile(r"[0-9]{1,9}")


class Handler(BaseHTTPRequestHandler):
    """One connection, which may carry many requests (tlog-witness: keep-alive)."""

    protocol_version = "HTTP/1.1"
    timeout = SILENCE_S
    disable_nagle_algorithm = True
    server: "WitnessServer"

    def setup(self) -> None:
        super().setup()
        self._fuse = threading.Timer(LONGEST_S, self._cut)
        self._fuse.daemon = True
        self._fuse.start()

    def finish(self) -> None:
        self._fuse.cancel()
        super().finish()

    def do_POST(self) -> None:
        if self.path != PATH:
            self._answer(Answer(404, "not found\n"), keep=False)
            return
        length = self.headers.get("Content-Length", "")
        if not _LENGTH.fullmatch(length) or "Transfer-Encoding" in self.headers:
            self._answer(Answer(411, "a request states its length\n"), keep=False)
        elif int(length) > MAX_BODY:
            self._answer(Answer(413, f"at most {MAX_BODY} bytes\n"), keep=False)
        else:
            body = self.rfile.read(int(length))
            if len(body) == int(length):
                self._answer(self.server.witness.add_checkpoint(body))
            else:  # the sender went away in the middle
                self.close_connection = True

    def _answer(self, answer: Answer, *, keep: bool = True) -> None:
        body = answer.body.encode()
        keep = keep and not self.server.is_stopping.is_set()
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.content_type)
        self.send_header("Content-Length", str(len(body)))
        if not keep:
            self.send_header("Connection", "close")
            self.close_connection = True
        self.end_headers()
        self.wfile.write(body)

    def _cut(self) -> None:
        try:
            self.connection.shutdown(socket.SHUT_RDWR)
        except OSError:
            log.debug("The connection was gone already")

    def version_string(self) -> str:
        return "witness"

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 -- of the base class
        log.info("%s %s", self.client_address[0], format % args)


class WitnessServer(HTTPServer):
    """Gives each connection to one of a fixed number of threads."""

    allow_reuse_address = True
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], witness: Witness) -> None:
        if ":" in address[0]:
            self.address_family = socket.AF_INET6
        super().__init__(address, Handler)
        self.witness = witness
        self.is_stopping = threading.Event()
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="witness")
        self._open: set[socket.socket] = set()

    def process_request(self, request: Any, client_address: Any) -> None:
        self._open.add(request)
        self._threads.submit(self._work, request, client_address)

    def _work(self, request: Any, client_address: Any) -> None:
        try:
            self.finish_request(request, client_address)
        except (TimeoutError, ConnectionError, BrokenPipeError):
            log.debug("%s went away", client_address)
        except Exception:
            # The thread of one connection must not take the others with it; nothing was answered.
            log.exception("The request of %s failed", client_address)
        finally:
            self._open.discard(request)
            self.shutdown_request(request)

    def stop(self) -> None:
        """Take no more, finish what is under way, and let idle connections go."""
        self.is_stopping.set()
        self.shutdown()
        self.server_close()
        for connection in list(self._open):
            try:
                connection.shutdown(socket.SHUT_RD)  # an answer on its way still gets out
            except OSError:
                log.debug("The connection was gone already")
        self._threads.shutdown(wait=True)
