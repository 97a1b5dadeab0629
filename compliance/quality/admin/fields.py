"""Make the fields and the acts that the forms of quality have in common."""

from collections.abc import Callable, Iterable
from typing import Any

from django import forms
from django.db import models

from compliance.access.acts import Done, Occasion
from compliance.access.models import User


def text(
    *, rows: int = 3, required: bool = True, help_text: str = "", label: str | None = None
) -> forms.CharField:
    """Return a field for sentences."""
    return forms.CharField(
        widget=forms.Textarea(attrs={"rows": rows}), required=required, help_text=help_text,
        label=label, max_length=20_000,
    )  # fmt: skip


def line(
    *, required: bool = True, help_text: str = "", longest: int = 200, label: str | None = None
) -> forms.CharField:
    """Return a field for one line."""
    return forms.CharField(max_length=longest, required=required, help_text=help_text, label=label)


def day(*, required: bool = True, label: str | None = None, help_text: str = "") -> forms.DateField:
    return forms.DateField(
        widget=forms.DateInput(attrs={"type": "date"}), required=required, label=label,
        help_text=help_text,
    )  # fmt: skip


def moment(*, required: bool = True, label: str | None = None) -> forms.DateTimeField:
    return forms.DateTimeField(
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}), required=required, label=label
    )


def yes_no(
    *, label: str | None = None, help_text: str = "", yes: str = "Yes", no: str = "No"
) -> forms.TypedChoiceField:
    """Return a question that is answered either way, never by leaving it."""
    return forms.TypedChoiceField(
        choices=[("", "---------"), ("yes", yes), ("no", no)], coerce=lambda said: said == "yes",
        label=label, help_text=help_text,
    )  # fmt: skip


def choice(
    options: type[models.Choices],
    *,
    required: bool = True,
    label: str | None = None,
    help_text: str = "",
) -> forms.ChoiceField:
    filled = [one for one in options.choices if one[0]]
    return forms.ChoiceField(
        choices=[("", "---------"), *filled], required=required, label=label, help_text=help_text
    )


def person(*, label: str | None = None) -> forms.CharField:
    return line(longest=60, label=label, help_text="The username.")


def one_of(
    of: str, shown: Callable[[Any], str], *, only: dict[str, Any] | None = None
) -> Callable[[Any], list[tuple[str, str]]]:
    """Return the choices of one of a record's parts, by the name of the relation."""

    def options(record: Any) -> list[tuple[str, str]]:
        parts: Iterable[Any] = getattr(record, of).filter(**(only or {})).order_by("pk")
        return [(str(part.pk), shown(part)[:160]) for part in parts]

    return options


def told(do: Callable[[Occasion], Any], message: str) -> Callable[[Occasion], Done]:
    """Return an act that stays on the record's page and says what was done."""

    def call(occasion: Occasion) -> Done:
        do(occasion)
        return Done(message.format(occasion.record))

    return call


def opened(do: Callable[[Occasion], Any], message: str) -> Callable[[Occasion], Done]:
    """Return an act that goes on to the page of what it made."""

    def call(occasion: Occasion) -> Done:
        made = do(occasion)
        return Done(message.format(made), made)

    return call


def name(user: User | None) -> str:
    return user.username if user else ""
