"""What quality says about batches, by signature: reviewed, decided, certified; and what left."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from batches.execution.models import Batch
from compliance.signatures.models import Signature
from compliance.trail.capture import controlled
from compliance.trail.fields import CanonicalJSONField


@controlled(append_only=True)
class BatchReview(models.Model):
    """One review of a batch record by quality, of exactly what stood there (21 CFR 211.192)."""

    batch = models.ForeignKey(Batch, models.PROTECT, related_name="reviews")
    content_digest = models.CharField(max_length=64, help_text="SHA-256 of what was reviewed.")
    tree_size = models.BigIntegerField(help_text="Entries of the trail that were sealed then.")
    counts = CanonicalJSONField(
        help_text="For each section: how many records, how many exceptions."
    )
    remarks = models.TextField()
    signature = models.OneToOneField(Signature, models.PROTECT, related_name="+")
    reviewed_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"Review of {self.batch} ({self.pk})"


class Outcome(models.TextChoices):
    """What can be decided about a batch; stored values, so never renamed."""

    RELEASED = "released", "Released"
    CONFIRMED = "confirmed", "Release confirmed"
    REJECTED = "rejected", "Rejected"
    HELD = "held", "Put on hold"
    LIFTED = "lifted", "Hold lifted"
    REWORK = "rework", "Rework ordered"
    REWORKED = "reworked", "Rework ended"
    RECALLED = "recalled", "Recalled"


RELEASES = (Outcome.RELEASED, Outcome.CONFIRMED)


@controlled(append_only=True, guards=("decision_moves_batch", "release_is_independent"))
class Decision(models.Model):
    """One decision of quality about a batch (21 CFR 211.22(a), 211.192). The newest one holds."""

    batch = models.ForeignKey(Batch, models.PROTECT, related_name="decisions")
    outcome = models.CharField(max_length=10, choices=Outcome.choices)
    reason = models.TextField()
    reference = models.CharField(
        max_length=100, blank=True, help_text="Of the order of a rework, or of a recall."
    )
    expires_on = models.DateField(
        null=True, blank=True, help_text="Of a released batch: from here its retention counts."
    )
    review = models.ForeignKey(
        BatchReview, models.PROTECT, related_name="decisions", null=True, blank=True
    )
    signature = models.OneToOneField(Signature, models.PROTECT, related_name="+")
    decided_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="decision_outcome_known", condition=Q(outcome__in=Outcome.values)
            ),
            models.CheckConstraint(
                name="decision_release_needs_review",
                condition=~Q(outcome__in=RELEASES) | Q(review__isnull=False),
            ),
            models.CheckConstraint(
                name="decision_rework_needs_order",
                condition=~Q(outcome="rework") | ~Q(reference=""),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.batch} {self.get_outcome_display()} ({self.pk})"


@controlled(append_only=True, guards=("certificate_follows_release",))
class Certificate(models.Model):
    """One certification by the Qualified Person, as the register has it (EU GMP Annex 16)."""

    serial = models.PositiveIntegerField(unique=True, help_text="Running, without gaps.")
    number = models.CharField(max_length=20, unique=True)
    batch = models.ForeignKey(Batch, models.PROTECT, related_name="certificates")
    decision = models.ForeignKey(Decision, models.PROTECT, related_name="certificates")
    statement = models.TextField()
    deviations = CanonicalJSONField(
        default=list, blank=True, help_text="Certified with them: number, conclusion, impact."
    )
    assessment = models.TextField(
        blank=True, help_text="Of unexpected deviations: why they do not harm (Annex 16, 3)."
    )
    signature = models.OneToOneField(Signature, models.PROTECT, related_name="+")
    certified_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="certificate_assesses_deviations",
                condition=Q(deviations=[]) | ~Q(assessment=""),
            ),
        ]

    def __str__(self) -> str:
        return self.number


class Market(models.TextChoices):
    EU = "eu", "European Union and EEA"
    US = "us", "United States"
    OTHER = "other", "Another country"


@controlled(append_only=True, guards=("shipment_follows_release",))
class Shipment(models.Model):
    """What left the site of a released batch (21 CFR 211.150, 211.196; EU GMP Annex 16, 1.6)."""

    number = models.CharField(max_length=20, unique=True)
    batch = models.ForeignKey(Batch, models.PROTECT, related_name="shipments")
    decision = models.ForeignKey(Decision, models.PROTECT, related_name="shipments")
    certificate = models.ForeignKey(
        Certificate, models.PROTECT, related_name="shipments", null=True, blank=True
    )
    market = models.CharField(max_length=10, choices=Market.choices)
    consignee = models.CharField(max_length=200)
    quantity = models.DecimalField(max_digits=18, decimal_places=6)
    unit = models.CharField(max_length=30)
    shipped_at = models.DateTimeField()
    recorded_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    recorded_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="shipment_market_known", condition=Q(market__in=Market.values)
            ),
            models.CheckConstraint(
                name="shipment_to_eu_is_certified",
                condition=~Q(market="eu") | Q(certificate__isnull=False),
            ),
            models.CheckConstraint(name="shipment_has_quantity", condition=Q(quantity__gt=0)),
        ]

    def __str__(self) -> str:
        return self.number
