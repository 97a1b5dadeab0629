"""Say which records of the disposition belong to a batch: no signature under it covers them."""

from typing import Any

from django.db import models

from batches.disposition.models import BatchReview, Certificate, Decision, Shipment
from batches.execution import belongings
from batches.execution.models import Batch
from compliance.quality import belonging
from compliance.quality.models import Deviation


def _of_deviations(number: int) -> belongings.Rows:
    return lambda batch: belonging.of_deviations(batch.deviations.all())[number]


# Parts of a deviation change its row when they matter; they are evidence, not signed again here.
for _number, _rows in enumerate(belonging.of_deviations(Deviation.objects.none())):
    _name = f"{str(_rows.model._meta.verbose_name_plural).replace(' ', '-')}-of-deviations"
    belongings.register(_name, is_signed=False)(_of_deviations(_number))


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
