"""Make the forms in which a draft is written: one a kind of part, from its table."""

from typing import Any

from django import forms
from django.db import models

from batches.assets.models import Material
from batches.recipes import parts
from batches.recipes.contents import HEADER
from batches.recipes.drafts import PartDraft
from batches.recipes.models import MasterRecipe
from batches.recipes.parts import KINDS, Kind
from compliance.access.acts import REASON, ReasonForm
from compliance.access.models import Procedure
from compliance.signatures.forms import SignForm

Choices = list[tuple[str, str]]


class DraftForm(forms.Form):
    product = forms.ChoiceField()
    title = forms.CharField(max_length=200)
    phases = forms.CharField(
        widget=forms.Textarea(attrs={"rows": 5}),
        help_text="One a line, in order: unit procedure / operation / phase.",
    )


class ImportForm(forms.Form):
    document = forms.CharField(
        widget=forms.Textarea(attrs={"rows": 12}),
        help_text="An exported recipe, as it was written.",
    )


class CopyForm(forms.Form):
    change_number = forms.CharField(
        max_length=40, help_text="The change control record that asks for a new version."
    )
    change_summary = forms.CharField(
        widget=forms.Textarea(attrs={"rows": 3}), help_text="What is to be changed, and why."
    )


class ReviewForm(SignForm):
    comment = forms.CharField(
        required=False, max_length=2000, widget=forms.Textarea(attrs={"rows": 2})
    )
    field_order = ("comment", "password")


class ApproveForm(SignForm):
    effective_on = forms.DateField(
        label="Effective on (UTC)", required=False,
        widget=forms.DateInput(attrs={"type": "date"}),
        help_text="Leave empty for today. A later day is kept by the schedule.",
    )  # fmt: skip
    field_order = ("effective_on", "password")


class TakeOutForm(ReasonForm):
    line = forms.ChoiceField(label="Line to take out")
    field_order = ("line", "reason")


def _reason() -> forms.CharField:
    widget = forms.Textarea(attrs={"rows": 2})
    return forms.CharField(widget=widget, help_text=REASON, max_length=2000)


def _field(column: Any) -> forms.Field:
    if isinstance(column, models.ForeignKey):
        return forms.ChoiceField(required=not column.null)
    if column.name == "tests":
        return forms.CharField(
            required=False, widget=forms.Textarea(attrs={"rows": 3}), help_text="One name a line."
        )
    made: forms.Field = column.formfield()
    made.help_text = column.help_text
    return made


def _line_form(kind: Kind) -> type[forms.Form]:
    made = {name: _field(kind.model._meta.get_field(name)) for name in kind.fields}
    if kind.name == "phases":
        made["place"] = forms.IntegerField(
            min_value=1, required=False, help_text="Leave empty to keep its place, or to come last."
        )
    return type(f"{kind.name.capitalize()}Form", (forms.Form,), {**made, "reason": _reason()})


def _header_form() -> type[forms.Form]:
    made: dict[str, Any] = {
        name: MasterRecipe._meta.get_field(name).formfield()  # type: ignore[union-attr]
        for name in HEADER
    }
    return type("HeaderForm", (forms.Form,), {**made, "reason": _reason()})


LINE_FORMS = {kind.name: _line_form(kind) for kind in KINDS.values()}
HeaderForm = _header_form()


def header_of(recipe: MasterRecipe) -> dict[str, Any]:
    return {name: getattr(recipe, name) for name in HEADER}


def choices_of(kind: Kind) -> dict[str, Any]:
    """Return, for the fields that point somewhere, what they can point to."""
    every = {"phase": _phases, "material": _materials, "procedure": _procedures}
    return {
        name: _with_none(found) if kind.model._meta.get_field(name).null else found
        for name, found in every.items()
        if name in kind.fields
    }


def line_of(recipe: MasterRecipe, kind: Kind) -> dict[str, Any]:
    """Return the values of the line that the address names, to begin with."""
    wanted = getattr(recipe, "asked_line", "")
    for line in parts.content(recipe, kind) if wanted else []:
        if kind.key_of(line) == wanted:
            found: dict[str, Any] = {name: one for name, one in line.items() if name != "order"}
            if "tests" in found:
                found["tests"] = "\n".join(found["tests"])
            return found
    if kind.name == "materials":
        return {"line": max((one.line for one in recipe.materials.all()), default=0) + 1}
    return {}


def draft_of(kind: Kind, values: dict[str, Any]) -> PartDraft:
    """Return what was written in a form of a line."""
    said = {name: values[name] for name in kind.fields}
    if "tests" in said:
        said["tests"] = tuple(one.strip() for one in said["tests"].splitlines() if one.strip())
    made: PartDraft = kind.draft(**said)
    return made


def lines_of(recipe: MasterRecipe) -> Choices:
    return [
        (f"{kind.name}:{kind.key_of(line)}", f"{kind.singular} {kind.key_of(line)}")
        for kind in KINDS.values()
        for line in parts.content(recipe, kind)
    ]


def _with_none(found: Any) -> Any:
    return lambda recipe: [("", "-"), *found(recipe)]


def _phases(recipe: MasterRecipe) -> Choices:
    return [(one.label, one.label) for one in recipe.phases.order_by("order")]


def _materials(recipe: MasterRecipe) -> Choices:
    return [(one.code, f"{one.code} {one.name}") for one in Material.objects.order_by("code")]


def _procedures(recipe: MasterRecipe) -> Choices:
    return [
        (one.code, str(one)) for one in Procedure.objects.filter(retired_at=None).order_by("code")
    ]
