"""Drafts are written, copied and revised line by line; the trail keeps what was taken out."""

from dataclasses import replace
from decimal import Decimal

import pytest

from batches.recipes import master_recipes, parts
from batches.recipes.drafts import PhaseDraft, RecipeDraft
from batches.recipes.master_recipes import NotTheAuthor, RecipeInvalid
from batches.recipes.models import MasterRecipe
from compliance.access.authority import NotPermitted
from compliance.access.duties import Role
from compliance.trail.models import Entry
from compliance.trail.recording import ReasonNotMeaningful
from tests import factories
from tests.factories import NOON, RECIPE

pytestmark = pytest.mark.django_db
REASON = "the process engineer's second thought"


def _revise(recipe: MasterRecipe, **changed: object) -> MasterRecipe:
    return master_recipes.revise(
        recipe,
        content=master_recipes.present(recipe, **changed),
        actor=recipe.author,
        at=NOON,
        reason=REASON,
    )


def test_a_recipe_is_written_short_or_whole() -> None:
    author = factories.person(Role.PROCESS_ENGINEER)
    short = RecipeDraft(title="Short", phases=[("Reactor", "Fill")], parameters=[])

    recipe = master_recipes.draft(factories.product(), content=short, actor=author, at=NOON)

    assert master_recipes.present(recipe).phases == [PhaseDraft("Reactor", "Fill")]
    whole = factories.complete(RECIPE)
    assert master_recipes.present(factories.recipe_draft(whole)) == whole_lists(whole)


def whole_lists(content: RecipeDraft) -> RecipeDraft:
    """Return a draft as it is read back: parameters by tag."""
    return replace(content, parameters=sorted(content.parameters, key=lambda one: one.tag))


def test_a_copy_has_the_same_content_under_its_own_version_and_change() -> None:
    first = factories.recipe()
    author = factories.person(Role.PROCESS_ENGINEER)

    second = master_recipes.copy(
        first, change_number="CHG-7", change_summary="a tighter range", actor=author, at=NOON
    )

    assert (second.version, second.based_on, second.author) == (2, first, author)
    before, after = dict(master_recipes.content(first)), dict(master_recipes.content(second))
    own = {"version", "author", "change_number", "change_summary"}
    assert {name for name in before if before[name] != after[name]} == own


def test_a_revision_touches_only_what_differs() -> None:
    recipe = factories.recipe_draft()
    rows = {kind.name: _pks(recipe, kind) for kind in parts.KINDS.values()}
    written = master_recipes.present(recipe)
    changed = [
        replace(one, low=Decimal("36.4")) if one.tag == "temperature_c" else one
        for one in written.parameters
        if one.tag != "ph"
    ]
    added = replace(changed[0], tag="foam")
    before = Entry.objects.count()

    _revise(recipe, parameters=[*changed, added])

    tags = recipe.parameters.order_by("tag").values_list("tag", flat=True)
    assert list(tags) == ["foam", "lactate_mmol_l", "mab_g_l", "temperature_c"]
    assert recipe.parameters.get(tag="temperature_c").low == Decimal("36.4")
    assert {name: _pks(recipe, parts.KINDS[name]) for name in rows if name != "parameters"} == {
        name: pks for name, pks in rows.items() if name != "parameters"
    }
    assert Entry.objects.count() - before == 4  # the three lines, and the recipe itself


def _pks(recipe: MasterRecipe, kind: parts.Kind) -> list[int]:
    return sorted(getattr(recipe, kind.name).values_list("pk", flat=True))


@pytest.mark.requirement("211-186")
def test_a_line_taken_out_of_a_draft_stays_in_the_trail_with_the_reason() -> None:
    recipe = factories.recipe_draft()
    line = recipe.sampling.get()

    _revise(recipe, sampling=[])

    assert not recipe.sampling.exists()
    entry = Entry.objects.filter(record="recipes_samplingpoint", record_id=str(line.pk)).latest(
        "pk"
    )
    assert entry.op == "delete"
    assert entry.reason == REASON


def test_phases_change_places_and_names() -> None:
    recipe = factories.recipe_draft()
    first, second, third = master_recipes.present(recipe).whole_phases

    _revise(
        recipe,
        phases=[second, first, replace(third, name="Cool and harvest")],
        materials=(), yields=(), sampling=(), equipment=(), labels=(),
    )  # fmt: skip

    names = recipe.phases.order_by("order").values_list("order", "name")
    assert list(names) == [(1, "Growth"), (2, "Inoculation"), (3, "Cool and harvest")]


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"phases": ()}, "at least one phase"),
        ({"phases": [("A", "B"), ("A", "B")]}, "phase A/B is there twice"),
        (
            {"parameters": [*RECIPE.parameters, RECIPE.parameters[0]]},
            "temperature_c is there twice",
        ),
        ({"phases": [("A", "B")]}, "names a phase “Bioreactor/Harvest”"),
    ],
)
def test_what_cannot_be_a_recipe_is_refused_by_name(changed: dict[str, object], named: str) -> None:
    recipe = factories.recipe_draft()

    with pytest.raises(RecipeInvalid, match=named):
        _revise(recipe, **changed)


def test_a_material_or_procedure_that_nobody_registered_is_refused() -> None:
    recipe = factories.recipe_draft()
    phases = master_recipes.present(recipe).whole_phases
    line = replace(master_recipes.present(recipe).materials[0], material="NO-SUCH")

    with pytest.raises(RecipeInvalid, match="NO-SUCH"):
        _revise(recipe, materials=[line])
    with pytest.raises(RecipeInvalid, match="SOP-404"):
        _revise(recipe, phases=[replace(phases[0], procedure="SOP-404"), *phases[1:]])


def test_only_its_author_writes_in_a_draft() -> None:
    recipe, other = factories.recipe_draft(), factories.person(Role.PROCESS_ENGINEER)
    content = factories.complete(RECIPE)

    with pytest.raises(NotTheAuthor, match="copy it"):
        master_recipes.revise(recipe, content=content, actor=other, at=NOON, reason=REASON)
    with pytest.raises(ReasonNotMeaningful):
        master_recipes.revise(recipe, content=content, actor=recipe.author, at=NOON, reason="ok")


@pytest.mark.parametrize("role", [Role.OPERATOR, Role.QUALITY_ASSURANCE, Role.AUDITOR])
def test_only_those_with_the_duty_draft_a_recipe(role: Role) -> None:
    with pytest.raises(NotPermitted):
        factories.recipe_draft(author=factories.person(role))


def test_what_is_registered_later_does_not_change_an_effective_version() -> None:
    from batches.recipes import products

    recipe = factories.recipe()
    before = master_recipes.digest(recipe)

    products.revise(
        recipe.product, name="Another name", registered=replace(factories.REGISTERED, strength="9"),
        actor=recipe.author, at=NOON, reason="registered anew by the authority",
    )  # fmt: skip

    assert master_recipes.digest(MasterRecipe.objects.get(pk=recipe.pk)) == before


def test_the_first_form_of_a_recipe_keeps_its_digest() -> None:
    recipe = factories.recipe_draft()
    recipe.content_form = 1

    assert set(master_recipes.content(recipe)) == {
        "product", "version", "title", "author", "twin", "twin_settings", "phases", "parameters",
    }  # fmt: skip
    assert master_recipes.content(recipe)["phases"] == [
        [1, "Bioreactor", "Inoculation"], [2, "Bioreactor", "Growth"], [3, "Bioreactor", "Harvest"],
    ]  # fmt: skip
