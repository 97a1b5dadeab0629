"""What is made: a product with its strength, dosage form, shelf life and markets."""

from django.db import models
from django.db.models import Q

from compliance.trail.capture import controlled
from compliance.trail.fields import CanonicalJSONField


@controlled()
class Product(models.Model):
    """A product as it is registered; recipes keep a copy of what they were drafted for."""

    code = models.CharField(max_length=40, unique=True)
    name = models.CharField(max_length=200)
    strength = models.CharField(max_length=100, blank=True, help_text="E.g. 50 mg per vial.")
    dosage_form = models.CharField(max_length=100, blank=True)
    shelf_life_months = models.PositiveSmallIntegerField(
        null=True, blank=True, help_text="As registered; expiry and retention are counted from it."
    )
    markets = CanonicalJSONField(
        default=list, blank=True, help_text="ISO 3166-1 codes of the markets it is registered in."
    )

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="product_shelf_life_positive",
                condition=Q(shelf_life_months=None) | Q(shelf_life_months__gt=0),
            )
        ]

    def __str__(self) -> str:
        return self.code
