"""Read what a request asks for: a body of a form, the record of an address, filters of a list."""

from collections.abc import Iterable
from typing import Any, TypeVar

from django.db.models import Q, QuerySet
from django.shortcuts import get_object_or_404
from rest_framework import serializers
from rest_framework.request import Request

from compliance.access.models import User
from compliance.wire import In

Q_ = TypeVar("Q_", bound=QuerySet[Any])


def body(form: type[In], request: Request) -> dict[str, Any]:
    """Return what the body says, when it says what the form wants."""
    read = form(data=request.data)
    read.is_valid(raise_exception=True)
    return dict(read.validated_data)


def person(username: str) -> User:
    return get_object_or_404(User, username__iexact=username)


def one_of(request: Request, name: str, known: Iterable[str]) -> str | None:
    """Return a filter's value, when it is one of those there are."""
    given = request.query_params.get(name)
    if given is not None and given not in set(known):
        raise serializers.ValidationError({name: f"one of: {', '.join(known)}"})
    return given


def yes_or_no(request: Request, name: str) -> bool | None:
    given = one_of(request, name, ("true", "false"))
    return None if given is None else given == "true"


def search(found: Q_, request: Request, *fields: str) -> Q_:
    """Keep what has the text of `q` in one of the fields."""
    text = request.query_params.get("q", "").strip()
    if not text:
        return found
    wanted = Q()
    for field in fields:
        wanted |= Q(**{f"{field}__icontains": text})
    return found.filter(wanted)


def ordered(found: Q_, request: Request, *fields: str) -> Q_:
    """Sort as `sort` says, e.g. `-opened_at`; without it as the first field named."""
    names = [field.removeprefix("-") for field in fields]
    known = [*names, *(f"-{name}" for name in names)]
    given = one_of(request, "sort", known) or fields[0]
    return found.order_by(given, "-pk" if given.startswith("-") else "pk")
