"""Simulated inspections and their findings: records themselves, replayable from what they read."""

from django.db import models
from django.db.models import Q

from compliance.trail.capture import controlled
from compliance.trail.fields import CanonicalJSONField


class Profile(models.TextChoices):
    FDA = "fda", "FDA (21 CFR 11, 210, 211)"
    EU = "eu", "EU GMP (Annex 11 of 2011)"


class InspectionState(models.TextChoices):
    REQUESTED = "requested", "Requested"
    RUNNING = "running", "Running"
    FINISHED = "finished", "Finished"
    FAILED = "failed", "Failed"


@controlled()
class Inspection(models.Model):
    """One run of a rule pack over the records as of one tree size."""

    number = models.CharField(max_length=40, unique=True)
    profile = models.CharField(max_length=10, choices=Profile.choices)
    scope = CanonicalJSONField(help_text="Batch numbers; an empty list means every batch.")
    state = models.CharField(
        max_length=10, choices=InspectionState.choices, default=InspectionState.REQUESTED
    )
    requested_by = models.CharField(max_length=60)
    requested_at = models.DateTimeField()
    # Everything that depends on time ("overdue") is judged as of this moment, also in a replay.
    as_of = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    tree_size = models.BigIntegerField(null=True, blank=True)
    last_entry = models.BigIntegerField(null=True, blank=True)
    snapshot_digest = models.CharField(max_length=64, blank=True)
    rule_pack = models.CharField(max_length=120, blank=True, help_text="Name, version and digest.")
    grade = models.CharField(
        max_length=20, blank=True, help_text="TGA scale: A1, A2, A3, Unacceptable."
    )
    checks_assessed = models.PositiveIntegerField(default=0)
    checks_total = models.PositiveIntegerField(default=0)
    summary = models.TextField(blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="inspection_state_known", condition=Q(state__in=InspectionState.values)
            ),
            models.CheckConstraint(
                name="inspection_finished_says_what_it_read",
                condition=~Q(state="finished")
                | (
                    Q(finished_at__isnull=False)
                    & Q(as_of__isnull=False)
                    & Q(tree_size__isnull=False)
                    & ~Q(snapshot_digest="")
                    & ~Q(rule_pack="")
                    & ~Q(grade="")
                ),
            ),
        ]

    def __str__(self) -> str:
        return self.number

    @property
    def coverage(self) -> str:
        """How much could be judged, shown beside every grade."""
        return f"{self.checks_assessed} of {self.checks_total} checks assessable"


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
    alcoa = CanonicalJSONField(default=list, blank=True, help_text="ALCOA++ attributes concerned.")
    text = models.TextField(blank=True, help_text="In the words of an inspector.")
    examined = models.PositiveIntegerField(default=0)
    failing = models.PositiveIntegerField(default=0)
    evidence = CanonicalJSONField(default=list, blank=True)
    question = models.TextField(blank=True)
    investigation_scope = models.TextField(blank=True, help_text="What the site should look at.")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["inspection", "order"], name="result_order_unique"),
            models.UniqueConstraint(fields=["inspection", "check_id"], name="result_check_once"),
            models.CheckConstraint(
                name="result_verdict_known", condition=Q(verdict__in=Verdict.values)
            ),
            models.CheckConstraint(
                name="result_finding_is_classed",
                condition=(
                    Q(verdict="finding") & ~Q(finding_class="") & ~Q(text="") & Q(failing__gt=0)
                )
                | (~Q(verdict="finding") & Q(finding_class="") & Q(failing=0)),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.inspection} {self.check_id} ({self.order})"

    @property
    def clauses_text(self) -> str:
        """The clauses as people read them, e.g. `21 CFR 211.192 (primary)`."""
        return "; ".join(f"{one['reference']} ({one['source_status']})" for one in self.clauses)
