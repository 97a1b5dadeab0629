"""Batches as they were made: phases, events and sealed segments of readings (ISA-88)."""

from datetime import timedelta

from django.db import models
from django.db.models import F, Q

from batches.recipes.models import MasterRecipe, RecipePhase
from compliance.access.models import Device
from compliance.quality.models import Deviation
from compliance.trail.capture import controlled
from compliance.trail.fields import CanonicalJSONField

LATE_AFTER = timedelta(minutes=15)


class BatchState(models.TextChoices):
    ISSUED = "issued", "Issued"
    RUNNING = "running", "Running"
    COMPLETED = "completed", "Completed"
    ABORTED = "aborted", "Aborted"


class DispositionState(models.TextChoices):
    PENDING = "pending", "Pending"
    HELD = "held", "On hold"
    REWORK = "rework", "In rework"
    RELEASED = "released", "Released"
    RECALLED = "recalled", "Recalled"
    REJECTED = "rejected", "Rejected"


@controlled(guards=("disposition_moves", "disposition_decided"))
class Batch(models.Model):
    """One batch, issued against one effective master recipe (21 CFR 211.188)."""

    number = models.CharField(max_length=60, unique=True)
    recipe = models.ForeignKey(MasterRecipe, models.PROTECT, related_name="batches")
    recipe_digest = models.CharField(max_length=64, help_text="Of the recipe as issued.")
    state = models.CharField(max_length=10, choices=BatchState.choices, default=BatchState.ISSUED)
    disposition = models.CharField(
        max_length=10, choices=DispositionState.choices, default=DispositionState.PENDING
    )
    issued_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    deviations = models.ManyToManyField(Deviation, blank=True, related_name="batches")

    class Meta:
        verbose_name_plural = "batches"
        constraints = [
            models.CheckConstraint(
                name="batch_ends_after_start",
                condition=Q(ended_at=None) | Q(ended_at__gte=F("started_at")),
            ),
            models.CheckConstraint(
                name="batch_state_known", condition=Q(state__in=BatchState.values)
            ),
            models.CheckConstraint(
                name="batch_released_only_completed",
                condition=~Q(disposition="released") | Q(state="completed"),
            ),
        ]

    def __str__(self) -> str:
        return self.number


controlled(append_only=True)(Batch.deviations.through)  # a link is never taken back


class PhaseState(models.TextChoices):
    WAITING = "waiting", "Waiting"
    RUNNING = "running", "Running"
    DONE = "done", "Done"


@controlled()
class BatchPhase(models.Model):
    """One phase of a batch, copied from the recipe when the batch is issued."""

    batch = models.ForeignKey(Batch, models.PROTECT, related_name="phases")
    recipe_phase = models.ForeignKey(RecipePhase, models.PROTECT, related_name="+")
    order = models.PositiveIntegerField()
    unit_procedure = models.CharField(max_length=100)
    name = models.CharField(max_length=100)
    state = models.CharField(max_length=10, choices=PhaseState.choices, default=PhaseState.WAITING)
    started_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["batch", "order"], name="batch_phase_order_unique"),
            models.CheckConstraint(
                name="phase_ends_after_start",
                condition=Q(ended_at=None) | Q(ended_at__gte=F("started_at")),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.batch} {self.order} {self.name}"


class EventKind(models.TextChoices):
    BATCH_STARTED = "batch-started", "Batch started"
    BATCH_ENDED = "batch-ended", "Batch ended"
    PHASE_STARTED = "phase-started", "Phase started"
    PHASE_ENDED = "phase-ended", "Phase ended"
    ADDITION = "addition", "Material addition"
    SAMPLING = "sampling", "Sampling"
    OBSERVATION = "observation", "Observation"
    MEASUREMENT = "measurement", "Measurement"
    ALARM = "alarm", "Alarm"
    BATCH_ABORTED = "batch-aborted", "Batch aborted"


@controlled(append_only=True)
class BatchEvent(models.Model):
    """Something that happened to a batch, as the source says it, beside when we recorded it."""

    batch = models.ForeignKey(Batch, models.PROTECT, related_name="events")
    kind = models.CharField(max_length=20, choices=EventKind.choices)
    phase = models.CharField(max_length=100, blank=True)
    text = models.TextField(blank=True)
    performed_by = models.CharField(
        max_length=100, blank=True, help_text="As the source names them."
    )
    tag = models.CharField(max_length=60, blank=True)
    value = models.CharField(max_length=60, blank=True, help_text="As written by the source.")
    unit = models.CharField(max_length=30, blank=True)
    details = CanonicalJSONField(default=dict, blank=True)
    # Four times (docs/api.md): observed by the source, sent by it, and recorded here.
    occurred_at = models.DateTimeField()
    occurred_text = models.CharField(
        max_length=40, help_text="The source's own text, offset and all."
    )
    sent_at = models.DateTimeField(null=True, blank=True)
    recorded_at = models.DateTimeField()
    is_backfilled = models.BooleanField(
        default=False, help_text="Sent later by a store-and-forward source, from its own record."
    )
    is_zone_assumed = models.BooleanField(
        default=False, help_text="The source gave no zone; the site's zone was assumed."
    )
    source = models.ForeignKey(
        Device, models.PROTECT, related_name="+", null=True, blank=True,
        help_text="The system that sent it; empty when a person entered it.",
    )  # fmt: skip
    message_id = models.CharField(max_length=120)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["source", "message_id"], name="event_message_once"),
            models.CheckConstraint(name="event_kind_known", condition=Q(kind__in=EventKind.values)),
        ]
        indexes = [models.Index(fields=["batch", "occurred_at"])]

    def __str__(self) -> str:
        return f"{self.batch} {self.get_kind_display()} ({self.pk})"

    @property
    def is_late(self) -> bool:
        """Whether it was recorded well after it happened (21 CFR 211.100(b): at the time)."""
        return self.recorded_at - self.occurred_at > LATE_AFTER


@controlled(append_only=True)
class ReadingSegment(models.Model):
    """One posted set of readings, sealed by its Merkle root: every sample has a proof through it.

    The samples are rows of `execution_reading` (not an ORM model: they go in by COPY).
    """

    batch = models.ForeignKey(Batch, models.PROTECT, related_name="segments")
    source = models.ForeignKey(Device, models.PROTECT, related_name="+")
    message_id = models.CharField(max_length=120)
    count = models.PositiveIntegerField()
    first_at = models.DateTimeField()
    last_at = models.DateTimeField()
    root = models.CharField(max_length=64, help_text="Merkle root over the samples, in order.")
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
