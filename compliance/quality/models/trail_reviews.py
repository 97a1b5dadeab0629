"""Reviews of the audit trail: what was looked at, by whom, and what came of it (Annex 11, 9)."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from compliance.quality.models.deviations import Deviation
from compliance.trail.capture import controlled
from compliance.trail.fields import CanonicalJSONField


class TrailReviewState(models.TextChoices):
    OPEN = "open", "Open"
    CONCLUDED = "concluded", "Concluded"
    ABANDONED = "abandoned", "Abandoned"


@controlled(guards=("keep_states", "keep_gates", "keep_reviewer_apart", "keep_scope"))
class TrailReview(models.Model):
    """One review of all entries of a scope, up to a size of the tree, by a sample of them."""

    number = models.CharField(max_length=40, unique=True)
    state = models.CharField(
        max_length=20, choices=TrailReviewState.choices, default=TrailReviewState.OPEN
    )
    kind = models.CharField(max_length=20, help_text="As evidence is asked for: batch, period...")
    name = models.CharField(max_length=120, blank=True)
    title = models.CharField(max_length=300)
    wanted = CanonicalJSONField(help_text="The scope as it was asked.")
    reviewer = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    opened_at = models.DateTimeField()
    seed = models.CharField(
        max_length=120,
        help_text="The random part of the sample follows of it: the reviewer's words, and random ones.",
    )
    rules = models.CharField(max_length=20, help_text="Version of the rules of the sample.")
    hours = models.TextField(
        blank=True, default="", help_text="Working hours that the rules went by, with their zone."
    )
    tree_size = models.BigIntegerField(help_text="Entries of the log that were in the tree.")
    entry_count = models.PositiveIntegerField(help_text="Entries of the scope.")
    entries_digest = models.CharField(max_length=64, help_text="SHA-256 of their ids.")
    # Usernames, a line each: none of them can be the reviewer.
    actors = models.TextField(blank=True)
    conclusion = models.TextField(blank=True, default="")
    concluded_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [models.Index(fields=["kind", "name"])]
        constraints = [
            models.CheckConstraint(
                name="trail_review_concluded_in_words",
                condition=Q(state="concluded", concluded_at__isnull=False) & ~Q(conclusion="")
                | (~Q(state="concluded") & Q(concluded_at=None)),
            ),
            models.CheckConstraint(
                name="trail_review_state_known", condition=Q(state__in=TrailReviewState.values)
            ),
        ]

    def __str__(self) -> str:
        return self.number


class EntryOutcome(models.TextChoices):
    PENDING = "", "To be assessed"
    NO_CONCERN = "no-concern", "No concern"
    FINDING = "finding", "Finding"


@controlled(guards=("keep_review_open", "keep_identity"))
class SampledEntry(models.Model):
    """One entry that was drawn, why, and what the reviewer says of it."""

    review = models.ForeignKey(TrailReview, models.PROTECT, related_name="sample")
    entry = models.BigIntegerField(help_text="Id of the entry in the trail.")
    reasons = CanonicalJSONField(help_text="Rules that drew it; “random” for the seeded part.")
    outcome = models.CharField(max_length=20, choices=EntryOutcome.choices, blank=True, default="")
    text = models.TextField(blank=True, default="")
    assessed_at = models.DateTimeField(null=True, blank=True)
    deviation = models.ForeignKey(
        Deviation, models.PROTECT, null=True, blank=True, related_name="trail_findings"
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["review", "entry"], name="entry_drawn_once"),
            models.CheckConstraint(
                name="finding_in_words", condition=~Q(outcome="finding") | ~Q(text="")
            ),
            models.CheckConstraint(
                name="outcome_known", condition=Q(outcome__in=EntryOutcome.values)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.review} entry {self.entry}"
