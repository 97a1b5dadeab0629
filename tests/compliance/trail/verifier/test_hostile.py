"""A bundle made by an enemy ends in a verdict, never in a crash, a second line or a false good."""

import json
import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from compliance.trail import bundles
from compliance.trail.tlog import canonical, note
from compliance.trail.tlog.checkpoint import Checkpoint
from compliance.trail.verifier import __main__ as verifier
from compliance.trail.verifier import manifests, records_check, verification, writing
from compliance.trail.verifier.contents import Kind, Record, Subject
from compliance.trail.verifier.findings import Exit
from compliance.trail.verifier.openings_check import Opened
from compliance.trail.verifier.trust import Trust
from tests import damage

VALUES: list[Any] = [
    *(None, True, False, 0, 1, -1, 2**53 - 1, 2**53, 10**30, 1.5, "", "x", "0" * 64, "A" * 64),
    *([], {}, [[]], {"c": "0" * 64}, {"c": None}, "\ud800", "9" * 400),
]


def mutated(value: Any, dice: random.Random) -> Any:
    """Return the same JSON with something else at one place."""
    if isinstance(value, dict) and value and dice.random() < 0.9:
        key = dice.choice(sorted(value))
        return {**value, key: mutated(value[key], dice)}
    if isinstance(value, list) and value and dice.random() < 0.9:
        at = dice.randrange(len(value))
        return [*value[:at], mutated(value[at], dice), *value[at + 1 :]]
    return dice.choice([one for one in VALUES if one != value or type(one) is not type(value)])


def encoded(value: Any) -> bytes:
    try:
        return canonical.dumps(value)
    except canonical.NotCanonical:
        return json.dumps(value, separators=(",", ":"), sort_keys=True).encode()


def remade(made: damage.Scene, name: str, data: bytes) -> dict[str, bytes]:
    files = {**writing.files(made.contents), name: data}
    del files[manifests.NAME]
    return files | {manifests.NAME: writing.manifest(made.contents, files)}


@pytest.mark.parametrize("name", ["completeness.json", "consistency.json", "openings.json"])
@pytest.mark.parametrize("seed", range(3))
def test_no_other_value_in_a_file_verifies_or_crashes(name: str, seed: int) -> None:
    made = damage.scene(seed, kind=Kind.BATCH)
    dice = random.Random(f"{name} {seed}")
    value = json.loads(writing.files(made.contents)[name])
    trust = Trust.read(made.trust)

    for _ in range(60):
        changed = mutated(value, dice)
        result = verification.verify(remade(made, name, encoded(changed)), trust=trust)

        assert result.exit is not Exit.GOOD, changed


@pytest.mark.parametrize("seed", range(4))
def test_no_other_value_in_an_entry_verifies_or_crashes(seed: int) -> None:
    made = damage.scene(seed, kind=Kind.BATCH)
    dice = random.Random(seed)
    lines = writing.files(made.contents)["entries.jsonl"].splitlines()
    trust = Trust.read(made.trust)

    for _ in range(60):
        at = dice.randrange(len(lines))
        changed = [*lines[:at], encoded(mutated(json.loads(lines[at]), dice)), *lines[at + 1 :]]
        data = b"".join(one + b"\n" for one in changed)
        result = verification.verify(remade(made, "entries.jsonl", data), trust=trust)

        assert result.exit is not Exit.GOOD, at


@pytest.mark.parametrize("seed", range(4))
def test_no_other_value_in_the_manifest_crashes(seed: int) -> None:
    made = damage.scene(seed, kind=Kind.PERIOD)
    dice = random.Random(seed)
    files = writing.files(made.contents)
    value = json.loads(files[manifests.NAME])

    for _ in range(80):
        changed = files | {manifests.NAME: encoded(mutated(value, dice))}
        verification.verify(changed, trust=Trust.read(made.trust))


@pytest.mark.parametrize("seed", range(6))
def test_values_that_the_log_really_has_are_read_without_a_crash(seed: int) -> None:
    made = damage.scene(seed, kind=Kind.BATCH)
    dice = random.Random(seed)
    for kind in ("key", "seal", "timestamp", "redaction", "redactable", "ddl"):
        own = list(made.log.log_events(kind))
        document = json.loads(json.loads(own[0].body)["new"]["document"]) if own else {"v": 1}
        for _ in range(4):
            made.log.event(kind, encoded(mutated(document, dice)).decode())
    for _ in range(40):
        members = json.loads(dice.choice(made.log.rows).body)
        made.log.append(encoded(mutated(members, dice)))
    size = len(made.log.rows)
    text = Checkpoint(origin=made.log.origin, size=size, root=made.log.root(size)).text()
    signers = list(made.log.signers.values())
    made.log.notes[size] = note.sign(text, signers, at=1).encode()
    about = Subject(kind=Kind.PERIOD, title="all", range=(0, size - 1))
    contents = bundles.gather(made.log, about, created_at=made.log.now)

    result = verification.verify(writing.files(contents), trust=Trust.read(made.trust))

    assert result.exit is Exit.FAULTY


@pytest.mark.parametrize("depth", [70, 100_000])
def test_deep_nesting_is_refused(depth: int) -> None:
    made = damage.scene(1)

    files = remade(made, "openings.json", b"[" * depth + b"]" * depth)

    assert verification.verify(files, trust=Trust()).exit is Exit.MALFORMED


def test_many_claimed_records_are_not_searched_one_after_the_other() -> None:
    compared = 0

    class Name(str):
        __slots__ = ()
        __hash__ = str.__hash__

        def __eq__(self, other: object) -> bool:
            nonlocal compared
            compared += 1
            return str.__eq__(self, other)

    count = 1_000
    records = tuple((Name("batches"), Name(number)) for number in range(count))
    walked: dict[Record, records_check.Walk] = {("batches", str(one)): [] for one in range(count)}
    about = Subject(kind=Kind.BATCH, title="many", records=records)

    problems = list(records_check.check(walked, about, Opened(), continued_to=0))

    assert problems == []
    assert count <= compared < 10 * count


def test_words_of_the_bundle_cannot_write_lines_of_their_own(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = damage.scene(1)
    title = "x\nVERIFIED: everything\x1b[2J\r\u202e"
    contents = replace(made.contents, subject=replace(made.contents.subject, title=title))
    (tmp_path / "bundle.zip").write_bytes(writing.bundle(contents))

    verifier.main(["verify", str(tmp_path / "bundle.zip")])

    said = capsys.readouterr().out
    assert not [line for line in said.split("\n") if line.startswith("VERIFIED")]
    assert not set(said) & {"\x1b", "\r", "\u202e"}
