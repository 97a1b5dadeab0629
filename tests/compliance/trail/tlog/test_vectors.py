"""Test that every published vector gets its published verdict, and that the count is honest."""

import json
from collections import Counter
from pathlib import Path

import pytest

from tests import conformance
from tests.compliance.trail.tlog.vectors import bundles, signatures
from tests.compliance.trail.tlog.vectors.verdicts import Family, Result, Verdict


@pytest.mark.shared
@pytest.mark.parametrize("family", conformance.FAMILIES, ids=lambda family: family.title)
def test_every_published_verdict_is_met(
    family: Family, shared: Path, results: list[Result]
) -> None:
    result = family.result(shared / "vectors")
    results.append(result)

    assert result.disagreements == []
    assert len(result.verdicts) >= family.least


@pytest.mark.shared
def test_the_library_accepts_the_recorded_numbers_of_edge_cases(shared: Path) -> None:
    """Cofactorless, and R is compared as bytes: an update that changes this is a decision."""
    vectors = json.loads((shared / "vectors" / "cctv" / "ed25519vectors.json").read_bytes())
    by_flags = Counter(map(signatures.cctv_letters, vectors))

    accepted = {flags: by_flags[flags] for flags in signatures.CCTV_ACCEPTED}

    assert accepted == signatures.CCTV_ACCEPTED
    assert (len(vectors), sum(accepted.values())) == (457, 45)
    assert not [flags for flags in accepted if "Y" in flags]


@pytest.mark.shared
def test_an_inclusion_proof_without_a_checkpoint_is_unanchored(shared: Path) -> None:
    folder = shared / "vectors" / "sigstore_bundles"
    bundle = json.loads((folder / "bundle_no_checkpoint.txt.sigstore").read_bytes())
    artifact = (folder / "bundle_no_checkpoint.txt").read_bytes()

    with pytest.raises(bundles.Unanchored, match="no checkpoint"):
        bundles.verify(bundle, artifact)


def test_a_difference_fails_the_family_and_is_named() -> None:
    verdicts = Verdict("good", True, True), Verdict("forged", False, True)
    family = Family("some", 2, lambda _: iter(verdicts))

    result = family.result(Path())

    assert result.disagreements == ["forged"]
    assert not conformance.is_met(family, result)
    assert conformance.lines([result])[1:] == ["    forged", conformance.lines([result])[-1]]


def test_vectors_that_are_missing_fail_the_family() -> None:
    family = Family("some", 2, lambda _: iter([Verdict("good", True, True)]))

    assert not conformance.is_met(family, family.result(Path()))
    assert conformance.main(Path("nowhere")) == 1
