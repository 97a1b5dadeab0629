"""Samples of batches with their chain of custody.

`source` is the system that sent a record; it is empty when a person entered it.
"""

from django.db import models
from django.db.models import Q

from batches.execution.models import Batch
from compliance.access.models import Device
from compliance.trail.capture import controlled


class SampleState(models.TextChoices):
    TAKEN = "taken", "Taken"
    RECEIVED = "received", "Received"
    DISPOSED = "disposed", "Disposed of"
    CANCELLED = "cancelled", "Cancelled"


@controlled(guards=("keep_sample",))
class Sample(models.Model):
    """One sample taken of a batch, or an aliquot of one."""

    batch = models.ForeignKey(Batch, models.PROTECT, related_name="samples")
    number = models.CharField(max_length=80)
    point = models.CharField(max_length=100, blank=True)
    taken_at = models.DateTimeField()
    taken_by = models.CharField(max_length=100, blank=True)
    registered_at = models.DateTimeField(
        null=True, blank=True, help_text="When a person entered it; empty for what a system sent."
    )
    source = models.ForeignKey(Device, models.PROTECT, related_name="+", null=True, blank=True)
    parent = models.ForeignKey(
        "self", models.PROTECT, related_name="aliquots", null=True, blank=True
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["batch", "number"], name="sample_number_unique")
        ]

    def __str__(self) -> str:
        return f"{self.batch} {self.number}"


@controlled(guards=("follow_states",))
class SampleCustody(models.Model):
    """Where a sample is now and in which state; a sample without one was taken, no more.

    It is beside the sample, because a signature under a batch covers the sample as it was taken.
    """

    sample = models.OneToOneField(Sample, models.PROTECT, related_name="standing")
    state = models.CharField(max_length=10, choices=SampleState.choices)
    location = models.CharField(max_length=100, blank=True, help_text="Where it is kept now.")

    class Meta:
        verbose_name_plural = "sample custodies"
        constraints = [
            models.CheckConstraint(
                name="sample_state_known", condition=Q(state__in=SampleState.values)
            )
        ]

    def __str__(self) -> str:
        return f"custody of {self.sample}"


class CustodyKind(models.TextChoices):
    RECEIVED = "received", "Received"
    STORED = "stored", "Stored"
    SPLIT = "split", "Split"
    DISPOSED = "disposed", "Disposed of"
    CANCELLED = "cancelled", "Cancelled"


@controlled(append_only=True)
class CustodyEvent(models.Model):
    """One hand-over or move of a sample: what, when, by whom, where to, in which condition."""

    sample = models.ForeignKey(Sample, models.PROTECT, related_name="custody")
    kind = models.CharField(max_length=10, choices=CustodyKind.choices)
    by = models.CharField(max_length=100)
    location = models.CharField(max_length=100, blank=True)
    remark = models.TextField(blank=True)
    happened_at = models.DateTimeField()
    recorded_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="custody_kind_known", condition=Q(kind__in=CustodyKind.values)
            )
        ]

    def __str__(self) -> str:
        return f"{self.sample} {self.kind} ({self.pk})"
