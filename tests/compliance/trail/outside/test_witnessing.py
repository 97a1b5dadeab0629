"""The newest checkpoint is cosigned by real witnesses, and a witness catches what a log hides."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, connections
from django.utils import timezone

from compliance.trail import (
    keys,
    published,
    trust,
    witness_status,
    witnessing,
)
from compliance.trail.tlog import merkle, note
from compliance.trail.tlog.checkpoint import Checkpoint
from compliance.trail.tlog.keys import COSIGNATURE_V1, KeyPair
from compliance.trail.tlog.witness_request import AddCheckpoint
from compliance.trail.witnessing import Outcome
from tests import trail_log
from tests.compliance.trail.outside.conftest import trust as trusting
from tests.witnesses import WitnessProcess


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(witnessing, "FIRST_PAUSE_S", 0.01)


def outcomes(collected: witnessing.Collected | None) -> dict[str, Outcome]:
    assert collected is not None
    return {one.witness: one.outcome for one in collected.answers}


def cosignatures() -> list[tuple[int, str]]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT size, witness FROM audit.cosignature ORDER BY size, witness")
        return list(cursor.fetchall())


def test_two_witnesses_cosign_every_checkpoint_as_the_log_grows(
    two_witnesses: list[WitnessProcess], written_log: int, settings: Any, tmp_path: Path
) -> None:
    trusting(settings, tmp_path, two_witnesses)

    first = witnessing.collect(timezone.now())
    trail_log.vessels(20, "more")
    grown = trail_log.seal_and_sign()
    second = witnessing.collect(timezone.now())
    again = witnessing.collect(timezone.now())

    assert first is not None
    assert (first.size, first.shortfall) == (written_log, "")
    assert outcomes(second) == {"w1": Outcome.COSIGNED, "w2": Outcome.COSIGNED}
    assert again is not None
    assert (again.answers, again.shortfall) == ((), "")
    names = sorted(witnessing.identity(one.verifier) for one in two_witnesses)
    assert cosignatures() == [(size, name) for size in (written_log, grown) for name in names]
    policy = trust.policy()
    assert policy is not None
    with connection.cursor() as cursor:
        shown = published.shown(cursor, 1, policy)
    assert shown is not None
    assert policy.weigh(shown.cosigned).is_met


def test_without_a_policy_nobody_is_asked(written_log: int) -> None:
    assert witnessing.collect(timezone.now()) is None
    assert witness_status.read()["is_configured"] is False


def test_one_of_two_is_enough_where_the_policy_says_so(
    two_witnesses: list[WitnessProcess], settings: Any, tmp_path: Path
) -> None:
    two_witnesses[1].kill()
    trusting(settings, tmp_path, two_witnesses, "1")

    collected = witnessing.collect(timezone.now())

    assert outcomes(collected) == {"w1": Outcome.COSIGNED, "w2": Outcome.UNREACHABLE}
    assert collected is not None
    assert collected.shortfall == ""


def test_a_witness_that_was_down_is_named_and_signs_when_it_is_back(
    two_witnesses: list[WitnessProcess], written_log: int, settings: Any, tmp_path: Path
) -> None:
    trusting(settings, tmp_path, two_witnesses)
    two_witnesses[1].kill()

    without = witnessing.collect(timezone.now())
    status = witness_status.read()
    two_witnesses[1].start()
    back = witnessing.collect(timezone.now())

    assert without is not None
    assert without.shortfall == "group g has 1 of 2 needed, missing w2"
    assert status["shortfall"] == without.shortfall
    assert (status["size"], status["met_size"]) == (written_log, None)
    assert [one["size"] for one in status["witnesses"]] == [written_log, None]
    assert outcomes(back) == {"w2": Outcome.COSIGNED}
    assert witness_status.read()["met_size"] == written_log


def test_what_is_shown_is_the_newest_that_meets_the_policy(
    two_witnesses: list[WitnessProcess], written_log: int, settings: Any, tmp_path: Path
) -> None:
    trusting(settings, tmp_path, two_witnesses)
    witnessing.collect(timezone.now())
    two_witnesses[1].kill()
    trail_log.vessels(3, "more")
    grown = trail_log.seal_and_sign()
    witnessing.collect(timezone.now())

    with connection.cursor() as cursor:
        shown = published.shown(cursor, 1, trust.policy())
        newest = published.shown(cursor, 1, None)

    assert shown is not None
    assert newest is not None
    assert (shown.size, newest.size) == (written_log, grown)


def test_a_witness_that_knows_another_size_is_proven_from_there(
    two_witnesses: list[WitnessProcess], settings: Any, tmp_path: Path, as_superuser: Any
) -> None:
    trusting(settings, tmp_path, two_witnesses)
    witnessing.collect(timezone.now())
    # As after the loss of what was collected: the witnesses remember, the database does not.
    as_superuser.execute("ALTER TABLE audit.cosignature DISABLE TRIGGER ALL")
    as_superuser.execute("DELETE FROM audit.cosignature")
    as_superuser.commit()
    trail_log.vessels(20, "more")
    trail_log.seal_and_sign()

    collected = witnessing.collect(timezone.now())

    assert outcomes(collected) == {"w1": Outcome.COSIGNED, "w2": Outcome.COSIGNED}


def forked(size: int) -> str:
    """Return a checkpoint that the log's own key signs for another history."""
    root = merkle.root_of([b"f" * 32] * size)
    return note.sign(
        Checkpoint(origin=keys.verifier(size=1).name, size=size, root=root).text(),
        [keys.signer_of(one) for one in keys.current()],
        at=1_800_000_000,
    )


def test_a_witness_that_saw_a_fork_contradicts(
    two_witnesses: list[WitnessProcess], settings: Any, tmp_path: Path
) -> None:
    trusting(settings, tmp_path, two_witnesses)
    body = AddCheckpoint(old=0, steps=(), note=forked(7)).text()
    assert two_witnesses[0].post(body).status_code == 200

    collected = witnessing.collect(timezone.now())

    assert outcomes(collected) == {"w1": Outcome.CONTRADICTED, "w2": Outcome.COSIGNED}
    assert collected is not None
    assert [one.witness for one in collected.alarms] == ["w1"]
    assert "at 7 leaves" in collected.alarms[0].detail


def test_a_fork_of_the_same_size_is_contradicted(
    two_witnesses: list[WitnessProcess], written_log: int, settings: Any, tmp_path: Path
) -> None:
    trusting(settings, tmp_path, two_witnesses)
    two_witnesses[0].post(AddCheckpoint(old=0, steps=(), note=forked(written_log)).text())

    assert outcomes(witnessing.collect(timezone.now()))["w1"] is Outcome.CONTRADICTED


def test_a_witness_that_saw_more_than_the_database_has_reports_the_rollback(
    two_witnesses: list[WitnessProcess], written_log: int, settings: Any, tmp_path: Path
) -> None:
    trusting(settings, tmp_path, two_witnesses)
    two_witnesses[0].post(AddCheckpoint(old=0, steps=(), note=forked(written_log + 9)).text())

    collected = witnessing.collect(timezone.now())

    assert collected is not None
    assert outcomes(collected)["w1"] is Outcome.ROLLED_BACK
    assert f"cosigned {written_log + 9} leaves" in collected.alarms[0].detail


def test_several_at_once_collect_each_cosignature_once(
    two_witnesses: list[WitnessProcess], written_log: int, settings: Any, tmp_path: Path
) -> None:
    trusting(settings, tmp_path, two_witnesses)
    found: list[witnessing.Collected | None] = []

    def collect() -> None:
        found.append(witnessing.collect(timezone.now()))
        connections.close_all()

    threads = [threading.Thread(target=collect) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert [one.shortfall for one in found if one] == [""] * 4
    assert len(cosignatures()) == 2


@contextmanager
def answering(reply: Callable[[bytes], tuple[int, str, bytes]]) -> Iterator[str]:
    """Serve one answer to everybody, as a witness that lies or is broken."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            status, kind, content = reply(body)
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/w/"
        finally:
            server.shutdown()
            thread.join()


WITNESS = KeyPair.generate("witness.example/liar", algorithm=COSIGNATURE_V1)
STRANGER = KeyPair.generate("witness.example/liar", algorithm=COSIGNATURE_V1)


def _line(signer: KeyPair, *, of: Callable[[str], str] = str, at: int = 1_700_000_000) -> Any:
    def reply(body: bytes) -> tuple[int, str, bytes]:
        text = of(note.split(AddCheckpoint.parse(body).note)[0])
        return 200, "text/plain", note.signature_of(text, signer, at=at).line.encode()

    return reply


@pytest.mark.usefixtures("written_log")
@pytest.mark.parametrize(
    ("reply", "outcome", "why"),
    [
        (_line(WITNESS), Outcome.COSIGNED, ""),
        (_line(STRANGER), Outcome.REFUSED, "no known key"),
        (_line(WITNESS, of=lambda text: text + "x\n"), Outcome.REFUSED, "does not verify"),
        (_line(WITNESS, at=99_999_999_999), Outcome.REFUSED, "before ours"),
        (lambda _: (200, "text/plain", b""), Outcome.REFUSED, "no known key"),
        (lambda _: (200, "text/plain", b"<html>"), Outcome.REFUSED, "no cosignature"),
        (lambda _: (200, "text/plain", b"x" * 70_000), Outcome.UNREACHABLE, "too long"),
        (lambda _: (503, "text/plain", b"later"), Outcome.UNREACHABLE, "503 later"),
        (lambda _: (429, "text/plain", b""), Outcome.UNREACHABLE, "429"),
        (lambda _: (302, "text/plain", b""), Outcome.REFUSED, "302"),
        (lambda _: (404, "text/plain", b"unknown log"), Outcome.REFUSED, "404 unknown log"),
        (lambda _: (409, "text/plain", b"no"), Outcome.CONTRADICTED, "409 no"),
        (lambda _: (409, "text/x.tlog.size", b"0\n"), Outcome.REFUSED, "its own size"),
        (lambda _: (409, "text/x.tlog.size", b"007\n"), Outcome.REFUSED, "not a size"),
    ],
)
def test_only_a_true_cosignature_of_the_named_key_is_kept(
    settings: Any,
    tmp_path: Path,
    reply: Callable[[bytes], tuple[int, str, bytes]],
    outcome: Outcome,
    why: str,
) -> None:
    with answering(reply) as url:
        policy = tmp_path / "policy"
        policy.write_text(
            f"log {keys.verifier(size=1).vkey}\nwitness w {WITNESS.verifier.vkey} {url}\nquorum w\n"
        )
        settings.LOG_POLICY = str(policy)

        collected = witnessing.collect(timezone.now())

    assert collected is not None
    assert [one.outcome for one in collected.answers] == [outcome]
    assert why in collected.answers[0].detail
    assert bool(cosignatures()) is (outcome is Outcome.COSIGNED)
    assert (collected.shortfall == "") is (outcome is Outcome.COSIGNED)


def test_a_witness_that_changes_its_mind_for_ever_is_given_up(
    written_log: int, settings: Any, tmp_path: Path
) -> None:
    sizes = iter(range(1, 100))
    with answering(lambda _: (409, "text/x.tlog.size", b"%d\n" % next(sizes))) as url:
        (tmp_path / "policy").write_text(
            f"log {keys.verifier(size=1).vkey}\nwitness w {WITNESS.verifier.vkey} {url}\nquorum w\n"
        )
        settings.LOG_POLICY = str(tmp_path / "policy")

        collected = witnessing.collect(timezone.now())

    assert outcomes(collected) == {"w": Outcome.REFUSED}


def test_a_policy_that_is_none_says_its_line(
    written_log: int, settings: Any, tmp_path: Path
) -> None:
    (tmp_path / "policy").write_text("quorum w\n")
    settings.LOG_POLICY = str(tmp_path / "policy")

    with pytest.raises(trust.PolicyUnusable, match="line 1"):
        witnessing.collect(timezone.now())


def test_the_application_cannot_write_cosignatures_and_nobody_changes_them(
    two_witnesses: list[WitnessProcess], settings: Any, tmp_path: Path
) -> None:
    from django.db import DatabaseError

    trusting(settings, tmp_path, two_witnesses)
    witnessing.collect(timezone.now())

    for alias, statement in [
        (
            "default",
            "INSERT INTO audit.cosignature SELECT log_id, size, 'x', line FROM audit.cosignature",
        ),
        ("default", "DELETE FROM audit.cosignature"),
        ("signer", "UPDATE audit.cosignature SET line = ''"),
        ("signer", "DELETE FROM audit.cosignature"),
        ("signer", "TRUNCATE audit.cosignature"),
        ("signer", "INSERT INTO audit.checkpoint SELECT * FROM audit.checkpoint"),
    ]:
        with pytest.raises(DatabaseError), connections[alias].cursor() as cursor:
            cursor.execute(statement)
