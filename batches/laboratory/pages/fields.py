"""Fields that the forms of the laboratory's acts share."""

from typing import Any

from django import forms
from django.utils import timezone

from compliance.access.acts import ReasonForm
from compliance.signatures.forms import SignForm

MOMENT = "%Y-%m-%dT%H:%M"
__all__ = ["CommentedSignForm", "ReasonForm", "SignForm", "at_utc", "now", "text"]


class CommentedSignForm(SignForm):
    """Ask for a comment, then for the signer's own password."""

    comment = forms.CharField(widget=forms.Textarea(attrs={"rows": 2}), required=False)
    field_order = ("comment", "password")


def text(*, rows: int = 3, **said: Any) -> forms.CharField:
    return forms.CharField(widget=forms.Textarea(attrs={"rows": rows}), **said)


def at_utc(label: str) -> forms.DateTimeField:
    return forms.DateTimeField(
        label=f"{label} (UTC)",
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format=MOMENT),
    )


def now(*names: str) -> Any:
    """Return the initial values of a form: these moments are now."""
    return lambda record: {name: timezone.now() for name in names}
