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
    CANCELLED = "cancelled", "Cancelled as a duplicate"


ENDED = frozenset({DeviationState.CLOSED, DeviationState.CANCELLED})


class Origin(models.TextChoices):
    PERSON = "person", "Reported by a person"
    ALERT = "alert", "Accepted alert of a twin"
    IMPORT = "import", "Imported from another system"
    WATCH = "watch", "Found by the watch over a model"


class RootCause(models.TextChoices):
    UNKNOWN = "", "Not determined"
    EQUIPMENT = "equipment", "Equipment"
    MATERIAL = "material", "Material"
    METHOD = "method", "Method or procedure"
    ENVIRONMENT = "environment", "Environment"
    MEASUREMENT = "measurement", "Measurement"
    TRAINING = "training", "Training or instruction"
    SYSTEM = "system", "Computerised or quality system"
    HUMAN_ERROR = "human-error", "Human error"


class Category(models.TextChoices):
    """What a deviation is about: trends and recurrences are counted by it."""

    UNSORTED = "", "Not sorted"
    PROCESS = "process", "Process parameter"
    EQUIPMENT = "equipment", "Equipment or utility"
    MATERIAL = "material", "Material"
    LABORATORY = "laboratory", "Laboratory"
    DOCUMENTATION = "documentation", "Documentation"
    ENVIRONMENT = "environment", "Environment"
    COMPUTERISED_SYSTEM = "computerised-system", "Computerised system"
    OTHER = "other", "Other"


class DeviationQuerySet(models.QuerySet["Deviation"]):
    def unsettled(self) -> "DeviationQuerySet":
        """Return what still stands open: a duplicate does until its original is closed."""
        return self.exclude(state=DeviationState.CLOSED).exclude(
            state=DeviationState.CANCELLED, duplicate_of__state=DeviationState.CLOSED
        )

    def in_work(self) -> "DeviationQuerySet":
        """Return what somebody has still to do something about."""
        return self.exclude(state__in=ENDED)


@controlled(guards=("keep_states", "keep_closure", "keep_severity"))
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
    category = models.CharField(max_length=30, choices=Category.choices, blank=True, default="")
    concerns = models.CharField(
        max_length=120, blank=True, default="", help_text="Code of what it is about: a tag, a unit."
    )
    duplicate_of = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="duplicates"
    )
    # A closed deviation is never reopened: what comes to light later is a new one that refers to it.
    follows = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="followers"
    )

    objects = DeviationQuerySet.as_manager()

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
                name="deviation_cancelled_names_its_original",
                condition=Q(state=DeviationState.CANCELLED, duplicate_of__isnull=False)
                | (~Q(state=DeviationState.CANCELLED) & Q(duplicate_of=None)),
            ),
            models.CheckConstraint(
                name="deviation_category_known", condition=Q(category__in=Category.values)
            ),
            models.CheckConstraint(
                name="deviation_severity_known", condition=Q(severity__in=Severity.values)
            ),
        ]

    def __str__(self) -> str:
        return self.number

    @property
    def is_open(self) -> bool:
        return self.state not in ENDED


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


@controlled(append_only=True, guards=("keep_parent_open",))
class DeviationNote(models.Model):
    """A dated remark in an investigation; remarks are added, never changed."""

    deviation = models.ForeignKey(Deviation, models.PROTECT, related_name="notes")
    text = models.TextField()
    written_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    written_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.deviation} note {self.pk}"
