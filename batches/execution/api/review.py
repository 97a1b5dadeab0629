"""Exceptions, completeness, remarks and files over the API."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from batches.execution import completeness, exceptions, files, remarks
from batches.execution.api import asked, posted
from batches.execution.api.answered import ExceptionOut, FileOut, MissingOut, RemarkOut
from batches.execution.api.lists import OfBatch
from batches.execution.api.posted import AssessmentIn, FileIn, InvestigatedIn, RemarkIn
from batches.execution.files import Content
from batches.execution.models import BatchException, BatchFile
from compliance.access import callers
from compliance.access.callers import PeopleRead
from compliance.quality.models import Deviation
from compliance.trail import attachments


class Exceptions(OfBatch):
    serializer_class = ExceptionOut
    relation = "exceptions"
    related = ("phase", "deviation", "assessed_by")
    filters = ("state", "kind")

    @extend_schema(operation_id="exceptions_list")
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List what departed from the recipe or the rules, as it was flagged."""
        return super().get(request, *args, **kwargs)


def _exception(number: str, pk: int) -> BatchException:
    return get_object_or_404(BatchException, batch__number=number, pk=pk)


class ExceptionAssessment(APIView):
    permission_classes = [PeopleRead]

    @extend_schema(
        operation_id="exception_assess", request=AssessmentIn, responses={201: ExceptionOut}
    )
    def post(self, request: Request, number: str, pk: int) -> Response:
        """Assess an exception, by signature; a missed limit needs its deviation first."""
        body, at = posted.read(AssessmentIn, request.data), timezone.now()
        assessed = exceptions.assess(
            _exception(number, pk),
            confirmed=asked.caller_confirmed(request, body["password"], at=at),
            assessment=body["assessment"],
        )
        return Response(ExceptionOut(assessed).data, status=201)


class ExceptionDeviation(APIView):
    permission_classes = [PeopleRead]

    @extend_schema(
        operation_id="exception_link", request=InvestigatedIn, responses={201: ExceptionOut}
    )
    def post(self, request: Request, number: str, pk: int) -> Response:
        """Say which deviation of the batch investigates an exception."""
        body = posted.read(InvestigatedIn, request.data)
        deviation = asked.one(Deviation.objects.all(), "deviation", number=body["deviation"])
        linked = exceptions.link(
            _exception(number, pk),
            deviation=deviation,
            actor=callers.person(request),
            at=timezone.now(),
        )
        return Response(ExceptionOut(linked).data, status=201)


class Completeness(APIView):
    permission_classes = [PeopleRead]

    @extend_schema(operation_id="batch_completeness", responses=MissingOut(many=True))
    def get(self, request: Request, number: str) -> Response:
        """What the record lacks, by sub-clause of 21 CFR 211.188(b); nothing when it is complete."""
        return Response(MissingOut(completeness.of(asked.batch(number)), many=True).data)


class Remarks(OfBatch):
    serializer_class = RemarkOut
    relation = "remarks"
    related = ("phase", "written_by")

    @extend_schema(operation_id="remarks_list")
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List the comments on a batch."""
        return super().get(request, *args, **kwargs)

    @extend_schema(operation_id="remark_add", request=RemarkIn, responses={201: RemarkOut})
    def post(self, request: Request, number: str) -> Response:
        """Add a comment; it is never changed."""
        body = posted.read(RemarkIn, request.data)
        made = remarks.add(
            asked.batch(number),
            phase=asked.optional_phase(number, body.get("phase")),
            text=body["text"],
            actor=callers.person(request),
            at=timezone.now(),
        )
        return Response(RemarkOut(made).data, status=201)


class Files(OfBatch):
    serializer_class = FileOut
    relation = "files"
    related = ("phase", "attachment", "attached_by")
    parser_classes = [MultiPartParser]

    @extend_schema(operation_id="files_list")
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List the files of a batch with their digests."""
        return super().get(request, *args, **kwargs)

    @extend_schema(
        operation_id="file_attach",
        request={"multipart/form-data": FileIn},
        responses={201: FileOut},
    )
    def post(self, request: Request, number: str) -> Response:
        """Attach a file; it is stored by its digest and never overwritten."""
        body = posted.read(FileIn, request.data)
        given = body["file"]
        made = files.attach(
            asked.batch(number),
            phase=asked.optional_phase(number, body.get("phase")),
            content=Content(given.name, given.content_type or "", given.read()),
            title=body["title"],
            actor=callers.person(request),
            at=timezone.now(),
        )
        return Response(FileOut(made).data, status=201)


class FileContent(APIView):
    permission_classes = [PeopleRead]

    @extend_schema(operation_id="file_read", responses={(200, "*/*"): OpenApiTypes.ANY})
    def get(self, request: Request, number: str, pk: int) -> HttpResponse:
        """Read a file, after all of it was compared with its digest."""
        found = get_object_or_404(
            BatchFile.objects.select_related("attachment"), batch__number=number, pk=pk
        )
        kept = found.attachment
        response = HttpResponse(attachments.open_(kept).read(), content_type=kept.media_type)
        # Opened in the site it could act in the reader's name: it is saved, never shown.
        response["Content-Disposition"] = "attachment"
        response["X-Content-Type-Options"] = "nosniff"
        return response
