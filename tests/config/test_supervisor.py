"""The supervisor: it restarts what dies, gives up in words, and leaves nothing behind."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from config.children import Child
from config.embedded import lease, processes, valkey
from config.supervisor import GaveUp, Patience, Record, Supervisor

ROOT = Path(__file__).resolve().parents[2]
SLEEP = "import time; print('here', flush=True); time.sleep(60)"
QUICK = Patience(first_pause_s=0.02, longest_pause_s=0.1)


@dataclass
class Heard:
    lines: list[tuple[str, str]] = field(default_factory=list)

    def say(self, name: str, line: str) -> None:
        self.lines.append((name, line))


Make = Callable[..., Supervisor]


@pytest.fixture
def heard() -> Heard:
    return Heard()


@pytest.fixture
def make(heard: Heard) -> Iterator[Make]:
    made: list[Supervisor] = []

    def supervisor(*children: Child, **options: object) -> Supervisor:
        options = {"patience": QUICK, **options}
        made.append(Supervisor(children=children, say=heard.say, **options))  # type: ignore[arg-type]
        return made[-1]

    yield supervisor
    for each in made:
        if each.is_running:
            each.stop(at_once=True)
            each.wait()


def child(name: str, script: str = SLEEP, *, grace_s: float = 5.0) -> Child:
    return Child(name=name, command=[sys.executable, "-c", script], grace_s=grace_s)


def until(condition: Callable[[], object], *, at_most_s: float = 120.0) -> None:
    deadline = time.monotonic() + at_most_s
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.02)


def test_lines_come_with_the_name_of_who_said_them(make: Make, heard: Heard) -> None:
    supervisor = make(child("one", "print('first'); import sys; print('second', file=sys.stderr)"))

    supervisor.start()

    until(lambda: {("one", "first"), ("one", "second")} <= set(heard.lines))


def test_a_killed_child_is_started_again(make: Make, heard: Heard) -> None:
    supervisor = make(child("one"), child("two"))
    supervisor.start()
    supervisor.wait_ready(at_most_s=10)
    before = supervisor.pids

    os.kill(before["one"], signal.SIGKILL)

    until(lambda: supervisor.pids.get("one", before["one"]) != before["one"])
    assert supervisor.pids["two"] == before["two"]
    assert any("killed by signal 9" in line for name, line in heard.lines if name == "one")


def test_every_change_of_processes_is_told(make: Make) -> None:
    told: list[dict[str, int]] = []
    supervisor = make(child("one"), child("two"), changed=told.append)

    supervisor.start()
    supervisor.wait_ready(at_most_s=10)

    assert [sorted(pids) for pids in told] == [["one"], ["one", "two"]]
    assert told[-1] == supervisor.pids


def test_a_child_that_dies_too_often_stops_everything_and_says_which_and_why(
    make: Make,
) -> None:
    script = "for number in range(30): print('line', number)\nraise SystemExit(3)"
    supervisor = make(child("good"), child("bad", script), ready=lambda: False)
    supervisor.start()
    until(lambda: "good" in supervisor.pids)
    good = supervisor.pids["good"]

    with pytest.raises(GaveUp) as caught:
        supervisor.wait_ready(at_most_s=20)

    message = str(caught.value)
    assert "bad ended with exit code 3, and that 5 times" in message
    assert "line 29" in message
    assert "line 10" in message
    assert "line 9\n" not in message
    assert not processes.is_alive(good)


def test_the_pause_before_a_start_doubles_up_to_its_limit() -> None:
    patience = Patience(deaths=9, first_pause_s=0.5, longest_pause_s=10.0)
    record = Record(patience=patience)

    pauses = []
    for now in range(7):
        record.died(float(now))
        pauses.append(record.pause_s)

    assert pauses == [0.5, 1, 2, 4, 8, 10, 10]


def test_deaths_long_ago_are_forgiven() -> None:
    record = Record(patience=Patience(deaths=3, within_s=60))

    too_often = [record.died(now) for now in (0.0, 50.0, 70.0, 131.0, 132.0, 133.0)]

    assert too_often == [False, False, False, False, False, True]


def test_children_stop_in_the_opposite_order_of_their_start(make: Make, heard: Heard) -> None:
    script = (
        "import signal, sys, time\n"
        "def end(*_):\n    time.sleep(0.1); print('bye', flush=True); sys.exit()\n"
        "signal.signal(signal.SIGTERM, end); print('here', flush=True); time.sleep(60)"
    )
    supervisor = make(*(child(name, script) for name in ("one", "two", "three")))
    supervisor.start()
    until(lambda: len([line for _, line in heard.lines if line == "here"]) == 3)

    supervisor.stop()
    supervisor.wait()

    assert [name for name, line in heard.lines if line == "bye"] == [
        "three",
        "two",
        "one",
    ]


def test_a_child_that_does_not_listen_is_killed_after_its_grace_with_its_own_children(
    make: Make, heard: Heard
) -> None:
    script = (
        "import signal, subprocess, sys, time\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "print(subprocess.Popen(['/bin/sleep', '60']).pid, flush=True); time.sleep(60)"
    )
    supervisor = make(child("deaf", script, grace_s=0.2))
    supervisor.start()
    until(lambda: heard.lines)
    pids = [supervisor.pids["deaf"], int(heard.lines[0][1])]

    supervisor.stop()
    supervisor.wait()

    assert [processes.wait_until_gone(pid, at_most_s=2) for pid in pids] == [True, True]


def test_a_second_request_to_stop_kills_at_once(make: Make, heard: Heard) -> None:
    script = f"import signal; signal.signal(15, signal.SIG_IGN); {SLEEP}"
    supervisor = make(child("deaf", script, grace_s=600))
    supervisor.start()
    until(lambda: heard.lines)

    supervisor.stop()
    supervisor.stop(at_once=True)

    supervisor.wait()  # without the second request this takes ten minutes


def test_ctrl_c_in_the_terminal_does_not_reach_the_children(make: Make) -> None:
    supervisor = make(child("one"))
    supervisor.start()
    supervisor.wait_ready(at_most_s=10)

    assert os.getsid(supervisor.pids["one"]) == supervisor.pids["one"]


def test_what_is_not_ready_in_time_is_stopped(make: Make) -> None:
    supervisor = make(child("one"), ready=lambda: False)
    supervisor.start()
    until(lambda: supervisor.pids)
    pid = supervisor.pids["one"]

    with pytest.raises(GaveUp, match="not ready after"):
        supervisor.wait_ready(at_most_s=0.2)

    assert not processes.is_alive(pid)


def test_a_program_that_is_not_there_is_named(make: Make) -> None:
    supervisor = make(Child(name="one", command=["/no/such/program"]), ready=lambda: False)
    supervisor.start()

    with pytest.raises(GaveUp, match="cannot run /no/such/program"):
        supervisor.wait_ready(at_most_s=20)


KILLED = """
import sys, time
from config.children import Child
from config.supervisor import Supervisor
supervisor = Supervisor(children=[Child(name="one", command=[sys.executable, "-c", sys.argv[1]])])
supervisor.start()
supervisor.wait_ready(at_most_s=10)
print(supervisor.pids["one"], flush=True)
time.sleep(60)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the system must tell a child of such an end")
def test_children_end_when_the_supervisor_is_killed() -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", KILLED, SLEEP],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    pid = int(process.stdout.readline())

    process.kill()
    process.communicate()

    assert processes.wait_until_gone(pid, at_most_s=5)


def test_a_killed_service_is_started_again(tmp_path: Path, make: Make) -> None:
    service = valkey.service(tmp_path)
    supervisor = make(child("one"), services=[service])
    supervisor.start()
    supervisor.wait_ready(at_most_s=20)
    killed = service.pid
    assert killed is not None

    try:
        os.kill(killed, signal.SIGKILL)

        until(lambda: service.pid not in {None, killed} and service.is_alive())
        assert service.answers()
    finally:
        supervisor.stop()
        supervisor.wait()
        lease.release(service)
