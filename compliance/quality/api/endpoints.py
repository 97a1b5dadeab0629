"""Build the resources of quality from the acts: a body that is read, one call, an answer."""

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from django.db.models import Q, QuerySet
from django.http import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import generics, serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from compliance import wire
from compliance.access import callers
from compliance.access.acts import Occasion
from compliance.access.callers import PeopleRead
from compliance.wire import In, Out, Pages

View = Callable[..., HttpResponseBase]


class Listed(generics.ListAPIView[Any]):
    """A list that pages, filters by columns, searches and sorts."""

    permission_classes = [PeopleRead]
    pagination_class = Pages
    records: ClassVar[QuerySet[Any]]
    filters: ClassVar[Sequence[str]] = ("state",)
    searched: ClassVar[Sequence[str]] = ("number", "title")
    sorted_by: ClassVar[Sequence[str]] = ("-pk",)

    def get_queryset(self) -> QuerySet[Any]:
        asked = self.request.query_params
        found = self.records.all()
        for column in self.filters:
            if value := asked.get(column):
                found = wire.narrowed(found, column, value)
        if text := asked.get("search"):
            found = found.filter(
                Q.create([(f"{one}__icontains", text) for one in self.searched], Q.OR)
            )
        return found.order_by(*self._order(asked.get("sort", "")))

    def _order(self, asked: str) -> Sequence[str]:
        if not asked:
            return self.sorted_by
        if asked.lstrip("-") not in self.filters and asked.lstrip("-") not in self.searched:
            may = ", ".join([*self.filters, *self.searched])
            raise serializers.ValidationError({"sort": f"one of {may}; with - before it, downward"})
        return (asked, "-pk")


def collection(
    name: str, records: QuerySet[Any], *, gives: type[Out], takes: type[In] | None = None,
    act: Callable[[Occasion], Any] | None = None, filters: Sequence[str] = ("state",),
    searched: Sequence[str] = ("number", "title"),
) -> View:  # fmt: skip
    """Return a list, and where an act is given the way to open a record in it."""
    parameters = [OpenApiParameter(one) for one in (*filters, "search", "sort")]

    class Collection(Listed):
        serializer_class = gives

        @extend_schema(operation_id=f"{name}_list", parameters=parameters)
        def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
            return super().get(request, *args, **kwargs)

    Collection.records = records
    Collection.filters = filters
    Collection.searched = searched
    if act is not None:
        post = _poster(f"{name}_open", act, takes, gives, None)
        Collection.post = post  # type: ignore[attr-defined]
    Collection.__doc__ = f"{name.replace('_', ' ').capitalize()} records."
    return Collection.as_view()


def member(name: str, records: QuerySet[Any], *, gives: type[Out], key: str = "number") -> View:
    """Return the resource of one record, by its number."""

    class Member(APIView):
        permission_classes = [PeopleRead]

        @extend_schema(operation_id=f"{name}_read", responses=gives)
        def get(self, request: Request, **path: str) -> Response:
            record = get_object_or_404(records, **{key: path[key]})
            return Response(gives(record, context={"request": request, "record": record}).data)

    return Member.as_view()


def act(
    name: str, records: QuerySet[Any], do: Callable[[Occasion], Any], *, gives: type[Out],
    takes: type[In] | None = None, key: str = "number", is_many: bool = False,
) -> View:  # fmt: skip
    """Return the resource of one act on a record; parts of the path count as values of the body.

    With `is_many` the act gives a list.
    """

    class Act(APIView):
        permission_classes = [PeopleRead]

    Act.post = _poster(  # type: ignore[attr-defined]
        name, do, takes, gives, (records, key), is_many=is_many
    )
    return Act.as_view()


def _poster(
    name: str, do: Callable[[Occasion], Any], takes: type[In] | None, gives: type[Out],
    of: tuple[QuerySet[Any], str] | None, *, is_many: bool = False,
) -> Callable[..., Response]:  # fmt: skip
    @extend_schema(operation_id=name, request=takes, responses={201: gives(many=is_many)})
    def post(self: APIView, request: Request, **path: str) -> Response:
        record = None
        if of is not None:
            records, key = of
            record = get_object_or_404(records, **{key: path.pop(key)})
        made = do(_occasion(request, record, takes, path))
        context = {"request": request, "record": made}
        return Response(gives(made, many=is_many, context=context).data, status=201)

    return post


def _occasion(
    request: Request, record: Any, takes: type[In] | None, path: dict[str, str]
) -> Occasion:
    values: dict[str, Any] = {}
    if takes is not None:
        body = takes(data=request.data)
        body.is_valid(raise_exception=True)
        values = dict(body.validated_data)
    return Occasion(
        record=record,
        values=values | path,
        actor=callers.person(request),
        at=timezone.now(),
        address=callers.address(request),
    )
