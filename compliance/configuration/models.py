"""Changes of what the installation runs with (EU GMP Annex 11, 10)."""

from django.db import models
from django.db.models import Q

from compliance.signatures.models import Signature
from compliance.trail.capture import controlled


class ChangeState(models.TextChoices):
    FOUND = "found", "Found, not assessed"
    ASSESSED = "assessed", "Assessed"


@controlled(guards=("configuration_change_moves",))
class ConfigurationChange(models.Model):
    """What a process found other than the record said when it started; quality assesses it."""

    number = models.CharField(max_length=20, unique=True)
    state = models.CharField(max_length=10, choices=ChangeState.choices, default=ChangeState.FOUND)
    found_at = models.DateTimeField()
    found_by = models.CharField(max_length=60, help_text="The process that found it at its start.")
    assessment = models.TextField(blank=True)
    change_number = models.CharField(
        max_length=20, blank=True, help_text="The approved change that it carries out."
    )
    signature = models.OneToOneField(
        Signature, models.PROTECT, related_name="+", null=True, blank=True
    )

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="configuration_assessment_is_signed",
                condition=Q(state="found", signature=None)
                | Q(state="assessed", signature__isnull=False) & ~Q(assessment=""),
            ),
        ]

    def __str__(self) -> str:
        return self.number


@controlled(append_only=True, guards=("configuration_setting_of_found",))
class ChangedSetting(models.Model):
    """One setting of a change; a secret is shown as set or not, never with its value."""

    change = models.ForeignKey(ConfigurationChange, models.PROTECT, related_name="settings")
    name = models.CharField(max_length=60)
    before = models.TextField(blank=True, help_text="Empty when the setting is new.")
    after = models.TextField(blank=True, help_text="Empty when the setting is gone.")

    class Meta:
        constraints = [
            models.UniqueConstraint(name="changed_setting_once", fields=["change", "name"]),
        ]
        indexes = [models.Index(fields=["name", "-id"], name="changed_setting_last")]

    def __str__(self) -> str:
        return f"{self.change}: {self.name}"
