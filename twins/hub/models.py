"""Registered versions of twin models: what they are for, and what exactly they are."""

from django.db import models

from compliance.trail.capture import controlled
from compliance.trail.fields import CanonicalJSONField


@controlled()
class ModelVersion(models.Model):
    """One frozen version of a twin model (Annex 22 draft, 1 and 3): name, code and parameters."""

    name = models.CharField(max_length=60)
    code_digest = models.CharField(max_length=64)
    parameters_digest = models.CharField(max_length=64)
    intended_use = models.TextField()
    valid_range = models.TextField()
    declarations = CanonicalJSONField()
    registered_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["name", "code_digest", "parameters_digest"], name="model_version_unique"
            )
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.code_digest[:8]} ({self.pk})"
