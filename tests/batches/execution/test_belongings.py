"""Everything that is recorded about a batch belongs to its record: nothing is forgotten."""

import pytest
from django.apps import apps
from django.db import models

from batches.execution import belongings
from batches.execution.models import Batch
from compliance.trail import capture


def test_every_controlled_table_with_a_batch_is_a_part_of_its_record() -> None:
    known = {part.rows(Batch(pk=0)).model for part in belongings.parts()}
    forgotten = [
        model._meta.label
        for model in apps.get_models(include_auto_created=True)
        if model._meta.app_config.name.startswith("batches.")
        and capture.control_of(model) is not None
        and any(
            isinstance(field, models.ForeignKey) and field.related_model is Batch
            for field in model._meta.local_fields
        )
        and model not in known
    ]

    assert forgotten == []


def test_what_is_asked_once_for_any_batch_is_what_is_asked_for_each() -> None:
    batches = Batch(pk=4711), Batch(pk=4712)
    for part in belongings.parts():
        for one in batches:
            rows = part.rows(one)
            text, values = rows.order_by().values("pk").query.sql_with_params()
            assert part.question.of(one) == (text, list(values)), part.name
            assert part.question.model is rows.model


@pytest.mark.django_db
def test_a_part_asks_for_the_key_of_its_batch_and_for_nothing_else() -> None:
    by_number = belongings.Part("x", lambda one: Batch.objects.filter(number=one.number), True)
    of_all = belongings.Part("x", lambda _: Batch.objects.all(), True)

    with pytest.raises(Batch.DoesNotExist):
        _ = by_number.question
    with pytest.raises(ValueError, match="does not ask for the batch"):
        _ = of_all.question


def test_a_batch_that_is_not_stored_is_refused_and_is_not_one_without_records() -> None:
    with pytest.raises(ValueError, match="not stored"):
        belongings.digests(Batch())
    with pytest.raises(ValueError, match="not stored"):
        belongings.keys(Batch())
