"""The folder of a verification outlives whoever is killed, and belongs to one run at a time."""

import shutil
import threading
from pathlib import Path

import pytest

from compliance.trail import verified_state
from compliance.trail.verified_state import Run
from compliance.trail.verifying.work import RangeJob, RangeResult

JOB = RangeJob(log_id=1, origin="plant.example/gmp/1", start=0, end=2, projected=2)


def interrupted(parent: Path) -> Path:
    """Leave a run with the result of one range, as a killed one does."""
    with pytest.raises(KeyboardInterrupt), verified_state.opened(parent, resume=False) as run:
        run.keep(JOB, RangeResult(log_id=1, start=0, end=2))
        (run.folder / "log1-000000000000000.records").touch()
        raise KeyboardInterrupt
    return run.folder


def test_an_interrupted_run_is_gone_on_with(tmp_path: Path) -> None:
    folder = interrupted(tmp_path)

    with verified_state.opened(tmp_path, resume=True) as run:
        assert run.folder == folder
        assert list(run.kept([JOB])) == [JOB]

    assert not list(tmp_path.glob("run-*"))


@pytest.mark.parametrize("resume", [True, False])
@pytest.mark.parametrize("secret", [None, b"", b"half"])
def test_a_run_killed_before_it_had_its_secret_stops_no_other(
    tmp_path: Path, resume: bool, secret: bytes | None
) -> None:
    left = tmp_path / "run-0"
    left.mkdir()
    if secret is not None:
        (left / "secret.2").write_bytes(secret)

    with verified_state.opened(tmp_path, resume=resume) as run:
        assert len(run.secret) == 32
        assert not left.exists()


def test_what_a_version_with_other_records_left_is_verified_again(tmp_path: Path) -> None:
    folder = interrupted(tmp_path)
    (folder / "secret.2").rename(folder / "secret")  # as it was named before

    with verified_state.opened(tmp_path, resume=True) as run:
        assert run.kept([JOB]) == {}
        assert not folder.exists()


@pytest.mark.parametrize("content", [b"", b"\xc1", b"\x80", b"\x93\x01\x02\x03", b"\x81\xa3job"])
def test_a_result_that_was_cut_off_is_not_kept(tmp_path: Path, content: bytes) -> None:
    folder = interrupted(tmp_path)
    (folder / "log1-000000000000000.result").write_bytes(content)

    with verified_state.opened(tmp_path, resume=True) as run:
        assert run.kept([JOB]) == {}


def test_two_that_resume_at_once_do_not_share_a_run(tmp_path: Path) -> None:
    folder = interrupted(tmp_path)
    began, found = threading.Barrier(2), list[Run]()

    def resume() -> None:
        with verified_state.opened(tmp_path, resume=True) as run:
            found.append(run)
            began.wait(10)

    threads = [threading.Thread(target=resume) for _ in range(2)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()

    assert len({run.folder for run in found}) == 2
    assert folder in {run.folder for run in found}
    assert not list(tmp_path.glob("run-*"))


def test_a_run_that_is_just_made_is_not_taken_for_an_abandoned_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, waited = threading.Event(), threading.Event()
    real = verified_state.token_bytes

    def slow(count: int) -> bytes:
        if threading.current_thread() is first and count == 32:  # its folder is there already
            made.set()
            waited.wait(1)
        return real(count)

    monkeypatch.setattr(verified_state, "token_bytes", slow)
    ended = list[bool]()

    def run() -> None:
        with verified_state.opened(tmp_path, resume=False):
            ended.append(True)

    first, second = threading.Thread(target=run), threading.Thread(target=run)
    first.start()
    made.wait(10)
    second.start()
    second.join(0.3)
    waited.set()
    first.join()
    second.join()

    assert ended == [True, True]
    shutil.rmtree(tmp_path)
