"""The streams of sources: send by number, ask what is missing, compare the books."""

import json
from collections.abc import Iterator
from typing import IO, Any

from django.db.models import QuerySet
from django.http import StreamingHttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import generics
from rest_framework.exceptions import UnsupportedMediaType
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from batches.exchange import reconciliation, sequences, sources
from batches.exchange.api import delivering
from batches.exchange.api.delivering import LENIENT, STRICT
from batches.exchange.api.stream_messages import (
    GapExplanationIn,
    GapOut,
    LineOut,
    ReconciliationOut,
    RecordIn,
    SourceDetailOut,
    SourceIn,
    SourceOut,
    ThresholdsIn,
    WindowIn,
)
from batches.exchange.models import Gap, Source
from batches.exchange.reconciliation import Window
from compliance import wire
from compliance.access import callers
from compliance.access.callers import PeopleAndDevicesRead, PeopleRead
from compliance.access.models import Device
from compliance.access.scopes import Scope
from compliance.api_contract.strict_json import NdjsonParser, StrictJSONParser
from compliance.refusals import Refused
from compliance.wire import Pages

PREFER = OpenApiParameter(
    "Prefer",
    location=OpenApiParameter.HEADER,
    description="`handling=strict` (default): all lines or none. `handling=lenient`: each by itself.",
)
_LINES = (NdjsonParser.media_type, StrictJSONParser.media_type)  # a line of one is JSON, too
NEXT = "Next-Expected-Sequence"


class PreferenceUnknown(Refused):
    code = "preference-unknown"
    status = 400


def handling(request: Request) -> str:
    """Return how lines are to be handled, of `Prefer` (RFC 7240); other preferences are ignored."""
    for one in request.headers.get("Prefer", "").split(","):
        name, _, value = one.split(";")[0].strip().partition("=")
        if name.strip().lower() == "handling":
            chosen = value.strip().strip('"').lower()
            if chosen not in (STRICT, LENIENT):
                raise PreferenceUnknown(f"handling is strict or lenient, not “{chosen[:20]}”")
            return chosen
    return STRICT


def readable(code: str, request: Request) -> Source:
    """Return a source for reading: a device reads those that it brings."""
    caller = callers.principal(request)
    if isinstance(caller, Device):
        return sources.of_device(code, caller)
    return get_object_or_404(Source.objects.select_related("device"), code=code)


class Sources(generics.ListAPIView[Source]):
    permission_classes = [PeopleAndDevicesRead]
    scopes = {"get": Scope.SOURCES_READ}
    serializer_class = SourceOut
    pagination_class = Pages

    def get_queryset(self) -> QuerySet[Source]:
        found = Source.objects.select_related("device").order_by("code")
        caller = callers.principal(self.request)
        return found.filter(device=caller) if isinstance(caller, Device) else found

    @extend_schema(operation_id="sources_list")
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List the sources that devices bring: a device sees its own."""
        return super().get(request, *args, **kwargs)

    @extend_schema(
        operation_id="source_register",
        request=SourceIn,
        responses={201: SourceOut},
    )
    def post(self, request: Request) -> Response:
        """Register a source, with the thresholds that judge its times."""
        body = SourceIn(data=request.data)
        body.is_valid(raise_exception=True)
        said = body.validated_data
        source = sources.register(
            code=said["code"],
            device=get_object_or_404(Device, name=said["device"]),
            description=said["description"],
            thresholds=body.thresholds,
            actor=callers.person(request),
            at=timezone.now(),
            reason=said["reason"],
        )
        return Response(SourceOut(source).data, status=201)


class SourceView(APIView):
    permission_classes = [PeopleAndDevicesRead]
    scopes = {"get": Scope.SOURCES_READ}

    @extend_schema(operation_id="source_read", responses=SourceDetailOut)
    def get(self, request: Request, code: str) -> Response:
        """Read where a source stands: which number is expected next, and how many gaps there are."""
        source = readable(code, request)
        standing = sequences.standing(source)
        return Response(
            {
                **SourceOut(source).data,
                "next_expected": standing.next_expected,
                "highest": standing.highest,
                "open_gaps": sequences.open_gaps(source).count(),
            }
        )


class SourceThresholds(APIView):
    permission_classes = [PeopleRead]

    @extend_schema(
        operation_id="source_thresholds",
        request=ThresholdsIn,
        responses={201: SourceOut},
    )
    def post(self, request: Request, code: str) -> Response:
        """Judge what comes from now on by other thresholds."""
        body = ThresholdsIn(data=request.data)
        body.is_valid(raise_exception=True)
        source = sources.change_thresholds(
            get_object_or_404(Source, code=code),
            thresholds=body.thresholds,
            actor=callers.person(request),
            at=timezone.now(),
            reason=body.validated_data["reason"],
        )
        return Response(SourceOut(source).data, status=201)


class Records(APIView):
    without_key = "each line is safe to repeat by its id and version"
    is_streamed = True
    adds = True
    permission_classes = [PeopleAndDevicesRead]
    scopes = {"post": Scope.RECORDS_WRITE}
    # What is read is the stream itself; the parsers say which media type it is.
    parser_classes = [NdjsonParser, StrictJSONParser]

    @extend_schema(
        operation_id="records_send",
        parameters=[PREFER],
        request={"application/x-ndjson": RecordIn},
        responses={(200, "application/x-ndjson"): LineOut},
    )
    def post(self, request: Request, code: str) -> StreamingHttpResponse:
        """Send records, one a line; the answer has a line for each, and one that sums them up."""
        if request.content_type.partition(";")[0].strip().lower() not in _LINES:
            raise UnsupportedMediaType(request.content_type)
        device = callers.device(request)
        source = sources.of_device(code, device)
        chosen = handling(request)
        delivery = delivering.deliver(
            source,
            stream=request._request,
            handling=chosen,
            device=device,
            clock=timezone.now,
        )
        standing = sequences.standing(source)
        summary = {
            "summary": {**delivery.counts, "next_expected": standing.next_expected,
                        "highest": standing.highest}
        }  # fmt: skip
        answer = Answer(delivery.file, json.dumps(summary).encode() + b"\n")
        response = StreamingHttpResponse(answer, content_type="application/x-ndjson")
        response["Preference-Applied"] = f"handling={chosen}"
        response[NEXT] = str(standing.next_expected)
        return response


class Answer:
    """The lines of a file and a last one; the response closes it, read or not."""

    def __init__(self, file: IO[bytes], last: bytes) -> None:
        self._file, self._last = file, last

    def __iter__(self) -> Iterator[bytes]:
        while chunk := self._file.read(64 * 1024):
            yield chunk
        yield self._last

    def close(self) -> None:
        self._file.close()


class Gaps(generics.ListAPIView[Gap]):
    permission_classes = [PeopleAndDevicesRead]
    scopes = {"get": Scope.SOURCES_READ}
    serializer_class = GapOut
    pagination_class = Pages

    def get_queryset(self) -> QuerySet[Gap]:
        found = Gap.objects.filter(source=readable(self.kwargs["code"], self.request))
        if wire.chosen(self.request, "open", ["true", "false"]) == "true":
            found = found.filter(missing__gt=0, explanation="")
        return found.order_by("first")

    @extend_schema(
        operation_id="gaps_list", parameters=[OpenApiParameter("open", OpenApiTypes.BOOL)]
    )
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List the numbers that a source left out, with those that came late."""
        return super().get(request, *args, **kwargs)


class GapExplanation(APIView):
    permission_classes = [PeopleRead]

    @extend_schema(
        operation_id="gap_explain",
        request=GapExplanationIn,
        responses={201: GapOut},
    )
    def post(self, request: Request, code: str, pk: int) -> Response:
        """Say why numbers will never come; they are no longer waited for."""
        body = GapExplanationIn(data=request.data)
        body.is_valid(raise_exception=True)
        gap = sequences.explain(
            get_object_or_404(Gap, source__code=code, pk=pk),
            reason=body.validated_data["reason"],
            actor=callers.person(request),
            at=timezone.now(),
        )
        return Response(GapOut(gap).data, status=201)


class Reconciliation(APIView):
    permission_classes = [PeopleAndDevicesRead]
    scopes = {"get": Scope.SOURCES_READ}

    @extend_schema(
        operation_id="source_reconcile",
        parameters=[
            OpenApiParameter("first", OpenApiTypes.INT64),
            OpenApiParameter("last", OpenApiTypes.INT64),
            OpenApiParameter("from", OpenApiTypes.DATETIME),
            OpenApiParameter("to", OpenApiTypes.DATETIME),
        ],
        responses=ReconciliationOut,
    )
    def get(self, request: Request, code: str) -> Response:
        """Compare books: how many records of a window are here, and one hash over all of them."""
        source = readable(code, request)
        renamed = {"from": "start", "to": "end"}
        asked = WindowIn(
            data={renamed.get(name, name): value for name, value in request.query_params.items()}
        )
        asked.is_valid(raise_exception=True)
        found = reconciliation.reconcile(source, Window(**asked.validated_data))
        return Response(ReconciliationOut(found).data)
