"""With real connections: nobody writes into a version while it is being signed."""

import threading
from datetime import UTC, datetime

import pytest
from django.db import connections

from batches.recipes import lines, versions
from batches.recipes.drafts import ParameterDraft
from batches.recipes.models import Criticality, MasterRecipe, ParameterKind, RecipeState
from batches.recipes.parts import KINDS
from batches.recipes.states import RecipeNotDraft
from compliance.signatures import signing
from compliance.trail import recording
from tests import factories
from tests.conftest import FreshLog
from tests.factories import NOON

LINE = ParameterDraft("foam", "Foam", ParameterKind.READING, "cm", Criticality.OTHER)
REASON = "written while somebody submits"


def _in_thread(act: object, results: list[object]) -> threading.Thread:
    def run() -> None:
        try:
            results.append(act())  # type: ignore[operator]
        except Exception as error:  # what the other connection was told
            results.append(error)
        finally:
            connections.close_all()

    return threading.Thread(target=run)


@pytest.mark.requirement("211-22a")
def test_a_line_and_a_signature_at_once_never_leave_a_signed_version_changed(
    fresh_log: FreshLog,
) -> None:
    recipe = factories.recipe_draft()
    signed = factories.confirmed(recipe.author)
    results: list[object] = []
    submitting = _in_thread(lambda: versions.submit(recipe, confirmed=signed), results)

    with recording.recording(
        versions.Action.RECIPE_REVISED, actor=recipe.author, at=NOON, reason=REASON
    ):
        lines.put(
            recipe, kind=KINDS["parameters"], line=LINE, actor=recipe.author, at=NOON, reason=REASON
        )
        submitting.start()
        submitting.join(timeout=0.5)
        assert submitting.is_alive()  # it waits for the line that is being written
    submitting.join(timeout=240)

    stored = MasterRecipe.objects.get(pk=recipe.pk)
    assert stored.state == RecipeState.IN_REVIEW, results
    assert stored.parameters.filter(tag="foam").exists()
    assert all(signing.is_current(one, stored) for one in signing.of(stored))


def test_a_line_that_comes_after_the_signature_is_refused(fresh_log: FreshLog) -> None:
    recipe = factories.recipe_draft()
    signed = factories.confirmed(recipe.author)
    results: list[object] = []
    at = datetime.now(tz=UTC)
    writing = _in_thread(
        lambda: lines.put(
            recipe, kind=KINDS["parameters"], line=LINE, actor=recipe.author, at=at, reason=REASON
        ),
        results,
    )

    with recording.recording(
        versions.Action.RECIPE_SUBMITTED, actor=recipe.author, at=NOON, reason=REASON
    ):
        versions.submit(recipe, confirmed=signed)
        writing.start()
        writing.join(timeout=0.5)
        assert writing.is_alive()
    writing.join(timeout=240)

    assert isinstance(results[0], RecipeNotDraft)
    assert not recipe.parameters.filter(tag="foam").exists()
