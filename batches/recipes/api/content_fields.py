"""Make the wire form of a recipe's content from its tables: one field a column."""

from dataclasses import MISSING, fields
from typing import Any

from django.db import models
from rest_framework import serializers

from batches.recipes.contents import HEADER
from batches.recipes.models import MasterRecipe
from batches.recipes.parts import KINDS, REFERENCES, Kind
from compliance.trail.tlog import canonical
from compliance.wire import In, Text

LONGEST = 20_000


class Settings(serializers.JSONField):
    """What a twin is told: JSON without floats."""

    def to_internal_value(self, data: Any) -> Any:
        value = super().to_internal_value(data)
        try:
            canonical.dumps(value)
        except canonical.NotCanonical as error:
            raise serializers.ValidationError(str(error), code="canonical") from error
        if not isinstance(value, dict):
            raise serializers.ValidationError("write an object", code="canonical")
        return value


class Number(serializers.DecimalField):
    """A decimal, written as text; what comes out is the shortest text of it."""

    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, str):
            raise serializers.ValidationError("write the number as text", code="text")
        return f"{super().to_internal_value(data).normalize():f}"

    def to_representation(self, value: Any) -> str:
        return str(value)


def field_of(column: Any, *, is_required: bool) -> Any:
    """Return the field of the wire for a column of a table."""
    options: dict[str, Any] = {"required": is_required}
    if column.help_text:
        options["help_text"] = column.help_text
    match column:
        case models.ForeignKey():
            return Text(max_length=250, allow_blank=True, allow_null=True, **options)
        case models.DecimalField():
            return Number(
                max_digits=column.max_digits, decimal_places=column.decimal_places,
                allow_null=column.null, **options,
            )  # fmt: skip
        case models.BooleanField():
            return serializers.BooleanField(**options)
        case models.PositiveIntegerField() | models.PositiveSmallIntegerField():
            return serializers.IntegerField(
                min_value=0, max_value=2**31 - 1, allow_null=column.null, **options
            )
    return _text_of(column, options)


def _text_of(column: Any, options: dict[str, Any]) -> Any:
    if column.choices:
        return serializers.ChoiceField(choices=column.choices, **options)
    if column.name == "tests":
        return serializers.ListField(child=Text(max_length=100), **options)
    return Text(max_length=column.max_length or LONGEST, allow_blank=column.blank, **options)


def _line(kind: Kind) -> type[In]:
    made: dict[str, Any] = {
        one.name: field_of(
            kind.model._meta.get_field(one.name),
            is_required=one.default is MISSING and one.default_factory is MISSING,
        )
        for one in fields(kind.draft)
    }
    if kind.name == "phases":
        made["order"] = serializers.IntegerField(
            required=False, min_value=1, help_text="Its place; in a content, that in the list."
        )
    assert set(REFERENCES) & set(made) <= set(kind.fields)  # noqa: S101
    name = "".join(word.capitalize() for word in kind.singular.split())
    return type(
        f"Recipe{name}Line", (In,), {"__doc__": f"One {kind.singular} of a recipe.", **made}
    )


LINES: dict[str, type[In]] = {kind.name: _line(kind) for kind in KINDS.values()}


def _content() -> type[In]:
    header = {
        name: field_of(MasterRecipe._meta.get_field(name), is_required=name == "title")
        for name in HEADER
    }
    lists = {
        name: line(many=True, required=name in {"phases", "parameters"})
        for name, line in LINES.items()
    }
    given = {
        "product": Text(max_length=40, required=False),
        "product_name": Text(max_length=200, required=False),
        "version": serializers.IntegerField(required=False),
        "author": Text(max_length=150, required=False),
        "strength": Text(max_length=100, allow_blank=True, required=False),
        "dosage_form": Text(max_length=100, allow_blank=True, required=False),
        "shelf_life_months": serializers.IntegerField(required=False, allow_null=True),
    }
    doc = "A whole recipe: its header, its lists and what its twin is told."
    settings = {"twin_settings": Settings(required=False)}
    return type("RecipeContent", (In,), {"__doc__": doc, **header, **given, **lists, **settings})


RecipeContent: Any = _content()
