"""How long records are kept, and what a legal hold keeps beyond that; both are records themselves."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from compliance.signatures.models import Signature
from compliance.trail.capture import controlled


class PolicyState(models.TextChoices):
    DRAFT = "draft", "Draft"
    EFFECTIVE = "effective", "Effective"
    SUPERSEDED = "superseded", "Superseded"


@controlled(guards=("retention_policy_moves",))
class RetentionPolicy(models.Model):
    """One version of the site's own terms; they lengthen the minimum that the law sets."""

    version = models.PositiveIntegerField(unique=True)
    state = models.CharField(max_length=12, choices=PolicyState.choices, default=PolicyState.DRAFT)
    summary = models.TextField(help_text="What it changes, and why.")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    drafted_at = models.DateTimeField()
    approver = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", null=True, blank=True
    )
    effective_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name_plural = "retention policies"
        constraints = [
            models.CheckConstraint(
                name="retention_author_is_not_approver",
                condition=Q(approver=None) | ~Q(approver=F("author")),
            ),
            models.CheckConstraint(
                name="retention_policy_is_approved",
                condition=Q(state="draft") | Q(approver__isnull=False, effective_at__isnull=False),
            ),
            models.UniqueConstraint(
                name="retention_one_policy_is_effective",
                fields=["state"],
                condition=Q(state="effective"),
            ),
        ]

    def __str__(self) -> str:
        return f"Retention policy {self.version}"


@controlled(append_only=True, guards=("retention_rule_of_draft",))
class RetentionRule(models.Model):
    """So long after a moment in a record's life; part of one version of the policy."""

    policy = models.ForeignKey(RetentionPolicy, models.PROTECT, related_name="rules")
    kind = models.CharField(max_length=40)
    anchor = models.CharField(max_length=40)
    years = models.PositiveIntegerField()
    months = models.PositiveIntegerField(default=0)
    basis = models.CharField(
        max_length=200, help_text="Why: a contract, a law, a rule of the site."
    )

    def __str__(self) -> str:
        return (
            f"{self.policy}: {self.kind} {self.anchor} + {self.years} y {self.months} m ({self.pk})"
        )


class HoldState(models.TextChoices):
    REQUESTED = "requested", "Requested, in force"
    PLACED = "placed", "Placed"
    LIFT_REQUESTED = "lift-requested", "Lift requested, in force"
    LIFTED = "lifted", "Lifted"


@controlled(guards=("legal_hold_moves",))
class LegalHold(models.Model):
    """Records that stay whatever their term: two people place it, and two people lift it.

    It is in force from its request on: waiting for the second person must lose nothing.
    """

    number = models.CharField(max_length=20, unique=True)
    title = models.CharField(max_length=200)
    reason = models.TextField()
    state = models.CharField(max_length=14, choices=HoldState.choices, default=HoldState.REQUESTED)
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    requested_at = models.DateTimeField()
    placed_signature = models.OneToOneField(
        Signature, models.PROTECT, related_name="+", null=True, blank=True
    )
    lift_reason = models.TextField(blank=True)
    lift_requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", null=True, blank=True
    )
    lift_requested_at = models.DateTimeField(null=True, blank=True)
    lift_signature = models.OneToOneField(
        Signature, models.PROTECT, related_name="+", null=True, blank=True
    )

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="legal_hold_state_known", condition=Q(state__in=HoldState.values)
            ),
            models.CheckConstraint(
                name="legal_hold_lift_is_signed",
                condition=~Q(state="lifted")
                | Q(lift_signature__isnull=False, lift_requested_by__isnull=False)
                & ~Q(lift_reason=""),
            ),
        ]

    def __str__(self) -> str:
        return self.number

    @property
    def is_in_force(self) -> bool:
        return self.state != HoldState.LIFTED


@controlled(append_only=True, guards=("held_record_of_request",))
class HeldRecord(models.Model):
    """What a hold keeps: a record of a kind, one record of a table, or everything."""

    hold = models.ForeignKey(LegalHold, models.PROTECT, related_name="held")
    kind = models.CharField(max_length=40)
    subject = models.CharField(max_length=120)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["hold", "kind", "subject"], name="held_record_once")
        ]

    def __str__(self) -> str:
        return f"{self.hold}: {self.kind} {self.subject}"
