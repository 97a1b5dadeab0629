"""OOS investigations (FDA's guidance of 2006, revised 2022; 21 CFR 211.192)."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from batches.execution.models import Batch
from batches.laboratory.models.results import Result
from batches.laboratory.models.runs import Run
from batches.laboratory.models.samples import Sample
from batches.laboratory.models.specifications import SpecificationTest
from batches.laboratory.models.stability import StabilityResult
from compliance.quality.models import Deviation
from compliance.trail.capture import controlled
from compliance.trail.fields import CanonicalJSONField


class OosState(models.TextChoices):
    PHASE_ONE = "phase-one", "Phase I: laboratory"
    CAUSE_FOUND = "cause-found", "Assignable cause found"
    PHASE_TWO = "phase-two", "Phase II: full investigation"
    PLAN_PROPOSED = "plan-proposed", "Retest plan proposed"
    RETESTING = "retesting", "Retesting"
    RETESTED = "retested", "Retested"
    CONCLUDED = "concluded", "Concluded"
    CLOSED = "closed", "Closed"


class CauseCategory(models.TextChoices):
    """Causes in the laboratory; only these invalidate a result."""

    NONE = "", "None"
    PREPARATION = "preparation", "Preparation of sample or standard"
    INSTRUMENT = "instrument", "Instrument"
    METHOD = "method", "Method not followed"
    CALCULATION = "calculation", "Calculation or transcription"
    SAMPLE_HANDLING = "sample-handling", "Handling of the sample in the laboratory"


class PlanKind(models.TextChoices):
    NONE = "", "None"
    RETEST = "retest", "Retest of the original sample"
    RESAMPLE = "resample", "Test of a new sample"


class Conclusion(models.TextChoices):
    NONE = "", "None"
    CONFIRMED = "confirmed", "OOS confirmed"
    INVALIDATED = "invalidated", "Result invalidated"
    INCONCLUSIVE = "inconclusive", "Inconclusive: the OOS stands"


_PERSON = settings.AUTH_USER_MODEL


@controlled(guards=("follow_guidance", "analyst_keeps_out"))
class OosInvestigation(models.Model):
    """One investigation of one result outside its specification; opened in the act that found it."""

    number = models.CharField(max_length=40, unique=True)
    batch = models.ForeignKey(Batch, models.PROTECT, related_name="oos")
    result = models.OneToOneField(Result, models.PROTECT, related_name="oos", null=True, blank=True)
    stability_result = models.OneToOneField(
        StabilityResult, models.PROTECT, related_name="oos", null=True, blank=True
    )
    test = models.ForeignKey(SpecificationTest, models.PROTECT, related_name="oos")
    value_text = models.CharField(max_length=40)
    limits_text = models.CharField(max_length=120)
    state = models.CharField(max_length=14, choices=OosState.choices, default=OosState.PHASE_ONE)
    opened_at = models.DateTimeField()
    due_on = models.DateField()
    # Phase I
    investigator = models.ForeignKey(
        _PERSON, models.PROTECT, related_name="+", null=True, blank=True
    )
    checklist = CanonicalJSONField(default=dict, blank=True)
    is_preparation_retained = models.BooleanField(null=True, blank=True)
    interview = models.TextField(blank=True, help_text="What the analyst said.")
    has_cause = models.BooleanField(null=True, blank=True, help_text="An assignable one.")
    cause_category = models.CharField(max_length=16, choices=CauseCategory.choices, blank=True)
    cause = models.TextField(blank=True)
    cause_evidence = models.TextField(blank=True)
    phase_one_closed_at = models.DateTimeField(null=True, blank=True)
    # Phase II
    production_review = models.TextField(blank=True)
    plan_kind = models.CharField(max_length=10, choices=PlanKind.choices, blank=True)
    retest_count = models.PositiveSmallIntegerField(null=True, blank=True)
    retest_analyst = models.ForeignKey(
        _PERSON, models.PROTECT, related_name="+", null=True, blank=True
    )
    plan_rationale = models.TextField(blank=True)
    resample_justification = models.TextField(blank=True)
    plan_author = models.ForeignKey(
        _PERSON, models.PROTECT, related_name="+", null=True, blank=True
    )
    plan_approver = models.ForeignKey(
        _PERSON, models.PROTECT, related_name="+", null=True, blank=True
    )
    plan_approved_at = models.DateTimeField(null=True, blank=True)
    # Conclusion
    conclusion = models.CharField(max_length=14, choices=Conclusion.choices, blank=True)
    conclusion_text = models.TextField(blank=True)
    concluded_at = models.DateTimeField(null=True, blank=True)
    approver = models.ForeignKey(_PERSON, models.PROTECT, related_name="+", null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = "OOS investigation"
        constraints = [
            models.CheckConstraint(
                name="oos_of_one_result",
                condition=Q(result__isnull=False, stability_result=None)
                | Q(result=None, stability_result__isnull=False),
            ),
            models.CheckConstraint(name="oos_state_known", condition=Q(state__in=OosState.values)),
            models.CheckConstraint(
                name="oos_phase_one_first",
                condition=Q(state="phase-one", phase_one_closed_at=None)
                | (
                    Q(
                        investigator__isnull=False,
                        phase_one_closed_at__isnull=False,
                        is_preparation_retained__isnull=False,
                        has_cause__isnull=False,
                    )
                    & ~Q(state="phase-one")
                    & ~Q(interview="")
                ),
            ),
            models.CheckConstraint(
                name="oos_cause_with_evidence",
                condition=~Q(has_cause=True)
                | (~Q(cause_category="") & ~Q(cause="") & ~Q(cause_evidence="")),
            ),
            models.CheckConstraint(
                name="oos_invalidated_only_with_cause",
                condition=~Q(conclusion="invalidated")
                | (Q(has_cause=True) & ~Q(cause="") & ~Q(cause_evidence="")),
            ),
            models.CheckConstraint(
                name="oos_plan_is_whole",
                condition=Q(plan_kind="", retest_count=None)
                | (
                    Q(
                        plan_kind__in=["retest", "resample"],
                        retest_count__gte=1,
                        retest_count__lte=20,
                        retest_analyst__isnull=False,
                        plan_author__isnull=False,
                    )
                    & ~Q(plan_rationale="")
                ),
            ),
            models.CheckConstraint(
                name="oos_resample_is_justified",
                condition=~Q(plan_kind="resample") | ~Q(resample_justification=""),
            ),
            models.CheckConstraint(
                name="oos_plan_approved_by_another",
                condition=Q(plan_approver=None) | ~Q(plan_approver=F("plan_author")),
            ),
            models.CheckConstraint(
                name="oos_no_retest_without_approved_plan",
                condition=~Q(state__in=["retesting", "retested"])
                | Q(plan_approver__isnull=False, plan_approved_at__isnull=False),
            ),
            models.CheckConstraint(
                name="oos_concluded_with_words",
                condition=~Q(state__in=["concluded", "closed"])
                | (
                    Q(conclusion__in=["confirmed", "invalidated", "inconclusive"])
                    & ~Q(conclusion_text="")
                    & Q(concluded_at__isnull=False)
                ),
            ),
            models.CheckConstraint(
                name="oos_closed_by_quality",
                condition=Q(approver=None) | ~Q(approver=F("investigator")),
            ),
            models.CheckConstraint(
                name="oos_closed_has_approver",
                condition=~Q(state="closed") | Q(approver__isnull=False, closed_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return self.number

    @property
    def is_open(self) -> bool:
        return self.state != OosState.CLOSED

    @property
    def stands(self) -> bool:
        """Whether the batch fails its specification, as far as is known."""
        return self.conclusion != Conclusion.INVALIDATED or self.is_open


@controlled(append_only=True, guards=("as_planned",))
class Retest(models.Model):
    """One retest, as the approved plan foresees it. It never replaces or dilutes the OOS result."""

    oos = models.ForeignKey(OosInvestigation, models.PROTECT, related_name="retests")
    number = models.PositiveSmallIntegerField()
    sample = models.ForeignKey(
        Sample, models.PROTECT, related_name="retests", null=True, blank=True,
        help_text="Empty for a sample of a stability study.",
    )  # fmt: skip
    value_text = models.CharField(max_length=40)
    value = models.DecimalField(max_digits=24, decimal_places=9)
    is_outside = models.BooleanField()
    run = models.ForeignKey(Run, models.PROTECT, related_name="retests", null=True, blank=True)
    analyst = models.ForeignKey(_PERSON, models.PROTECT, related_name="+")
    tested_at = models.DateTimeField()
    recorded_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["oos", "number"], name="retest_number_once")]

    def __str__(self) -> str:
        return f"{self.oos} retest {self.number}"


@controlled(append_only=True)
class OosDeviation(models.Model):
    """A deviation that an OOS investigation led to, or belongs to."""

    oos = models.ForeignKey(OosInvestigation, models.PROTECT, related_name="deviation_links")
    deviation = models.ForeignKey(Deviation, models.PROTECT, related_name="oos_links")
    reason = models.TextField()
    linked_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["oos", "deviation"], name="oos_deviation_once")
        ]

    def __str__(self) -> str:
        return f"{self.oos} {self.deviation}"
