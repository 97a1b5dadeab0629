"""Whoever has database and signing key rewrites the log in itself, and is named all the same."""

from functools import partial
from typing import Any

import psycopg
import pytest
from django.utils import timezone

from compliance.trail import exporting, witnessing
from compliance.trail.findings import Verdict
from compliance.trail.verifier import findings, writing
from compliance.trail.witnessing import Outcome
from tests.attacks import colluding
from tests.attacks.conftest import SealedLog, gathered
from tests.attacks.test_trail_as_superuser import found

Superuser = psycopg.Connection[Any]
INDEX = 630  # a reading of a volume, under the second checkpoint
ATTESTATIONS = ("cosignature", "timestamp")
change = partial(colluding.renamed, index=INDEX)


def forks() -> list[str]:
    return [one.message for one in found().faults if one.verdict == Verdict.FORK]


def test_signed_again_it_contradicts_the_published_checkpoints(
    sealed_log: SealedLog, superuser: Superuser
) -> None:
    colluding.collude(superuser, change, sealed_log.sizes, everywhere=False)
    colluding.forget(superuser, *ATTESTATIONS)

    named = forks()

    sizes = [size for size in sealed_log.sizes if size > INDEX]
    assert [one for one in named if any(f"published {size}.note" in one for size in sizes)]


def test_published_again_it_contradicts_the_memory_of_the_signer(
    sealed_log: SealedLog, superuser: Superuser
) -> None:
    colluding.collude(superuser, change, sealed_log.sizes, everywhere=False)
    colluding.publish_again()
    colluding.forget(superuser, *ATTESTATIONS)

    assert [one for one in forks() if "the signer's own" in one]


@pytest.mark.parametrize("left", ATTESTATIONS)
def test_signed_and_published_again_it_contradicts_what_others_said_of_it(
    sealed_log: SealedLog, superuser: Superuser, left: str
) -> None:
    colluding.collude(superuser, change, sealed_log.sizes, everywhere=True)
    colluding.forget(superuser, *(one for one in ATTESTATIONS if one != left))

    assert found().counts


def test_signed_again_it_contradicts_the_witnesses(
    sealed_log: SealedLog, superuser: Superuser
) -> None:
    colluding.collude(superuser, change, sealed_log.sizes, everywhere=True)
    colluding.forget(superuser, *ATTESTATIONS)

    collected = witnessing.collect(timezone.now())

    assert collected is not None
    assert {one.outcome for one in collected.alarms} == {Outcome.CONTRADICTED}
    assert len(collected.alarms) == 2


def test_signed_again_it_contradicts_the_export(
    sealed_log: SealedLog, superuser: Superuser
) -> None:
    colluding.collude(superuser, change, sealed_log.sizes, everywhere=True)
    colluding.forget(superuser, *ATTESTATIONS)

    compared = exporting.compare()

    assert compared is not None
    assert [one for one in compared["different"] if one.endswith("/note")]


def test_signed_again_it_contradicts_a_checkpoint_that_somebody_holds(
    sealed_log: SealedLog, superuser: Superuser
) -> None:
    size = sealed_log.sizes[1]
    held = ("held.note", sealed_log.notes[size])
    colluding.collude(superuser, change, sealed_log.sizes, everywhere=True)
    colluding.forget(superuser, *ATTESTATIONS)
    bundle = writing.bundle(gathered(everything=True, sizes=[size]))

    alone, with_held = sealed_log.inspected(bundle), sealed_log.inspected(bundle, held)

    assert findings.Verdict.UNANCHORED in {one.verdict for one in alone.problems}
    assert alone.exit != 0
    assert findings.Verdict.FORK in {one.verdict for one in with_held.problems}


def test_a_token_over_the_note_before_is_none_for_the_note_signed_again(
    sealed_log: SealedLog, superuser: Superuser
) -> None:
    colluding.collude(superuser, change, sealed_log.sizes, everywhere=True)
    colluding.forget(superuser, "cosignature")
    bundle = writing.bundle(gathered(everything=True))

    result = sealed_log.inspected(bundle)

    wrong = {one.file for one in result.problems if one.verdict == findings.Verdict.TAMPERED}
    assert f"timestamps/{sealed_log.sizes[1]}.tsr" in wrong
