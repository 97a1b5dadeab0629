"""Specifications have versions, two people and a lock; a batch keeps the one it was issued under."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from batches.laboratory import governing, specifications, states, test_decisions
from batches.laboratory.models import (
    Specification,
    SpecificationState,
    SpecificationUse,
    SpecificationVersion,
    TestDecisionKind,
    TestKind,
)
from compliance.access.authority import NotPermitted
from compliance.access.duties import Role
from compliance.signatures import signing
from tests import factories
from tests.batches.laboratory.conftest import Refuses
from tests.factories import NOON, SPECIFIED

pytestmark = pytest.mark.django_db


def _draft(tests: list[specifications.TestDraft] = SPECIFIED) -> SpecificationVersion:
    author = factories.person(Role.QC_SUPERVISOR)
    made = specifications.create(
        code="SPEC-X", title="Drug substance", use=SpecificationUse.RELEASE,
        product=factories.product(), actor=author, at=NOON,
    )  # fmt: skip
    return specifications.draft(
        made, tests=tests, actor=author, at=NOON, reason="first limits of the product"
    )


@pytest.mark.requirement("211-160/165/166/198")
def test_a_version_is_effective_when_a_second_person_signs_it() -> None:
    draft = _draft()
    approver = factories.person(Role.QUALITY_ASSURANCE)

    version = specifications.approve(draft, confirmed=factories.confirmed(approver))

    assert (version.state, version.approver) == (SpecificationState.EFFECTIVE, approver)
    (signature,) = signing.of(version)
    assert signing.is_current(signature, version)


def test_its_author_does_not_approve_it(database_refuses: Refuses) -> None:
    author = factories.person(Role.QC_SUPERVISOR, Role.QUALITY_ASSURANCE)
    made = specifications.create(
        code="S", title="T", use=SpecificationUse.RELEASE, product=factories.product(),
        actor=author, at=NOON,
    )  # fmt: skip
    draft = specifications.draft(
        made, tests=SPECIFIED, actor=author, at=NOON, reason="first limits of the product"
    )

    with pytest.raises(specifications.AuthorIsApprover):
        specifications.approve(draft, confirmed=factories.confirmed(author))

    database_refuses(
        "UPDATE laboratory_specificationversion SET state = 'effective', approver_id = author_id, "
        "effective_at = now() WHERE id = %s",
        draft.pk,
        saying="specification_approved_by_another",
    )


def test_an_analyst_does_not_write_one() -> None:
    with pytest.raises(NotPermitted):
        specifications.create(
            code="S", title="T", use=SpecificationUse.RELEASE, product=factories.product(),
            actor=factories.person(Role.QC_ANALYST), at=NOON,
        )  # fmt: skip


@pytest.mark.requirement("211-160/165/166/198")
def test_a_batch_keeps_the_version_that_was_effective_when_it_was_issued() -> None:
    recipe = factories.recipe()
    first = factories.specification(recipe.product)
    batch = factories.running_batch(recipe)
    tighter = [replace(SPECIFIED[0], low=Decimal("3.00"), alert_low=None)]
    second = factories.specification(recipe.product, tighter, at=NOON + timedelta(days=1))
    later = factories.running_batch(recipe, at=NOON + timedelta(days=2))

    assert governing.version_of(batch) == first
    assert governing.version_of(later) == second
    first.refresh_from_db()
    assert first.state == SpecificationState.SUPERSEDED
    sample = factories.sample(batch, at=NOON + timedelta(days=2))
    found = factories.result(sample, value="2.80", at=NOON + timedelta(days=2))
    assert found.judgement == "conforms"
    sample = factories.sample(later, at=NOON + timedelta(days=2))
    assert factories.result(sample, value="2.80", at=NOON + timedelta(days=2)).judgement == "oos"


def test_a_test_for_one_point_comes_before_the_one_for_all() -> None:
    harvest = replace(SPECIFIED[0], point="Harvest", low=Decimal("3.00"), alert_low=None)
    batch = factories.specified_batch([SPECIFIED[0], harvest])
    sample = factories.sample(batch)

    found = governing.test_for(sample, "mab_g_l")
    sample.point = "Harvest"
    of_harvest = governing.test_for(sample, "mab_g_l")

    assert found is not None
    assert found.low == Decimal("2.50")
    assert of_harvest is not None
    assert of_harvest.low == Decimal("3.00")


@pytest.mark.parametrize(
    "wrong",
    [
        {"unit": ""}, {"low": Decimal(4)}, {"decimals": 7}, {"replicates": 0},
        {"low": Decimal("2.555")}, {"kind": TestKind.TEXT}, {"method_version": ""},
        {"conforming_text": "clear"},
    ],
)  # fmt: skip
def test_a_test_that_cannot_be_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(specifications.SpecificationInvalid):
        _draft([replace(SPECIFIED[0], **wrong)])  # type: ignore[arg-type]


def test_a_product_has_one_specification_for_a_use() -> None:
    draft = _draft()

    with pytest.raises(specifications.SpecificationKnown):
        specifications.create(
            code="ANOTHER", title="T", use=SpecificationUse.RELEASE,
            product=draft.specification.product, actor=factories.person(Role.QC_SUPERVISOR),
            at=NOON,
        )  # fmt: skip
    assert Specification.objects.count() == 1


@pytest.mark.requirement("211-160/165/166/198")
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE laboratory_specificationtest SET low = 0 WHERE version_id = %s",
        "UPDATE laboratory_planpoint SET samples = 1 WHERE version_id = %s",
        "INSERT INTO laboratory_planpoint (version_id, point, samples, amount, storage, "
        "instruction) VALUES (%s, 'x', 1, 'x', '', '')",
    ],
)
def test_the_database_locks_an_effective_version(statement: str, database_refuses: Refuses) -> None:
    plan = [specifications.PointDraft("Harvest", 2, "3 x 10 mL")]
    version = factories.specification(factories.product(), plan=plan)

    database_refuses(statement, version.pk, saying="only drafts change")


@pytest.mark.parametrize("change", ["reason = 'x'", "state = 'draft'", "effective_at = now()"])
def test_the_database_keeps_what_is_effective_as_it_is(
    change: str, database_refuses: Refuses
) -> None:
    version = factories.specification(factories.product())

    database_refuses(
        f"UPDATE laboratory_specificationversion SET {change} WHERE id = %s",
        version.pk,
        saying="does not change|specification_effective_only_approved",
    )


def test_an_approved_version_is_not_approved_again() -> None:
    version = factories.specification(factories.product())

    with pytest.raises(states.SpecificationStateForbids):
        specifications.approve(
            version, confirmed=factories.confirmed(factories.person(Role.QUALITY_ASSURANCE))
        )


def test_a_test_is_skipped_only_where_the_specification_allows_it() -> None:
    batch = factories.specified_batch([SPECIFIED[0], replace(SPECIFIED[1], may_be_skipped=True)])
    version = governing.version_of(batch)
    assert version is not None
    quality = factories.person(Role.QUALITY_ASSURANCE)

    with pytest.raises(test_decisions.DecisionNotPossible):
        test_decisions.decide(
            batch, test=version.tests.get(tag="mab_g_l"), kind=TestDecisionKind.SKIP,
            confirmed=factories.confirmed(quality), reason="reduced testing",
        )  # fmt: skip
    made = test_decisions.decide(
        batch, test=version.tests.get(tag="appearance"), kind=TestDecisionKind.SKIP,
        confirmed=factories.confirmed(quality), reason="reduced testing of the third batch",
    )  # fmt: skip
    assert signing.of(made)
