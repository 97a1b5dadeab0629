"""A version is written, reviewed and checked by three people, and followed from its day on."""

from dataclasses import replace
from datetime import timedelta

import pytest

from batches.recipes import completeness, master_recipes, versions
from batches.recipes.drafts import PhaseDraft
from batches.recipes.models import MasterRecipe, RecipeState
from batches.recipes.versions import (
    AuthorIsChecker,
    AuthorIsReviewer,
    EffectiveDayInvalid,
    EffectNotDue,
    RecipeIncomplete,
    RecipeNotReviewed,
    RecipeOutdated,
    RecipeReviewed,
    ReviewerIsChecker,
)
from compliance.access import people, procedures
from compliance.access.duties import Role
from compliance.access.models import User
from compliance.signatures import signing
from compliance.signatures.models import Meaning
from tests import factories
from tests.factories import NOON, RECIPE, confirmed

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)
REASON = "found while testing the versions"


def _engineer() -> User:
    return factories.person(Role.PROCESS_ENGINEER)


def _quality() -> User:
    return factories.person(Role.QUALITY_ASSURANCE)


def _reviewed(draft: MasterRecipe) -> MasterRecipe:
    versions.submit(draft, confirmed=confirmed(draft.author))
    return versions.review(draft, confirmed=confirmed(_engineer()))


@pytest.mark.requirement("211-186")
def test_a_version_carries_the_signatures_of_author_reviewer_and_checker() -> None:
    recipe = factories.made_effective(factories.recipe_draft())

    signatures = signing.of(recipe)

    assert [one.meaning for one in signatures] == [
        Meaning.AUTHORED, Meaning.REVIEWED, Meaning.APPROVED,
    ]  # fmt: skip
    assert [one.signer_id for one in signatures] == [
        recipe.author_id, recipe.reviewer_id, recipe.checker_id,
    ]  # fmt: skip
    assert len({one.signer_id for one in signatures}) == 3
    assert all(signing.is_current(one, recipe) for one in signatures)


@pytest.mark.requirement("211-186")
def test_nobody_answers_for_a_version_twice() -> None:
    recipe = factories.recipe_draft()
    both = {Role.PROCESS_ENGINEER, Role.QUALITY_ASSURANCE}
    author, reviewer = recipe.author, factories.person(*both)
    people.grant(author, role=Role.QUALITY_ASSURANCE, actor=factories.TEST, at=NOON, reason=REASON)
    author = User.objects.get(pk=author.pk)
    versions.submit(recipe, confirmed=confirmed(author))

    with pytest.raises(AuthorIsReviewer):
        versions.review(recipe, confirmed=confirmed(author))
    with pytest.raises(RecipeNotReviewed):
        versions.approve(recipe, confirmed=confirmed(reviewer))
    versions.review(recipe, confirmed=confirmed(reviewer))
    with pytest.raises(RecipeReviewed):
        versions.review(recipe, confirmed=confirmed(_engineer()))
    with pytest.raises(AuthorIsChecker):
        versions.approve(recipe, confirmed=confirmed(author))
    with pytest.raises(ReviewerIsChecker):
        versions.approve(recipe, confirmed=confirmed(reviewer))


def test_a_returned_version_is_revised_and_reviewed_anew() -> None:
    recipe = _reviewed(factories.recipe_draft())

    returned = versions.return_(recipe, actor=_quality(), at=NOON, reason=REASON)
    assert (returned.state, returned.reviewer) == (RecipeState.DRAFT, None)
    master_recipes.revise(
        returned, content=master_recipes.present(returned, storage="-20 Cel"),
        actor=returned.author, at=NOON, reason=REASON,
    )  # fmt: skip
    stored = MasterRecipe.objects.get(pk=recipe.pk)

    assert [signing.is_current(one, stored) for one in signing.of(stored)] == [False, False]
    versions.submit(stored, confirmed=confirmed(stored.author))
    with pytest.raises(RecipeNotReviewed):
        versions.approve(stored, confirmed=confirmed(_quality()))


def test_an_approved_version_takes_effect_on_its_day_by_the_schedule() -> None:
    first = factories.recipe()
    second = _reviewed(factories.recipe_draft(of=first.product))
    later = (NOON + 3 * DAY).date()
    versions.approve(second, confirmed=confirmed(_quality()), effective_on=later)

    assert versions.take_due_effects(at=NOON + 2 * DAY) == []
    factories.batch(MasterRecipe.objects.get(pk=first.pk))
    with pytest.raises(EffectNotDue):
        versions.take_effect(second, actor=_quality(), at=NOON + 2 * DAY)
    assert versions.take_due_effects(at=NOON + 3 * DAY) == [second]
    assert versions.take_due_effects(at=NOON + 3 * DAY) == []

    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.state, first.ended_at) == (RecipeState.SUPERSEDED, NOON + 3 * DAY)
    assert (second.state, second.effective_at) == (RecipeState.EFFECTIVE, NOON + 3 * DAY)


def test_of_two_versions_that_are_due_together_the_later_one_is_followed() -> None:
    first = factories.recipe()
    drafts = [factories.recipe_draft(of=first.product) for _ in range(2)]
    for draft in drafts:
        versions.approve(
            _reviewed(draft), confirmed=confirmed(_quality()), effective_on=(NOON + DAY).date()
        )

    versions.take_due_effects(at=NOON + DAY)

    states = first.product.recipes.order_by("version").values_list("state", flat=True)
    assert list(states) == [RecipeState.SUPERSEDED, RecipeState.SUPERSEDED, RecipeState.EFFECTIVE]


def test_an_older_version_never_follows_a_later_one() -> None:
    old = _reviewed(factories.recipe_draft())
    factories.made_effective(factories.recipe_draft(of=old.product))

    with pytest.raises(RecipeOutdated):
        versions.approve(old, confirmed=confirmed(_quality()))


def test_nothing_takes_effect_backwards() -> None:
    recipe = _reviewed(factories.recipe_draft())

    with pytest.raises(EffectiveDayInvalid):
        versions.approve(recipe, confirmed=confirmed(_quality()), effective_on=(NOON - DAY).date())


def test_a_withdrawn_version_issues_no_batch() -> None:
    recipe = factories.recipe()

    versions.withdraw(recipe, confirmed=confirmed(_quality()), reason=REASON)

    recipe.refresh_from_db()
    assert recipe.state == RecipeState.WITHDRAWN
    with pytest.raises(Exception, match="withdrawn"):
        factories.batch(recipe)


@pytest.mark.requirement("211-186", "CH4-20")
def test_a_draft_that_lacks_what_a_master_record_needs_is_not_submitted() -> None:
    author = _engineer()
    product = factories.product()
    recipe = master_recipes.draft(product, content=RECIPE, actor=author, at=NOON)

    with pytest.raises(RecipeIncomplete) as refused:
        versions.submit(recipe, confirmed=confirmed(author))

    codes = {one["code"] for one in refused.value.errors}
    assert {"no-active", "no-instruction", "no-yields", "no-sampling", "no-labels"} <= codes
    recipe.refresh_from_db()
    assert recipe.state == RecipeState.DRAFT
    assert signing.of(recipe) == []


_ITEMS = {
    "dosage_unit": "no-dosage-unit",
    "batch_size": "no-batch-size",
    "batch_size_unit": "no-batch-size-unit",
    "specification": "no-specification",
    "specification_version": "no-specification-version",
    "storage": "no-storage",
    "precautions": "no-precautions",
    "yields": "no-yields",
    "sampling": "no-sampling",
    "parameters": "no-parameters",
    "equipment": "no-equipment",
    "labels": "no-labels",
    "product_name": "no-product-name",
    "strength": "no-strength",
    "dosage_form": "no-dosage-form",
    "shelf_life_months": "no-shelf-life-months",
}


@pytest.mark.requirement("211-186", "CH4-20")
@pytest.mark.parametrize("item", _ITEMS)
def test_each_item_that_is_left_out_is_named_with_its_clause(item: str) -> None:
    content = dict(master_recipes.content(factories.recipe_draft()))
    assert completeness.lacking(content) == []

    content[item] = [] if isinstance(content[item], list) else ""
    (lack,) = completeness.lacking(content)

    assert lack.code == _ITEMS[item]
    assert lack.clause


@pytest.mark.requirement("211-186")
@pytest.mark.parametrize(
    ("kind", "field", "value", "code"),
    [
        ("phases", "instruction", "", "no-instruction"),
        ("materials", "amount_per_dosage_unit", "", "no-amount-per-unit"),
        ("sampling", "specification", "", "no-tests"),
        ("parameters", "low", None, "no-limits"),
    ],
)
def test_each_line_says_what_it_must(kind: str, field: str, value: object, code: str) -> None:
    content = dict(master_recipes.content(factories.recipe_draft()))
    lines = [{**line, "tests": [], "high": None} for line in content[kind]]
    content[kind] = [{**lines[0], field: value}]
    if kind == "materials":
        content[kind] += lines[1:]

    assert [one.code for one in completeness.lacking(content)] == [code]


@pytest.mark.requirement("211-22d")
def test_a_phase_names_the_procedure_that_it_is_done_by_in_its_effective_version() -> None:
    recipe = factories.recipe_draft()
    procedure = factories.procedure(at=NOON)
    phases = [
        replace(phase, procedure=procedure.code)
        for phase in master_recipes.present(recipe).whole_phases
    ]
    without = procedures.create(
        code="SOP-WITHOUT", title="Not written yet", actor=_quality(), at=NOON
    )
    author = recipe.author

    def submit(wanted: list[PhaseDraft]) -> MasterRecipe:
        content = master_recipes.present(recipe, phases=wanted)
        master_recipes.revise(recipe, content=content, actor=author, at=NOON, reason=REASON)
        return versions.submit(recipe, confirmed=confirmed(author))

    with pytest.raises(RecipeIncomplete, match="SOP-WITHOUT"):
        submit([replace(phases[0], procedure=without.code), *phases[1:]])
    submitted = submit(phases)

    assert {line["procedure"] for line in master_recipes.content(submitted)["phases"]} == {
        procedure.code
    }


def test_phases_of_a_parallel_group_are_neighbours() -> None:
    content = dict(master_recipes.content(factories.recipe_draft()))
    content["phases"] = [
        {**line, "parallel_group": group}
        for line, group in zip(content["phases"], ["a", "", "a"], strict=True)
    ]

    assert [one.code for one in completeness.lacking(content)] == ["parallel-group-apart"]


@pytest.mark.requirement("P11-k1")
@pytest.mark.parametrize("missing", ["change_number", "change_summary"])
def test_a_new_version_names_the_change_that_asks_for_it(missing: str) -> None:
    first = factories.recipe()
    content = replace(factories.complete(RECIPE), **{missing: ""})  # type: ignore[arg-type]
    author = _engineer()
    second = master_recipes.draft(first.product, content=content, actor=author, at=NOON)

    with pytest.raises(RecipeIncomplete, match=r"lacks: .*change"):
        versions.submit(second, confirmed=confirmed(author))
