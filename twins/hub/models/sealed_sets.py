"""Sealed test sets, and every look into one."""

from django.conf import settings
from django.db import models

from compliance.trail.capture import controlled
from compliance.trail.fields import CanonicalJSONField


@controlled(append_only=True)
class SealedTestSet(models.Model):
    """Test data by their digests (Annex 22 draft, 5 and 6). Rows and labels are kept elsewhere."""

    number = models.CharField(max_length=20, unique=True)
    name = models.CharField(max_length=120, unique=True)
    provenance = models.TextField(help_text="Where the data came from, and how they were chosen.")
    label_provenance = models.TextField(
        help_text="Who said what happened, and how it was verified."
    )
    is_generated = models.BooleanField(help_text="The data were made by a simulation.")
    labels_digest = models.CharField(max_length=64)
    coverage = CanonicalJSONField(help_text="[[subgroup, batches, of them with an event], ...]")
    exclusions = CanonicalJSONField(help_text="[[batch left out, reason], ...]")
    sealed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    sealed_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.number


@controlled(append_only=True, guards=("sealed_batch_with_its_set",))
class SealedBatch(models.Model):
    """One batch of a test set, by the digest of its content."""

    test_set = models.ForeignKey(SealedTestSet, models.PROTECT, related_name="batches")
    label = models.CharField(max_length=120)
    content_digest = models.CharField(max_length=64)
    subgroup = models.CharField(max_length=60)
    rows = models.PositiveIntegerField()

    class Meta:
        verbose_name_plural = "sealed batches"
        constraints = [
            models.UniqueConstraint(fields=["test_set", "content_digest"], name="sealed_batch_once")
        ]

    def __str__(self) -> str:
        return f"{self.test_set}: {self.label}"


@controlled(append_only=True, guards=("custody_look_allowed", "custody_look_apart"))
class CustodyLook(models.Model):
    """Somebody opened a test set: who, when, for which qualification and why; they are counted."""

    test_set = models.ForeignKey(SealedTestSet, models.PROTECT, related_name="looks")
    number = models.PositiveIntegerField()
    qualification = models.ForeignKey("Qualification", models.PROTECT, related_name="looks")
    looked_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    looked_at = models.DateTimeField()
    why = models.TextField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["test_set", "number"], name="custody_look_counted")
        ]

    def __str__(self) -> str:
        return f"Look {self.number} into {self.test_set}"
