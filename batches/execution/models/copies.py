"""The issued copy: everything of the master recipe that a batch follows (21 CFR 211.188(a)).

These rows are written when the batch is issued, and never again. Quantities are the recipe's,
multiplied by the scale of the batch; the recipe's own text is in `IssuedCopy`, word for word.
"""

from typing import Any

from django.db import models
from django.db.models import Q

from batches.execution.models.batches import Batch, BatchPhase
from compliance.trail.capture import controlled
from compliance.trail.fields import CanonicalJSONField

AMOUNT: dict[str, Any] = {"max_digits": 20, "decimal_places": 6}
PERCENT: dict[str, Any] = {"max_digits": 6, "decimal_places": 3}


@controlled(append_only=True)
class IssuedCopy(models.Model):
    """The content of the recipe as issued; its digest is the batch's `recipe_digest`."""

    batch = models.OneToOneField(Batch, models.PROTECT, related_name="issued_copy")
    content = CanonicalJSONField()

    class Meta:
        verbose_name_plural = "issued copies"

    def __str__(self) -> str:
        return f"copy issued as {self.batch}"


@controlled(append_only=True)
class BatchParameter(models.Model):
    """A measured parameter with the limits that this batch must keep."""

    batch = models.ForeignKey(Batch, models.PROTECT, related_name="parameters")
    phase = models.ForeignKey(
        BatchPhase, models.PROTECT, related_name="parameters", null=True, blank=True
    )
    tag = models.CharField(max_length=60)
    name = models.CharField(max_length=100)
    kind = models.CharField(max_length=10)
    unit = models.CharField(max_length=30)
    criticality = models.CharField(max_length=6)
    low = models.DecimalField(**AMOUNT, null=True, blank=True)
    high = models.DecimalField(**AMOUNT, null=True, blank=True)
    target = models.DecimalField(**AMOUNT, null=True, blank=True)
    proven_low = models.DecimalField(**AMOUNT, null=True, blank=True)
    proven_high = models.DecimalField(**AMOUNT, null=True, blank=True)
    alert_low = models.DecimalField(**AMOUNT, null=True, blank=True)
    alert_high = models.DecimalField(**AMOUNT, null=True, blank=True)
    action_low = models.DecimalField(**AMOUNT, null=True, blank=True)
    action_high = models.DecimalField(**AMOUNT, null=True, blank=True)
    is_required = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["batch", "tag"], name="batch_parameter_tag_unique")
        ]

    def __str__(self) -> str:
        return f"{self.batch} {self.tag}"


@controlled(append_only=True)
class BatchMaterial(models.Model):
    """One line of the batch's bill of materials, its quantity scaled to the batch."""

    batch = models.ForeignKey(Batch, models.PROTECT, related_name="materials")
    line = models.PositiveIntegerField()
    phase = models.ForeignKey(BatchPhase, models.PROTECT, related_name="materials")
    material_code = models.CharField(max_length=60)
    kind = models.CharField(max_length=10)
    quantity = models.DecimalField(**AMOUNT)
    unit = models.CharField(max_length=30)
    tolerance_low_pct = models.DecimalField(**PERCENT)
    tolerance_high_pct = models.DecimalField(**PERCENT)
    excess_pct = models.DecimalField(**PERCENT)
    is_potency_adjusted = models.BooleanField(default=False)
    amount_per_dosage_unit = models.CharField(max_length=100, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["batch", "line"], name="batch_material_line_unique"),
            models.CheckConstraint(
                name="batch_material_quantity_positive", condition=Q(quantity__gt=0)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.batch} material {self.line}: {self.material_code}"


@controlled(append_only=True)
class BatchYield(models.Model):
    """The theoretical yield after a phase, scaled, and the percentages that must be kept."""

    batch = models.ForeignKey(Batch, models.PROTECT, related_name="yields")
    phase = models.ForeignKey(BatchPhase, models.PROTECT, related_name="yields")
    quantity = models.DecimalField(**AMOUNT)
    unit = models.CharField(max_length=30)
    low_pct = models.DecimalField(**PERCENT)
    high_pct = models.DecimalField(**PERCENT)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["batch", "phase"], name="batch_yield_once_a_phase")
        ]

    def __str__(self) -> str:
        return f"{self.batch} yield of {self.phase.name}"


@controlled(append_only=True)
class BatchSampling(models.Model):
    """One entry of the sampling plan of this batch."""

    batch = models.ForeignKey(Batch, models.PROTECT, related_name="sampling")
    phase = models.ForeignKey(BatchPhase, models.PROTECT, related_name="sampling")
    name = models.CharField(max_length=100)
    count = models.PositiveIntegerField()
    timing = models.CharField(max_length=200)
    quantity = models.DecimalField(**AMOUNT, null=True, blank=True)
    unit = models.CharField(max_length=30, blank=True)
    specification = models.CharField(max_length=60, blank=True)
    specification_version = models.CharField(max_length=20, blank=True)
    tests = CanonicalJSONField(default=list, blank=True)

    class Meta:
        verbose_name_plural = "batch sampling"
        constraints = [
            models.UniqueConstraint(fields=["batch", "name"], name="batch_sampling_name_unique")
        ]

    def __str__(self) -> str:
        return f"{self.batch} sampling {self.name}"


@controlled(append_only=True)
class EquipmentNeed(models.Model):
    """Equipment that the recipe demands for this batch, by its kind."""

    batch = models.ForeignKey(Batch, models.PROTECT, related_name="equipment_needs")
    phase = models.ForeignKey(
        BatchPhase, models.PROTECT, related_name="equipment_needs", null=True, blank=True
    )
    name = models.CharField(max_length=100)
    kind = models.CharField(max_length=60)
    requirement = models.CharField(max_length=300, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["batch", "name"], name="equipment_need_name_unique")
        ]

    def __str__(self) -> str:
        return f"{self.batch} needs {self.name}"


@controlled(append_only=True)
class BatchLabel(models.Model):
    """A label that the recipe demands for this batch, with the digest of its specimen."""

    batch = models.ForeignKey(Batch, models.PROTECT, related_name="labels")
    phase = models.ForeignKey(
        BatchPhase, models.PROTECT, related_name="labels", null=True, blank=True
    )
    code = models.CharField(max_length=60)
    version = models.CharField(max_length=20)
    description = models.CharField(max_length=300, blank=True)
    specimen_digest = models.CharField(max_length=64, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["batch", "code"], name="batch_label_code_unique")
        ]

    def __str__(self) -> str:
        return f"{self.batch} label {self.code} v{self.version}"
