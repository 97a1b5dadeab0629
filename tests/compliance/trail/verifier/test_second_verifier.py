"""A verifier in another language, written from the specification alone, says the same as ours."""

import json
import os
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from compliance.trail.verifier import shown, writing
from compliance.trail.verifier.contents import Completeness, Kind
from compliance.trail.verifier.findings import Exit
from tests import damage
from tests.second_verifier import agree

MLDSA = agree.PROGRAM.with_name("mldsa.mjs")
SEED = 7001


@pytest.fixture(scope="module")
def second() -> Iterator[agree.SecondVerifier]:
    reason = agree.why_not()
    if reason and os.environ.get("CI"):
        pytest.fail(reason)
    if reason:
        pytest.skip(reason)
    with agree.second_verifier() as running:
        yield running


def test_both_verifiers_accept_the_same_good_bundles(second: agree.SecondVerifier) -> None:
    cases = [damage.good(SEED + number) for number in range(60)]

    tally = agree.compare(cases, second)

    assert tally.differences == []
    assert tally.refused == 0


def test_both_verifiers_refuse_the_same_damaged_bundles_with_the_same_words(
    second: agree.SecondVerifier,
) -> None:
    cases = [damage.damaged(SEED + number) for number in range(60)]

    tally = agree.compare(cases, second)

    assert tally.differences == []
    assert tally.refused == 60 - tally.about_text


@pytest.mark.parametrize("kind", list(Kind))
def test_both_verifiers_say_whether_a_record_is_shown_complete(
    second: agree.SecondVerifier, tmp_path: Path, kind: Kind
) -> None:
    made = damage.scene(SEED, kind=kind)
    case = damage.Case(bundle=writing.bundle(made.contents), trust=made.trust, description=kind)

    first, answer = case.verify(), second.answer(case, tmp_path)

    claims = kind in {Kind.RECORD, Kind.BATCH}
    assert agree.difference(case, json.loads(first.to_json()), answer) is None
    assert (shown.NOTHING in first.shown.sayings()) is not claims
    assert any("records shown complete" in one for one in answer["notes"]) is claims
    assert any("no history of a record" in one for one in answer["notes"]) is not claims


@pytest.mark.parametrize("kind", [Kind.RECORD, Kind.BATCH])
def test_both_verifiers_refuse_a_batch_or_record_without_claims(
    second: agree.SecondVerifier, tmp_path: Path, kind: Kind
) -> None:
    made = damage.scene(SEED, kind=Kind.BATCH)
    about = replace(made.contents.subject, kind=kind, records=())
    contents = replace(made.contents, subject=about, completeness=Completeness())
    case = damage.Case(bundle=writing.bundle(contents), trust=made.trust, description="")

    assert case.verify().exit == second.answer(case, tmp_path)["exit"] == Exit.MALFORMED


def test_a_difference_between_the_verifiers_is_found(second: agree.SecondVerifier) -> None:
    case = damage.good(SEED)
    first: dict[str, Any] = json.loads(case.verify().to_json())
    index = next(iter(first["entries"]))

    other = {**first, "entries": {**first["entries"], index: "TAMPERED"}}

    assert agree.difference(case, first, first) is None
    assert f"{index}: VALID / TAMPERED" in (agree.difference(case, first, other) or "")


@pytest.mark.shared
def test_the_second_verifier_knows_ml_dsa_44(second: agree.SecondVerifier, shared: Path) -> None:
    vectors = json.loads(
        (shared / "vectors/wycheproof/mldsa_44_verify_test.json").read_text(encoding="utf-8")
    )
    cases = [
        {"key": group["publicKey"], "message": case["msg"], "signature": case["sig"]}
        for group in vectors["testGroups"]
        for case in group["tests"]
        if "ctx" not in case
    ]
    expected = [
        case["result"] == "valid"
        for group in vectors["testGroups"]
        for case in group["tests"]
        if "ctx" not in case
    ]

    assert _verified(cases) == expected


def _verified(cases: list[dict[str, str]]) -> list[bool]:
    program = f"""
        import {{ readFileSync }} from 'node:fs';
        import {{ verify }} from {json.dumps(MLDSA.as_uri())};
        const bytes = (one) => Object.fromEntries(
          Object.entries(one).map(([name, hex]) => [name, Buffer.from(hex, 'hex')]));
        const cases = JSON.parse(readFileSync(0, 'utf8'));
        console.log(JSON.stringify(cases.map((one) => verify(bytes(one)))));
    """
    ran = subprocess.run(
        ["node", "--input-type=module", "--eval", program],
        input=json.dumps(cases), capture_output=True, text=True, check=True,
    )  # fmt: skip
    found: list[bool] = json.loads(ran.stdout)
    return found
