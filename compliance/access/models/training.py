"""Procedures with their versions, who was trained in which, and who needs which."""

from django.db import models
from django.db.models import F, Q

from compliance.access.duties import LABELS, Role
from compliance.access.models.people import User
from compliance.trail.capture import controlled


@controlled(guards=("keep_as_recorded",))
class Procedure(models.Model):
    """A written procedure (SOP); what it says is in its versions."""

    code = models.CharField(max_length=40, unique=True)
    title = models.CharField(max_length=200)
    created_at = models.DateTimeField()
    retired_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="procedure_code_is_plain", condition=Q(code__regex=r"^[A-Za-z0-9._/-]+$")
            ),
            models.CheckConstraint(name="procedure_titled", condition=~Q(title="")),
        ]

    def __str__(self) -> str:
        return f"{self.code} {self.title}"


@controlled(append_only=True, guards=("versions_in_order",))
class ProcedureVersion(models.Model):
    """One version: effective from a moment until that of the next one (21 CFR 211.22(d))."""

    procedure = models.ForeignKey(Procedure, models.PROTECT, related_name="versions")
    version = models.PositiveIntegerField()
    summary = models.TextField(help_text="What is new in this version.")
    effective_from = models.DateTimeField()
    retrain_after_days = models.PositiveIntegerField(
        null=True, blank=True, help_text="After how many days training has to be repeated."
    )
    document_digest = models.CharField(
        max_length=64,
        blank=True,
        help_text="SHA-256 of the document, an attachment of this record.",
    )
    recorded_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["procedure", "version"], name="procedure_version_once"),
            models.UniqueConstraint(
                fields=["procedure", "effective_from"], name="procedure_one_version_a_moment"
            ),
            models.CheckConstraint(name="procedure_version_from_one", condition=Q(version__gte=1)),
            models.CheckConstraint(
                name="procedure_document_digest",
                condition=Q(document_digest="") | Q(document_digest__regex=r"^[0-9a-f]{64}$"),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.procedure.code} version {self.version}"


class TrainingMethod(models.TextChoices):
    READ = "read", "Read and understood"
    CLASSROOM = "classroom", "Class or talk"
    ON_THE_JOB = "on-the-job", "On the job"


class Assessment(models.TextChoices):
    PASSED = "passed", "Passed"
    FAILED = "failed", "Failed"


@controlled(guards=("keep_as_recorded", "not_by_oneself"))
class Training(models.Model):
    """One person was trained in one version of a procedure, and how it ended (21 CFR 211.25)."""

    person = models.ForeignKey(User, models.PROTECT, related_name="trainings")
    procedure_version = models.ForeignKey(
        ProcedureVersion, models.PROTECT, related_name="trainings"
    )
    method = models.CharField(max_length=20, choices=TrainingMethod.choices)
    assessment = models.CharField(max_length=10, choices=Assessment.choices)
    remark = models.TextField(blank=True, help_text="How it was assessed, with what result.")
    # Null when the installation itself did it; the text then says so.
    trained_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    trained_by_name = models.CharField(max_length=200)
    trained_at = models.DateTimeField()
    valid_until = models.DateField(null=True, blank=True)
    recorded_at = models.DateTimeField()
    # By the person: "I have read and understood".
    acknowledged_at = models.DateTimeField(null=True, blank=True)
    withdrawn_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="trained_by_another", condition=Q(trained_by=None) | ~Q(trained_by=F("person"))
            ),
            models.CheckConstraint(name="training_names_trainer", condition=~Q(trained_by_name="")),
            models.CheckConstraint(
                name="training_method_known", condition=Q(method__in=TrainingMethod.values)
            ),
            models.CheckConstraint(
                name="training_assessment_known", condition=Q(assessment__in=Assessment.values)
            ),
            models.CheckConstraint(
                name="training_before_its_record", condition=Q(trained_at__lte=F("recorded_at"))
            ),
        ]

    def __str__(self) -> str:
        return f"{self.person.username} in {self.procedure_version} ({self.pk})"


@controlled(guards=("keep_as_recorded",))
class Curriculum(models.Model):
    """Whoever holds the role needs training in the procedure, from one moment to another."""

    role = models.CharField(max_length=30, choices=[(role.value, LABELS[role]) for role in Role])
    procedure = models.ForeignKey(Procedure, models.PROTECT, related_name="curricula")
    since = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name_plural = "curricula"
        constraints = [
            models.UniqueConstraint(
                fields=["role", "procedure"], condition=Q(ended_at=None), name="curriculum_once"
            ),
            models.CheckConstraint(
                name="curriculum_role_known", condition=Q(role__in=[role.value for role in Role])
            ),
        ]

    def __str__(self) -> str:
        return f"{LABELS[Role(self.role)]} needs {self.procedure.code} ({self.pk})"
