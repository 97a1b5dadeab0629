"""Say which records of the laboratory belong to a batch."""

from typing import Any

from django.db import models

from batches.execution import belongings
from batches.execution.models import Batch
from batches.laboratory.models import Result


@belongings.register("samples")
def _samples(batch: Batch) -> "models.QuerySet[Any]":
    return batch.samples.all()


@belongings.register("results")
def _results(batch: Batch) -> "models.QuerySet[Any]":
    return Result.objects.filter(sample__batch=batch)
