"""The embedded Valkey: what it accepted is there after a kill, and Kombu finds it."""

import os
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from kombu import Connection

from config.embedded import folders, lease, processes, valkey
from config.embedded.failure import EmbeddedServiceFailed

ROOT = Path(__file__).resolve().parents[2]
OTHER_USER = """
import sys
from pathlib import Path
from config.embedded import valkey
valkey.ensure_valkey(Path(sys.argv[1]))
print(valkey.service(Path(sys.argv[1])).pid, flush=True)
sys.stdin.read()
"""


@pytest.fixture
def var(tmp_path: Path) -> Iterator[Path]:
    var = tmp_path / "a folder"  # its space must survive the URL and the command line
    yield var
    lease.release(valkey.service(var))
    valkey.service(var).stop()


def client(var: Path) -> "redis.Redis":
    return redis.Redis(unix_socket_path=str(valkey.ensure_valkey(var)))


def pid(var: Path) -> int:
    found = valkey.service(var).pid
    assert found is not None
    return found


def test_it_keeps_every_message_and_forgets_none(var: Path) -> None:
    with client(var) as server:
        found = server.config_get("append*") | server.config_get("maxmemory-policy")
        ports = server.config_get("port")

    assert (found["appendonly"], found["appendfsync"]) == ("yes", "always")
    assert found["maxmemory-policy"] == "noeviction"
    assert ports == {"port": "0"}


def test_only_its_user_can_reach_its_socket(var: Path) -> None:
    path = valkey.ensure_valkey(var)

    assert stat.S_IMODE(path.stat().st_mode) == 0o700
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_kombu_sends_and_receives_through_its_url(var: Path) -> None:
    valkey.ensure_valkey(var)

    with Connection(valkey.url(var)) as connection:
        queue = connection.SimpleQueue("tasks")
        queue.put({"batch": 7})
        message = queue.get(timeout=5)
        message.ack()
        queue.close()

    assert message.payload == {"batch": 7}


def test_asking_for_the_url_starts_nothing(var: Path) -> None:
    assert valkey.url(var).startswith("redis+socket:///")
    assert not var.exists()


def test_a_killed_server_is_started_again_with_what_it_accepted(var: Path) -> None:
    with client(var) as server:
        server.rpush("queue", "one", "two")
    killed = pid(var)
    os.kill(killed, signal.SIGKILL)
    processes.wait_until_gone(killed, at_most_s=5)

    with client(var) as server:
        kept = server.lrange("queue", 0, -1)

    assert kept == [b"one", b"two"]
    assert pid(var) != killed


def test_the_last_user_stops_it(var: Path) -> None:
    valkey.ensure_valkey(var)
    server = pid(var)
    other = subprocess.Popen(
        [sys.executable, "-c", OTHER_USER, str(var)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert other.stdout is not None
    assert int(other.stdout.readline()) == server

    lease.release(valkey.service(var))
    alive_with_the_other = processes.is_alive(server)
    other.communicate(timeout=240)

    assert alive_with_the_other
    assert not processes.is_alive(server)


def test_a_server_that_cannot_start_says_why(var: Path) -> None:
    valkey.ensure_valkey(var)
    lease.release(valkey.service(var))
    (var / "valkey" / "appendonlydir" / "appendonly.aof.manifest").write_text("nonsense\n")

    with pytest.raises(EmbeddedServiceFailed, match="manifest"):
        valkey.ensure_valkey(var)


def test_a_dead_pid_file_that_names_another_process_is_ignored(var: Path) -> None:
    valkey.ensure_valkey(var)
    lease.release(valkey.service(var))
    (var / "valkey" / "valkey.pid").write_text(f"{os.getpid()}\n")

    valkey.ensure_valkey(var)

    assert pid(var) != os.getpid()


def test_its_socket_lies_beside_that_of_postgresql(var: Path) -> None:
    assert valkey.ensure_valkey(var).parent == folders.run_folder(var.resolve())
