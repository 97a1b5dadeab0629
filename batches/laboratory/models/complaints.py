"""Complaints about batches, with their investigation (21 CFR 211.198; EU GMP Chapter 8)."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from batches.execution.models import Batch
from compliance.quality.models import Deviation
from compliance.trail.capture import controlled


class ComplaintState(models.TextChoices):
    OPEN = "open", "Open"
    INVESTIGATED = "investigated", "Investigated"
    CLOSED = "closed", "Closed"


@controlled(redactable=("complainant",), guards=("follow_states",))
class Complaint(models.Model):
    """One complaint; without an investigation it says why, and who decided so (211.198(b)(3))."""

    number = models.CharField(max_length=40, unique=True)
    received_at = models.DateTimeField()
    complainant = models.CharField(max_length=200, help_text="Who complained; may be erased.")
    product_text = models.CharField(max_length=120, help_text="Name and strength, as told.")
    lot_text = models.CharField(max_length=60, blank=True, help_text="Lot number, as told.")
    nature = models.TextField()
    is_serious = models.BooleanField(help_text="Serious and unexpected adverse drug experience.")
    state = models.CharField(
        max_length=14, choices=ComplaintState.choices, default=ComplaintState.OPEN
    )
    opened_at = models.DateTimeField()
    opened_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    due_on = models.DateField()
    needs_investigation = models.BooleanField(null=True, blank=True)
    no_investigation_reason = models.TextField(blank=True)
    findings = models.TextField(blank=True)
    follow_up = models.TextField(blank=True)
    reply = models.TextField(blank=True, help_text="What the complainant was told.")
    investigator = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", null=True, blank=True
    )
    deviation = models.ForeignKey(
        Deviation, models.PROTECT, related_name="complaints", null=True, blank=True
    )
    approver = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", null=True, blank=True
    )
    closed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="complaint_state_known", condition=Q(state__in=ComplaintState.values)
            ),
            models.CheckConstraint(
                name="complaint_investigated_or_said_why_not",
                condition=Q(state="open")
                | (Q(needs_investigation=True) & ~Q(findings="") & ~Q(follow_up=""))
                | (Q(needs_investigation=False) & ~Q(no_investigation_reason="")),
            ),
            models.CheckConstraint(
                name="complaint_closed_by_another",
                condition=Q(approver=None) | ~Q(approver=F("investigator")),
            ),
            models.CheckConstraint(
                name="complaint_closed_has_approver",
                condition=~Q(state="closed") | Q(approver__isnull=False, closed_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return self.number

    @property
    def is_open(self) -> bool:
        return self.state != ComplaintState.CLOSED


@controlled(append_only=True)
class ComplaintBatch(models.Model):
    """A batch that a complaint concerns, or that was considered beside it, and with which finding.

    211.192: the investigation extends to other batches that may be associated with the failure.
    """

    complaint = models.ForeignKey(Complaint, models.PROTECT, related_name="batch_links")
    batch = models.ForeignKey(Batch, models.PROTECT, related_name="complaint_links")
    is_affected = models.BooleanField()
    finding = models.TextField(help_text="What was looked at, and what was found.")
    linked_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    linked_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["complaint", "batch"], name="complaint_batch_once"),
            models.CheckConstraint(name="complaint_batch_was_looked_at", condition=~Q(finding="")),
        ]

    def __str__(self) -> str:
        return f"{self.complaint} {self.batch}"
