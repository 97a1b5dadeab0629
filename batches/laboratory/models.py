"""Samples and results. A result is never overwritten; a correction is a new version.

`source` is the system that sent it; it is empty when a person entered it.
"""

from typing import Self

from django.db import models
from django.db.models import Exists, OuterRef, Q

from batches.execution.models import Batch
from compliance.access.models import Device
from compliance.trail.capture import controlled


@controlled()
class Sample(models.Model):
    """One sample taken of a batch."""

    batch = models.ForeignKey(Batch, models.PROTECT, related_name="samples")
    number = models.CharField(max_length=80)
    point = models.CharField(max_length=100, blank=True)
    taken_at = models.DateTimeField()
    taken_by = models.CharField(max_length=100, blank=True)
    source = models.ForeignKey(Device, models.PROTECT, related_name="+", null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["batch", "number"], name="sample_number_unique")
        ]

    def __str__(self) -> str:
        return f"{self.batch} {self.number}"


class ResultQuerySet(models.QuerySet["Result"]):
    def current(self) -> Self:
        """Keep the newest version of each test of each sample."""
        newer = Result.objects.filter(
            sample=OuterRef("sample"), tag=OuterRef("tag"), version__gt=OuterRef("version")
        )
        return self.filter(~Exists(newer))


@controlled(append_only=True)
class Result(models.Model):
    """One reported value of one test of one sample, in the version the laboratory sent."""

    sample = models.ForeignKey(Sample, models.PROTECT, related_name="results")
    tag = models.CharField(max_length=60)
    version = models.PositiveIntegerField(default=1)
    value_text = models.CharField(max_length=40, help_text="As reported: trailing zeros are data.")
    value = models.DecimalField(max_digits=24, decimal_places=9)
    unit = models.CharField(max_length=30)
    analyst = models.CharField(max_length=100, blank=True)
    reported_at = models.DateTimeField()
    recorded_at = models.DateTimeField()
    reason = models.TextField(blank=True, help_text="Why a later version replaces an earlier one.")
    source = models.ForeignKey(Device, models.PROTECT, related_name="+", null=True, blank=True)
    message_id = models.CharField(max_length=120)

    objects = ResultQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["source", "message_id"], name="result_message_once"),
            models.UniqueConstraint(
                fields=["sample", "tag", "version"], name="result_version_once"
            ),
            models.CheckConstraint(
                name="result_correction_has_reason", condition=Q(version=1) | ~Q(reason="")
            ),
        ]

    def __str__(self) -> str:
        return f"{self.sample} {self.tag} v{self.version}"
