"""A witness, as a process of its own, keeps the protocol and never goes back."""

import json
import os
import random
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from compliance.trail.tlog import merkle, note
from compliance.trail.tlog.checkpoint import Checkpoint
from compliance.trail.tlog.keys import ED25519, KeyPair, Verifier
from compliance.trail.tlog.tiles import Leaves
from compliance.trail.tlog.witness_request import AddCheckpoint
from tests import witnesses
from tests.witnesses import WitnessProcess

LOG = KeyPair.generate("example.com/log")
LEAVES = [merkle.leaf_hash(b"%d" % n) for n in range(200)]
TREE = Leaves(LEAVES)


@pytest.fixture
def witness(tmp_path: Path) -> Iterator[WitnessProcess]:
    with witnesses.running(tmp_path / "witness", [LOG.verifier.vkey]) as running:
        yield running


def checkpoint(size: int, root: bytes | None = None, *, signer: KeyPair = LOG) -> str:
    root = merkle.root_at(size, TREE) if root is None else root
    return note.sign(Checkpoint(origin=signer.name, size=size, root=root).text(), [signer])


def request(old: int, size: int) -> str:
    steps = tuple(merkle.consistency_proof(old, size, TREE))
    return AddCheckpoint(old=old, steps=steps, note=checkpoint(size)).text()


def demand_cosigned(witness: WitnessProcess, signed: str, answer: httpx.Response) -> int:
    assert (answer.status_code, answer.headers["content-type"]) == (
        200,
        "text/plain; charset=utf-8",
    )
    opened = note.open(signed + answer.text, [witness.verifier])
    assert opened.verified[0].at is not None
    return opened.verified[0].at


@pytest.mark.shared
def test_published_exchanges_have_their_answers(shared: Path, tmp_path: Path) -> None:
    vectors = json.loads((shared / "vectors/witness_protocol/litewitness.json").read_text())
    bodies = [exchange["body"] for exchange in vectors["exchanges"]]
    origin = bodies[0].split("\n")[2]
    log = Verifier(origin, ED25519, bytes.fromhex(vectors["log_ed25519_pub_hex"][0]))
    statuses, texts = [], []

    with witnesses.running(tmp_path, [log.vkey], name="example.com/witness") as witness:
        for body in bodies:
            answer = witness.post(body)
            statuses.append(answer.status_code)
            texts.append(answer.text)
            if answer.status_code == 409:
                assert answer.headers["content-type"] == "text/x.tlog.size"

    # The specification since says 404 for an unknown log, where the vectors of 2025 have 403.
    expected = [exchange["status"] for exchange in vectors["exchanges"]]
    expected[2] = 404
    assert statuses == expected
    for exchange, text in zip(vectors["exchanges"], texts, strict=True):
        for claim in exchange["asserts"]:
            kind, _, value = claim.partition(' "')
            value = value.removesuffix('"').replace("\\n", "\n")
            assert text == value if kind == "body ==" else value in text


@pytest.mark.shared
def test_the_example_of_the_specification_is_read_and_its_log_unknown(
    shared: Path, witness: WitnessProcess
) -> None:
    body = (shared / "vectors/c2sp/add_checkpoint_example.txt").read_bytes()

    parsed = AddCheckpoint.parse(body)
    answer = witness.post(body)

    assert (parsed.old, len(parsed.steps)) == (20852014, 4)
    assert parsed.text().encode() == body
    assert answer.status_code == 404


def test_a_growing_log_is_cosigned_at_every_size(witness: WitnessProcess) -> None:
    times, old = [], 0

    for size in [0, 1, 2, 3, 7, 8, 9, 64, 65, 127, 128, 200]:
        times.append(demand_cosigned(witness, checkpoint(size), witness.post(request(old, size))))
        old = size

    assert times == sorted(times)


def test_the_same_checkpoint_is_cosigned_again(witness: WitnessProcess) -> None:
    witness.post(request(0, 5))

    answer = witness.post(request(5, 5))

    demand_cosigned(witness, checkpoint(5), answer)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"old 0",
        b"old 0\n",
        b"old 00\n\n" + checkpoint(1).encode(),
        b"old -1\n\n" + checkpoint(1).encode(),
        b"Old 0\n\n" + checkpoint(1).encode(),
        b"old  0\n\n" + checkpoint(1).encode(),
        b"old 0\r\n\n" + checkpoint(1).encode(),
        "old ٠\n\n".encode() + checkpoint(1).encode(),
        b"old 0\nAAAA\n\n" + checkpoint(1).encode(),
        b"old 0\n" + b"A" * 42 + b"B=\n\n" + checkpoint(1).encode(),
        b"old 0\n" + (b"A" * 43 + b"=\n") * 64 + b"\n" + checkpoint(1).encode(),
        b"old 0\n\n" + checkpoint(1).encode().rstrip(b"\n"),
        b"old 0\n\n\xff" + checkpoint(1).encode(),
        b"old 0\n\nexample.com/log\n1\n",
        b"old 2\n\n" + checkpoint(1).encode(),
    ],
)
def test_what_is_no_request_is_400(witness: WitnessProcess, body: bytes) -> None:
    assert witness.post(body).status_code == 400


def test_who_is_not_trusted_for_the_log_is_403(witness: WitnessProcess) -> None:
    stranger = KeyPair.generate(LOG.name)

    answer = witness.post(
        AddCheckpoint(old=0, steps=(), note=checkpoint(1, signer=stranger)).text()
    )

    assert answer.status_code == 403


def test_an_old_size_that_is_not_the_last_is_409_with_the_size(witness: WitnessProcess) -> None:
    witness.post(request(0, 5))

    answers = [witness.post(request(old, 9)) for old in (0, 4, 6)]

    assert [(one.status_code, one.text) for one in answers] == [(409, "5\n")] * 3
    assert {one.headers["content-type"] for one in answers} == {"text/x.tlog.size"}


def test_another_root_for_the_same_size_is_409(witness: WitnessProcess) -> None:
    witness.post(request(0, 5))

    answer = witness.post(AddCheckpoint(old=5, steps=(), note=checkpoint(5, b"f" * 32)).text())

    assert answer.status_code == 409
    assert answer.headers["content-type"] != "text/x.tlog.size"


def test_a_rewritten_log_is_422_and_what_was_remembered_stays(witness: WitnessProcess) -> None:
    witness.post(request(0, 5))
    forked = Leaves([b"f" * 32, *LEAVES[1:]])
    proof = tuple(merkle.consistency_proof(5, 9, forked))
    signed = checkpoint(9, merkle.root_at(9, forked))

    answers = [
        witness.post(AddCheckpoint(old=5, steps=steps, note=signed).text())
        for steps in (proof, proof[:-1], (), (*proof, proof[-1]))
    ]

    assert [one.status_code for one in answers] == [422] * 4
    assert witness.post(request(5, 9)).status_code == 200


def test_a_proof_from_nothing_is_empty(witness: WitnessProcess) -> None:
    answer = witness.post(AddCheckpoint(old=0, steps=(LEAVES[0],), note=checkpoint(1)).text())

    assert answer.status_code == 422


def test_concurrent_requests_never_lead_back(witness: WitnessProcess) -> None:
    """The race of the specification: of N and N+K from one size, exactly one is cosigned."""
    witness.post(request(0, 10))
    stored, lock = 10, threading.Lock()

    for round_ in range(15):
        sizes = [stored + 1 + (round_ % 3), *(stored + k for k in (2, 3, 4, 5, 6, 7))]
        random.Random(round_).shuffle(sizes)
        barrier = threading.Barrier(len(sizes))

        def post(size: int, barrier: threading.Barrier = barrier, old: int = stored) -> int:
            body = request(old, size)
            barrier.wait()
            answer = witness.post(body)
            return size if answer.status_code == 200 else -answer.status_code

        with lock, ThreadPoolExecutor(len(sizes)) as pool:
            found = list(pool.map(post, sizes))
        accepted = [one for one in found if one > 0]
        told = int(witness.post(request(0, 200)).text)

        # Two requests for the same size may not both win either: the second has an old size.
        assert len(accepted) == 1
        assert told == accepted[0] > stored
        assert {one for one in found if one < 0} <= {-409}
        stored = told


def test_what_was_cosigned_outlives_a_kill_at_any_moment(witness: WitnessProcess) -> None:
    cosigned = 0
    for round_ in range(6):
        stop, begun = threading.Event(), threading.Event()

        def grow(
            start: int = cosigned, stop: threading.Event = stop, begun: threading.Event = begun
        ) -> int:
            old, size = start, start
            while not stop.is_set() and size < 200:
                size = old + 1
                try:
                    answer = witness.post(request(old, size))
                except httpx.HTTPError:
                    break
                # 409 once: the one before was stored, and its answer lost with the process
                old = size if answer.status_code == 200 else int(answer.text)
                begun.set()
            return old

        with ThreadPoolExecutor(1) as pool:
            growing = pool.submit(grow)
            assert begun.wait(30)  # on a busy machine the first answer takes longer than all rounds
            threading.Event().wait(0.013 * round_)
            witness.kill()
            stop.set()
            cosigned = growing.result()
        witness.start()
        told = witness.post(request(200, 200))

        assert told.status_code == 409
        assert int(told.text) >= cosigned
        cosigned = int(told.text)
    assert cosigned > 0


def test_it_stops_on_request_with_idle_connections_open(witness: WitnessProcess) -> None:
    with socket.create_connection(("127.0.0.1", witness.port)):
        with httpx.Client() as client:
            url = f"{witness.url}/add-checkpoint"
            assert client.post(url, content=request(0, 3)).status_code == 200
            assert client.post(url, content=request(3, 4)).status_code == 200  # same connection

            assert witness.stop() == 0


def test_a_body_without_bounds_is_not_read(witness: WitnessProcess) -> None:
    with socket.create_connection(("127.0.0.1", witness.port)) as connection:
        connection.sendall(b"POST /add-checkpoint HTTP/1.1\r\nContent-Length: 99999999\r\n\r\n")
        assert b" 413 " in connection.recv(100)
    with socket.create_connection(("127.0.0.1", witness.port)) as connection:
        connection.sendall(
            b"POST /add-checkpoint HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
        )
        assert b" 411 " in connection.recv(100)
    assert httpx.post(f"{witness.url}/elsewhere", content=b"").status_code == 404


def test_many_silent_connections_do_not_shut_others_out_for_good(witness: WitnessProcess) -> None:
    silent = [socket.create_connection(("127.0.0.1", witness.port)) for _ in range(40)]
    try:
        # All threads wait for the silent ones; each of those is closed after ten seconds.
        answer = httpx.post(
            f"{witness.url}/add-checkpoint", content=request(0, 3).encode(), timeout=240
        )
    finally:
        for connection in silent:
            connection.close()

    assert answer.status_code == 200


def test_two_processes_never_share_a_memory(witness: WitnessProcess) -> None:
    second = _run(witness, "--listen", "127.0.0.1:0")

    assert second.returncode == 2
    assert "another witness uses" in second.stderr


def test_a_damaged_memory_is_not_taken_for_an_empty_one(witness: WitnessProcess) -> None:
    witness.post(request(0, 5))
    witness.stop()
    (stored,) = (witness.folder / "state").glob("*.note")
    stored.write_bytes(stored.read_bytes()[:40])

    again = _run(witness)

    assert again.returncode == 2
    assert "is damaged" in again.stderr


def test_a_key_that_others_can_read_is_refused(witness: WitnessProcess) -> None:
    witness.stop()
    (witness.folder / "witness.key").chmod(0o640)

    assert "can be read by others" in _run(witness).stderr


def test_a_key_is_made_once_and_never_overwritten(tmp_path: Path) -> None:
    command = [
        *(sys.executable, "-m", "compliance.trail.witness"),
        *("--key", str(tmp_path / "new.key"), "--make-key", "witness.example/new"),
    ]

    first = subprocess.run(command, cwd=witnesses.ROOT, capture_output=True, text=True, check=False)
    second = subprocess.run(
        command, cwd=witnesses.ROOT, capture_output=True, text=True, check=False
    )

    pair = KeyPair.parse((tmp_path / "new.key").read_text().strip())
    assert (first.returncode, first.stdout.strip()) == (0, pair.verifier.vkey)
    assert (tmp_path / "new.key").stat().st_mode & 0o777 == 0o600
    assert second.returncode == 2


def test_a_witness_needs_no_django() -> None:
    code = "import sys, compliance.trail.witness.__main__; print('django' in sys.modules)"
    found = subprocess.run(
        [sys.executable, "-c", code], cwd=witnesses.ROOT, capture_output=True, text=True, check=True
    )

    assert found.stdout == "False\n"


def _run(witness: WitnessProcess, *more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [
            *(sys.executable, "-m", "compliance.trail.witness"),
            *("--state", str(witness.folder / "state")),
            *("--key", str(witness.folder / "witness.key"), "--log", *witness.logs, *more),
        ],
        cwd=witnesses.ROOT,
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
