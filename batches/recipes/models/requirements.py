"""What a recipe demands beside its procedure: materials, yields, samples, equipment, labels."""

from django.db import models
from django.db.models import F, Q

from batches.assets.models import Material
from batches.recipes.models.process import RecipePhase
from batches.recipes.models.recipes import MasterRecipe
from compliance.trail.capture import controlled
from compliance.trail.fields import CanonicalJSONField


class MaterialKind(models.TextChoices):
    ACTIVE = "active", "Active ingredient"
    COMPONENT = "component", "Other component"
    AID = "aid", "Processing aid"
    PACKAGING = "packaging", "Container, closure or packaging"


@controlled(deletable=True, guards=("keep_parts",))
class MaterialRequirement(models.Model):
    """One line of the bill of materials (21 CFR 211.186(b)(3)-(5))."""

    recipe = models.ForeignKey(MasterRecipe, models.PROTECT, related_name="materials")
    line = models.PositiveIntegerField()
    phase = models.ForeignKey(RecipePhase, models.PROTECT, related_name="materials")
    material = models.ForeignKey(Material, models.PROTECT, related_name="+")
    kind = models.CharField(max_length=10, choices=MaterialKind.choices)
    quantity = models.DecimalField(max_digits=20, decimal_places=6)
    unit = models.CharField(max_length=30, help_text="UCUM code.")
    tolerance_low_pct = models.DecimalField(
        max_digits=6, decimal_places=3, default=0, help_text="How far below, in percent."
    )
    tolerance_high_pct = models.DecimalField(
        max_digits=6, decimal_places=3, default=0, help_text="How far above, in percent."
    )
    excess_pct = models.DecimalField(
        max_digits=6, decimal_places=3, default=0, help_text="Calculated excess, in the quantity."
    )
    is_potency_adjusted = models.BooleanField(
        default=False, help_text="The quantity is adjusted to the assay of the lot."
    )
    amount_per_dosage_unit = models.CharField(
        max_length=100, blank=True, help_text="Of an active ingredient: 21 CFR 211.186(b)(2)."
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["recipe", "line"], name="material_line_unique"),
            models.CheckConstraint(
                name="material_requirement_kind_known", condition=Q(kind__in=MaterialKind.values)
            ),
            models.CheckConstraint(name="material_quantity_positive", condition=Q(quantity__gt=0)),
            models.CheckConstraint(
                name="material_tolerances_not_negative",
                condition=Q(
                    tolerance_low_pct__gte=0,
                    tolerance_low_pct__lte=100,
                    tolerance_high_pct__gte=0,
                    excess_pct__gte=0,
                ),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.recipe} material {self.line}: {self.material}"

    @property
    def is_active(self) -> bool:
        return self.kind == MaterialKind.ACTIVE


@controlled(deletable=True, guards=("keep_parts",))
class ExpectedYield(models.Model):
    """The theoretical yield after a phase, and the percentages that demand an investigation."""

    recipe = models.ForeignKey(MasterRecipe, models.PROTECT, related_name="yields")
    phase = models.ForeignKey(RecipePhase, models.PROTECT, related_name="yields")
    quantity = models.DecimalField(max_digits=20, decimal_places=6)
    unit = models.CharField(max_length=30, help_text="UCUM code.")
    low_pct = models.DecimalField(max_digits=6, decimal_places=3)
    high_pct = models.DecimalField(max_digits=6, decimal_places=3)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["recipe", "phase"], name="yield_once_a_phase"),
            models.CheckConstraint(name="yield_quantity_positive", condition=Q(quantity__gt=0)),
            models.CheckConstraint(
                name="yield_limits_in_order",
                condition=Q(low_pct__gte=0) & Q(low_pct__lte=F("high_pct")),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.recipe} yield of {self.phase.name}"


@controlled(deletable=True, guards=("keep_parts",))
class SamplingPoint(models.Model):
    """One entry of the sampling plan: what is drawn when, and tested by which specification."""

    recipe = models.ForeignKey(MasterRecipe, models.PROTECT, related_name="sampling")
    name = models.CharField(max_length=100)
    phase = models.ForeignKey(RecipePhase, models.PROTECT, related_name="sampling")
    count = models.PositiveIntegerField(default=1, help_text="How many samples.")
    timing = models.CharField(max_length=200, help_text="When they are drawn.")
    quantity = models.DecimalField(max_digits=20, decimal_places=6, null=True, blank=True)
    unit = models.CharField(max_length=30, blank=True, help_text="UCUM code.")
    specification = models.CharField(max_length=60, blank=True, help_text="Its code.")
    specification_version = models.CharField(max_length=20, blank=True)
    tests = CanonicalJSONField(default=list, blank=True, help_text="Names of the tests.")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["recipe", "name"], name="sampling_name_unique"),
            models.CheckConstraint(name="sampling_count_positive", condition=Q(count__gt=0)),
        ]

    def __str__(self) -> str:
        return f"{self.recipe} sampling {self.name}"


@controlled(deletable=True, guards=("keep_parts",))
class EquipmentRequirement(models.Model):
    """What equipment the recipe needs, and what it must be able to do."""

    recipe = models.ForeignKey(MasterRecipe, models.PROTECT, related_name="equipment")
    name = models.CharField(max_length=100)
    phase = models.ForeignKey(
        RecipePhase, models.PROTECT, related_name="equipment", null=True, blank=True
    )
    kind = models.CharField(max_length=60, help_text="As equipment is registered.")
    requirement = models.CharField(max_length=300, blank=True, help_text="Size, range, material.")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["recipe", "name"], name="equipment_name_unique")
        ]

    def __str__(self) -> str:
        return f"{self.recipe} equipment {self.name}"


@controlled(deletable=True, guards=("keep_parts",))
class LabelRequirement(models.Model):
    """A label to be used, by its code and version, with the digest of its specimen."""

    recipe = models.ForeignKey(MasterRecipe, models.PROTECT, related_name="labels")
    code = models.CharField(max_length=60)
    version = models.CharField(max_length=20)
    phase = models.ForeignKey(
        RecipePhase, models.PROTECT, related_name="labels", null=True, blank=True
    )
    description = models.CharField(max_length=300, blank=True)
    specimen_digest = models.CharField(
        max_length=64, blank=True, help_text="SHA-256 of the approved specimen (211.186(b)(8))."
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["recipe", "code"], name="label_code_unique"),
            models.CheckConstraint(
                name="label_specimen_is_sha256",
                condition=Q(specimen_digest="") | Q(specimen_digest__regex=r"^[0-9a-f]{64}$"),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.recipe} label {self.code}"
