"""Where the web server listens, and whether it answers."""

import socket
import threading

import pytest

from config import listening


def test_a_port_in_use_is_refused_with_what_to_do() -> None:
    with listening.bind("127.0.0.1:0") as taken:
        port = taken.getsockname()[1]

        with pytest.raises(listening.CannotBind, match=f"port {port} is in use.*--bind auto"):
            listening.bind(f"127.0.0.1:{port}")


def test_auto_finds_a_free_port_beside_one_in_use() -> None:
    with listening.bind("auto") as first, listening.bind("auto") as second:
        assert first.getsockname()[1] != second.getsockname()[1]


@pytest.mark.parametrize("address", ["8000", "localhost", "127.0.0.1:web", "127.0.0.1:65536", ""])
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(listening.CannotBind, match="HOST:PORT"):
        listening.bind(address)


def test_an_address_of_another_machine_is_refused() -> None:
    with pytest.raises(listening.CannotBind, match=r"cannot listen on 192\.0\.2\.1:8000"):
        listening.bind("192.0.2.1:8000")


def test_the_url_of_all_addresses_is_one_that_opens_here() -> None:
    with listening.bind("0.0.0.0:0") as listener:
        assert listening.url(listener) == f"http://127.0.0.1:{listener.getsockname()[1]}/"


def test_a_socket_without_a_server_behind_it_does_not_answer() -> None:
    with listening.bind("127.0.0.1:0") as listener:
        url = listening.url(listener)

    assert not listening.answers(url)


@pytest.mark.parametrize(
    ("said", "is_answer"),
    [
        (b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n", True),
        (b"SSH-2.0\r\n", False),
        (b"", False),
    ],
)
def test_only_http_is_an_answer(said: bytes, is_answer: bool) -> None:
    def serve(listener: socket.socket) -> None:
        connection, _ = listener.accept()
        with connection:
            connection.recv(4096)
            connection.sendall(said)

    with listening.bind("127.0.0.1:0") as listener:
        thread = threading.Thread(target=serve, args=(listener,))
        thread.start()

        assert listening.answers(listening.url(listener)) is is_answer

        thread.join()
