"""Make views of the laboratory: lists that filter, search and sort, and acts that call the domain."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Model, Q, QuerySet
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import generics, serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from compliance import wire
from compliance.access import callers
from compliance.access.callers import PeopleAndDevicesRead, PeopleRead
from compliance.access.models import User
from compliance.signatures import signing
from compliance.signatures.signing import Confirmed
from compliance.wire import In, Out, Pages, Text

__all__ = [
    "Caller",
    "LaboratorySignedIn",
    "LaboratorySignedWithReasonIn",
    "Listed",
    "act",
    "listing",
    "reading",
]


class LaboratorySignedIn(In):
    """What every signature asks for."""

    password = Text(max_length=200, write_only=True)


class LaboratorySignedWithReasonIn(LaboratorySignedIn):
    reason = Text(max_length=1000)


@dataclass(frozen=True)
class Caller:
    """Who asks for an act, when, and as whom they were authenticated again where they sign."""

    actor: User
    at: datetime
    signer: Confirmed | None = None

    @property
    def confirmed(self) -> Confirmed:
        if self.signer is None:
            raise serializers.ValidationError({"password": "this is signed: give it"})
        return self.signer

    @property
    def by(self) -> dict[str, Any]:
        return {"actor": self.actor, "at": self.at}


Act = Callable[[Any, dict[str, Any], Caller], Model]
Find = Callable[[Mapping[str, Any]], Any]


@dataclass(frozen=True)
class Listed:
    """How a list is made: its rows, the filters by query parameter, what is searched and sorted."""

    rows: Callable[[], QuerySet[Any]]
    out: type[Out]
    filters: Mapping[str, str]
    search: Sequence[str] = ()
    sorts: Sequence[str] = ()

    def found(self, asked: Mapping[str, str]) -> QuerySet[Any]:
        """Return the rows that are asked for; unknown sorts are refused, never dropped."""
        found = self.rows()
        for name, lookup in self.filters.items():
            if asked.get(name):
                found = wire.narrowed(found, name, asked[name], by=lookup)
        if words := asked.get("search"):
            wanted = Q()
            for lookup in self.search:
                wanted |= Q(**{f"{lookup}__icontains": words})
            found = found.filter(wanted)
        if (sort := asked.get("sort")) is not None:
            if sort.removeprefix("-") not in self.sorts:
                raise serializers.ValidationError({"sort": f"one of {', '.join(self.sorts)}"})
            return found.order_by(sort, "pk")
        return found.order_by("-pk")

    @property
    def parameters(self) -> list[OpenApiParameter]:
        names = [*self.filters, *(["search"] if self.search else [])]
        sorts = [sign + one for one in self.sorts for sign in ("", "-")]
        made = [OpenApiParameter(name) for name in names]
        return [*made, OpenApiParameter("sort", enum=sorts)] if sorts else made


def listing(
    name: str, listed: Listed, *, post: type[APIView] | None = None, for_devices: bool = False
) -> type[generics.ListAPIView[Any]]:
    """Return the view of a list; `post` is the act that adds to it."""

    class View(generics.ListAPIView[Any]):
        permission_classes = [PeopleAndDevicesRead if for_devices else PeopleRead]
        serializer_class = listed.out
        pagination_class = Pages

        def get_queryset(self) -> QuerySet[Any]:
            return listed.found(self.request.query_params)

        @extend_schema(operation_id=f"{name}_list", parameters=listed.parameters)
        def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
            """List records, newest first."""
            return super().get(request, *args, **kwargs)

    if post is not None:
        View.post = post.post  # type: ignore[attr-defined]
    return View


def reading(name: str, out: type[Out], find: Find) -> type[APIView]:
    """Return the view of one record."""

    class View(APIView):
        permission_classes = [PeopleRead]

        @extend_schema(operation_id=f"{name}_read", responses=out)
        def get(self, request: Request, **where: Any) -> Response:
            """Read one record."""
            return Response(out(find(where)).data)

    return View


def act(
    name: str, call: Act, *, body: type[In], out: type[Out], find: Find, says: str
) -> type[APIView]:
    """Return the view of an act: it translates, makes one domain call, and translates back."""

    class View(APIView):
        permission_classes = [PeopleRead]

        @extend_schema(operation_id=name, request=body, responses={201: out}, description=says)
        def post(self, request: Request, **where: Any) -> Response:
            """Do an act of the laboratory."""
            said = body(data=request.data)
            said.is_valid(raise_exception=True)
            values = dict(said.validated_data)
            record = find(where)
            made = call(record, values, _caller(request, values.pop("password", None)))
            return Response(out(made).data, status=201)

    return View


def _caller(request: Request, password: str | None) -> Caller:
    actor, at = callers.person(request), timezone.now()
    if password is None:
        return Caller(actor, at)
    signer = signing.confirm(
        signer=actor, password=password, address=callers.address(request), at=at
    )
    return Caller(actor, signer.at, signer)
