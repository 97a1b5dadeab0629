"""Read what a request asks for: its body, its signer, and which records of a list in which order."""

from collections.abc import Sequence
from typing import Any, TypeVar

from django.db.models import Model, Q, QuerySet
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers
from rest_framework.request import Request

from compliance import wire
from compliance.access import callers
from compliance.signatures import signing
from compliance.signatures.signing import Confirmed
from compliance.wire import In

M = TypeVar("M", bound=Model)


def body(kind: type[In], request: Request) -> dict[str, Any]:
    """Return a valid body, or raise what becomes a problem document."""
    read = kind(data=request.data)
    read.is_valid(raise_exception=True)
    return dict(read.validated_data)


def confirmed(request: Request, password: str) -> Confirmed:
    """Re-authenticate the caller for one signature."""
    return signing.confirm(
        signer=callers.person(request),
        password=password,
        address=callers.address(request),
        at=timezone.now(),
    )


def parameters(
    *, filters: Sequence[str], search: Sequence[str] = (), order: Sequence[str]
) -> list[OpenApiParameter]:
    """Describe what a list takes, for the schema."""
    found = [OpenApiParameter(name, str) for name in filters]
    if search:
        found.append(OpenApiParameter("search", str, description=f"In {', '.join(search)}."))
    ways = [way for name in order for way in (name, f"-{name}")]
    return [*found, OpenApiParameter("ordering", enum=ways)]


def narrowed(
    found: QuerySet[M], request: Request, *, filters: dict[str, str],
    search: Sequence[str] = (), order: Sequence[str],
) -> QuerySet[M]:  # fmt: skip
    """Return the records that the query asks for, in its order; what it does not know is refused."""
    asked = request.query_params
    for name, lookup in filters.items():
        if name in asked:
            found = wire.narrowed(found, name, asked[name], by=lookup)
    if search and (text := asked.get("search")):
        wanted = Q()
        for name in search:
            wanted |= Q(**{f"{name}__icontains": text})
        found = found.filter(wanted)
    way = asked.get("ordering", order[0])
    if way.removeprefix("-") not in order:
        raise serializers.ValidationError({"ordering": f"one of: {', '.join(order)}"})
    return found.order_by(way, "pk")
