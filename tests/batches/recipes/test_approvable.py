"""A version is approved only while the change and the specifications that it names are in force."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import DatabaseError, transaction

from batches.laboratory import specifications
from batches.laboratory.models import SpecificationUse
from batches.recipes import approvable, master_recipes, versions
from batches.recipes.actions import Action
from batches.recipes.approvable import SpecificationNotEffective
from batches.recipes.drafts import MaterialDraft
from batches.recipes.master_recipes import RecipeInvalid
from batches.recipes.models import MasterRecipe, MaterialKind, RecipeState
from compliance.access.duties import Role
from compliance.quality import changes
from compliance.quality.changes import ChangeNotApproved
from compliance.trail import recording
from tests import factories
from tests.factories import NOON, RECIPE, TEST, confirmed

pytestmark = pytest.mark.django_db


def _reviewed(draft: MasterRecipe) -> MasterRecipe:
    versions.submit(draft, confirmed=confirmed(draft.author))
    reviewer = factories.person(Role.PROCESS_ENGINEER)
    return versions.review(draft, confirmed=confirmed(reviewer))


def _approve(recipe: MasterRecipe) -> MasterRecipe:
    return versions.approve(recipe, confirmed=confirmed(factories.person(Role.QUALITY_ASSURANCE)))


def _second(change_number: str) -> MasterRecipe:
    """Return a second version that is reviewed and names a change."""
    draft = master_recipes.copy(
        factories.recipe(), change_number=change_number, change_summary="a tighter range",
        actor=factories.person(Role.PROCESS_ENGINEER), at=NOON,
    )  # fmt: skip
    return _reviewed(draft)


def _refused_by_the_database(recipe: MasterRecipe, words: str) -> None:
    """Try to approve it by raw SQL's way, past the domain function."""
    checker = factories.person(Role.QUALITY_ASSURANCE)
    with pytest.raises(DatabaseError, match=words) as refused, transaction.atomic():
        with recording.recording(
            Action.RECIPE_APPROVED, actor=TEST, at=NOON, reason="an attempt to go around the rules"
        ):
            MasterRecipe.objects.filter(pk=recipe.pk).update(
                state=RecipeState.APPROVED, checker=checker, approved_at=NOON,
                effective_on=NOON.date(),
            )  # fmt: skip
    assert refused.value.__cause__.sqlstate == "GM002"  # type: ignore[union-attr]


@pytest.mark.requirement("211-186", "Q10")
@pytest.mark.parametrize(
    "number",
    [
        lambda: "CC-1999-0001",
        lambda: factories.change().number,
        lambda: factories.assessed_change().number,
    ],
    ids=["unknown", "requested", "assessed"],
)
def test_a_later_version_waits_for_the_approval_of_its_change(number: Callable[[], str]) -> None:
    recipe = _second(number())

    with pytest.raises(ChangeNotApproved, match="no approved change"):
        _approve(recipe)

    recipe.refresh_from_db()
    assert recipe.state == RecipeState.IN_REVIEW
    assert [one.code for one in approvable.of_open(recipe)] == ["change-not-approved"]
    _refused_by_the_database(recipe, "is no approved change")


def test_a_later_version_takes_effect_once_its_change_is_approved() -> None:
    change = factories.assessed_change()
    recipe = _second(change.number)
    changes.approve(
        change, function="quality", confirmed=confirmed(factories.person(Role.QUALITY_ASSURANCE))
    )

    assert _approve(recipe).state == RecipeState.EFFECTIVE
    assert approvable.of_open(MasterRecipe.objects.get(pk=recipe.pk)) == []


def test_a_first_version_goes_without_a_change_but_not_with_one_that_is_not_approved() -> None:
    without = _reviewed(factories.recipe_draft())
    with_one = _reviewed(
        factories.recipe_draft(replace(RECIPE, change_number=factories.change().number))
    )

    assert without.change_number == ""
    assert _approve(without).state == RecipeState.EFFECTIVE
    with pytest.raises(ChangeNotApproved):
        _approve(with_one)
    _refused_by_the_database(with_one, "is no approved change")


def _of_another_product() -> tuple[str, str]:
    return factories.specification(factories.product()).specification.code, "1"


@pytest.mark.requirement("211-186", "211-160/165/166/198")
@pytest.mark.parametrize(
    ("named", "why"),
    [
        (lambda: ("SPEC-NOWHERE", "1"), "there is no specification SPEC-NOWHERE"),
        (_of_another_product, "is not of PRODUCT"),
    ],
    ids=["unknown", "of another product"],
)
def test_a_version_relies_on_no_specification_but_one_of_its_product(
    named: Callable[[], tuple[str, str]], why: str
) -> None:
    code, version = named()
    content = replace(RECIPE, specification=code, specification_version=version)
    draft = master_recipes.draft(
        factories.product(), content=factories.complete(content), at=NOON,
        actor=factories.person(Role.PROCESS_ENGINEER),
    )  # fmt: skip
    recipe = _reviewed(draft)

    with pytest.raises(SpecificationNotEffective, match=why):
        _approve(recipe)
    _refused_by_the_database(recipe, "is no effective specification of its product")


def test_the_specification_of_the_header_is_the_one_for_release() -> None:
    product = factories.product()
    shelf = factories.specification(product, use=SpecificationUse.STABILITY)
    content = replace(RECIPE, specification=shelf.specification.code, specification_version="1")
    recipe = _reviewed(factories.recipe_draft(content, of=product))

    with pytest.raises(SpecificationNotEffective, match="is for shelf life, not for release"):
        _approve(recipe)
    _refused_by_the_database(recipe, "is no effective specification of its product")


def test_a_version_names_the_effective_version_of_a_specification_not_one_before_or_after() -> None:
    product = factories.product()
    first = factories.specification(product)
    recipe = _reviewed(factories.recipe_draft(of=product))
    later = specifications.draft(
        first.specification, tests=factories.SPECIFIED, at=NOON, reason="tighter limits",
        actor=first.author,
    )  # fmt: skip
    named = replace(
        RECIPE, specification=first.specification.code, specification_version=str(later.version)
    )
    ahead = _reviewed(factories.recipe_draft(named, of=product))

    with pytest.raises(SpecificationNotEffective):
        _approve(ahead)
    specifications.approve(
        later,
        confirmed=confirmed(
            factories.person(Role.QUALITY_ASSURANCE), at=NOON + timedelta(minutes=1)
        ),
    )
    with pytest.raises(SpecificationNotEffective, match="v1 is superseded, not effective"):
        _approve(recipe)
    _refused_by_the_database(recipe, "is no effective specification of its product")


def test_a_sampling_point_is_held_to_the_same() -> None:
    draft = factories.recipe_draft()
    (point,) = master_recipes.present(draft).sampling
    content = master_recipes.present(draft, sampling=[replace(point, specification_version="7")])
    recipe = _reviewed(
        master_recipes.revise(
            draft, content=content, actor=draft.author, at=NOON, reason="another version of it"
        )
    )

    with pytest.raises(
        SpecificationNotEffective, match=f"sampling {point.name}: .* no version “7”"
    ):
        _approve(recipe)
    _refused_by_the_database(recipe, "is no effective specification of its product")


def _material_line(unit: str) -> MaterialDraft:
    glucose = factories.material(unit="kg")
    return MaterialDraft(
        line=1, phase="Bioreactor/Growth", material=glucose.code, kind=MaterialKind.ACTIVE,
        quantity=Decimal(2000), unit=unit, amount_per_dosage_unit="50 mg",
    )  # fmt: skip


@pytest.mark.requirement("211-186")
def test_a_line_of_the_bill_of_materials_is_in_a_unit_of_what_its_material_is_counted_in() -> None:
    grams = factories.recipe_draft(replace(RECIPE, materials=[_material_line("g")]))

    assert grams.materials.get().unit == "g"
    for unit, why in (("L", "L measures volume, kg mass"), ("spoon", "no approved unit"), ("", "")):
        content = replace(RECIPE, materials=[_material_line(unit)])
        with pytest.raises(RecipeInvalid, match=f"is counted in kg, the line is in .*{why}"):
            factories.recipe_draft(content)
        with pytest.raises(RecipeInvalid, match="is counted in kg"):
            master_recipes.revise(
                grams, content=replace(master_recipes.present(grams), materials=content.materials),
                actor=grams.author, at=NOON, reason="another unit",
            )  # fmt: skip
