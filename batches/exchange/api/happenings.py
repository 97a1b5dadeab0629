"""Events and readings of a batch over the API."""

import hashlib
from functools import partial
from typing import Any

from django.db.models import QuerySet
from django.http import Http404
from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import generics, serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from batches.exchange import idempotency, reading_lines
from batches.exchange.api import numbered_posts
from batches.exchange.api.answered import EventOut, NewestOut, SeriesOut, StoredOut
from batches.exchange.api.posted import EventIn, ReadingIn
from batches.execution import batches, events, readings, series
from batches.execution.events import Reported
from batches.execution.models import Batch, BatchEvent
from compliance import wire
from compliance.access import callers
from compliance.access.callers import PeopleAndDevicesRead
from compliance.access.scopes import Scope
from compliance.api_contract.strict_json import NdjsonParser
from compliance.wire import In, Moment, Pages, Text


class Events(generics.ListAPIView[BatchEvent]):
    permission_classes = [PeopleAndDevicesRead]
    scopes = {"get": Scope.EVENTS_READ, "post": Scope.EVENTS_WRITE}
    serializer_class = EventOut
    pagination_class = Pages

    def get_queryset(self) -> QuerySet[BatchEvent]:
        batch = get_object_or_404(Batch, number=self.kwargs["number"])
        return batch.events.select_related("source").order_by("occurred_at", "pk")

    @extend_schema(operation_id="events_list")
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List what happened to a batch, in order of the plant's clock."""
        return super().get(request, *args, **kwargs)

    @extend_schema(
        operation_id="event_record",
        request=EventIn,
        responses={201: EventOut},
    )
    def post(self, request: Request, number: str) -> Response:
        """Record an event; one that starts or ends the batch or a phase moves it on."""
        body = EventIn(data=request.data)
        body.is_valid(raise_exception=True)
        said = dict(body.validated_data)
        try:
            event = events.record(
                number,
                message_id=said.pop("message_id", None) or idempotency.message_id(request),
                reported=Reported(**said),
                actor=callers.principal(request),
                at=timezone.now(),
            )
        except Batch.DoesNotExist as error:
            raise Http404(str(error)) from error
        return Response(EventOut(event).data, status=201)


class Window(In):
    """Which readings are asked for."""

    tag = Text(max_length=60)
    first = Moment(required=False)
    last = Moment(required=False)
    points = serializers.IntegerField(min_value=2, max_value=20_000, default=series.MOST_POINTS)

    def validate(self, asked: dict[str, Any]) -> dict[str, Any]:
        if "first" in asked and "last" in asked and asked["last"] < asked["first"]:
            raise serializers.ValidationError({"to": "it is before “from”"})
        return asked


class Readings(APIView):
    permission_classes = [PeopleAndDevicesRead]
    scopes = {"get": Scope.READINGS_READ, "post": Scope.READINGS_WRITE}
    parser_classes = [NdjsonParser]

    @extend_schema(
        operation_id="readings_series",
        parameters=[
            OpenApiParameter("tag", required=True),
            OpenApiParameter("from", OpenApiTypes.DATETIME),
            OpenApiParameter("to", OpenApiTypes.DATETIME),
            OpenApiParameter("points", OpenApiTypes.INT),
        ],
        responses=SeriesOut,
    )
    def get(self, request: Request, number: str) -> Response:
        """Read a tag's series; a long one is thinned out, keeping its lows and highs."""
        batch = get_object_or_404(Batch, number=number)
        renamed = {"from": "first", "to": "last"}
        window = Window(
            data={renamed.get(name, name): value for name, value in request.query_params.items()}
        )
        window.is_valid(raise_exception=True)
        asked = window.validated_data
        wire.chosen(request, "tag", readings.units(batch))
        found = series.of(
            batch,
            tag=asked["tag"],
            first=asked.get("first"),
            last=asked.get("last"),
            max_points=asked["points"],
        )
        return Response(SeriesOut(found).data)

    @extend_schema(
        operation_id="readings_store",
        parameters=[*numbered_posts.PARAMETERS],
        request={"application/x-ndjson": ReadingIn},
        responses={201: StoredOut},
    )
    def post(self, request: Request, number: str) -> Response:
        """Store readings, one JSON object a line: all of them or, with every faulty line, none.

        What is here already is counted as `repeated`; with another value, it is kept beside.
        """
        batch = batches.with_recipe(number)
        if batch is None:
            raise Http404(f"there is no batch {number}")
        content = request.data if isinstance(request.data, bytes) else b""
        at = timezone.now()
        stored = partial(
            readings.store,
            batch,
            rows=reading_lines.read(content, most=readings.MOST_ROWS),
            message_id=idempotency.message_id(request),
            source=callers.device(request),
            content_digest=hashlib.sha256(content).hexdigest(),
            at=at,
        )
        return numbered_posts.answer(request, stored, content=content, at=at)


class Newest(APIView):
    permission_classes = [PeopleAndDevicesRead]
    scopes = {"get": Scope.READINGS_READ}

    @extend_schema(operation_id="readings_newest", responses=NewestOut(many=True))
    def get(self, request: Request, number: str) -> Response:
        """Read the newest reading of each tag."""
        batch = get_object_or_404(Batch.objects.select_related("recipe"), number=number)
        return Response(NewestOut(series.latest(batch), many=True).data)
