"""Readings of sensors: sealed segments of them (the samples are no ORM model)."""

from django.db import models

from batches.execution.models.batches import Batch
from compliance.access.models import Device
from compliance.trail.capture import controlled


@controlled(append_only=True)
class ReadingSegment(models.Model):
    """One posted set of readings, sealed by its Merkle root: every sample has a proof through it.

    The samples are rows of `execution_reading`, those in conflict with an earlier one of
    `execution_readingconflict` (no ORM models: they go in by COPY).
    """

    batch = models.ForeignKey(Batch, models.PROTECT, related_name="segments")
    source = models.ForeignKey(Device, models.PROTECT, related_name="+")
    message_id = models.CharField(max_length=120)
    count = models.PositiveIntegerField()
    repeated = models.PositiveIntegerField(
        default=0, help_text="Samples of the post that were here already, with the same value."
    )
    conflicting = models.PositiveIntegerField(
        default=0, help_text="Samples that were here already with another value: kept beside."
    )
    first_at = models.DateTimeField()
    last_at = models.DateTimeField()
    root = models.CharField(max_length=64, help_text="Merkle root over the samples, in order.")
    conflict_root = models.CharField(
        max_length=64, blank=True, default="", help_text="Merkle root over the conflicting ones."
    )
    content_digest = models.CharField(max_length=64, help_text="SHA-256 of the posted bytes.")
    is_backfilled = models.BooleanField(default=False)
    recorded_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["source", "message_id"], name="segment_message_once")
        ]
        indexes = [models.Index(fields=["batch", "first_at"])]

    def __str__(self) -> str:
        return f"{self.batch} {self.count} readings ({self.pk})"
