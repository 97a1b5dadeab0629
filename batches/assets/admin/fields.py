"""Form fields that the acts of assets share."""

from typing import Any

from django import forms

MOMENT = "%Y-%m-%dT%H:%M"


def moment(label: str, **options: Any) -> forms.DateTimeField:
    """Ask for a moment in UTC."""
    widget = forms.DateTimeInput(attrs={"type": "datetime-local"}, format=MOMENT)
    return forms.DateTimeField(label=f"{label} (UTC)", widget=widget, **options)


def day(label: str, **options: Any) -> forms.DateField:
    widget = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    return forms.DateField(label=label, widget=widget, **options)


def amount(label: str, **options: Any) -> forms.DecimalField:
    """Ask for a quantity with six decimal places at most."""
    return forms.DecimalField(label=label, max_digits=20, decimal_places=6, **options)


def text(label: str, most: int, **options: Any) -> forms.CharField:
    return forms.CharField(label=label, max_length=most, **options)


def lines(label: str, **options: Any) -> forms.CharField:
    """Ask for a text of some lines."""
    return forms.CharField(label=label, widget=forms.Textarea(attrs={"rows": 3}), **options)
