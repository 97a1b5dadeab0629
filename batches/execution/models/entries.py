"""What people enter while a batch is made: controls, calculations, examinations, labels, remarks."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from batches.execution.models.batches import Batch, BatchPhase
from batches.execution.models.copies import AMOUNT, BatchLabel, BatchParameter
from batches.execution.models.performed import (
    VERIFIED_BY_ANOTHER,
    WITNESS_IS_ANOTHER,
    Verifiable,
)
from batches.quantities.limits import Standing
from compliance.trail.capture import controlled
from compliance.trail.fields import CanonicalJSONField
from compliance.trail.models import Attachment

STANDINGS = [
    (standing.value, standing.value.replace("-", " ").capitalize()) for standing in Standing
]


@controlled(guards=("keep_time", "keep_entry"))
class InProcessResult(Verifiable):
    """A value that a person entered, judged against its limits as it was entered (211.110)."""

    batch = models.ForeignKey(Batch, models.PROTECT, related_name="in_process_results")
    phase = models.ForeignKey(
        BatchPhase, models.PROTECT, related_name="in_process_results", null=True, blank=True
    )
    parameter = models.ForeignKey(BatchParameter, models.PROTECT, related_name="entries")
    value_text = models.CharField(max_length=60, help_text="As entered: trailing zeros are data.")
    value = models.DecimalField(max_digits=30, decimal_places=12)
    unit = models.CharField(max_length=30, help_text="As declared by the recipe.")
    given_value = models.CharField(max_length=60, blank=True, help_text="Before a conversion.")
    given_unit = models.CharField(max_length=30, blank=True)
    standing = models.CharField(max_length=20, choices=STANDINGS)
    override_reason = models.TextField(blank=True, help_text="Why an implausible value is right.")

    class Meta:
        verbose_name = "in-process result"
        constraints = [
            models.CheckConstraint(name="in_process_witness", condition=WITNESS_IS_ANOTHER),
            models.CheckConstraint(name="in_process_verified", condition=VERIFIED_BY_ANOTHER),
            models.CheckConstraint(
                name="in_process_standing_known",
                condition=Q(standing__in=[each.value for each in Standing]),
            ),
            models.CheckConstraint(
                name="in_process_converted_both_ways",
                condition=Q(given_value="", given_unit="")
                | ~(Q(given_value="") | Q(given_unit="")),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.batch} {self.parameter.tag} {self.value_text} {self.unit} ({self.pk})"


class Purpose(models.TextChoices):
    YIELD = "yield", "Yield"
    RECONCILIATION = "reconciliation", "Reconciliation"
    CHARGE = "charge", "Charge"
    OTHER = "other", "Other"


@controlled(append_only=True)
class Calculation(models.Model):
    """A calculation of the record: inputs, formula and result, with the result of the second way."""

    batch = models.ForeignKey(Batch, models.PROTECT, related_name="calculations")
    phase = models.ForeignKey(
        BatchPhase, models.PROTECT, related_name="calculations", null=True, blank=True
    )
    purpose = models.CharField(max_length=20, choices=Purpose.choices)
    subject = models.CharField(max_length=200, help_text="What was computed.")
    formula = models.CharField(max_length=60)
    formula_version = models.PositiveIntegerField()
    inputs = CanonicalJSONField(help_text="Each input as [value, unit], as texts.")
    places = models.PositiveSmallIntegerField()
    rounding = models.CharField(max_length=10)
    result = models.CharField(max_length=60)
    recomputed = models.CharField(max_length=60, help_text="By the second, separate evaluation.")
    unit = models.CharField(max_length=30)
    low = models.DecimalField(**AMOUNT, null=True, blank=True)
    high = models.DecimalField(**AMOUNT, null=True, blank=True)
    is_within = models.BooleanField(default=True)
    computed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    computed_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="calculation_agrees_with_its_repetition",
                condition=Q(result=F("recomputed")) & ~Q(result=""),
            ),
            models.CheckConstraint(
                name="calculation_purpose_known", condition=Q(purpose__in=Purpose.values)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.batch} {self.subject}: {self.result} {self.unit} ({self.pk})"


class ExaminationKind(models.TextChoices):
    AREA_BEFORE = "area-before", "Area clearance before use"
    AREA_AFTER = "area-after", "Area clearance after use"
    PACKAGES = "packages", "Examination of packaged and labelled product"


@controlled(guards=("keep_time", "keep_entry"))
class Examination(Verifiable):
    """An area or the finished packages were looked at (21 CFR 211.130, 211.134, 211.188(b))."""

    batch = models.ForeignKey(Batch, models.PROTECT, related_name="examinations")
    phase = models.ForeignKey(BatchPhase, models.PROTECT, related_name="examinations")
    kind = models.CharField(max_length=20, choices=ExaminationKind.choices)
    is_conforming = models.BooleanField()
    finding = models.TextField(help_text="What was looked at, how much of it, and what was found.")

    class Meta:
        constraints = [
            models.CheckConstraint(name="examination_witness", condition=WITNESS_IS_ANOTHER),
            models.CheckConstraint(name="examination_verified", condition=VERIFIED_BY_ANOTHER),
            models.CheckConstraint(
                name="examination_kind_known", condition=Q(kind__in=ExaminationKind.values)
            ),
            models.CheckConstraint(name="examination_says_what", condition=~Q(finding="")),
        ]

    def __str__(self) -> str:
        return f"{self.batch} {self.get_kind_display()} ({self.pk})"


@controlled(guards=("keep_time", "keep_entry"))
class LabelUse(Verifiable):
    """How many labels were issued and where they went, with a specimen (211.125, 211.188(b)(8))."""

    batch = models.ForeignKey(Batch, models.PROTECT, related_name="label_uses")
    phase = models.ForeignKey(BatchPhase, models.PROTECT, related_name="label_uses")
    label = models.ForeignKey(BatchLabel, models.PROTECT, related_name="uses")
    issued = models.PositiveIntegerField()
    used = models.PositiveIntegerField()
    returned = models.PositiveIntegerField()
    destroyed = models.PositiveIntegerField()
    sampled = models.PositiveIntegerField(default=0)
    specimen = models.ForeignKey(Attachment, models.PROTECT, related_name="+")
    reconciliation = models.OneToOneField(Calculation, models.PROTECT, related_name="label_use")

    class Meta:
        constraints = [
            models.CheckConstraint(name="label_use_witness", condition=WITNESS_IS_ANOTHER),
            models.CheckConstraint(name="label_use_verified", condition=VERIFIED_BY_ANOTHER),
        ]

    def __str__(self) -> str:
        return f"{self.label} used ({self.pk})"


@controlled(append_only=True)
class Remark(models.Model):
    """A comment on a batch or one of its phases; it is added and never changed."""

    batch = models.ForeignKey(Batch, models.PROTECT, related_name="remarks")
    phase = models.ForeignKey(
        BatchPhase, models.PROTECT, related_name="remarks", null=True, blank=True
    )
    text = models.TextField()
    written_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    written_at = models.DateTimeField()

    class Meta:
        constraints = [models.CheckConstraint(name="remark_not_empty", condition=~Q(text=""))]

    def __str__(self) -> str:
        return f"remark on {self.batch} ({self.pk})"


@controlled(append_only=True)
class BatchFile(models.Model):
    """A file that belongs to a batch or a phase; its content is stored by digest."""

    batch = models.ForeignKey(Batch, models.PROTECT, related_name="files")
    phase = models.ForeignKey(
        BatchPhase, models.PROTECT, related_name="files", null=True, blank=True
    )
    attachment = models.ForeignKey(Attachment, models.PROTECT, related_name="+")
    title = models.CharField(max_length=200)
    attached_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    attached_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["batch", "attachment"], name="batch_file_once")
        ]

    def __str__(self) -> str:
        return f"{self.title} of {self.batch} ({self.pk})"
