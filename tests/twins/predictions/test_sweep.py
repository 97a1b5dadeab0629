"""The sweep finds for all batches at once what it would find for each, in a handful of queries."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from batches.recipes.models import MasterRecipe
from tests.twins.predictions.conftest import Culture, moment
from twins.predictions import claims, cultures, moments, twin_settings


def found() -> dict[str, object]:
    return {batch.number: missing for batch, missing in moments.missing_of_all(at_most=3)}


def test_it_finds_what_is_missing_of_each_batch(culture: Culture) -> None:
    first, second = culture(until_h=13.0), culture(until_h=30.0)
    claims.claim(second, as_of=moment(12), at=moment(31))

    missing = found()

    assert missing[first.number] == [moment(6), moment(12)]
    assert missing[second.number] == [moment(6), moment(18), moment(24)]
    for batch in (first, second):
        assert missing[batch.number] == moments.missing(batch, at_most=3)


def test_more_batches_cost_no_more_queries(culture: Culture) -> None:
    def asked() -> int:
        with CaptureQueriesContext(connection) as queries:
            found()
        return len(queries)

    culture(until_h=7.0)
    one = asked()
    for _ in range(4):
        culture(until_h=7.0)

    assert asked() == one


def test_a_recipe_that_says_nothing_readable_stops_no_other(
    culture: Culture, recipe: MasterRecipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = culture(until_h=7.0)
    monkeypatch.setattr(cultures, "_KNOWN", set())

    (said,) = found().values()

    assert isinstance(said, twin_settings.TwinSettingsInvalid)
    assert batch.recipe == recipe
