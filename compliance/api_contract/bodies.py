"""Refuse what a body says and nobody reads: malformed, unknown, or not asked for."""

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request


class Asked(Request):
    """A request that knows whether its body was read by the view."""

    is_read = False

    @property
    def data(self) -> Any:
        self.is_read = True
        return super().data

    def content(self) -> Any:
        """Return the body, parsed strictly, without its counting as read."""
        return super().data


def demand_known(request: Asked, form: type[serializers.Serializer[Any]] | None) -> None:
    """Pass when the body is well formed and has no member that the form does not know.

    The form asks the same again, at every depth (`wire.In`); here it is asked before any record is
    looked up, so that a wrong name is a wrong name also for a record that is not there.
    """
    content = request.content()
    if form is None or not isinstance(content, Mapping):
        return
    known = form().fields
    if unknown := sorted(set(content) - set(known)):
        said = f"unknown member; known: {', '.join(known)}"
        raise ValidationError({name: [said] for name in unknown}, code="unknown")


def demand_read(request: Asked) -> None:
    """Pass when the view read the body, or there was none to read."""
    content = request.content()
    if not request.is_read and content:
        members = sorted(content) if isinstance(content, Mapping) else []
        said = "this act takes no body"
        raise ValidationError(
            {name: [said] for name in members} or {"non_field_errors": [said]}, code="unknown"
        )
