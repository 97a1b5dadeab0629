"""Simulated inspections over the API: ask for one, follow it, read what it found."""

from typing import Any

from django.db import transaction
from django.shortcuts import get_object_or_404
from django.urls import path
from django.utils import timezone
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import generics, serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from compliance.access import callers
from compliance.access.callers import PeopleRead
from compliance.inspection import inspections, tasks
from compliance.inspection.models import CheckResult, FindingClass, Inspection, Profile
from compliance.wire import In, Pages, Text


class InspectionIn(In):
    profile = serializers.ChoiceField(choices=Profile.choices)
    batches = serializers.ListField(
        child=Text(max_length=60), default=list, help_text="Batch numbers; empty means every batch."
    )


class InspectionOut(serializers.ModelSerializer[Inspection]):
    scope = serializers.ListField(child=serializers.CharField(), read_only=True)

    class Meta:
        model = Inspection
        fields = (
            "number", "profile", "scope", "state", "requested_by", "requested_at", "finished_at",
            "tree_size", "snapshot_digest", "rule_pack", "grade", "checks_assessed",
            "checks_total", "summary",
        )  # fmt: skip
        read_only_fields = fields


class CheckResultOut(serializers.ModelSerializer[CheckResult]):
    finding_class = serializers.ChoiceField(  # empty for what is no finding
        choices=FindingClass.choices, allow_blank=True, read_only=True
    )
    clauses = serializers.ListField(child=serializers.DictField(), read_only=True)
    evidence = serializers.ListField(child=serializers.DictField(), read_only=True)

    class Meta:
        model = CheckResult
        fields = (
            "check_id", "order", "verdict", "finding_class", "class_reason", "title", "clauses",
            "text", "examined", "failing", "evidence", "question", "investigation_scope",
        )  # fmt: skip
        read_only_fields = fields


class InspectionDetailOut(InspectionOut):
    results = serializers.SerializerMethodField()

    class Meta(InspectionOut.Meta):
        fields = (*InspectionOut.Meta.fields, "results")  # type: ignore[assignment]
        read_only_fields = fields  # type: ignore[assignment]

    @extend_schema_field(CheckResultOut(many=True))
    def get_results(self, inspection: Inspection) -> list[dict[str, Any]]:
        return list(CheckResultOut(inspection.results.order_by("order"), many=True).data)


class Inspections(generics.ListAPIView[Inspection]):
    permission_classes = [PeopleRead]
    serializer_class = InspectionOut
    pagination_class = Pages
    queryset = Inspection.objects.order_by("-pk")

    @extend_schema(operation_id="inspections_list")
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List inspections, newest first."""
        return super().get(request, *args, **kwargs)

    @extend_schema(
        operation_id="inspection_request", request=InspectionIn, responses={202: InspectionOut}
    )
    def post(self, request: Request) -> Response:
        """Ask for an inspection; a worker runs it."""
        body = InspectionIn(data=request.data)
        body.is_valid(raise_exception=True)
        inspection = inspections.request(
            profile=Profile(body.validated_data["profile"]),
            scope=body.validated_data["batches"],
            actor=callers.person(request),
            at=timezone.now(),
        )
        transaction.on_commit(
            lambda: tasks.run_inspection.delay(inspection_id=inspection.pk), robust=True
        )
        return Response(InspectionOut(inspection).data, status=202)


class InspectionView(APIView):
    permission_classes = [PeopleRead]

    @extend_schema(operation_id="inspection_read", responses=InspectionDetailOut)
    def get(self, request: Request, number: str) -> Response:
        """Read an inspection with the verdict of every check."""
        inspection = get_object_or_404(Inspection, number=number)
        return Response(InspectionDetailOut(inspection).data)


urlpatterns = [
    path("inspections", Inspections.as_view(), name="inspections"),
    path("inspections/<str:number>", InspectionView.as_view(), name="inspection"),
]
