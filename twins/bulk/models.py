"""Bulk runs of twins: what was asked for, its parts in their order, and what they came to."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from compliance.trail.capture import controlled


class BulkKind(models.TextChoices):
    PREDICTIONS = "predictions", "Predictions of batches"
    FUTURES = "futures", "Futures of one batch"


class BulkState(models.TextChoices):
    RUNNING = "running", "Running"
    DONE = "done", "Done"
    INCOMPLETE = "incomplete", "Parts failed"
    CANCELLED = "cancelled", "Cancelled"


class PartState(models.TextChoices):
    WAITING = "waiting", "Waiting"
    CLAIMED = "claimed", "Running"
    DONE = "done", "Done"
    FAILED = "failed", "Failed"
    CANCELLED = "cancelled", "Cancelled"


@controlled(digest_only=("request", "result"), guards=("a_bulk_final",))
class BulkRun(models.Model):
    """One request for much work, and its result: a function of its parts alone, in their order.

    A trigger refuses every change to a run that is done or cancelled (migration 0002).
    """

    number = models.CharField(max_length=20, unique=True)
    kind = models.CharField(max_length=12, choices=BulkKind.choices)
    title = models.CharField(max_length=200)
    request = models.TextField(help_text="What was asked, as canonical JSON.")
    request_digest = models.CharField(max_length=64)
    part_count = models.PositiveIntegerField()
    seconds = models.PositiveIntegerField(help_text="A part may take so long.")
    memory_mb = models.PositiveIntegerField(help_text="A part may add so much memory, MiB.")
    state = models.CharField(max_length=10, choices=BulkState.choices, default=BulkState.RUNNING)
    reason = models.TextField()
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    requested_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    cancelled_by = models.CharField(max_length=150, blank=True)
    result = models.TextField(blank=True, help_text="The merged parts, as canonical JSON.")
    result_digest = models.CharField(max_length=64, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="bulk_done_with_result",
                condition=~Q(state="done") | (~Q(result="") & Q(ended_at__isnull=False)),
            ),
        ]

    def __str__(self) -> str:
        return self.number


@controlled(digest_only=("output",), guards=("a_bulk_final",))
class BulkPart(models.Model):
    """One part of a run: the `order`-th of its work; a claim is a lease that its worker renews."""

    run = models.ForeignKey(BulkRun, models.PROTECT, related_name="parts")
    order = models.PositiveIntegerField()
    work = models.TextField(help_text="Which share of the request, as canonical JSON.")
    state = models.CharField(max_length=10, choices=PartState.choices, default=PartState.WAITING)
    attempts = models.PositiveIntegerField(default=0)
    claimed_at = models.DateTimeField(null=True, blank=True)
    claimed_by = models.CharField(
        max_length=100, blank=True, help_text="Worker: host, process and a number of the claim."
    )
    finished_at = models.DateTimeField(null=True, blank=True)
    output = models.TextField(blank=True, help_text="What it came to, as canonical JSON.")
    output_digest = models.CharField(max_length=64, blank=True)
    problem = models.TextField(blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["run", "order"], name="bulk_part_once"),
            models.CheckConstraint(
                name="bulk_part_done_with_output",
                condition=~Q(state="done") | (~Q(output="") & Q(finished_at__isnull=False)),
            ),
            models.CheckConstraint(
                name="bulk_part_failed_with_problem", condition=~Q(state="failed") | ~Q(problem="")
            ),
        ]
        indexes = [
            models.Index(
                fields=["run", "order"],
                condition=Q(state__in=("waiting", "claimed")),
                name="bulk_part_open",
            )
        ]

    def __str__(self) -> str:
        return f"{self.run} part {self.order + 1}"
