"""Good bundles verify, whatever they are about, and only with trust from outside."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from compliance.trail import bundles
from compliance.trail.tlog import leaf
from compliance.trail.tlog.policy import Policy
from compliance.trail.tlog.proof_file import ProofFile
from compliance.trail.verifier import __main__ as verifier
from compliance.trail.verifier import container, verification, writing
from compliance.trail.verifier.contents import Kind, Subject
from compliance.trail.verifier.findings import Exit, Verdict
from compliance.trail.verifier.shown import NOTHING
from compliance.trail.verifier.trust import Trust
from tests import damage, synthetic_log


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("kind", list(Kind))
def test_a_good_bundle_of_every_kind_verifies(kind: Kind, seed: int) -> None:
    made = damage.scene(seed, kind=kind)

    result = verification.verify(writing.files(made.contents), trust=Trust.read(made.trust))

    assert result.problems == []
    assert result.exit is Exit.GOOD
    assert set(result.entries.values()) <= {Verdict.VALID, Verdict.REDACTED_AUTHORISED}


@pytest.mark.parametrize("seed", [1047, 1065, 1081])
def test_entries_of_several_lives_of_a_record_that_nobody_claims_are_no_fault(seed: int) -> None:
    # Entry 6 of one life, then entry 2 of the next, and the deletion between them not asked for.
    assert damage.good(seed).verify().exit is Exit.GOOD


def test_thousands_of_entries_with_everything_in_them_verify() -> None:
    log = synthetic_log.busy(seed=7, records=60, rounds=10)
    about = Subject(kind=Kind.PERIOD, title="everything", range=(0, log.newest() - 1))
    contents = bundles.gather(log, about, created_at=log.now)

    result = verification.verify(writing.files(contents), trust=Trust.read(damage.trust_of(log)))

    assert len(contents.entries) > 2000
    assert result.exit is Exit.GOOD
    assert Verdict.REDACTED_AUTHORISED in result.entries.values()


def test_the_same_contents_give_the_same_bytes() -> None:
    contents = damage.scene(3).contents

    assert writing.bundle(contents) == writing.bundle(contents)


def test_without_trust_nothing_is_anchored() -> None:
    made = damage.scene(1)

    result = verification.verify(writing.files(made.contents), trust=Trust())

    assert result.exit is Exit.UNANCHORED
    assert set(result.entries.values()) == {Verdict.UNANCHORED}


def test_the_policy_inside_the_bundle_is_no_trust() -> None:
    made = damage.scene(1)
    contents = replace(made.contents, policy=made.log.policy)

    result = verification.verify(writing.files(contents), trust=Trust())

    assert not result.is_anchored


def test_trust_in_another_log_is_no_trust_in_this_one() -> None:
    made = damage.scene(1)
    other = synthetic_log.SyntheticLog(origin="gmp.example/plant/2", seed=5)

    result = verification.verify(
        writing.files(made.contents), trust=Trust.read([("other", other.policy)])
    )

    assert result.exit is Exit.UNANCHORED


def test_a_folder_with_the_extracted_files_verifies_too(tmp_path: Path) -> None:
    case = damage.good(4)
    for name, data in container.read(case.bundle).items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(data)

    files = container.open_path(tmp_path)

    assert container.write(files) == case.bundle


def test_the_command_line_says_what_came_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    damage.write(tmp_path, 0, damage.good(2))
    place = tmp_path / "00000"
    trust = [
        "--trust",
        str(place / "trust-policy.txt"),
        "--trust",
        str(place / "trust-tsa-root.pem"),
    ]

    verified = verifier.main(["verify", str(place / "bundle.zip"), *trust, "--json"])
    said = json.loads(capsys.readouterr().out)
    unanchored = verifier.main(["verify", str(place / "bundle.zip")])
    words = capsys.readouterr().out
    absent = verifier.main(["verify", str(place / "nothing.zip"), *trust])

    assert (verified, unanchored, absent) == (0, 3, 2)
    assert said["exit"] == 0
    assert said["anchored"] is True
    assert said == json.loads((place / "case.json").read_text())["answer"]
    assert "NOT VERIFIED" in words


@pytest.mark.parametrize(
    ("kind", "complete"),
    [
        (Kind.RECORD, ["1 record is shown complete as of tree size"]),
        (
            Kind.BATCH,
            ["2 records are shown complete as of", "1 record is shown to have no entry as of"],
        ),
        (Kind.PERIOD, ["every entry from index", NOTHING]),
        (Kind.PERSON, [NOTHING]),
        (Kind.ACT, [NOTHING]),
    ],
)
def test_the_answer_says_what_is_shown_complete(kind: Kind, complete: list[str]) -> None:
    made = damage.scene(11, kind=kind)

    result = verification.verify(writing.files(made.contents), trust=Trust.read(made.trust))

    sayings = list(result.shown.sayings())
    assert result.exit is Exit.GOOD
    assert len(sayings) == len(complete)
    assert all(said.startswith(one) for said, one in zip(sayings, complete, strict=True))


def test_entries_of_records_that_are_not_claimed_are_not_passed_off_as_all() -> None:
    made = damage.scene(11, kind=Kind.BATCH)
    record = next(one for one in made.contents.subject.records if one in made.log.last)
    about = replace(made.contents.subject, records=(record,))

    result = verification.verify(
        writing.files(replace(made.contents, subject=about)), trust=Trust.read(made.trust)
    )

    assert result.exit is Exit.GOOD
    assert "1 other record has entries here, and nothing shows that they are all" in list(
        result.shown.sayings()
    )


def test_a_batch_of_which_the_log_has_no_entry_yet_is_good_and_shows_no_record_complete() -> None:
    made = damage.scene(11)
    about = Subject(kind=Kind.BATCH, title="B-002", records=(("batches", "B-002"),))
    contents = damage.gather(made.random, made.log, about)

    result = verification.verify(writing.files(contents), trust=Trust.read(made.trust))

    assert result.exit is Exit.GOOD
    assert next(result.shown.sayings()) == NOTHING


def test_a_record_with_an_entry_left_out_is_not_said_to_be_complete() -> None:
    case = damage.damaged(sorted(damage.DAMAGES).index("last_entry_left_out"))

    sayings = list(case.verify().shown.sayings())

    assert sayings[0].startswith("1 record is shown complete")


def test_the_report_with_verdicts_is_written(tmp_path: Path) -> None:
    damage.write(tmp_path, 0, damage.damaged(sorted(damage.DAMAGES).index("body_changed")))
    place, page = tmp_path / "00000", tmp_path / "result.html"

    code = verifier.main(["verify", str(place / "bundle.zip"), "--html", str(page)])

    assert code == 1
    assert "TAMPERED" in page.read_text()


def test_extracted_proofs_are_those_of_c2sp(tmp_path: Path) -> None:
    made = damage.scene(6, kind=Kind.PERIOD)
    (tmp_path / "bundle.zip").write_bytes(writing.bundle(made.contents))
    # A policy of today's keys: a proof file knows no history.
    signers = [one.vkey for one in made.log.history.in_force(made.contents.tree_size)]
    policy = Policy.parse(f"log {signers[0]}\nquorum none\n")

    code = verifier.main(["extract", str(tmp_path / "bundle.zip"), str(tmp_path / "out")])

    assert code == 0
    for entry in made.contents.entries:
        place = tmp_path / "out" / str(entry.index)
        proof = ProofFile.parse(place.with_suffix(".tlog-proof").read_bytes())
        data = place.with_suffix(".leaf").read_bytes()
        proof.verify(leaf_hash=leaf.Leaf.parse(data).hash, policy=policy)
        body = place.with_suffix(".json").read_bytes()
        assert leaf.Leaf.parse(data).digest == leaf.entry_digest(body)
