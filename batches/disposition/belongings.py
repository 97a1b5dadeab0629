"""Say which records of the disposition belong to a batch: no signature under it covers them."""

from typing import Any

from django.db import models

from batches.disposition.models import BatchReview, Certificate, Decision, Shipment
from batches.execution import belongings
from batches.execution.models import Batch
from compliance.quality.models import DeviationNote


@belongings.register("deviation-notes", is_signed=False)
def _notes(batch: Batch) -> "models.QuerySet[Any]":
    return DeviationNote.objects.filter(deviation__in=batch.deviations.all())


@belongings.register("reviews", is_signed=False)
def _reviews(batch: Batch) -> "models.QuerySet[Any]":
    return BatchReview.objects.filter(batch=batch)


@belongings.register("decisions", is_signed=False)
def _decisions(batch: Batch) -> "models.QuerySet[Any]":
    return Decision.objects.filter(batch=batch)


@belongings.register("certificates", is_signed=False)
def _certificates(batch: Batch) -> "models.QuerySet[Any]":
    return Certificate.objects.filter(batch=batch)


@belongings.register("shipments", is_signed=False)
def _shipments(batch: Batch) -> "models.QuerySet[Any]":
    return Shipment.objects.filter(batch=batch)
