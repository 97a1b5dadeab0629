"""What is collected stays on disk until it is delivered, whatever is killed in between."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from batches.exchange.collectors import buffer as buffers
from batches.exchange.collectors.buffer import Buffer, BufferFull, BufferUnusable
from batches.exchange.collectors.samples import Aside, Note, Sample, Taken, Target

ROOT = Path(__file__).resolve().parents[4]
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
TEMPERATURE = Target("B-1", "temperature_c", "Cel")

# Puts samples one by one, says each that is stored, and empties the buffer between.
WRITER = """
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from batches.exchange.collectors.buffer import Buffer
from batches.exchange.collectors.samples import Sample, Taken, Target
noon = datetime(2026, 3, 1, 12, tzinfo=UTC)
target = Target("B-1", "temperature_c", "Cel")
buffer = Buffer(Path(sys.argv[1]), source="gw", most=1_000_000)
for number in range(int(sys.argv[2]), 1_000_000):
    sample = Sample(target, noon + timedelta(seconds=number), str(number))
    buffer.put(Taken(samples=[sample]))
    print("put", number, flush=True)
    if number % 3 == 0:
        parcel = buffer.parcel(2)
        print("sent", parcel.key, *[__import__("json").loads(l)["value"] for _, l in parcel.lines],
              flush=True)
        buffer.delivered(parcel)
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "buffer.sqlite3"


@pytest.fixture
def buffer(path: Path) -> Iterator[Buffer]:
    made = Buffer(path, source="gw", most=20, remembered=50)
    yield made
    made.close()


def _samples(*numbers: int, target: Target = TEMPERATURE) -> Taken:
    return Taken(samples=[Sample(target, NOON + timedelta(seconds=n), str(n)) for n in numbers])


def _values(buffer: Buffer, most: int = 100) -> list[str]:
    parcel = buffer.parcel(most)
    return [json.loads(line)["value"] for _, line in parcel.lines] if parcel else []


def test_what_was_put_comes_out_in_its_order(buffer: Buffer) -> None:
    buffer.put(_samples(1, 2, 3))

    assert _values(buffer, 2) == ["1", "2"]


def test_a_parcel_that_was_begun_stays_the_same_though_more_comes(buffer: Buffer) -> None:
    buffer.put(_samples(1, 2))
    first = buffer.parcel(100)

    buffer.put(_samples(3))

    assert buffer.parcel(100) == first
    assert first is not None
    assert first.key.startswith("gw:1-2:")


def test_lines_sent_again_do_not_change_a_parcel_on_its_way(buffer: Buffer) -> None:
    buffer.put(_samples(1, 2, 3))
    begun = buffer.parcel(3)
    assert begun is not None
    buffer.refused(begun, reasons={2: "wrong"}, status=422, code="x", at=NOON)
    on_its_way = buffer.parcel(3)

    buffer.send_again()

    assert buffer.parcel(3) == on_its_way


def test_a_sequence_is_never_used_again(buffer: Buffer, path: Path) -> None:
    buffer.put(_samples(1, 2))
    parcel = buffer.parcel(100)
    assert parcel is not None
    buffer.delivered(parcel)
    buffer.close()

    again = Buffer(path, source="gw", most=20)
    again.put(_samples(3))

    found = again.parcel(100)
    assert found is not None
    assert [sequence for sequence, _ in found.lines] == [3]
    again.close()


def test_a_parcel_is_of_one_batch(buffer: Buffer) -> None:
    other = Target("B-2", "temperature_c", "Cel")
    buffer.put(_samples(1))
    buffer.put(_samples(2, target=other))
    buffer.put(_samples(3))

    parcel = buffer.parcel(100)
    assert parcel is not None
    buffer.delivered(parcel)

    assert [json.loads(line)["value"] for _, line in parcel.lines] == ["1", "3"]
    assert _values(buffer) == ["2"]


def test_a_sample_that_comes_again_is_stored_once_also_after_its_delivery(buffer: Buffer) -> None:
    buffer.put(_samples(1))
    parcel = buffer.parcel(100)
    assert parcel is not None
    buffer.delivered(parcel)

    assert buffer.put(_samples(1, 2)) == 1
    assert _values(buffer) == ["2"]


def test_another_value_of_the_same_moment_is_kept(buffer: Buffer) -> None:
    buffer.put(_samples(1))

    buffer.put(Taken(samples=[Sample(TEMPERATURE, NOON + timedelta(seconds=1), "1.5")]))

    assert _values(buffer) == ["1", "1.5"]


def test_only_the_newest_samples_are_remembered(buffer: Buffer) -> None:
    for number in range(60):
        buffer.put(_samples(number))
        parcel = buffer.parcel(100)
        assert parcel is not None
        buffer.delivered(parcel)

    assert buffer.put(_samples(59)) == 0
    assert buffer.put(_samples(0)) == 1


def test_a_full_buffer_says_so_and_takes_nothing_of_what_does_not_fit(buffer: Buffer) -> None:
    buffer.put(_samples(*range(19)))

    with pytest.raises(BufferFull):
        buffer.put(_samples(19, 20))

    assert buffer.waiting() == 19
    assert buffer.put(_samples(19)) == 1


def test_dead_letters_count_against_the_size_too(buffer: Buffer) -> None:
    buffer.put(Taken(aside=[Aside("x", str(number), NOON) for number in range(20)]))

    with pytest.raises(BufferFull):
        buffer.put(_samples(1))


def test_a_note_of_a_batch_becomes_an_event(buffer: Buffer) -> None:
    buffer.put(Taken(notes=[Note("gap", "B-1", NOON, "nothing came", "temperature_c")]))

    parcel = buffer.parcel(100)
    assert parcel is not None
    event = json.loads(parcel.body)

    assert (parcel.kind, event["kind"], event["text"]) == ("event", "observation", "nothing came")
    assert event["details"] == {"collector": "gw", "note": "gap"}


def test_a_buffer_belongs_to_one_source(buffer: Buffer, path: Path) -> None:
    with pytest.raises(BufferUnusable, match="belongs to the source gw"):
        Buffer(path, source="other", most=20)


def test_two_collectors_do_not_share_a_buffer(path: Path) -> None:
    with buffers.owned(path):
        with pytest.raises(BufferUnusable, match="another collector"):
            with buffers.owned(path):
                pass


def test_a_damaged_file_is_refused(path: Path) -> None:
    path.write_bytes(b"this is no database, and long enough to be looked at" * 100)

    with pytest.raises(BufferUnusable):
        buffers.check(path)


def test_it_is_in_wal_mode_and_flushes_each_commit(buffer: Buffer) -> None:
    ask = buffer._connection.execute

    assert ask("PRAGMA journal_mode").fetchone()[0] == "wal"
    assert ask("PRAGMA synchronous").fetchone()[0] == 2


def test_nothing_acknowledged_is_lost_or_doubled_by_kill_9(path: Path) -> None:
    said: list[str] = []
    next_one = 0
    for run in range(8):
        process = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(path), str(next_one)],
            cwd=ROOT, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert process.stdout is not None
        first = process.stdout.readline()
        time.sleep(0.013 * run)
        os.kill(process.pid, signal.SIGKILL)
        said += [first, *process.stdout.read().splitlines(keepends=True)]
        process.wait()
        process.stdout.close()
        said = [line for line in said if line.endswith("\n")]
        next_one = max(int(line.split()[1]) for line in said if line.startswith("put")) + 1
    buffers.check(path)

    buffer = Buffer(path, source="gw", most=1_000_000)
    sent: dict[str, list[str]] = {}
    for line in said:
        if line.startswith("sent"):
            _, key, *values = line.split()
            assert sent.setdefault(key, values) == values
    while parcel := buffer.parcel(1_000):
        sent[parcel.key] = [json.loads(line)["value"] for _, line in parcel.lines]
        buffer.delivered(parcel)
    buffer.close()

    acknowledged = {line.split()[1] for line in said if line.startswith("put")}
    delivered = [value for values in sent.values() for value in values]
    assert len(delivered) == len(set(delivered))
    assert acknowledged <= set(delivered)
