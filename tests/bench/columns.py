"""The record that every product under measure keeps: the same columns, link and parts."""

from datetime import UTC, date, datetime
from decimal import Decimal

from django.db import models

AT = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)


class Columns(models.Model):
    """Twelve columns of the usual types."""

    number = models.CharField(max_length=40)
    title = models.CharField(max_length=200)
    state = models.CharField(max_length=20)
    text = models.TextField()
    low = models.DecimalField(max_digits=12, decimal_places=4)
    high = models.DecimalField(max_digits=12, decimal_places=4)
    count = models.IntegerField(default=0)
    is_open = models.BooleanField(default=True)
    opened_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)
    due_on = models.DateField()

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.number


class TagColumns(models.Model):
    """What records are linked to, many to many."""

    name = models.CharField(max_length=40)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.name


class PartColumns(models.Model):
    """What is deleted together with its record."""

    record = models.ForeignKey("Linked", models.CASCADE)
    name = models.CharField(max_length=40)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.name


def values(number: int) -> dict[str, object]:
    """Return the values of one record, of a length that is usual in a plant."""
    return {
        "number": f"R-{number}", "title": "Glucose below its limit on day 6", "state": "open",
        "text": "The probe and the laboratory agree. " * 6, "low": Decimal("11.0000"),
        "high": Decimal("45.0000"), "opened_at": AT, "due_on": date(2026, 3, 31),
    }  # fmt: skip
