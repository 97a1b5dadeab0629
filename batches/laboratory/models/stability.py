"""Stability studies: conditions, pulls with their windows, results by time point (211.166)."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from batches.execution.models import Batch
from batches.laboratory.models.results import Judgement
from batches.laboratory.models.specifications import SpecificationTest, SpecificationVersion
from compliance.signatures.models import Signature
from compliance.trail.capture import controlled


class StudyKind(models.TextChoices):
    LONG_TERM = "long-term", "Long term"
    INTERMEDIATE = "intermediate", "Intermediate"
    ACCELERATED = "accelerated", "Accelerated"
    ONGOING = "ongoing", "Ongoing"


class StudyState(models.TextChoices):
    PLANNED = "planned", "Planned"
    RUNNING = "running", "Running"
    COMPLETED = "completed", "Completed"


@controlled(guards=("follow_states",))
class StabilityStudy(models.Model):
    """One batch under one storage condition, tested on a schedule against one specification."""

    number = models.CharField(max_length=40, unique=True)
    batch = models.ForeignKey(Batch, models.PROTECT, related_name="stability_studies")
    specification = models.ForeignKey(SpecificationVersion, models.PROTECT, related_name="studies")
    kind = models.CharField(max_length=14, choices=StudyKind.choices)
    condition = models.CharField(max_length=80, help_text="E.g. 25 °C / 60 % RH.")
    container = models.CharField(max_length=120, blank=True)
    started_on = models.DateField()
    state = models.CharField(max_length=10, choices=StudyState.choices, default=StudyState.PLANNED)
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    approver = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", null=True, blank=True
    )
    approved_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name_plural = "stability studies"
        constraints = [
            models.CheckConstraint(
                name="study_state_known", condition=Q(state__in=StudyState.values)
            ),
            models.CheckConstraint(
                name="study_approved_by_another",
                condition=Q(approver=None) | ~Q(approver=F("author")),
            ),
            models.CheckConstraint(
                name="study_runs_only_approved",
                condition=Q(state="planned") | Q(approver__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return self.number


class PullState(models.TextChoices):
    PLANNED = "planned", "Planned"
    PULLED = "pulled", "Pulled"
    MISSED = "missed", "Missed"


@controlled(guards=("follow_states",))
class StabilityPull(models.Model):
    """One time point: when it is due, and whether samples were pulled within its window."""

    study = models.ForeignKey(StabilityStudy, models.PROTECT, related_name="pulls")
    month = models.PositiveSmallIntegerField()
    due_on = models.DateField()
    opens_on = models.DateField()
    closes_on = models.DateField()
    state = models.CharField(max_length=8, choices=PullState.choices, default=PullState.PLANNED)
    pulled_at = models.DateTimeField(null=True, blank=True)
    pulled_by = models.CharField(max_length=100, blank=True)
    remark = models.TextField(blank=True, help_text="Why it was missed, or pulled out of window.")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["study", "month"], name="pull_month_once"),
            models.CheckConstraint(
                name="pull_window_in_order",
                condition=Q(opens_on__lte=F("due_on"), due_on__lte=F("closes_on")),
            ),
            models.CheckConstraint(
                name="pull_state_known", condition=Q(state__in=PullState.values)
            ),
            models.CheckConstraint(
                name="pull_done_has_moment",
                condition=(Q(state="pulled") & Q(pulled_at__isnull=False) & ~Q(pulled_by=""))
                | (~Q(state="pulled") & Q(pulled_at=None)),
            ),
            models.CheckConstraint(
                name="pull_missed_has_reason", condition=~Q(state="missed") | ~Q(remark="")
            ),
        ]

    def __str__(self) -> str:
        return f"{self.study} month {self.month}"


@controlled(append_only=True, guards=("judged_and_allowed", "oos_is_investigated"))
class StabilityResult(models.Model):
    """One reported value of one test at one time point; a correction is a new version."""

    pull = models.ForeignKey(StabilityPull, models.PROTECT, related_name="results")
    test = models.ForeignKey(SpecificationTest, models.PROTECT, related_name="stability_results")
    version = models.PositiveIntegerField(default=1)
    value_text = models.CharField(max_length=40)
    value = models.DecimalField(
        max_digits=24, decimal_places=9, help_text="Of an attribute: 1 conforms, 0 does not."
    )
    judged_value = models.DecimalField(max_digits=24, decimal_places=9, null=True, blank=True)
    judgement = models.CharField(max_length=8, choices=Judgement.choices)
    reason = models.TextField(blank=True)
    entered_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    tested_at = models.DateTimeField()
    recorded_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["pull", "test", "version"], name="stability_result_version_once"
            ),
            models.CheckConstraint(
                name="stability_correction_has_reason", condition=Q(version=1) | ~Q(reason="")
            ),
            models.CheckConstraint(
                name="stability_result_is_judged",
                condition=Q(judgement__in=["conforms", "oos"]),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.pull} {self.test.tag} v{self.version}"


@controlled(append_only=True, guards=("reviewed_by_another",))
class StabilityReview(models.Model):
    """A second person reviewed a stability result, by signature."""

    result = models.OneToOneField(StabilityResult, models.PROTECT, related_name="review")
    reviewer = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    signature = models.OneToOneField(Signature, models.PROTECT, related_name="+")
    reviewed_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.result} reviewed"
