"""Describe what a person may do on a record's page: a form that makes one domain call."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django import forms
from django.db import models

from compliance.access.duties import Duty
from compliance.access.models import User

REASON = "What is done and why, in at least 8 characters. It stays in the audit trail."


@dataclass(frozen=True)
class Occasion:
    """One use of an act: on which record, with which values, by whom, when and from where."""

    record: Any
    values: Mapping[str, Any]
    actor: User
    at: datetime
    address: str


@dataclass(frozen=True)
class Done:
    """What to say after an act, and the record to show; a secret is shown on this answer only."""

    message: str
    record: models.Model | None = None
    secret: str = ""


class ReasonForm(forms.Form):
    """Ask why."""

    reason = forms.CharField(
        widget=forms.Textarea(attrs={"rows": 2}), help_text=REASON, max_length=2000
    )


class ConfirmForm(forms.Form):
    """Ask nothing but the press of the button."""


def _always(record: Any) -> bool:
    return True


def _nothing(record: Any) -> dict[str, Any]:
    return {}


@dataclass(frozen=True)
class Act:
    """A button and its form. `record` is None for acts of a list, such as opening a new record.

    `is_replacing` says that the form begins with what the record has, and that what is sent takes
    its place: it is refused when somebody changed that meanwhile.
    """

    name: str
    label: str
    duty: Duty
    call: Callable[[Occasion], Done]
    form: type[forms.Form] = ReasonForm
    explanation: str = ""
    is_for_list: bool = False
    is_grave: bool = False
    is_replacing: bool = False
    is_offered: Callable[[Any], bool] = _always
    initial: Callable[[Any], dict[str, Any]] = _nothing
    choices: Mapping[str, Callable[[Any], list[tuple[str, str]]]] = field(default_factory=dict)

    def bound(self, record: Any, data: Any = None, files: Any = None) -> forms.Form:
        """Return the form for a record, with the choices that depend on it."""
        form = self.form(data, files, initial=self.initial(record))
        form.record = record  # type: ignore[attr-defined]
        for name, options in self.choices.items():
            form.fields[name].choices = options(record)  # type: ignore[attr-defined]
        return form


_offered: dict[type[models.Model], list[Act]] = {}


def offer(model: type[models.Model], *acts: Act) -> None:
    """Add acts to the pages of a model; a higher room may add to a lower room's pages."""
    known = _offered.setdefault(model, [])
    for act in acts:
        if any(act.name == other.name for other in known):
            raise ValueError(f"{model.__name__} has an act named {act.name} already")
        known.append(act)


def of(model: type[models.Model], *, is_for_list: bool) -> list[Act]:
    return [act for act in _offered.get(model, []) if act.is_for_list == is_for_list]


def named(model: type[models.Model], name: str, *, is_for_list: bool) -> Act | None:
    return next((act for act in of(model, is_for_list=is_for_list) if act.name == name), None)
