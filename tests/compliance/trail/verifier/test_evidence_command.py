"""The evidence in a sealed report is verified with the one file that verifies bundles."""

import subprocess
import sys
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest

from compliance.trail import bundles
from compliance.trail.evidence import Evidence, Proven
from compliance.trail.tlog import note
from compliance.trail.tlog.keys import Verifier
from compliance.trail.verifier import build
from compliance.trail.verifier.contents import Kind, Subject
from tests.synthetic_log import SyntheticLog


@pytest.fixture(scope="module")
def log() -> SyntheticLog:
    log = SyntheticLog(seed=9)
    for number in "123":
        log.insert("batches", number, state="planned")
        log.update("batches", number, state="released")
    log.seal()
    log.checkpoint()
    return log


@pytest.fixture(scope="module")
def evidence(log: SyntheticLog) -> Evidence:
    about = Subject(kind=Kind.RECORD, title="1", records=(("batches", "1"),))
    contents = bundles.gather(log, about, created_at=log.now)
    return Evidence(
        origin=contents.origin,
        tree_size=contents.tree_size,
        checkpoint=contents.checkpoints[contents.tree_size].note.decode(),
        vkey=log.first_keys[0].vkey,
        records=(),
        entries=tuple(
            Proven(
                entry_id=one.index, index=one.index, body=one.body, digest=one.digest,
                previous=one.previous, proof=one.proof,
            )
            for one in contents.entries
        ),
        unsealed=(),
    )  # fmt: skip


@pytest.fixture(scope="module")
def desk(log: SyntheticLog, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("desk")
    (folder / "verifier.pyz").write_bytes(build.build())
    (folder / "keys.txt").write_text("".join(f"{one.vkey}\n" for one in log.first_keys))
    (folder / "policy.txt").write_bytes(log.policy)
    other = SyntheticLog(origin="gmp.example/other/1").first_keys[0].vkey
    (folder / "other.txt").write_text(f"{other}\n")
    (folder / "junk.txt").write_text("Dear inspector,\n")
    return folder


def ran(desk: Path, *arguments: str) -> tuple[int, str, str]:
    found = subprocess.run(
        [sys.executable, "-I", "verifier.pyz", "evidence", *arguments],
        cwd=desk, capture_output=True, text=True, check=False, timeout=500,
    )  # fmt: skip
    return found.returncode, found.stdout, found.stderr


@pytest.mark.parametrize("trust", ["keys.txt", "policy.txt"])
def test_evidence_of_the_log_is_verified(desk: Path, evidence: Evidence, trust: str) -> None:
    (desk / "evidence.json").write_bytes(evidence.to_json())

    code, said, wrong = ran(desk, "evidence.json", "--trust", trust)

    assert (code, wrong) == (0, "")
    assert said.startswith("VERIFIED")
    assert f"in the file: {len(evidence.entries)} entries" in said
    assert "only an evidence bundle shows" in said


@pytest.mark.parametrize("place", [0, 20, 60, -1, *range(5000, 10_000, 500)])
def test_an_altered_byte_is_refused(desk: Path, evidence: Evidence, place: int) -> None:
    altered = bytearray(evidence.to_json())
    altered[place % len(altered)] ^= 1
    (desk / "altered.json").write_bytes(altered)

    code, said, wrong = ran(desk, "altered.json", "--trust", "keys.txt")

    assert code in {1, 3}
    assert said.startswith("NOT VERIFIED")
    assert "Traceback" not in wrong


def test_nobody_is_trusted_who_was_not_named(desk: Path, evidence: Evidence) -> None:
    (desk / "evidence.json").write_bytes(evidence.to_json())

    codes = [
        ran(desk, "evidence.json")[0],
        ran(desk, "evidence.json", "--trust", "other.txt")[0],
        ran(desk, "evidence.json", "--trust", "junk.txt")[0],
        ran(desk, "absent.json", "--trust", "keys.txt")[0],
    ]

    assert codes == [3, 3, 4, 2]


def test_a_key_of_another_log_vouches_for_its_own_only(
    desk: Path, evidence: Evidence, log: SyntheticLog
) -> None:
    other = SyntheticLog(origin="gmp.example/other/1")
    text, _ = note.split(evidence.checkpoint)
    signed = note.sign(text, [other.signers[other.first_keys[0]]], at=1)
    (desk / "evidence.json").write_bytes(replace(evidence, checkpoint=signed).to_json())

    code, said, _ = ran(desk, "evidence.json", "--trust", "other.txt")

    assert code == 3
    assert f"no key of {log.origin} is trusted" in said


@pytest.mark.parametrize("is_long", [True, False])
def test_a_key_of_each_type_that_is_trusted_signed(
    desk: Path, evidence: Evidence, is_long: bool
) -> None:
    text, signatures = note.split(evidence.checkpoint)
    kept = [one for one in signatures if (len(one.signature) > 1000) == is_long]
    lines = "".join(one.line for one in kept)
    (desk / "evidence.json").write_bytes(replace(evidence, checkpoint=f"{text}\n{lines}").to_json())

    code, said, _ = ran(desk, "evidence.json", "--trust", "keys.txt")

    assert kept and code == 3
    assert said.startswith("NOT VERIFIED: nothing that you trust vouches for the log.")


def test_two_trusted_keys_of_one_name_and_id_are_no_traceback(
    desk: Path, evidence: Evidence, log: SyntheticLog
) -> None:
    found: dict[bytes, bytes] = {}
    for number in range(1 << 20):  # 32 bits of an ID meet after some 80,000
        public = sha256(number.to_bytes(4, "big")).digest()[:31] + b"\0"
        key_id = sha256(f"{log.origin}\n\x01".encode() + public).digest()[:4]
        if key_id in found:
            break
        found[key_id] = public
    pair = [Verifier(log.origin, 1, one) for one in (found[key_id], public)]
    assert pair[0].key_id == pair[1].key_id
    (desk / "pair.txt").write_text("".join(f"{one.vkey}\n" for one in pair))
    (desk / "evidence.json").write_bytes(evidence.to_json())

    code, said, wrong = ran(desk, "evidence.json", "--trust", "pair.txt")

    assert (code, wrong) == (1, "")
    assert "two keys have the same name and the same key ID" in said


def test_a_signature_of_a_trusted_key_that_is_wrong_counts(desk: Path, evidence: Evidence) -> None:
    *lines, _ = evidence.checkpoint.split("\n")
    ml_dsa = max(range(len(lines)), key=lambda number: len(lines[number]))
    lines[ml_dsa] = (
        lines[ml_dsa][:-9] + ("A" if lines[ml_dsa][-9] != "A" else "B") + lines[ml_dsa][-8:]
    )
    (desk / "evidence.json").write_bytes(
        replace(evidence, checkpoint="\n".join([*lines, ""])).to_json()
    )

    assert ran(desk, "evidence.json", "--trust", "keys.txt")[0] == 1
