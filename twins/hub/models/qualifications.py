"""Qualifications of model versions: criteria that are signed first, and the run that follows."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from compliance.quality.models import Deviation
from compliance.signatures.models import Signature
from compliance.trail.capture import controlled
from compliance.trail.fields import CanonicalJSONField
from twins.hub.models.sealed_sets import CustodyLook, SealedTestSet
from twins.hub.models.versions import ModelVersion
from twins.models.qualification.criteria import Comparison


class QualificationState(models.TextChoices):
    DRAFT = "draft", "Draft"
    APPROVED = "approved", "Criteria signed"
    PASSED = "passed", "Passed"
    FAILED = "failed", "Failed"


class RunOutcome(models.TextChoices):
    PASSED = "passed", "All criteria are met"
    FAILED = "failed", "A criterion is not met"
    WITHOUT_SKILL = "without-skill", "No better than a guess"


class AnsweredBy(models.TextChoices):
    VERSION = "version", "The frozen version was asked by the installation itself"
    KEEPER = "keeper", "The answers were handed in by whoever ran the test"


@controlled(guards=("qualification_moves", "qualification_under_change"))
class Qualification(models.Model):
    """The protocol of one test of one version (Annex 22 draft, 4 and 7), and how it ended."""

    number = models.CharField(max_length=20, unique=True)
    version = models.ForeignKey(ModelVersion, models.PROTECT, related_name="qualifications")
    test_set = models.ForeignKey(SealedTestSet, models.PROTECT, related_name="qualifications")
    state = models.CharField(
        max_length=10, choices=QualificationState.choices, default=QualificationState.DRAFT
    )
    replaces = models.TextField(help_text="What it replaces, and how well that does it.")
    change_number = models.CharField(
        max_length=40, blank=True, default="",
        help_text="Of the change control that puts it in the place of an earlier version.",
    )  # fmt: skip
    drift_alpha = models.CharField(
        max_length=10, help_text="Chance of a false alarm of the drift watch, each window."
    )
    false_alarm_contract = models.CharField(max_length=10)
    miss_contract = models.CharField(max_length=10)
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    drafted_at = models.DateTimeField()
    signature = models.OneToOneField(
        Signature, models.PROTECT, related_name="+", null=True, blank=True
    )
    approver = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", null=True, blank=True
    )
    approved_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="qualification_author_is_not_approver",
                condition=Q(approver=None) | ~Q(approver=F("author")),
            ),
            models.CheckConstraint(
                name="qualification_is_approved",
                condition=Q(state="draft", signature=None, approver=None, approved_at=None)
                | Q(state__in=["approved", "passed", "failed"])
                & Q(signature__isnull=False, approver__isnull=False, approved_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return self.number


@controlled(append_only=True, guards=("criterion_of_draft",))
class Criterion(models.Model):
    """What one figure of one population has to be for the version to pass."""

    qualification = models.ForeignKey(Qualification, models.PROTECT, related_name="criteria")
    metric = models.CharField(max_length=40)
    comparison = models.CharField(
        max_length=10, choices=[(one.value, one.value.replace("-", " ")) for one in Comparison]
    )
    threshold = models.CharField(max_length=30)
    population = models.CharField(max_length=60, help_text="“all”, or a subgroup.")

    class Meta:
        verbose_name_plural = "criteria"

    def __str__(self) -> str:
        said = f"{self.metric} {self.get_comparison_display()} {self.threshold}"
        return f"{self.qualification}: {said} in {self.population} ({self.pk})"


@controlled(append_only=True, guards=("test_run_after_look",))
class TestRun(models.Model):
    """What a version answered in its test, and how that scored; signed by whoever ran it."""

    __test__ = False  # for pytest, which takes the name for a test

    qualification = models.OneToOneField(Qualification, models.PROTECT, related_name="run")
    look = models.OneToOneField(CustodyLook, models.PROTECT, related_name="run")
    is_second_look = models.BooleanField(help_text="The test set had been opened before.")
    answered_by = models.CharField(
        max_length=10, choices=AnsweredBy.choices, default=AnsweredBy.KEEPER
    )
    answers = CanonicalJSONField()
    scores = CanonicalJSONField()
    verdicts = CanonicalJSONField()
    outcome = models.CharField(max_length=20, choices=RunOutcome.choices)
    deviation = models.ForeignKey(
        Deviation, models.PROTECT, related_name="model_tests", null=True, blank=True
    )
    run_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    run_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="test_run_failed_with_deviation",
                condition=Q(outcome="passed", deviation=None)
                | Q(outcome__in=["failed", "without-skill"], deviation__isnull=False),
            )
        ]

    def __str__(self) -> str:
        return f"Test run of {self.qualification}"
