"""Simulated inspections and their findings: records themselves, replayable from what they read."""

from django.db import models

from compliance.trail.capture import controlled
from compliance.trail.fields import CanonicalJSONField


class Profile(models.TextChoices):
    FDA = "fda", "FDA (21 CFR 11, 210, 211)"
    EU = "eu", "EU GMP (Annex 11 of 2011)"


class InspectionState(models.TextChoices):
    REQUESTED = "requested", "Requested"
    FINISHED = "finished", "Finished"
    FAILED = "failed", "Failed"


@controlled()
class Inspection(models.Model):
    """One run of the rule packs over the records as of one tree size."""

    number = models.CharField(max_length=40, unique=True)
    profile = models.CharField(max_length=10, choices=Profile.choices)
    scope = CanonicalJSONField(help_text="Batch numbers; an empty list means every batch.")
    state = models.CharField(
        max_length=10, choices=InspectionState.choices, default=InspectionState.REQUESTED
    )
    requested_by = models.CharField(max_length=60)
    requested_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)
    tree_size = models.BigIntegerField(null=True, blank=True)
    snapshot_digest = models.CharField(max_length=64, blank=True)
    rule_pack = models.CharField(max_length=80, blank=True, help_text="Name, version and digest.")
    grade = models.CharField(max_length=20, blank=True)
    summary = models.TextField(blank=True)

    def __str__(self) -> str:
        return self.number


class Verdict(models.TextChoices):
    FINDING = "finding", "Finding"
    CLEAN = "clean", "Clean"
    NOT_ASSESSABLE = "not-assessable", "Not assessable"
    NOT_APPLICABLE = "not-applicable", "Not applicable"


class FindingClass(models.TextChoices):
    """PIC/S PI 040-1 classes."""

    CRITICAL = "critical", "Critical"
    MAJOR = "major", "Major"
    OTHER = "other", "Other"


@controlled(append_only=True)
class CheckResult(models.Model):
    """What one check said in one inspection: a finding with its evidence, or why there is none."""

    inspection = models.ForeignKey(Inspection, models.PROTECT, related_name="results")
    check_id = models.CharField(max_length=10)
    order = models.PositiveIntegerField()
    verdict = models.CharField(max_length=20, choices=Verdict.choices)
    finding_class = models.CharField(max_length=10, choices=FindingClass.choices, blank=True)
    class_reason = models.TextField(blank=True)
    title = models.CharField(max_length=200)
    clauses = CanonicalJSONField(default=list, blank=True)
    text = models.TextField(blank=True, help_text="In the words of an inspector.")
    examined = models.PositiveIntegerField(default=0)
    failing = models.PositiveIntegerField(default=0)
    evidence = CanonicalJSONField(default=list, blank=True)
    question = models.TextField(blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["inspection", "order"], name="result_order_unique")
        ]

    def __str__(self) -> str:
        return f"{self.inspection} {self.check_id} ({self.order})"
