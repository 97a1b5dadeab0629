"""Refuse what a body says and nobody reads: malformed, unknown, or not asked for."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

Form = type[serializers.Serializer[Any]]


def demand_known(request: Request, form: Form | None) -> None:
    """Pass when the body is well formed and has no member that the form does not know.

    `None` is the form of an act that takes no body. Forms ask the same again, at every depth
    (`wire.In`); here it is asked before any record is looked up, so that a wrong name is a wrong
    name also for a record that is not there.
    """
    content = request.data  # parsed here: what is not JSON is refused whatever the view does
    if not isinstance(content, Mapping):
        if form is None and content:
            raise ValidationError("this act takes no body", code="unknown")
        return
    known = _members(form) if form is not None else ()
    if unknown := sorted(set(content) - set(known)):
        said = f"unknown member; known: {', '.join(known) or 'none, this act takes no body'}"
        raise ValidationError({name: [said] for name in unknown}, code="unknown")


@cache
def _members(form: Form) -> tuple[str, ...]:
    return tuple(form().fields)
