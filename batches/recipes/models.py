"""Products and master recipes, with the parameters that matter and their limits (ISA-88, ICH Q8)."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from compliance.trail.capture import controlled
from compliance.trail.fields import CanonicalJSONField


@controlled()
class Product(models.Model):
    code = models.CharField(max_length=40, unique=True)
    name = models.CharField(max_length=200)

    def __str__(self) -> str:
        return self.code


class RecipeState(models.TextChoices):
    DRAFT = "draft", "Draft"
    EFFECTIVE = "effective", "Effective"
    SUPERSEDED = "superseded", "Superseded"


@controlled()
class MasterRecipe(models.Model):
    """One version of how a product is made. Effective versions never change (21 CFR 211.186)."""

    product = models.ForeignKey(Product, models.PROTECT, related_name="recipes")
    version = models.PositiveIntegerField()
    title = models.CharField(max_length=200)
    state = models.CharField(max_length=12, choices=RecipeState.choices, default=RecipeState.DRAFT)
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    checker = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", null=True, blank=True
    )
    effective_at = models.DateTimeField(null=True, blank=True)
    # The twin that runs beside batches of this recipe, and what it is told (feed, start values).
    twin = models.CharField(max_length=60, blank=True)
    twin_settings = CanonicalJSONField(default=dict, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["product", "version"], name="recipe_version_unique"),
            models.UniqueConstraint(
                fields=["product"], condition=Q(state="effective"), name="one_effective_recipe"
            ),
            models.CheckConstraint(
                name="recipe_checked_by_another_person",
                condition=Q(checker=None) | ~Q(checker=F("author")),
            ),
            models.CheckConstraint(
                name="recipe_effective_only_checked",
                condition=Q(state="draft")
                | (Q(checker__isnull=False) & Q(effective_at__isnull=False)),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.product.code} v{self.version}"


@controlled()
class RecipePhase(models.Model):
    """One phase of a recipe, in the unit procedure and operation it belongs to."""

    recipe = models.ForeignKey(MasterRecipe, models.PROTECT, related_name="phases")
    order = models.PositiveIntegerField()
    unit_procedure = models.CharField(max_length=100)
    name = models.CharField(max_length=100)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["recipe", "order"], name="phase_order_unique"),
            models.UniqueConstraint(
                fields=["recipe", "unit_procedure", "name"], name="phase_name_unique"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.recipe} {self.order} {self.name}"


class Criticality(models.TextChoices):
    CPP = "cpp", "Critical process parameter"
    CQA = "cqa", "Critical quality attribute"
    OTHER = "other", "Not critical"


class ParameterKind(models.TextChoices):
    READING = "reading", "On-line reading"
    RESULT = "result", "Laboratory result"


@controlled()
class Parameter(models.Model):
    """A measured parameter with its unit and the limits a batch must keep."""

    recipe = models.ForeignKey(MasterRecipe, models.PROTECT, related_name="parameters")
    tag = models.CharField(max_length=60, help_text="As the source systems post it.")
    name = models.CharField(max_length=100)
    kind = models.CharField(max_length=10, choices=ParameterKind.choices)
    unit = models.CharField(max_length=30, help_text="UCUM code.")
    criticality = models.CharField(max_length=6, choices=Criticality.choices)
    low = models.DecimalField(max_digits=20, decimal_places=6, null=True, blank=True)
    high = models.DecimalField(max_digits=20, decimal_places=6, null=True, blank=True)
    target = models.DecimalField(max_digits=20, decimal_places=6, null=True, blank=True)
    is_required = models.BooleanField(
        default=False, help_text="A batch is not released without a value of it."
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["recipe", "tag"], name="parameter_tag_unique"),
            models.CheckConstraint(
                name="limits_low_not_above_high",
                condition=Q(low=None) | Q(high=None) | Q(low__lte=F("high")),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.recipe} {self.tag}"

    @property
    def limits_text(self) -> str:
        """The limits as people read them, e.g. `36.5 to 37.5 Cel`."""
        low = None if self.low is None else f"{self.low.normalize():f}"
        high = None if self.high is None else f"{self.high.normalize():f}"
        match low, high:
            case None, None:
                return "no limits"
            case _, None:
                return f"at least {low} {self.unit}"
            case None, _:
                return f"at most {high} {self.unit}"
        return f"{low} to {high} {self.unit}"
