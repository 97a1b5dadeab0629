"""Attacks on evidence: lies in the tables that bundles are made from, bundles spliced and renamed."""

import json
from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from psycopg import Connection

from compliance.trail.tlog import canonical, note
from compliance.trail.verifier import __main__ as verifier
from compliance.trail.verifier import verification, writing
from compliance.trail.verifier.contents import Completeness, Kind
from compliance.trail.verifier.findings import Exit, Unusable
from compliance.trail.verifier.trust import Trust
from tests import damage
from tests.attacks.test_trail_as_superuser import unguarded
from tests.compliance.trail.test_bundles_of_the_database import (
    bundle_of,
    sealed_log,
    verified,
)
from tests.trail_app.models import Vessel

Superuser = Connection[Any]
Files = dict[str, bytes]
__all__ = ["sealed_log"]

_PROJECTED = "FROM audit.projection WHERE record = 'trail_app_vessel' AND record_id = '{pk}'"


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM audit.head WHERE record_id = '{pk}' AND record = 'trail_app_vessel'",
        "UPDATE audit.head SET record_id = '999' WHERE record_id = '{pk}' "
        "AND record = 'trail_app_vessel'",
        "UPDATE audit.seal_leaf SET leaf_hash = sha256('')",
        "UPDATE audit.projection SET record_id = '999' WHERE entry_id = (SELECT max(entry_id) "
        + _PROJECTED
        + ")",
        "DELETE " + _PROJECTED,
        "UPDATE audit.projection SET record_seq = 7 WHERE entry_id = (SELECT max(entry_id) "
        + _PROJECTED
        + ")",
        "UPDATE audit.leaf SET previous = sha256('') WHERE entry_id = (SELECT max(entry_id) "
        + _PROJECTED
        + ")",
        "UPDATE audit.node SET h = sha256('')",
        "UPDATE audit.entry SET body = body || ' ' WHERE entry_id = (SELECT max(entry_id) "
        + _PROJECTED
        + ")",
    ],
)
def test_a_lie_in_what_a_bundle_is_made_from_does_not_come_out_as_good_evidence(
    sealed_log: Any, as_superuser: Superuser, tmp_path: Path, statement: str
) -> None:
    pk = Vessel.objects.get(name="A-3").pk
    honest = verified(bundle_of([("trail_app_vessel", str(pk))]), tmp_path)
    with unguarded(as_superuser, "audit.entry", "audit.leaf", "audit.node", "audit.seal_leaf"):
        changed = as_superuser.execute(statement.format(pk=pk)).rowcount

    try:
        result = verified(bundle_of([("trail_app_vessel", str(pk))]), tmp_path)
    except Exception:
        return

    assert honest.exit is Exit.GOOD
    # The same evidence in spite of the lie is none: what is derived was made again, or not asked.
    assert result.exit is not Exit.GOOD or changed == 0 or "node" in statement


def packed(files: Files) -> Files:
    """Make the manifest fit what was altered, as every forger can."""
    listed = json.loads(files["manifest.json"])
    listed["files"] = [
        {"name": name, "sha256": sha256(data).hexdigest(), "size": len(data)}
        for name, data in sorted(files.items())
        if name != "manifest.json"
    ]
    return {**files, "manifest.json": canonical.dumps(listed)}


def exit_of(files: Files, trust: tuple[tuple[str, bytes], ...]) -> Exit:
    return verification.verify(files, trust=Trust.read(trust), held=[]).exit


def scene(seed: int) -> damage.Scene:
    return damage.scene(seed, kind=Kind.BATCH)


def spliced(name: str) -> Callable[[Files, Files], Files]:
    return lambda one, other: {**one, name: other[name]}


def checkpoints_of(one: Files, other: Files) -> Files:
    kept = {name: data for name, data in one.items() if not name.startswith("checkpoints/")}
    return kept | {name: other[name] for name in other if name.startswith("checkpoints/")}


def entries_of_both(one: Files, other: Files) -> Files:
    lines = one["entries.jsonl"].splitlines(True) + other["entries.jsonl"].splitlines(True)
    lines.sort(key=lambda line: int(json.loads(line)["index"]))
    return {**one, "entries.jsonl": b"".join(lines)}


@pytest.mark.parametrize(
    "splice",
    [
        spliced("entries.jsonl"),
        spliced("completeness.json"),
        spliced("openings.json"),
        spliced("manifest.json"),
        checkpoints_of,
        entries_of_both,
    ],
)
def test_two_good_bundles_spliced_are_no_good_bundle(
    splice: Callable[[Files, Files], Files],
) -> None:
    one, other = scene(11), scene(12)
    files, others = writing.files(one.contents), writing.files(other.contents)
    assert exit_of(files, one.trust) is Exit.GOOD
    made = splice(files, others)
    if made == files:
        pytest.skip("both are the same here")

    assert exit_of(packed(made), one.trust) is not Exit.GOOD


def test_a_bundle_of_another_plant_with_this_plants_name_is_no_good_bundle() -> None:
    own, other = scene(11), scene(12)
    files = {
        name: data.replace(other.log.origin.encode(), b"plant.example/ours/1")
        for name, data in writing.files(other.contents).items()
    }
    with pytest.raises(Unusable):  # a key's ID covers the name
        Trust.read([(name, data.replace(other.log.origin.encode(), b"plant.example/ours/1"))
                    for name, data in other.trust])  # fmt: skip

    assert exit_of(packed(files), own.trust) is not Exit.GOOD


@pytest.mark.parametrize("records", ["more", "fewer", "others"])
def test_a_subject_that_names_other_records_than_the_entries_is_no_good_bundle(
    records: str,
) -> None:
    made = scene(11)
    files = writing.files(made.contents)
    manifest = json.loads(files["manifest.json"])
    named = manifest["subject"]["records"]
    absent = [one for one in named if one["record_id"] == "9999"]
    lives = [one for one in named if one["record_id"] != "9999"]
    batches = {record_id for name, record_id in made.log.last if name == "batches"}
    strange = [
        {"record": "batches", "record_id": one}
        for one in sorted(batches - {two["record_id"] for two in named})
    ][:1]
    manifest["subject"]["records"] = sorted(
        {"more": named + strange, "fewer": absent, "others": absent + strange}[records],
        key=lambda one: (one["record"], one["record_id"]),
    )
    files["manifest.json"] = canonical.dumps(manifest)
    assert lives and strange

    result = verification.verify(packed(files), trust=Trust.read(made.trust), held=[])

    assert result.exit is not Exit.GOOD


@pytest.mark.parametrize("kind", [Kind.BATCH, Kind.RECORD])
def test_a_batch_or_record_whose_claims_were_taken_back_is_refused(kind: Kind) -> None:
    made = scene(11)
    about = replace(made.contents.subject, kind=kind, records=())
    short = replace(without_last_entry(made).contents, subject=about, completeness=Completeness())

    result = verification.verify(writing.files(short), trust=Trust.read(made.trust), held=[])

    assert result.exit is Exit.MALFORMED
    assert "names at least one record" in result.problems[0].message


@pytest.mark.parametrize("claims", ["of another kind", "of an absent record"])
def test_a_bundle_whose_claims_were_exchanged_says_that_nothing_is_shown_complete(
    claims: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = without_last_entry(scene(11))
    absent = ("batches", "9999")
    about = {
        "of another kind": replace(made.contents.subject, kind=Kind.ACT, records=()),
        "of an absent record": replace(made.contents.subject, records=(absent,)),
    }[claims]
    (tmp_path / "bundle").write_bytes(writing.bundle(replace(made.contents, subject=about)))
    for name, data in made.trust:
        (tmp_path / name).write_bytes(data)
    trust = [f"--trust={tmp_path / name}" for name, _ in made.trust]
    page = tmp_path / "page.html"

    code = verifier.main(["verify", str(tmp_path / "bundle"), *trust, "--html", str(page)])

    said = capsys.readouterr().out
    assert code == Exit.GOOD  # everything here is true
    assert "no record's history is shown complete" in said
    assert "No record&#x27;s history is shown complete" in page.read_text()
    assert ("1 record is shown to have no entry" in said) is (claims == "of an absent record")


def without_last_entry(made: damage.Scene) -> damage.Scene:
    """Return the scene of who leaves out the last entry of a claimed record."""
    record = next(one for one in made.contents.subject.records if one in made.log.last)
    own = [one.index for one in made.contents.entries if (json.loads(one.body)["record"],
           json.loads(one.body)["record_id"]) == record]  # fmt: skip
    return replace(made, contents=damage.without(made.contents, max(own)))


def test_a_cosignature_copied_from_another_size_does_not_count() -> None:
    made = scene(11)
    files = writing.files(made.contents)
    sizes = sorted(made.contents.checkpoints)
    old, new = (note.split(files[f"checkpoints/{n}.note"].decode()) for n in (sizes[0], sizes[-1]))
    names = {one.name for one in made.log.first_keys} | {made.log.origin}
    own = [one.line for one in new[1] if one.name in names]
    copied = [one.line for one in old[1] if one.name not in names]
    assert copied
    text = new[0] + "\n" + "".join(own + copied)
    files[f"checkpoints/{sizes[-1]}.note"] = text.encode()

    assert exit_of(packed(files), made.trust) is not Exit.GOOD


def test_a_weaker_policy_inside_of_the_bundle_replaces_nothing() -> None:
    made = scene(11)
    files = writing.files(made.contents)
    names = {one.name for one in made.log.first_keys} | {made.log.origin}
    for name in [one for one in files if one.startswith("checkpoints/")]:
        text, signatures = note.split(files[name].decode())
        own = [one.line for one in signatures if one.name in names]
        files[name] = (text + "\n" + "".join(own)).encode()  # no witness has seen it
    weak = [one for one in made.log.policy.splitlines() if one.startswith(b"log")]
    files["policy.txt"] = b"\n".join([*weak, b"quorum none", b""])

    assert exit_of(packed(files), made.trust) is not Exit.GOOD


@pytest.mark.parametrize("version", [0, 2, 1.0, True, "1", None, -1, 1 << 53])
@pytest.mark.parametrize("name", ["manifest.json", "completeness.json"])
def test_another_version_is_not_read_as_this_one(name: str, version: Any) -> None:
    made = scene(11)
    files = writing.files(made.contents)
    document = json.loads(files[name])
    document["v"] = version
    files[name] = json.dumps(document, sort_keys=True, separators=(",", ":")).encode()
    if name != "manifest.json":
        files = packed(files)

    assert exit_of(files, made.trust) is not Exit.GOOD
