"""Sealed reports: which file was made of which record, and its digest."""

from django.db import models

from compliance.trail.capture import controlled


class ReportState(models.TextChoices):
    REQUESTED = "requested", "Requested"
    SEALED = "sealed", "Sealed"
    FAILED = "failed", "Failed"


@controlled()
class Report(models.Model):
    """One PDF: requested by a person, built by a worker, sealed, and found again by its digest."""

    number = models.CharField(max_length=40, unique=True)
    kind = models.CharField(max_length=40)
    subject = models.CharField(max_length=60, help_text="Number of the record reported on.")
    state = models.CharField(
        max_length=10, choices=ReportState.choices, default=ReportState.REQUESTED
    )
    requested_by = models.CharField(max_length=60)
    requested_at = models.DateTimeField()
    sealed_at = models.DateTimeField(null=True, blank=True)
    file_name = models.CharField(max_length=120, blank=True)
    file_digest = models.CharField(max_length=64, blank=True)
    record_digest = models.CharField(max_length=64, blank=True)
    tree_size = models.BigIntegerField(null=True, blank=True)
    pages = models.PositiveIntegerField(null=True, blank=True)
    problem = models.TextField(blank=True)

    def __str__(self) -> str:
        return self.number
