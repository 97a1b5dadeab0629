"""The schedule lets approved versions take effect."""

from datetime import timedelta

import pytest
from django.utils import timezone

from batches.recipes import tasks, versions
from batches.recipes.models import RecipeState
from compliance.access.duties import Role
from config.jobs import JOBS
from tests import factories

pytestmark = pytest.mark.django_db


def test_the_job_makes_due_versions_effective_and_is_scheduled() -> None:
    yesterday = timezone.now() - timedelta(days=1)
    recipe = factories.recipe_draft(at=yesterday)
    versions.submit(recipe, confirmed=factories.confirmed(recipe.author, at=yesterday))
    reviewer = factories.person(Role.PROCESS_ENGINEER, at=yesterday)
    versions.review(recipe, confirmed=factories.confirmed(reviewer, at=yesterday))
    checker = factories.person(Role.QUALITY_ASSURANCE, at=yesterday)
    versions.approve(
        recipe, confirmed=factories.confirmed(checker, at=yesterday),
        effective_on=timezone.now().date(),
    )  # fmt: skip

    assert tasks.take_due_effects(unknown="later callers may say more") == 1
    assert tasks.take_due_effects() == 0

    recipe.refresh_from_db()
    assert recipe.state == RecipeState.EFFECTIVE
    assert tasks.take_due_effects.name in {job.task for job in JOBS}
