"""Reports over the API: ask for one, follow it, fetch the sealed file."""

from typing import Any

from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import path
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import generics, serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from compliance.access import callers
from compliance.access.callers import PeopleRead
from compliance.reports import building, requests, tasks
from compliance.reports.models import Report
from compliance.wire import In, Pages, Text


class ReportIn(In):
    kind = Text(max_length=40)
    subject = Text(max_length=60)


class ReportOut(serializers.ModelSerializer[Report]):
    class Meta:
        model = Report
        fields = (
            "number", "kind", "subject", "state", "requested_by", "requested_at", "sealed_at",
            "file_name", "file_digest", "record_digest", "tree_size", "problem",
        )  # fmt: skip
        read_only_fields = fields


class Reports(generics.ListAPIView[Report]):
    permission_classes = [PeopleRead]
    pagination_class = Pages
    queryset = Report.objects.order_by("-pk")
    serializer_class = ReportOut

    @extend_schema(operation_id="reports_list")
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List reports, newest first."""
        return super().get(request, *args, **kwargs)

    @extend_schema(operation_id="report_request", request=ReportIn, responses={202: ReportOut})
    def post(self, request: Request) -> Response:
        """Ask for a report; it is built by a worker."""
        body = ReportIn(data=request.data)
        body.is_valid(raise_exception=True)
        report = requests.request(
            actor=callers.person(request),
            at=timezone.now(),
            **body.validated_data,
        )
        transaction.on_commit(lambda: tasks.build_report.delay(report_id=report.pk), robust=True)
        return Response(ReportOut(report).data, status=202)


class OneReport(APIView):
    permission_classes = [PeopleRead]

    @extend_schema(operation_id="report_read", responses=ReportOut)
    def get(self, request: Request, number: str) -> Response:
        """Read the state of a report."""
        return Response(ReportOut(get_object_or_404(Report, number=number)).data)


class ReportFile(APIView):
    permission_classes = [PeopleRead]

    @extend_schema(
        operation_id="report_file_read",
        responses={(200, "application/pdf"): OpenApiTypes.BINARY},
    )
    def get(self, request: Request, number: str) -> HttpResponse:
        """Fetch the sealed PDF, compared with its record before it is handed out."""
        report = get_object_or_404(Report, number=number)
        return HttpResponse(
            building.content(report),
            content_type="application/pdf",
            headers={"Content-Disposition": f'attachment; filename="{report.file_name}"'},
        )


urlpatterns = [
    path("reports", Reports.as_view(), name="reports"),
    path("reports/<str:number>", OneReport.as_view(), name="report"),
    path("reports/<str:number>/file", ReportFile.as_view(), name="report-file"),
]
