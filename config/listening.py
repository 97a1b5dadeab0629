"""Bind the web server's socket before the server exists, and ask whether it answers."""

import errno
import http.client
import ipaddress
import socket
from urllib.parse import urlsplit

FIRST_PORT = 8000
PORTS = 100
BACKLOG = 2048
ANSWER_S = 5.0


class CannotBind(RuntimeError):
    """The address is taken or not one of this machine; the message says what to do."""


def bind(address: str) -> socket.socket:
    """Listen on HOST:PORT (port 0: any free one) or `auto`: the first free port from 8000."""
    if address != "auto":
        return _listen(*_parsed(address))
    for port in range(FIRST_PORT, FIRST_PORT + PORTS):
        try:
            return _listen("127.0.0.1", port)
        except CannotBind:
            continue
    return _listen("127.0.0.1", 0)


def url(listener: socket.socket) -> str:
    """Return the URL at which a person on this machine reaches the socket."""
    host, port = listener.getsockname()[:2]
    if ipaddress.ip_address(host).is_unspecified:
        host = "::1" if ":" in host else "127.0.0.1"
    return f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"


def answers(address: str) -> bool:
    """Say whether a web server answers, whatever it says."""
    parts = urlsplit(address)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=ANSWER_S)
    try:
        connection.request("GET", parts.path)
        connection.getresponse().read()
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
    return True


def _parsed(address: str) -> tuple[str, int]:
    host, colon, port = address.rpartition(":")
    if not colon or not port.isdigit() or int(port) > 65535:
        raise CannotBind(f"--bind takes HOST:PORT or auto, not {address!r}")
    return host.strip("[]"), int(port)


def _listen(host: str, port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(BACKLOG)
    except (OSError, UnicodeError) as error:
        listener.close()
        if isinstance(error, OSError) and error.errno == errno.EADDRINUSE:
            raise CannotBind(
                f"port {port} is in use: choose another one with --bind {host}:{port + 1}, "
                "or --bind auto"
            ) from error
        raise CannotBind(f"cannot listen on {host}:{port}: {error}") from error
    return listener
