"""What departs from the recipe or the rules, flagged as it arises, for review by exception."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from batches.execution.models.batches import Batch, BatchPhase
from compliance.quality.models import Deviation
from compliance.trail.capture import controlled


class ExceptionKind(models.TextChoices):
    OUT_OF_LIMITS = "out-of-limits", "Value outside its limits"
    IMPLAUSIBLE = "implausible", "Implausible value confirmed"
    NOT_JUDGED = "not-judged", "Value that could not be judged"
    LATE_ENTRY = "late-entry", "Late entry"
    CHARGE = "charge", "Charge outside its tolerance"
    YIELD = "yield", "Yield outside its limits"
    RECONCILIATION = "reconciliation", "Reconciliation outside its limits"
    HOLD_TIME = "hold-time", "Time limit exceeded"
    INTERRUPTION = "interruption", "Phase or batch interrupted"
    EXAMINATION = "examination", "Examination not conforming"
    SOURCE_NOT_USABLE = "source-not-usable", "Source not qualified or not calibrated"
    READING_CONFLICT = "reading-conflict", "Reading sent again with another value"


# 21 CFR 211.192, 211.100(b): a missed limit is investigated and justified as a deviation.
NEEDS_DEVIATION = frozenset(
    {ExceptionKind.OUT_OF_LIMITS, ExceptionKind.CHARGE, ExceptionKind.YIELD}
    | {ExceptionKind.RECONCILIATION, ExceptionKind.HOLD_TIME, ExceptionKind.EXAMINATION}
    | {ExceptionKind.SOURCE_NOT_USABLE}
)


class ExceptionState(models.TextChoices):
    OPEN = "open", "Open"
    ASSESSED = "assessed", "Assessed"


@controlled(guards=("keep_exception",))
class BatchException(models.Model):
    """One departure, detected at entry. A second person assesses it; nothing removes it."""

    batch = models.ForeignKey(Batch, models.PROTECT, related_name="exceptions")
    phase = models.ForeignKey(
        BatchPhase, models.PROTECT, related_name="exceptions", null=True, blank=True
    )
    kind = models.CharField(max_length=20, choices=ExceptionKind.choices)
    subject = models.CharField(max_length=100, help_text="Table and number of what was entered.")
    clause = models.CharField(max_length=60)
    text = models.TextField()
    is_critical = models.BooleanField(default=False, help_text="It concerns a CPP or a CQA.")
    caused_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", null=True, blank=True
    )
    detected_at = models.DateTimeField()
    state = models.CharField(
        max_length=10, choices=ExceptionState.choices, default=ExceptionState.OPEN
    )
    deviation = models.ForeignKey(
        Deviation, models.PROTECT, related_name="batch_exceptions", null=True, blank=True
    )
    assessment = models.TextField(blank=True)
    assessed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", null=True, blank=True
    )
    assessed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [models.Index(fields=["batch", "state"])]
        constraints = [
            models.UniqueConstraint(fields=["batch", "kind", "subject"], name="exception_once"),
            models.CheckConstraint(
                name="exception_kind_known", condition=Q(kind__in=ExceptionKind.values)
            ),
            models.CheckConstraint(
                name="exception_assessed_by_another",
                condition=Q(assessed_by=None) | Q(caused_by=None) | ~Q(assessed_by=F("caused_by")),
            ),
            models.CheckConstraint(
                name="exception_assessed_with_words",
                condition=Q(state="open", assessed_by=None, assessed_at=None)
                | (
                    Q(state="assessed", assessed_by__isnull=False, assessed_at__isnull=False)
                    & ~Q(assessment="")
                ),
            ),
            models.CheckConstraint(
                name="exception_of_limits_has_deviation",
                condition=~Q(state="assessed")
                | ~Q(kind__in=sorted(NEEDS_DEVIATION))
                | Q(deviation__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.batch} {self.get_kind_display()} ({self.pk})"

    @property
    def is_open(self) -> bool:
        return self.state == ExceptionState.OPEN

    @property
    def needs_deviation(self) -> bool:
        return self.kind in NEEDS_DEVIATION
