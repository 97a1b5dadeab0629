"""Deviations: what departed from the approved way, why, and what was done about it."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from compliance.trail.capture import controlled
from compliance.trail.fields import CanonicalJSONField


class Severity(models.TextChoices):
    MINOR = "minor", "Minor"
    MAJOR = "major", "Major"
    CRITICAL = "critical", "Critical"


class DeviationState(models.TextChoices):
    OPEN = "open", "Open"
    UNDER_INVESTIGATION = "under-investigation", "Under investigation"
    CLOSED = "closed", "Closed"


class Origin(models.TextChoices):
    PERSON = "person", "Reported by a person"
    ALERT = "alert", "Accepted alert of a twin"
    IMPORT = "import", "Imported from another system"


class RootCause(models.TextChoices):
    UNKNOWN = "", "Not determined"
    EQUIPMENT = "equipment", "Equipment"
    MATERIAL = "material", "Material"
    METHOD = "method", "Method or procedure"
    ENVIRONMENT = "environment", "Environment"
    MEASUREMENT = "measurement", "Measurement"
    HUMAN_ERROR = "human-error", "Human error"


@controlled()
class Deviation(models.Model):
    """One deviation, from its opening to the signature that closes it (21 CFR 211.192)."""

    number = models.CharField(max_length=40, unique=True)
    title = models.CharField(max_length=200)
    description = models.TextField()
    severity = models.CharField(max_length=10, choices=Severity.choices)
    state = models.CharField(
        max_length=20, choices=DeviationState.choices, default=DeviationState.OPEN
    )
    origin = models.CharField(max_length=10, choices=Origin.choices)
    occurred_at = models.DateTimeField(help_text="When it happened in the plant.")
    opened_at = models.DateTimeField()
    opened_by = models.CharField(max_length=60)
    due_on = models.DateField()
    immediate_action = models.TextField(blank=True)
    root_cause_category = models.CharField(max_length=20, choices=RootCause.choices, blank=True)
    root_cause = models.TextField(blank=True)
    alternatives_considered = models.TextField(
        blank=True, help_text="EU GMP Chapter 8: other causes that were ruled out, and how."
    )
    impact = models.TextField(
        blank=True, help_text="Effect on product quality, and on which batches."
    )
    corrective_action = models.TextField(blank=True)
    conclusion = models.TextField(blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)
    # What an imported report claims, field by field, as written there; compared with the records.
    claims = CanonicalJSONField(default=dict, blank=True)
    source_text = models.TextField(blank=True, help_text="The imported report, unchanged.")

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="deviation_closed_with_cause_and_conclusion",
                condition=~Q(state=DeviationState.CLOSED)
                | (
                    ~Q(root_cause_category="")
                    & ~Q(root_cause="")
                    & ~Q(conclusion="")
                    & ~Q(impact="")
                    & Q(closed_at__isnull=False)
                ),
            ),
            models.CheckConstraint(
                name="deviation_state_known", condition=Q(state__in=DeviationState.values)
            ),
            models.CheckConstraint(
                name="deviation_severity_known", condition=Q(severity__in=Severity.values)
            ),
        ]

    def __str__(self) -> str:
        return self.number

    @property
    def is_open(self) -> bool:
        return self.state != DeviationState.CLOSED


@controlled(append_only=True)
class Reminder(models.Model):
    """Work that was overdue when the schedule looked; one a day and deviation."""

    deviation = models.ForeignKey(Deviation, models.PROTECT, related_name="reminders")
    reminded_on = models.DateField()
    days_overdue = models.PositiveIntegerField()
    addressed_to = models.CharField(max_length=200)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["deviation", "reminded_on"], name="one_reminder_a_day")
        ]

    def __str__(self) -> str:
        return f"{self.deviation} overdue by {self.days_overdue} days on {self.reminded_on}"


@controlled(append_only=True)
class DeviationNote(models.Model):
    """A dated remark in an investigation; remarks are added, never changed."""

    deviation = models.ForeignKey(Deviation, models.PROTECT, related_name="notes")
    text = models.TextField()
    written_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    written_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.deviation} note {self.pk}"
