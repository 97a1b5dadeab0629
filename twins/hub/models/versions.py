"""Registered versions of twin models: what they are for, what exactly they are, how they live."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from compliance.trail.capture import controlled
from compliance.trail.fields import CanonicalJSONField


class VersionState(models.TextChoices):
    DRAFT = "draft", "Draft, on trial"
    QUALIFIED = "qualified", "Qualified"
    RETIRED = "retired", "Retired"


@controlled(guards=("model_version_lives", "model_version_newest_test"))
class ModelVersion(models.Model):
    """One frozen version of a twin model (Annex 22 draft, 1 and 3): name, code and parameters."""

    name = models.CharField(max_length=60)
    code_digest = models.CharField(max_length=64)
    parameters_digest = models.CharField(max_length=64)
    intended_use = models.TextField()
    valid_range = models.TextField()
    declarations = CanonicalJSONField()
    registered_at = models.DateTimeField()
    state = models.CharField(
        max_length=10, choices=VersionState.choices, default=VersionState.DRAFT
    )
    qualified_at = models.DateTimeField(null=True, blank=True)
    retired_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["name", "code_digest", "parameters_digest"], name="model_version_unique"
            ),
            # The same bytes under another name would begin without the history of the first.
            models.UniqueConstraint(
                fields=["code_digest", "parameters_digest"], name="model_version_bytes_once"
            ),
            models.CheckConstraint(
                name="model_version_state_known",
                condition=Q(state="draft", qualified_at=None, retired_at=None)
                | Q(state="qualified", qualified_at__isnull=False, retired_at=None)
                | Q(state="retired", qualified_at__isnull=False, retired_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.code_digest[:8]} ({self.pk})"


@controlled(append_only=True)
class ModelDossier(models.Model):
    """What is known of a version beside its declarations (Annex 22 draft, 3); it freezes them."""

    version = models.OneToOneField(ModelVersion, models.PROTECT, related_name="dossier")
    subgroups = CanonicalJSONField(help_text="Names of the subgroups that it is used in.")
    limits = models.TextField(help_text="What it cannot do, and must not be used for.")
    training = models.TextField(
        help_text="Where the training data came from, or why there are none."
    )
    is_training_repeated = models.BooleanField(
        default=False,
        help_text="The installation trained it again from these batches, to the same numbers.",
    )
    prepared_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    prepared_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"Dossier of {self.version}"


@controlled(append_only=True, guards=("trainer_of_open_dossier",))
class Trainer(models.Model):
    """Somebody who trained a version: not the one who opens its test set (Annex 22 draft, 6)."""

    dossier = models.ForeignKey(ModelDossier, models.PROTECT, related_name="trainers")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["dossier", "person"], name="trainer_once")]

    def __str__(self) -> str:
        return f"{self.person.username} trained {self.dossier.version}"


@controlled(append_only=True, guards=("training_of_open_dossier",))
class TrainingBatch(models.Model):
    """A batch that a version was trained on, by the digest of its content."""

    dossier = models.ForeignKey(ModelDossier, models.PROTECT, related_name="batches")
    label = models.CharField(max_length=120)
    content_digest = models.CharField(max_length=64)
    rows = models.PositiveIntegerField()
    means = CanonicalJSONField(help_text="[[input, mean], ...]: what drift is compared with.")

    class Meta:
        verbose_name_plural = "training batches"
        constraints = [
            models.UniqueConstraint(
                fields=["dossier", "content_digest"], name="training_batch_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.label} of {self.dossier}"
