"""What many writers at once lose by the audit trail, and what they lose by its sequencer."""

import itertools
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection

from tests.bench import measuring
from tests.bench.measuring import Row

# Short and many: from one second to the next a machine that others share gives a fifth more or less.
PROCESSES, SECONDS = 4, 2.0
_CATCH_UP_S = 300.0


def rows(rounds: str) -> list[Row]:
    """Measure 16 writers audited and not, then 4 audited ones with the sequencer and without."""
    with _writers() as writers, _sequencer() as sequencer:
        return [*_sixteen(writers, sequencer, int(rounds)), *_four(writers, sequencer, int(rounds))]


Writers = list["subprocess.Popen[str]"]
Sequencer = "subprocess.Popen[bytes]"


def _sixteen(writers: Writers, sequencer: "Sequencer", rounds: int) -> list[Row]:
    """Measure what the trail takes from writers who want all of the machine.

    `writers_16` is the capture alone, sealed when they are done; `writers_16_sealing` has the
    sequencer beside them, on the same cores.
    """
    found: list[dict[str, float]] = []
    shares = []
    # None is always the second.
    orders = list(itertools.permutations(["sealing", "alone", "plain"]))
    for turn in range(rounds + 1):
        rates: dict[str, float] = {}
        for way in orders[turn % len(orders)]:
            if way == "sealing":
                with _running(sequencer):
                    rates[way], share = _write(writers, "Audited", threads=4)
                shares.append(share)
            else:
                model = "Audited" if way == "alone" else "Plain"
                rates[way], _ = _write(writers, model, threads=4)
                _seal_what_is_left(sequencer)
        if turn:
            found.append(rates)
    return [
        _beside_plain("writers_16", "alone", found),
        _beside_plain("writers_16_sealing", "sealing", found),
        measuring.alone("writers_16_sealed", shares[1:], unit="of entries"),
    ]


def _beside_plain(name: str, way: str, found: list[dict[str, float]]) -> Row:
    pairs = [(rates[way], rates["plain"]) for rates in found]
    return measuring.compared(name, pairs, unit="tx/s")


def _four(writers: Writers, sequencer: "Sequencer", rounds: int) -> list[Row]:
    """Measure what running the sequencer takes from writers who leave it a part of the machine."""
    pairs = []
    for turn in range(rounds + 1):
        found: dict[bool, float] = {}
        for is_beside in (True, False) if turn % 2 else (False, True):
            if is_beside:
                with _running(sequencer):
                    found[True], _ = _write(writers, "Audited", threads=1)
            else:
                found[False], _ = _write(writers, "Audited", threads=1)
                _seal_what_is_left(sequencer)
        if turn:
            pairs.append((found[True], found[False]))
    row = measuring.compared("writers_4_sealing", pairs, unit="tx/s")
    slower = [100 * (1 - one / other) for one, other in pairs]
    return [row, measuring.alone("seal_slowdown", slower, unit="%")]


def _write(writers: Writers, model: str, *, threads: int) -> tuple[float, float]:
    """Let all processes write, and return the transactions a second; each has its entry.

    Also return the part of these that was sealed when the last one ended.
    """
    before, sealed = _entries(), _sealed()
    begin = time.monotonic() + 0.5
    for writer in writers:
        assert writer.stdin is not None
        writer.stdin.write(f"{model} {threads} {begin} {SECONDS}\n")
        writer.stdin.flush()
    count = sum(int(writer.stdout.readline()) for writer in writers if writer.stdout)
    seconds = time.monotonic() - begin
    sealed = _sealed() - sealed
    expected = count if model == "Audited" else 0
    if (captured := _entries() - before) != expected:
        sys.exit(f"{captured} entries for {expected} transactions: no figure counts")
    return count / seconds, sealed / count


@contextmanager
def _writers() -> Iterator[Writers]:
    command = [sys.executable, "-m", "tests.bench.writers"]
    writers = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(PROCESSES)
    ]
    try:
        for writer in writers:
            assert writer.stdout is not None
            writer.stdout.readline()  # it is ready
        yield writers
    finally:
        for writer in writers:
            if writer.stdin:
                writer.stdin.close()  # which ends it
            writer.wait(30)


@contextmanager
def _sequencer() -> Iterator["Sequencer"]:
    """Run the product's own sequencer in a process of its own; it begins halted."""
    command = [sys.executable, "-m", "django", "sequencer"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        _catch_up(process)
        process.send_signal(signal.SIGSTOP)
        yield process
    finally:
        process.send_signal(signal.SIGCONT)
        process.terminate()
        process.wait(30)


@contextmanager
def _running(sequencer: "Sequencer") -> Iterator[None]:
    """Let it run, and go on when it has caught up, so that no work is left for another round."""
    sequencer.send_signal(signal.SIGCONT)
    try:
        yield
        _catch_up(sequencer)
    finally:
        sequencer.send_signal(signal.SIGSTOP)


def _seal_what_is_left(sequencer: "Sequencer") -> None:
    """Let it seal before the next round, not beside it."""
    with _running(sequencer):
        pass


def _catch_up(sequencer: "Sequencer") -> None:
    deadline = time.monotonic() + _CATCH_UP_S
    while _projected() < _entries():
        if sequencer.poll() is not None or time.monotonic() > deadline:
            sys.exit("the sequencer does not catch up: no figure counts")
        time.sleep(0.2)
    time.sleep(0.3)  # it begins its next turns, which find nothing


def _entries() -> int:
    return _number("SELECT count(*) FROM audit.entry")


def _sealed() -> int:
    return _number("SELECT size FROM audit.log_state")


def _projected() -> int:
    return _number("SELECT size FROM audit.projected")


def _number(query: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(query)
        return int(cursor.fetchone()[0])
