"""Quality risk: scales, failure modes, independent ratings and a reasoned decision (ICH Q9(R1))."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from compliance.quality.models.deviations import Category
from compliance.trail.capture import controlled


class Dimension(models.TextChoices):
    SEVERITY = "severity", "Severity"
    OCCURRENCE = "occurrence", "Occurrence"
    DETECTION = "detection", "Detection"


@controlled(append_only=True)
class Scale(models.Model):
    """One version of what the numbers mean; a new meaning is a new version."""

    version = models.PositiveIntegerField(unique=True)
    title = models.CharField(max_length=120)
    highest = models.PositiveSmallIntegerField()
    severe_from = models.PositiveSmallIntegerField(
        help_text="From this severity on a risk is never accepted by its number alone."
    )
    approved_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    approved_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="scale_is_a_scale",
                condition=Q(highest__gte=3, highest__lte=10, severe_from__gte=2),
            )
        ]

    def __str__(self) -> str:
        return f"FMEA scale {self.version}"


@controlled(append_only=True)
class ScaleLevel(models.Model):
    """What one number of one dimension means."""

    scale = models.ForeignKey(Scale, models.PROTECT, related_name="levels")
    dimension = models.CharField(max_length=12, choices=Dimension.choices)
    level = models.PositiveSmallIntegerField()
    definition = models.TextField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["scale", "dimension", "level"], name="level_defined_once"
            ),
            models.CheckConstraint(name="level_defined", condition=~Q(definition="")),
        ]

    def __str__(self) -> str:
        return f"{self.scale} {self.dimension} {self.level}"


class RiskState(models.TextChoices):
    RATING = "rating", "Being rated"
    ACCEPTED = "accepted", "Accepted"
    TO_MITIGATE = "to-mitigate", "To be mitigated"
    RETIRED = "retired", "Retired"


@controlled(guards=("keep_states", "keep_gates"))
class Risk(models.Model):
    """One risk assessment: failure modes, rated by several people, decided by one who answers."""

    number = models.CharField(max_length=40, unique=True)
    title = models.CharField(max_length=200)
    scope = models.TextField(help_text="Process, system or function; what is left out.")
    scale = models.ForeignKey(Scale, models.PROTECT, related_name="+")
    state = models.CharField(max_length=20, choices=RiskState.choices, default=RiskState.RATING)
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    opened_at = models.DateTimeField()
    round = models.PositiveSmallIntegerField(default=1, help_text="Raised by each review.")
    category = models.CharField(
        max_length=30, choices=Category.choices, blank=True, default="",
        help_text="Deviations of this category are counted against its occurrence.",
    )  # fmt: skip
    concerns = models.CharField(max_length=120, blank=True, default="")
    rationale = models.TextField(blank=True, default="")
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", null=True, blank=True
    )
    decided_at = models.DateTimeField(null=True, blank=True)
    review_due_on = models.DateField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="risk_state_known", condition=Q(state__in=RiskState.values)
            ),
            models.CheckConstraint(
                name="risk_decided_with_rationale",
                condition=~Q(state__in=["accepted", "to-mitigate"])
                | (
                    ~Q(rationale="")
                    & Q(decided_by__isnull=False, decided_at__isnull=False)
                    & Q(review_due_on__isnull=False)
                ),
            ),
        ]

    def __str__(self) -> str:
        return self.number


@controlled(append_only=True, guards=("keep_risk_open",))
class FailureMode(models.Model):
    """One way in which it can fail, what would follow, and what holds it off today."""

    risk = models.ForeignKey(Risk, models.PROTECT, related_name="modes")
    text = models.CharField(max_length=200)
    effect = models.TextField()
    cause = models.TextField()
    controls = models.TextField(blank=True)

    def __str__(self) -> str:
        return f"{self.risk} {self.text} ({self.pk})"


@controlled(append_only=True, guards=("keep_risk_open",))
class Rating(models.Model):
    """One person's own numbers for one failure mode, given without the others' in sight."""

    mode = models.ForeignKey(FailureMode, models.PROTECT, related_name="ratings")
    round = models.PositiveSmallIntegerField()
    rater = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    severity = models.PositiveSmallIntegerField()
    occurrence = models.PositiveSmallIntegerField()
    detection = models.PositiveSmallIntegerField()
    rationale = models.TextField()
    rated_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["mode", "round", "rater"], name="rated_once_a_round"),
            models.CheckConstraint(
                name="rating_from_one",
                condition=Q(severity__gte=1, occurrence__gte=1, detection__gte=1),
            ),
            models.CheckConstraint(name="rating_has_rationale", condition=~Q(rationale="")),
        ]

    def __str__(self) -> str:
        return f"{self.mode} rated ({self.pk})"


@controlled(append_only=True)
class RiskReview(models.Model):
    """A look back at a decided risk: what occurred since, and whether the rating still holds."""

    risk = models.ForeignKey(Risk, models.PROTECT, related_name="reviews")
    text = models.TextField()
    deviations_since = models.PositiveIntegerField()
    is_rated_again = models.BooleanField()
    reviewed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    reviewed_at = models.DateTimeField()
    next_due_on = models.DateField(null=True, blank=True)

    def __str__(self) -> str:
        return f"{self.risk} reviewed ({self.pk})"
