"""Decisions about batches: released or rejected, by signature."""

from django.db import models

from batches.execution.models import Batch, DispositionState
from compliance.signatures.models import Signature
from compliance.trail.capture import controlled


@controlled(append_only=True)
class Decision(models.Model):
    """One disposition decision (21 CFR 211.22(a), 211.192)."""

    batch = models.OneToOneField(Batch, models.PROTECT, related_name="decision")
    outcome = models.CharField(max_length=10, choices=DispositionState.choices)
    reason = models.TextField()
    signature = models.OneToOneField(Signature, models.PROTECT, related_name="+")
    decided_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.batch} {self.get_outcome_display()}"
