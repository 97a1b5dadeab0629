"""Materials and who may supply them (21 CFR 211.84; EU GMP 5.27)."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from compliance.trail.capture import controlled


class MaterialKind(models.TextChoices):
    RAW = "raw", "Raw material"
    INTERMEDIATE = "intermediate", "Intermediate"
    PRODUCT = "product", "Product"
    PACKAGING = "packaging", "Packaging and labels"


@controlled(guards=("guard_material",))
class Material(models.Model):
    """What is bought, made or packed; its lots are counted in its one unit."""

    code = models.CharField(max_length=40, unique=True)
    name = models.CharField(max_length=200)
    unit = models.CharField(max_length=30, help_text="UCUM code; the same for all of its lots.")
    kind = models.CharField(max_length=12, choices=MaterialKind.choices)
    retest_interval_days = models.PositiveIntegerField(null=True, blank=True)
    storage_conditions = models.CharField(max_length=200, blank=True)
    largest_receipt = models.DecimalField(
        max_digits=20, decimal_places=6, null=True, blank=True,
        help_text="A receipt above it is not plausible without a reason.",
    )  # fmt: skip
    reconciliation_limit_percent = models.DecimalField(
        max_digits=6, decimal_places=3, default=0,
        help_text="A count that differs more from the book opens a deviation.",
    )  # fmt: skip
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="material_kind_known", condition=Q(kind__in=MaterialKind.values)
            ),
            models.CheckConstraint(name="material_has_unit", condition=~Q(unit="")),
            models.CheckConstraint(
                name="material_limit_in_percent",
                condition=Q(
                    reconciliation_limit_percent__gte=0, reconciliation_limit_percent__lte=100
                ),
            ),
        ]

    def __str__(self) -> str:
        return self.code


@controlled()
class Supplier(models.Model):
    code = models.CharField(max_length=40, unique=True)
    name = models.CharField(max_length=200)
    address = models.TextField(blank=True)
    registered_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.code


@controlled()
class SupplierApproval(models.Model):
    """One supplier may supply one material, from one day to another."""

    supplier = models.ForeignKey(Supplier, models.PROTECT, related_name="approvals")
    material = models.ForeignKey(Material, models.PROTECT, related_name="approvals")
    valid_from = models.DateField()
    valid_until = models.DateField(null=True, blank=True)
    approved_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    approved_at = models.DateTimeField()
    basis = models.TextField(help_text="What the approval rests on: audit, certificate, history.")
    ended_on = models.DateField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["supplier", "material"], condition=Q(ended_on=None),
                name="one_approval_of_supplier_and_material",
            ),
            models.CheckConstraint(
                name="approval_ends_after_start",
                condition=Q(valid_until=None) | Q(valid_until__gte=F("valid_from")),
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.supplier} for {self.material} ({self.pk})"
