"""The demonstration's recipes are complete master records, led to effect by three people."""

from pathlib import Path

import pytest

from batches.recipes.models import MasterRecipe, RecipeState
from config.demo import cast, master_records
from tests.factories import NOON

pytestmark = pytest.mark.django_db


def test_the_demonstration_has_effective_recipes_by_three_people(tmp_path: Path) -> None:
    cast.assemble(tmp_path, at=NOON)
    cast.assemble(tmp_path, at=NOON)

    recipes = MasterRecipe.objects.select_related("product").order_by("pk")
    assert [one.product.code for one in recipes] == [
        one.code for one in master_records.everything()
    ]
    assert {one.state for one in recipes} == {RecipeState.EFFECTIVE}
    for one in recipes:
        assert len({one.author_id, one.reviewer_id, one.checker_id}) == 3
