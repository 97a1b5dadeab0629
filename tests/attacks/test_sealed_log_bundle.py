"""Attacks on the bundle of a real log: whatever is left out or altered, an inspector sees it."""

from dataclasses import replace

import pytest

from compliance.trail.tlog import note
from compliance.trail.tlog.checkpoint import Checkpoint
from compliance.trail.verifier import container, reading, writing
from compliance.trail.verifier.contents import Contents, Entry
from compliance.trail.verifier.findings import Exit, Verdict
from tests.attacks.conftest import SealedLog
from tests.damage import replaced, without


def contents(log: SealedLog) -> Contents:
    return reading.read(container.read(log.bundle))


def verdicts(log: SealedLog, changed: Contents) -> set[Verdict]:
    result = log.inspected(writing.bundle(changed))
    assert result.exit != Exit.GOOD
    return {one.verdict for one in result.problems}


def of_records(found: Contents) -> list[Entry]:
    seal = found.completeness.seal
    assert seal is not None
    return [one for one in found.entries if b'"record":"trail_app_' in one.body]


def test_the_bundle_of_the_log_is_good(made_log: SealedLog) -> None:
    result = made_log.inspected(made_log.bundle)

    assert result.exit == Exit.GOOD
    assert set(result.entries.values()) == {Verdict.VALID}


def test_an_entry_left_out_of_the_bundle_is_missing(made_log: SealedLog) -> None:
    found = contents(made_log)
    own = of_records(found)

    assert len(own) >= 6
    for one in own:
        assert Verdict.MISSING in verdicts(made_log, without(found, one.index))


@pytest.mark.parametrize("damage", ["step", "shorter", "longer", "chain", "index"])
def test_a_damaged_proof_of_the_bundle_is_refused(made_log: SealedLog, damage: str) -> None:
    found = contents(made_log)
    one = of_records(found)[0]
    changes = {
        "step": {"proof": (bytes(32), *one.proof[1:])},
        "shorter": {"proof": one.proof[:-1]},
        "longer": {"proof": (*one.proof, bytes(32))},
        "chain": {"previous": bytes(32)},
        "index": {"index": one.index * 2 + 1},
    }
    changed = replaced(found, one, **changes[damage])
    if damage == "index":
        changed = replace(
            changed, entries=tuple(sorted(changed.entries, key=lambda each: each.index))
        )

    assert verdicts(made_log, changed) & {Verdict.TAMPERED, Verdict.MALFORMED}


def test_a_bundle_whose_witnesses_are_left_out_is_not_anchored(made_log: SealedLog) -> None:
    found = contents(made_log)
    signed = found.checkpoints[found.tree_size]
    text, signatures = note.split(signed.note)
    lines = "".join(one.line for one in signatures if not one.name.startswith("witness."))
    alone = replace(signed, note=f"{text}\n{lines}".encode())
    changed = replace(found, checkpoints={**found.checkpoints, found.tree_size: alone})

    assert Checkpoint.parse(text).size == made_log.size
    assert Verdict.UNANCHORED in verdicts(made_log, changed)
