"""Describe what goes over the wire: nothing unknown, times with their zone, pages of a size."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from django.core.exceptions import FieldDoesNotExist
from django.core.exceptions import ValidationError as ValueInvalid
from django.db.models import Field, QuerySet
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.fields import empty
from rest_framework.pagination import LimitOffsetPagination
from rest_framework.request import Request

from compliance import times

_fields_of: dict[type, Any] = {}
_plain: dict[type, dict[str, Any]] = {}


class _Body(serializers.Serializer[Any]):
    """A body that has its fields in common with all of its kind, unless they depend on a request.

    Django REST framework makes them anew for each body, which costs more than what they do for it.
    And it counts what it makes in its class `Field`: after each, Python looks up anew what hundreds
    of classes have of it. So what a body is made of is taken from the first one without options.
    """

    def __init__(self, instance: Any = None, data: Any = empty, **options: Any) -> None:
        kind = type(self)
        is_declared = instance is None and data is empty  # as a field: those are counted in order
        if is_declared or options:
            super().__init__(instance, data, **options)
            return
        if kind not in _plain:
            made = vars(kind())
            _plain[kind] = {name: made[name] for name in made.keys() - {"_args", "_kwargs"}}
        vars(self).update(_plain[kind], instance=instance, _context={})
        if data is not empty:
            self.initial_data = data

    @cached_property
    def fields(self) -> Any:
        if self.context or getattr(self.root, "partial", False):
            return _telling(super().fields)
        kind = type(self)
        if kind not in _fields_of:
            _fields_of[kind] = _telling(super(_Body, kind()).fields)
        return _fields_of[kind]


def _telling(fields: Any) -> Any:
    """Have each choice say which there are, where Django REST framework says that it is none."""
    for field in fields.values():
        choice = getattr(field, "child", field)
        if isinstance(choice, serializers.ChoiceField):
            known = ", ".join(map(str, choice.choices)).replace("{", "{{").replace("}", "}}")
            choice.error_messages["invalid_choice"] = f"“{{input}}” is none of {known}"
    return fields


class In(_Body):
    """A body that is read: a member it does not know is refused, never dropped."""

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, Mapping):
            unknown = sorted(set(data) - set(self.fields))
            if unknown:
                known = ", ".join(self.fields)
                raise serializers.ValidationError(
                    {name: [f"unknown member; known: {known}"] for name in unknown}, code="unknown"
                )
        return super().to_internal_value(data)


class Out(_Body):
    """A body that is answered."""


@extend_schema_field(OpenApiTypes.DATETIME)
class Moment(serializers.Field[datetime, str, str, datetime]):
    """A moment as ISO 8601 text with its zone."""

    def to_internal_value(self, data: Any) -> datetime:
        if not isinstance(data, str):
            raise serializers.ValidationError("write the moment as text", code="moment")
        try:
            return times.parse(data)
        except times.NotAMoment as error:
            raise serializers.ValidationError(str(error), code="moment") from error

    def to_representation(self, value: datetime) -> str:
        return value.isoformat()


class Instant(serializers.DateTimeField):
    """A moment as it is answered: in UTC, as all of ours, which are not asked for their zone."""

    def to_representation(self, value: datetime) -> str:
        return value.astimezone(UTC).isoformat().removesuffix("+00:00") + "Z"


class Text(serializers.CharField):
    """Text as written: neither trimmed nor made of a number."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"trim_whitespace": False, **options})

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            raise serializers.ValidationError(
                "write it as text: the digits and zeros of a number are data", code="text"
            )
        return super().to_internal_value(data)


class Pages(LimitOffsetPagination):
    """Pages of a list; `limit` and `offset` are whole numbers, and anything else is refused."""

    default_limit = 100
    max_limit = 1000

    def get_limit(self, request: Request) -> int | None:
        _demand_whole(request, self.limit_query_param, least=1)
        return super().get_limit(request)

    def get_offset(self, request: Request) -> int:
        _demand_whole(request, self.offset_query_param, least=0)
        return super().get_offset(request)


def _demand_whole(request: Request, name: str, *, least: int) -> None:
    said = request.query_params.get(name)
    if said is None:
        return
    is_whole = said.isascii() and said.isdigit() and len(said) <= 18
    if not is_whole or int(said) < least:
        raise serializers.ValidationError({name: f"a whole number from {least} on"}, code="page")


def chosen(request: Request, name: str, values: Iterable[str]) -> str:
    """Return what a filter of a list chooses, "" for nothing; raise `ValidationError` for all else."""
    value = request.query_params.get(name, "")
    known = list(values)
    if value and value not in known:
        raise serializers.ValidationError({name: f"one of {', '.join(known)}"})
    return value


def narrowed(found: QuerySet[Any], name: str, value: str, *, by: str = "") -> QuerySet[Any]:
    """Narrow a list by a filter; raise `ValidationError` for a value that none of its rows can have.

    `by` is the lookup where it is not the filter's name. A choice that there is not, a record that
    there is not, and what is no value of the column would all look like a list of nothing.
    """
    lookup = by or name
    column, model = _column(found.model, lookup)
    known = [str(one) for one, _ in getattr(column, "flatchoices", None) or []]
    if known and value not in known:
        raise serializers.ValidationError({name: f"one of {', '.join(filter(None, known))}"})
    try:
        if isinstance(column, Field):
            column.to_python(value)
    except ValueInvalid as error:
        raise serializers.ValidationError({name: error.messages}) from error
    names_another = model is not found.model and getattr(column, "unique", False)
    if names_another and not model._default_manager.filter(**{column.name: value}).exists():
        said = f"there is no {model._meta.verbose_name} {value[:40]}"
        raise serializers.ValidationError({name: said})
    return found.filter(**{lookup: value})


def _column(model: Any, lookup: str) -> tuple[Any, Any]:
    """Return the field that a lookup ends with, and the model that has it."""
    column: Any = None
    for step in lookup.split("__"):
        if column is not None and column.is_relation:
            model = column.related_model
        try:
            column = model._meta.get_field(step)
        except FieldDoesNotExist:  # a comparison, such as `lt`, or what the query itself adds
            break
    return column, model
