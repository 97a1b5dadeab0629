"""A network that fails: a TCP proxy that cuts connections, also in the middle of an answer."""

import contextlib
import random
import socket
import struct
import threading
import time

_RESET = struct.pack("ii", 1, 0)  # SO_LINGER of 0 s: the other side sees a reset
_CHUNK = 16 * 1024


class Proxy:
    """Passes on what comes in on `port`; one answer in `cut_one_in` is broken off."""

    def __init__(self, host: str, port: int, *, cut_one_in: int, seed: int) -> None:
        self._target = host, port
        self._cut_one_in = cut_one_in
        self._dice = random.Random(seed)
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._down_until = 0.0
        self.cuts = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        threading.Thread(target=self._accept, daemon=True).start()

    def break_off(self, *, for_s: float) -> None:
        """Reset every connection, and every new one for a while."""
        self._down_until = time.monotonic() + for_s
        with self._lock:
            found = list(self._open)
        for one in found:
            self._reset(one)

    def calm(self) -> None:
        """Cut nothing any more."""
        self._cut_one_in = 0
        self._down_until = 0.0

    def close(self) -> None:
        self._listener.close()
        self.break_off(for_s=0)

    def _accept(self) -> None:
        while True:
            try:
                caller, _ = self._listener.accept()
            except OSError:  # closed
                return
            if time.monotonic() < self._down_until:
                self._reset(caller)
                continue
            try:
                server = socket.create_connection(self._target, timeout=30)
            except OSError:  # nobody listens there at this moment
                self._reset(caller)
                continue
            server.settimeout(None)
            with self._lock:
                self._open |= {caller, server}
            for source, sink, is_answer in ((caller, server, False), (server, caller, True)):
                threading.Thread(
                    target=self._pass_on, args=(source, sink, is_answer), daemon=True
                ).start()

    def _pass_on(self, source: socket.socket, sink: socket.socket, is_answer: bool) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(_CHUNK):
                if is_answer and self._is_cut():
                    sink.sendall(data[: self._dice.randrange(len(data))])
                    break
                sink.sendall(data)
        for one in (source, sink):
            self._reset(one)

    def _is_cut(self) -> bool:
        if not self._cut_one_in or self._dice.randrange(self._cut_one_in):
            return False
        self.cuts += 1
        return True

    def _reset(self, one: socket.socket) -> None:
        with self._lock:
            self._open.discard(one)
        with contextlib.suppress(OSError):
            one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            one.shutdown(socket.SHUT_RDWR)
        with contextlib.suppress(OSError):
            one.close()
