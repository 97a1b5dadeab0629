"""Complaints, and the periodic reviews that look back at all of it (Annex 11, 11)."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from compliance.quality.models.deviations import Deviation
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


class ComplaintState(models.TextChoices):
    OPEN = "open", "Open"
    ANSWERED = "answered", "Answered"


@controlled(guards=("keep_states",))
class Complaint(models.Model):
    """One complaint, and the review by the quality unit (21 CFR 211.198)."""

    number = models.CharField(max_length=40, unique=True)
    state = models.CharField(
        max_length=20, choices=ComplaintState.choices, default=ComplaintState.OPEN
    )
    product = models.CharField(max_length=120)
    lot = models.CharField(max_length=60, help_text="Lot or control number, or “unknown”.")
    complainant = models.CharField(max_length=200)
    nature = models.TextField()
    received_on = models.DateField()
    recorded_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    recorded_at = models.DateTimeField()
    is_investigated = models.BooleanField(null=True, blank=True)
    # 211.198(b)(3): where no investigation is made, why not, and who decided so.
    why_not = models.TextField(blank=True, default="")
    deviation = models.ForeignKey(
        Deviation, models.PROTECT, null=True, blank=True, related_name="+"
    )
    reply = models.TextField(blank=True, default="")
    answered_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="complaint_investigated_or_why_not",
                condition=Q(state="open")
                | (
                    (Q(is_investigated=True, deviation__isnull=False))
                    | (Q(is_investigated=False) & ~Q(why_not=""))
                )
                & ~Q(reply="")
                & Q(answered_at__isnull=False),
            )
        ]

    def __str__(self) -> str:
        return self.number
