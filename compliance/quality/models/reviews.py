"""Periodic reviews, that look back at all of the quality system (Annex 11, 11)."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from compliance.trail.capture import controlled
from compliance.trail.fields import CanonicalJSONField


class ReviewState(models.TextChoices):
    OPEN = "open", "Open"
    CONCLUDED = "concluded", "Concluded"


@controlled(guards=("keep_states",))
class PeriodicReview(models.Model):
    """One look back at a system's life over a period, with the figures as they were then."""

    number = models.CharField(max_length=40, unique=True)
    system = models.CharField(max_length=120)
    starts_on = models.DateField()
    ends_on = models.DateField()
    state = models.CharField(max_length=20, choices=ReviewState.choices, default=ReviewState.OPEN)
    figures = CanonicalJSONField(help_text="Collected when the review was opened.")
    opened_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    opened_at = models.DateTimeField()
    conclusion = models.TextField(blank=True, default="")
    concluded_at = models.DateTimeField(null=True, blank=True)
    next_due_on = models.DateField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="periodic_review_of_a_period", condition=Q(ends_on__gt=F("starts_on"))
            ),
            models.CheckConstraint(
                name="periodic_review_concluded_whole",
                condition=Q(state="open")
                | (
                    Q(state="concluded", concluded_at__isnull=False, next_due_on__isnull=False)
                    & ~Q(conclusion="")
                ),
            ),
        ]

    def __str__(self) -> str:
        return self.number
