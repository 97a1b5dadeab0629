"""The versions of a product's master recipe, with the people who answer for each of them."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from batches.recipes.models.products import Product
from compliance.trail.capture import controlled
from compliance.trail.fields import CanonicalJSONField

CONTENT_FORM = 2  # of what a digest is taken; recipes keep the form they were drafted in


class RecipeState(models.TextChoices):
    DRAFT = "draft", "Draft"
    IN_REVIEW = "in-review", "In review"
    APPROVED = "approved", "Approved"
    EFFECTIVE = "effective", "Effective"
    SUPERSEDED = "superseded", "Superseded"
    WITHDRAWN = "withdrawn", "Withdrawn"


# `keep_specified` is made by the laboratory, whose tables it reads.
@controlled(guards=("keep_recipe", "keep_change", "keep_specified"))
class MasterRecipe(models.Model):
    """One version of how a product is made. After its draft it never changes (21 CFR 211.186)."""

    product = models.ForeignKey(Product, models.PROTECT, related_name="recipes")
    version = models.PositiveIntegerField()
    title = models.CharField(max_length=200)
    state = models.CharField(max_length=12, choices=RecipeState.choices, default=RecipeState.DRAFT)
    based_on = models.ForeignKey(
        "self", models.PROTECT, related_name="+", null=True, blank=True,
        help_text="The version that it was copied from.",
    )  # fmt: skip
    change_number = models.CharField(
        max_length=40, blank=True, help_text="Of the change control record that asks for it."
    )
    change_summary = models.TextField(blank=True, help_text="What is changed, and why.")

    # Who answers for it, and when they did. Three persons (constraints below).
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    reviewer = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", null=True, blank=True
    )
    checker = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", null=True, blank=True
    )
    drafted_at = models.DateTimeField(null=True, blank=True)
    revised_at = models.DateTimeField(
        null=True, blank=True, help_text="When its author last wrote in it, lines included."
    )
    submitted_at = models.DateTimeField(null=True, blank=True)
    reviewed_at = models.DateTimeField(null=True, blank=True)
    approved_at = models.DateTimeField(null=True, blank=True)
    effective_on = models.DateField(
        null=True, blank=True, help_text="The day (UTC) from which it is to be followed."
    )
    effective_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(
        null=True, blank=True, help_text="When it was superseded or withdrawn."
    )

    # 21 CFR 211.186(b)(1), (2): copied from the product when drafted, frozen with the version.
    product_name = models.CharField(max_length=200, blank=True)
    strength = models.CharField(max_length=100, blank=True)
    dosage_form = models.CharField(max_length=100, blank=True)
    shelf_life_months = models.PositiveSmallIntegerField(null=True, blank=True)
    dosage_unit = models.CharField(
        max_length=200, blank=True, help_text="A dosage unit with its total weight or measure."
    )
    batch_size = models.DecimalField(max_digits=20, decimal_places=6, null=True, blank=True)
    batch_size_unit = models.CharField(max_length=30, blank=True, help_text="UCUM code.")
    specification = models.CharField(
        max_length=60, blank=True, help_text="Code of the product's specification."
    )
    specification_version = models.CharField(max_length=20, blank=True)
    storage = models.CharField(max_length=200, blank=True)
    precautions = models.TextField(blank=True, help_text="Special notations to be followed.")

    # The twin that runs beside batches of this recipe, and what it is told (feed, start values).
    twin = models.CharField(max_length=60, blank=True)
    twin_settings = CanonicalJSONField(default=dict, blank=True)
    content_form = models.PositiveSmallIntegerField(default=CONTENT_FORM)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["product", "version"], name="recipe_version_unique"),
            models.UniqueConstraint(
                fields=["product"], condition=Q(state="effective"), name="one_effective_recipe"
            ),
            models.CheckConstraint(
                name="recipe_state_known", condition=Q(state__in=RecipeState.values)
            ),
            models.CheckConstraint(
                name="recipe_checked_by_another_person",
                condition=Q(checker=None) | ~Q(checker=F("author")),
            ),
            models.CheckConstraint(
                name="recipe_reviewed_by_another_person",
                condition=Q(reviewer=None) | ~Q(reviewer=F("author")),
            ),
            models.CheckConstraint(
                name="recipe_checker_is_not_reviewer",
                condition=Q(reviewer=None) | Q(checker=None) | ~Q(checker=F("reviewer")),
            ),
            models.CheckConstraint(
                name="recipe_followed_only_checked",
                condition=Q(state__in=["draft", "in-review", "withdrawn"])
                | Q(checker__isnull=False),
            ),
            models.CheckConstraint(
                name="recipe_approved_has_its_day",
                condition=~Q(state="approved") | Q(effective_on__isnull=False),
            ),
            models.CheckConstraint(
                name="recipe_effective_has_its_moment",
                condition=~Q(state="effective") | Q(effective_at__isnull=False),
            ),
            models.CheckConstraint(
                name="recipe_batch_size_positive",
                condition=Q(batch_size=None) | Q(batch_size__gt=0),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.product.code} v{self.version}"
