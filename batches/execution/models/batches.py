"""Batches as they were made: phases and events (ISA-88)."""

from datetime import timedelta

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Upper

from batches.recipes.models import MasterRecipe, RecipePhase
from compliance.access.models import Device
from compliance.quality.models import Deviation
from compliance.trail.capture import controlled
from compliance.trail.fields import CanonicalJSONField

LATE_AFTER = timedelta(minutes=15)


class BatchState(models.TextChoices):
    ISSUED = "issued", "Issued"
    RUNNING = "running", "Running"
    SUSPENDED = "suspended", "Suspended"
    COMPLETED = "completed", "Completed"
    ABORTED = "aborted", "Aborted"


class DispositionState(models.TextChoices):
    PENDING = "pending", "Pending"
    HELD = "held", "On hold"
    REWORK = "rework", "In rework"
    RELEASED = "released", "Released"
    RECALLED = "recalled", "Recalled"
    REJECTED = "rejected", "Rejected"


@controlled(guards=("keep_batch", "disposition_moves", "disposition_decided"))
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
    issued_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", null=True, blank=True,
        help_text="Empty when a system issued it.",
    )  # fmt: skip
    issue_reason = models.TextField(blank=True)
    planned_size = models.DecimalField(max_digits=20, decimal_places=6, null=True, blank=True)
    planned_unit = models.CharField(max_length=30, blank=True, help_text="UCUM code.")
    scale = models.DecimalField(
        max_digits=12, decimal_places=6, default=1,
        help_text="Multiple of the recipe's batch size; its quantities are multiplied by it.",
    )  # fmt: skip
    checked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", null=True, blank=True,
        help_text="Who checked the issued copy against the master (EU GMP 4.20).",
    )  # fmt: skip
    checked_at = models.DateTimeField(null=True, blank=True)
    started_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    deviations = models.ManyToManyField(Deviation, blank=True, related_name="batches")

    class Meta:
        verbose_name_plural = "batches"
        constraints = [
            models.UniqueConstraint(Upper("number"), name="batch_number_once_in_any_case"),
            models.CheckConstraint(
                name="batch_ends_after_start",
                condition=Q(ended_at=None) | Q(ended_at__gte=F("started_at")),
            ),
            models.CheckConstraint(
                name="batch_state_known", condition=Q(state__in=BatchState.values)
            ),
            models.CheckConstraint(name="batch_scale_positive", condition=Q(scale__gt=0)),
            models.CheckConstraint(
                name="batch_size_with_unit",
                condition=Q(planned_size=None) | (Q(planned_size__gt=0) & ~Q(planned_unit="")),
            ),
            models.CheckConstraint(
                name="batch_copy_checked_by_another",
                condition=Q(checked_by=None) | Q(issued_by=None) | ~Q(checked_by=F("issued_by")),
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
    HELD = "held", "Held"
    DONE = "done", "Done"
    ABORTED = "aborted", "Aborted"


@controlled(guards=("keep_phase",))
class BatchPhase(models.Model):
    """One phase of a batch, copied from the recipe when the batch is issued."""

    batch = models.ForeignKey(Batch, models.PROTECT, related_name="phases")
    recipe_phase = models.ForeignKey(RecipePhase, models.PROTECT, related_name="+")
    order = models.PositiveIntegerField()
    unit_procedure = models.CharField(max_length=100)
    operation = models.CharField(max_length=100, blank=True)
    name = models.CharField(max_length=100)
    instruction = models.TextField(blank=True)
    duration_min = models.PositiveIntegerField(null=True, blank=True)
    hold_limit_min = models.PositiveIntegerField(
        null=True, blank=True, help_text="Longest time to the start of the next phase (211.111)."
    )
    needs_verification = models.BooleanField(default=False)
    equipment_kind = models.CharField(max_length=60, blank=True)
    parallel_group = models.CharField(max_length=40, blank=True)
    procedure = models.CharField(
        max_length=40, blank=True, help_text="Code of the procedure that its people are trained in."
    )
    state = models.CharField(max_length=10, choices=PhaseState.choices, default=PhaseState.WAITING)
    started_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    # Persons only; what a system ran has its source in the event.
    started_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", null=True, blank=True
    )
    ended_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", null=True, blank=True
    )
    verified_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", null=True, blank=True
    )
    verified_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["batch", "order"], name="batch_phase_order_unique"),
            models.CheckConstraint(
                name="phase_state_known", condition=Q(state__in=PhaseState.values)
            ),
            models.CheckConstraint(
                name="phase_verified_by_another_than_started_it",
                condition=Q(verified_by=None)
                | Q(started_by=None)
                | ~Q(verified_by=F("started_by")),
            ),
            models.CheckConstraint(
                name="phase_verified_by_another_than_ended_it",
                condition=Q(verified_by=None) | Q(ended_by=None) | ~Q(verified_by=F("ended_by")),
            ),
            models.CheckConstraint(
                name="phase_verified_only_done",
                condition=Q(verified_by=None, verified_at=None)
                | Q(state="done", verified_by__isnull=False, verified_at__isnull=False),
            ),
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
    PHASE_HELD = "phase-held", "Phase held"
    PHASE_RESUMED = "phase-resumed", "Phase resumed"
    PHASE_ABORTED = "phase-aborted", "Phase aborted"
    BATCH_SUSPENDED = "batch-suspended", "Batch suspended"
    BATCH_RESUMED = "batch-resumed", "Batch resumed"
    ADDITION = "addition", "Material addition"
    SAMPLING = "sampling", "Sampling"
    OBSERVATION = "observation", "Observation"
    MEASUREMENT = "measurement", "Measurement"
    ALARM = "alarm", "Alarm"
    BATCH_ABORTED = "batch-aborted", "Batch aborted"


@controlled(append_only=True, guards=("keep_time",))
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
    recorded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", null=True, blank=True,
        help_text="The person who entered it; empty when a system sent it.",
    )  # fmt: skip
    late_reason = models.TextField(blank=True, help_text="Why a person entered it late.")
    witness = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", null=True, blank=True,
        help_text="Who saw what was entered late.",
    )  # fmt: skip

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["source", "message_id"], name="event_message_once"),
            models.CheckConstraint(
                name="event_witness_is_another",
                condition=Q(witness=None) | Q(recorded_by=None) | ~Q(witness=F("recorded_by")),
            ),
            models.CheckConstraint(name="event_kind_known", condition=Q(kind__in=EventKind.values)),
        ]
        indexes = [
            models.Index(fields=["batch", "occurred_at"]),
            # Equipment and lots that systems name: asked for across batches, and few have any.
            models.Index(
                fields=["kind", "occurred_at"], condition=~Q(details={}), name="event_with_details"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.batch} {self.get_kind_display()} ({self.pk})"

    @property
    def is_late(self) -> bool:
        """Whether it was recorded well after it happened (21 CFR 211.100(b): at the time)."""
        return self.recorded_at - self.occurred_at > LATE_AFTER
