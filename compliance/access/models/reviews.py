"""Periodic reviews of who may do what, and the letter to the agency."""

from django.db import models
from django.db.models import F, Q

from compliance.access.models.people import User
from compliance.trail.capture import controlled


class ReviewState(models.TextChoices):
    OPEN = "open", "Open"
    CLOSED = "closed", "Closed"


class ReviewOutcome(models.TextChoices):
    KEEP = "keep", "Keep"
    REMOVE = "remove", "Remove"


@controlled(guards=("keep_as_recorded", "lines_decided", "no_administrator"))
class AccessReview(models.Model):
    """All accounts as they stood at one moment, each to be kept or removed (21 CFR 11.300(b))."""

    number = models.CharField(max_length=40, unique=True)
    due_on = models.DateField()
    opened_at = models.DateTimeField()
    reviewer = models.ForeignKey(User, models.PROTECT, related_name="+")
    state = models.CharField(max_length=10, choices=ReviewState.choices, default=ReviewState.OPEN)
    conclusion = models.TextField(blank=True)
    closed_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    closed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["state"], condition=Q(state="open"), name="access_review_one_open"
            ),
            models.CheckConstraint(
                name="access_review_closed_with_conclusion",
                condition=Q(state="open", closed_at=None, closed_by=None, conclusion="")
                | (
                    Q(state="closed", closed_at__isnull=False, closed_by__isnull=False)
                    & ~Q(conclusion="")
                ),
            ),
        ]

    def __str__(self) -> str:
        return self.number

    @property
    def is_open(self) -> bool:
        return self.state == ReviewState.OPEN


@controlled(guards=("keep_as_recorded", "no_administrator", "not_by_oneself"))
class AccessReviewLine(models.Model):
    """One account as it stood when the review was opened, and what was decided of it."""

    review = models.ForeignKey(AccessReview, models.PROTECT, related_name="lines")
    person = models.ForeignKey(User, models.PROTECT, related_name="+")
    # As of the opening.
    full_name = models.CharField(max_length=200)
    roles = models.TextField(blank=True, help_text="Stored names, separated by commas.")
    is_active = models.BooleanField()
    is_proven = models.BooleanField()
    leaves_on = models.DateField(null=True, blank=True)
    last_sign_in_at = models.DateTimeField(null=True, blank=True)
    # The decision.
    outcome = models.CharField(max_length=10, choices=ReviewOutcome.choices, blank=True)
    reason = models.TextField(blank=True)
    decided_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    decided_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["review", "person"], name="reviewed_once_a_review"),
            models.CheckConstraint(
                name="review_line_not_by_oneself",
                condition=Q(decided_by=None) | ~Q(decided_by=F("person")),
            ),
            models.CheckConstraint(
                name="review_line_decided_whole",
                condition=Q(outcome="", reason="", decided_by=None, decided_at=None)
                | (
                    Q(outcome__in=ReviewOutcome.values)
                    & Q(decided_by__isnull=False, decided_at__isnull=False)
                    & ~Q(reason="")
                ),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.review.number}: {self.person.username} ({self.pk})"


@controlled(append_only=True)
class CertificationLetter(models.Model):
    """The letter that says electronic signatures are meant as handwritten ones (21 CFR 11.100(c))."""

    reference = models.CharField(max_length=100, unique=True)
    sent_on = models.DateField()
    addressed_to = models.CharField(max_length=200)
    recorded_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    recorded_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="certification_letter_referenced", condition=~Q(reference="")
            ),
        ]

    def __str__(self) -> str:
        return f"{self.reference} of {self.sent_on}"
