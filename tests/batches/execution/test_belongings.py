"""Everything that is recorded about a batch belongs to its record: nothing is forgotten."""

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
