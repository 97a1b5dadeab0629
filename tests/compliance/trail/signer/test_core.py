"""The signer signs what continues its last checkpoint, remembers first, and refuses the rest."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

import pytest

from compliance.trail.signer import core, failure, memory
from compliance.trail.signer.core import CheckpointSigner, Request
from compliance.trail.tlog import keys, merkle, note
from compliance.trail.tlog.key_documents import Document, Event, KeyRefused
from compliance.trail.tlog.key_history import KeyHistory
from compliance.trail.tlog.keys import KeyPair, Signer, Verifier
from compliance.trail.tlog.tiles import Leaves

ROOT = Path(__file__).resolve().parents[4]
ORIGIN = "plant.example/log"
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
PAIRS = [
    KeyPair(ORIGIN, algorithm, bytes([number]) * 32)
    for number in (1, 2)
    for algorithm in (keys.ED25519, keys.ML_DSA_44)
]
OLD, SHIELD, NEW, NEW_SHIELD = PAIRS
LEAVES = [sha256(str(n).encode()).digest() for n in range(64)]
READER = Leaves(LEAVES)
OTHER = Leaves([*LEAVES[:5], bytes(32), *LEAVES[6:]])
HISTORY = KeyHistory.replay(ORIGIN, pinned=[OLD.verifier, SHIELD.verifier], documents=[])
ROTATED = HISTORY.followed_by(
    Document(
        event=Event.ROTATE, verifier=NEW.verifier, signed_by=OLD.verifier, from_size=9, to_size=10
    )
)


def private(verifier: Verifier) -> Signer:
    return next(pair for pair in PAIRS if pair.verifier == verifier)


def opened(folder: Path, history: KeyHistory = HISTORY) -> CheckpointSigner:
    return CheckpointSigner(folder, history=history, signer_of=private)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "signer"


@pytest.fixture
def signer(folder: Path) -> Iterator[CheckpointSigner]:
    with opened(folder) as own:
        own.begin()
        yield own


def request(
    size: int,
    after: int = 0,
    *,
    at: datetime = NOON,
    reader: Leaves = READER,
    origin: str = ORIGIN,
) -> Request:
    return Request(
        origin=origin,
        size=size,
        root=merkle.root_at(size, reader),
        proof=merkle.consistency_proof(min(after, size), size, reader),
        at=at,
    )


# --- What is signed


def test_a_growing_log_is_signed_by_every_key(signer: CheckpointSigner) -> None:
    notes = [signer.sign(request(size, after)) for size, after in ((0, 0), (5, 0), (64, 5))]

    for text, size in zip(notes, (0, 5, 64), strict=True):
        assert HISTORY.open(text).size == size


def test_the_same_state_again_gives_the_note_signed_before(signer: CheckpointSigner) -> None:
    first = signer.sign(request(5))

    assert signer.sign(request(5, 5, at=NOON + timedelta(hours=1))) == first


def test_the_memory_outlives_the_signer(folder: Path, signer: CheckpointSigner) -> None:
    first = signer.sign(request(5))
    signer.close()

    with opened(folder) as again:
        assert again.sign(request(5, 5)) == first
        assert HISTORY.open(again.sign(request(9, 5))).size == 9


# --- What is refused


def test_a_log_that_was_rolled_back_is_refused(signer: CheckpointSigner) -> None:
    signer.sign(request(9))

    with pytest.raises(failure.LogForked, match="rolled back"):
        signer.sign(request(8, 8))


def test_another_root_for_a_signed_size_is_refused(signer: CheckpointSigner) -> None:
    signer.sign(request(9))

    with pytest.raises(failure.LogForked, match="two roots"):
        signer.sign(request(9, 9, reader=OTHER))


def test_a_log_that_was_rewritten_is_refused(signer: CheckpointSigner) -> None:
    signer.sign(request(9))

    with pytest.raises(failure.LogForked, match="does not continue"):
        signer.sign(request(20, 9, reader=OTHER))


@pytest.mark.parametrize("after", [0, 8, 10])
def test_a_proof_from_another_size_is_refused(signer: CheckpointSigner, after: int) -> None:
    signer.sign(request(9))

    with pytest.raises(failure.LogForked):
        signer.sign(request(20, after))


def test_another_log_is_refused(signer: CheckpointSigner) -> None:
    for signed in (0, 1):
        with pytest.raises(failure.LogForked, match="not of"):
            signer.sign(request(5, origin="plant.example/lag"))
        if not signed:
            signer.sign(request(5))


def test_a_clock_set_back_is_refused_and_a_trimmed_one_is_not(signer: CheckpointSigner) -> None:
    signer.sign(request(5))
    trimmed = signer.sign(request(6, 5, at=NOON - core.TOLERANCE))

    times = {one.at for one in note.open(trimmed, [OLD.verifier, SHIELD.verifier]).verified}
    assert times == {None, int(NOON.timestamp())}  # never earlier than what was signed before
    with pytest.raises(failure.ClockWentBack):
        signer.sign(request(7, 6, at=NOON - core.TOLERANCE - timedelta(microseconds=1)))


def test_a_refusal_changes_nothing(folder: Path, signer: CheckpointSigner) -> None:
    signer.sign(request(9))
    before = (folder / memory.STATE).read_bytes()

    with pytest.raises(failure.LogForked):
        signer.sign(request(20, 9, reader=OTHER))

    assert (folder / memory.STATE).read_bytes() == before
    assert HISTORY.open(signer.sign(request(20, 9))).size == 20


def test_a_key_that_signs_wrongly_lets_nothing_leave(folder: Path) -> None:
    class Broken(KeyPair):
        def sign(self, text: str, *, at: int | None = None) -> bytes:
            return super().sign(text.replace("5", "6", 1), at=at)

    def broken(verifier: Verifier) -> Signer:
        pair = private(verifier)
        return Broken(pair.name, pair.algorithm, pair.seed)  # type: ignore[attr-defined]

    with CheckpointSigner(folder, history=HISTORY, signer_of=broken) as own:
        own.begin()
        with pytest.raises(KeyRefused):
            own.sign(request(5))

    assert not (folder / memory.STATE).exists()


# --- Keys that change


def test_the_common_checkpoint_of_two_keys_is_not_jumped_over(folder: Path) -> None:
    with opened(folder) as own:
        own.begin()
        own.sign(request(8))
    with opened(folder, ROTATED) as own:
        with pytest.raises(failure.OverlapSkipped):
            own.sign(request(20, 8))
        assert (own.due(8), own.due(9), own.due(20)) == (8, 9, 9)
        common = own.sign(request(9, 8))
        after = own.sign(request(20, 9))

    assert common.count("\n— ") == 3
    assert ROTATED.open(common).size == 9
    assert ROTATED.open(after).size == 20


# --- The memory


def test_a_signer_without_memory_signs_nothing_unless_told_that_it_is_the_first(
    folder: Path,
) -> None:
    with opened(folder) as own:
        with pytest.raises(failure.StateLost, match="--adopt"):
            own.sign(request(5))


def test_a_lost_memory_is_replaced_by_a_checkpoint_kept_outside(
    folder: Path, signer: CheckpointSigner
) -> None:
    kept = signer.sign(request(9))
    signer.close()
    (folder / memory.STATE).unlink()

    core.adopt(folder, kept, history=HISTORY, at=NOON)

    with opened(folder) as own:
        with pytest.raises(failure.LogForked):
            own.sign(request(20, 9, reader=OTHER))
        assert HISTORY.open(own.sign(request(20, 9))).size == 20


def test_a_checkpoint_of_strangers_or_an_older_one_is_not_adopted(
    folder: Path, signer: CheckpointSigner
) -> None:
    old = signer.sign(request(5))
    signer.sign(request(9, 5))
    signer.close()

    with pytest.raises(failure.StateUnusable, match="remembers 9"):
        core.adopt(folder, old, history=HISTORY, at=NOON)
    with pytest.raises(KeyRefused):
        core.adopt(folder, old.replace("\n5\n", "\n6\n"), history=HISTORY, at=NOON)


def test_any_change_of_the_memory_is_noticed(folder: Path, signer: CheckpointSigner) -> None:
    signer.sign(request(5))
    signer.close()
    path = folder / memory.STATE
    good = path.read_bytes()

    altered = [good[:-1], good + b"\n", b"", good[: len(good) // 2]]
    for position in range(0, len(good) - 1, 61):
        one = bytearray(good)
        one[position] ^= 1
        altered.append(bytes(one))
    members = json.loads(good)
    late = (NOON + timedelta(hours=1)).isoformat()
    for change in ({"at": late}, {"at": 1}, {"v": 2}, {"v": True}, {"more": 1}):
        altered.append(
            json.dumps(members | change, sort_keys=True, separators=(",", ":")).encode() + b"\n"
        )
    wrong = []
    for data in altered:
        path.write_bytes(data)
        try:
            opened(folder).close()
        except failure.StateCorrupt:
            continue
        wrong.append(data)
    assert wrong == []


def test_the_memory_is_read_by_its_owner_only(folder: Path, signer: CheckpointSigner) -> None:
    signer.sign(request(5))

    assert (folder / memory.STATE).stat().st_mode & 0o777 == 0o600
    assert folder.stat().st_mode & 0o777 == 0o700


def test_a_second_signer_on_one_memory_does_not_start(
    folder: Path, signer: CheckpointSigner
) -> None:
    with pytest.raises(failure.AlreadyRunning):
        opened(folder)
    signer.close()

    opened(folder).close()
    with pytest.raises(ValueError, match="closed"):
        signer.sign(request(5))


# --- Other processes, killed

SCRIPT = """
import os, signal, sys
from pathlib import Path
from tests.compliance.trail.signer import test_core as t
from compliance.trail import durable
mode, folder = sys.argv[1], Path(sys.argv[2])
whole = durable.replace
def dies_after(path, text, *, mode=0o644):
    whole(path, text, mode=mode)
    os.kill(os.getpid(), signal.SIGKILL)
with t.opened(folder) as own:
    own.begin()
    size = own.last.checkpoint.size if own.last else 0
    if mode == "die":
        own.sign(t.request(5, size))
        durable.replace = dies_after
        own.sign(t.request(9, 5))
    if mode == "hold":
        print("held", flush=True)
        signal.pause()
    for n in range(size, 64):
        text = own.sign(t.request(n, size))
        size = n
        print(f"{n} {t.sha256(text.encode()).hexdigest()}\\n", end="", flush=True)  # in one piece
"""


def process(mode: str, folder: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", SCRIPT, mode, str(folder)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_killed_between_memory_and_delivery_it_delivers_the_same_note_later(folder: Path) -> None:
    killed = process("die", folder)
    out, err = killed.communicate(timeout=240)

    assert (killed.returncode, out) == (-signal.SIGKILL, ""), err
    with opened(folder) as own:
        assert own.last and own.last.checkpoint.size == 9
        written = own.last.note
        with pytest.raises(failure.LogForked):
            own.sign(request(9, 9, reader=OTHER))
        assert own.sign(request(9, 9, at=NOON + timedelta(hours=1))) == written
        assert HISTORY.open(own.sign(request(12, 9))).size == 12


def test_killed_at_any_moment_it_never_signs_one_size_twice(folder: Path) -> None:
    delivered: dict[int, str] = {}
    for pause_s in (0.0, 0.004, 0.011, 0.023, 0.05):
        running = process("run", folder)
        assert running.stdout and running.stderr
        first = running.stdout.readline()
        time.sleep(pause_s)
        running.send_signal(signal.SIGKILL)
        rest = running.stdout.read()  # `communicate` would miss what was read ahead with the first
        _, err = running.communicate(timeout=240)
        assert first, err
        for line in (first + rest).splitlines():
            size, digest = line.split()
            assert delivered.setdefault(int(size), digest) == digest

    with opened(folder) as own:
        assert own.last
        assert own.last.checkpoint.size >= max(delivered)
        newest = sha256(own.last.note.encode()).hexdigest()
        assert delivered.get(own.last.checkpoint.size, newest) == newest


def test_the_lock_ends_with_its_process_however_that_ends(folder: Path) -> None:
    holder = process("hold", folder)
    assert holder.stdout and holder.stdout.readline() == "held\n"
    with pytest.raises(failure.AlreadyRunning):
        opened(folder)

    holder.kill()
    holder.communicate()

    opened(folder).close()
