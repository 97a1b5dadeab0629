"""What the watch over qualified versions found."""

from django.db import models

from compliance.quality.models import Deviation
from compliance.trail.capture import controlled
from compliance.trail.fields import CanonicalJSONField
from twins.hub.models.versions import ModelVersion


class DriftKind(models.TextChoices):
    INPUT = "input", "Input"
    OUTCOME = "outcome", "Outcome"


@controlled(append_only=True)
class DriftCheck(models.Model):
    """One look at one window of batches; windows do not overlap, so that the rate holds for each."""

    version = models.ForeignKey(ModelVersion, models.PROTECT, related_name="drift_checks")
    number = models.PositiveIntegerField()
    batches = CanonicalJSONField(help_text="Keys of the batches of the window.")
    alpha = models.CharField(max_length=10)
    results = CanonicalJSONField()
    checked_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["version", "number"], name="drift_window_once")
        ]

    def __str__(self) -> str:
        return f"Drift check {self.number} of {self.version}"


@controlled(append_only=True)
class DriftFinding(models.Model):
    """A drift with the deviation that was opened on the model for it."""

    found_in = models.ForeignKey(DriftCheck, models.PROTECT, related_name="findings")
    version = models.ForeignKey(ModelVersion, models.PROTECT, related_name="drift_findings")
    kind = models.CharField(max_length=10, choices=DriftKind.choices)
    name = models.CharField(max_length=60)
    deviation = models.ForeignKey(Deviation, models.PROTECT, related_name="drift_findings")

    def __str__(self) -> str:
        return f"{self.name} of {self.version} ({self.pk})"
