"""A verifier in another language, written from the specification alone, says the same as ours."""

import json
import os
import struct
import subprocess
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from compliance.trail import bundles
from compliance.trail.tlog import octets
from compliance.trail.tlog.key_documents import Document, Event
from compliance.trail.tlog.keys import ML_DSA_44
from compliance.trail.verifier import __main__ as verifier
from compliance.trail.verifier import shown, writing
from compliance.trail.verifier.contents import Completeness, Kind, Subject
from compliance.trail.verifier.findings import Exit
from tests import damage, synthetic_log
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


Both = Callable[..., tuple[agree.Answer, agree.Answer]]


@pytest.fixture
def both(second: agree.SecondVerifier, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Both:
    """Return what asks both verifiers about files on disk."""

    def asked(
        bundle: bytes | Path,
        trust: Iterable[damage.Named],
        held: Iterable[damage.Named] = (),
    ) -> tuple[agree.Answer, agree.Answer]:
        files = {"--trust": [], "--checkpoint": []}
        for option, named in (("--trust", trust), ("--checkpoint", held)):
            for name, data in named:
                (tmp_path / name).write_bytes(data)
                files[option].append(str(tmp_path / name))
        if isinstance(bundle, bytes):
            (tmp_path / "bundle.zip").write_bytes(bundle)
            bundle = tmp_path / "bundle.zip"
        options = [f"{option}={path}" for option, paths in files.items() for path in paths]
        code = verifier.main(["verify", str(bundle), "--json", *options])
        first: agree.Answer = json.loads(capsys.readouterr().out)
        assert first["exit"] == code
        request = {"trust": files["--trust"], "checkpoints": files["--checkpoint"]}
        return first, second.ask({"bundle": str(bundle), **request})

    return asked


@pytest.mark.parametrize(
    ("extra", "code"), [(None, 0), ("empty", 2), ("timestamps", 2), ("checkpoints/checkpoints", 2)]
)
def test_both_verifiers_read_the_same_folders(
    both: Both, tmp_path: Path, extra: str | None, code: int
) -> None:
    made = damage.scene(SEED, kind=Kind.BATCH)
    contents = replace(made.contents, timestamps={})
    folder = tmp_path / "folder"
    for name, data in writing.files(contents).items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    if extra:
        (folder / extra).mkdir()

    first, answer = both(folder, made.trust)

    assert (first["exit"], answer["exit"]) == (code, code)


def test_both_verifiers_refuse_more_files_than_a_bundle_may_have(both: Both) -> None:
    heads = [f"checkpoints/{number}.note".encode() for number in range(65_536)]
    packed = b"".join(
        struct.pack("<4s5HIIIHH", b"PK\3\4", 10, 0, 0, 0, 0x21, 0, 0, 0, len(name), 0) + name
        for name in heads
    )

    first, answer = both(packed, damage.scene(SEED).trust)

    assert (first["exit"], answer["exit"]) == (2, 2)


@pytest.mark.parametrize("year", ["0001", "0999", "1000", "9999"])
def test_both_verifiers_read_a_compromise_of_any_year(both: Both, year: str) -> None:
    log = synthetic_log.busy(seed=3, records=2, rounds=2, has_second_key=False)
    pair = log.signers[log.first_keys[0]]
    document = Document(
        event=Event.COMPROMISE, verifier=pair.verifier, signed_by=pair.verifier, to_size=1,
        compromised_at=datetime.fromisoformat(f"{year}-03-01T00:00:00.000001Z"),
    )  # fmt: skip
    log.event("key", document.signed(pair, origin=log.origin, at=1))
    log.checkpoint()
    about = Subject(kind=Kind.PERIOD, title="all", range=(0, log.newest() - 1))
    contents = bundles.gather(log, about, created_at=log.now)

    first, answer = both(writing.bundle(contents), damage.trust_of(log))

    assert agree.comparable(first) == agree.comparable(answer)
    assert first["exit"] == 3  # no key is in force any more


@pytest.mark.parametrize("size", [2**53, 2**63 - 1, 2**63, 10**19 - 1])
def test_both_verifiers_read_held_checkpoints_up_to_one_size(both: Both, size: int) -> None:
    made = damage.scene(SEED, kind=Kind.PERIOD)
    root, signature = octets.to_base64(bytes(32)), octets.to_base64(b"12345678")
    text = f"{made.log.origin}\n{size}\n{root}\n\n— nobody {signature}\n".encode()

    first, answer = both(writing.bundle(made.contents), made.trust, [("held.note", text)])

    assert (first["exit"] == 4) is (size >= 2**63)
    assert first["exit"] == answer["exit"]


@pytest.mark.parametrize(
    ("form", "code"),
    [
        ("{0}\n{1}\n", 0),
        ("# the plant\n \t{0}\t\r\n\n\r\n{1}", 0),
        ("# a\x85b \ufeff\x1c\n{0}\n{1}\n", 0),
        ("\ufeff{0}\n{1}\n", 4),
        ("\ufeff# the plant\n{0}\n{1}\n", 4),
        ("{0}\x85\n{1}\n", 4),
        ("{0}\x1c\n{1}\n", 4),
        ("{0}\u2028{1}\n", 4),
        ("{0}\n\x0c\n{1}\n", 4),
        ("{0}\n\u3000\n{1}\n", 4),
        ("{0}\n\xa0{1}\n", 4),
        ("{0}\r{1}\n", 4),
    ],
)
def test_both_verifiers_read_the_same_key_files(both: Both, form: str, code: int) -> None:
    made = damage.scene(SEED, kind=Kind.PERIOD)
    keys = [one.vkey for one in made.log.first_keys]
    text = form.format(keys[0], keys[-1])

    first, answer = both(
        writing.bundle(made.contents), [("keys.txt", text.encode()), *made.trust[1:]]
    )

    assert (first["exit"], answer["exit"]) == (code, code)


@pytest.mark.parametrize("name", ["a\x01b", "a\x1fb", "n" * 256, "é" * 128])
@pytest.mark.parametrize("algorithm", [0x01, 0x06])
def test_both_verifiers_read_the_same_names_of_keys(both: Both, name: str, algorithm: int) -> None:
    made = damage.scene(SEED, kind=Kind.PERIOD)
    key = next(one for one in damage.scene(1).log.signers.values()
               if one.algorithm == algorithm).verifier  # fmt: skip
    typed = bytes([algorithm]) + key.public_key
    key_id = sha256(name.encode() + b"\n" + typed).digest()[:4]
    line = f"{name}+{key_id.hex()}+{octets.to_base64(typed)}\n"
    own = "".join(f"{one.vkey}\n" for one in made.log.first_keys)

    first, answer = both(
        writing.bundle(made.contents), [("keys.txt", (own + line).encode()), *made.trust[1:]]
    )

    assert first["exit"] == answer["exit"]
    assert (first["exit"] == 0) is (algorithm == 0x01 and name.isprintable())


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ("#{rest}\n", 0),
        ("#{rest}x\n", 4),
        ("witness self {log}\n", 4),
        ("witness other {witness}\n", 4),
        ("log {log}\n", 4),
    ],
)
def test_both_verifiers_read_the_same_policies(both: Both, more: str, code: int) -> None:
    log = synthetic_log.busy(seed=4, records=2, rounds=2, has_second_key=True)
    about = Subject(kind=Kind.PERIOD, title="all", range=(0, log.newest() - 1))
    contents = bundles.gather(log, about, created_at=log.now)
    ml_dsa = next(one for one in log.first_keys if one.algorithm == ML_DSA_44)
    line = more.format(
        log=ml_dsa.vkey,
        witness=log.witnesses[0].verifier.vkey,
        rest="x" * (1_000_000 - len(log.policy) - 2),
    )
    trust = [("policy.txt", log.policy + line.encode()), *damage.trust_of(log)[1:]]

    first, answer = both(writing.bundle(contents), trust)

    assert (first["exit"], answer["exit"]) == (code, code)


@pytest.mark.parametrize(
    ("tolerance", "code"),
    [
        *(("0", 0), ("300", 0), ("1000000000", 0), ("0000000300", 0)),
        *(("1000000001", 4), ("9" * 5000, 4), ("", 4), ("x", 4), ("-1", 4), ("+1", 4)),
        *((" 1", 4), ("1_0", 4), ("1.0", 4), ("\u0663", 4), ("1\n", 4)),
    ],
)
def test_both_verifiers_take_the_same_tolerances_and_answer_always(
    second: agree.SecondVerifier,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    tolerance: str,
    code: int,
) -> None:
    made = damage.scene(SEED, kind=Kind.ACT)
    (tmp_path / "bundle.zip").write_bytes(writing.bundle(made.contents))
    for name, data in made.trust:
        (tmp_path / name).write_bytes(data)
    arguments = [str(tmp_path / "bundle.zip"), "--json", f"--tolerance={tolerance}"]
    arguments += [f"--trust={tmp_path / name}" for name, _ in made.trust]

    ours = verifier.main(["verify", *arguments])
    first = json.loads(capsys.readouterr().out)
    ran = subprocess.run(
        ["node", str(agree.PROGRAM), *arguments], capture_output=True, text=True, check=False
    )

    assert (ours, first["exit"]) == (code, code)
    assert (ran.returncode, json.loads(ran.stdout)["exit"]) == (code, code)


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
