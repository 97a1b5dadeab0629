"""The configuration over the API."""

from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.urls import path
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import generics
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from compliance import wire
from compliance.access import callers
from compliance.access.callers import PeopleRead
from compliance.configuration import changes
from compliance.configuration.messages import (
    ConfigurationAssessmentIn,
    ConfigurationChangeOut,
    SettingOut,
)
from compliance.configuration.models import ChangeState, ConfigurationChange
from compliance.signatures import signing
from compliance.wire import Pages


class InForce(APIView):
    permission_classes = [PeopleRead]

    @extend_schema(operation_id="configuration_read", responses=SettingOut(many=True))
    def get(self, request: Request) -> Response:
        """Read the settings in force as the record has them; secrets show as set or not."""
        values = [{"name": name, "value": value} for name, value in changes.in_force().items()]
        return Response(SettingOut(values, many=True).data)


class Changes(generics.ListAPIView[ConfigurationChange]):
    permission_classes = [PeopleRead]
    serializer_class = ConfigurationChangeOut
    pagination_class = Pages

    def get_queryset(self) -> QuerySet[ConfigurationChange]:
        found = ConfigurationChange.objects.select_related("signature").prefetch_related("settings")
        if state := wire.chosen(self.request, "state", ChangeState.values):
            found = found.filter(state=state)
        return found.order_by("-pk")

    @extend_schema(
        operation_id="configuration_changes_list",
        parameters=[OpenApiParameter("state", enum=ChangeState.values)],
    )
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List the changes of the configuration, the newest first."""
        return super().get(request, *args, **kwargs)


class ChangeView(APIView):
    permission_classes = [PeopleRead]

    @extend_schema(operation_id="configuration_change_read", responses=ConfigurationChangeOut)
    def get(self, request: Request, number: str) -> Response:
        """Read one change of the configuration."""
        change = get_object_or_404(ConfigurationChange, number=number)
        return Response(ConfigurationChangeOut(change).data)


class Assessment(APIView):
    permission_classes = [PeopleRead]

    @extend_schema(
        operation_id="configuration_change_assess",
        request=ConfigurationAssessmentIn,
        responses={201: ConfigurationChangeOut},
    )
    def post(self, request: Request, number: str) -> Response:
        """Say by signature what a change means for the records."""
        body = ConfigurationAssessmentIn(data=request.data)
        body.is_valid(raise_exception=True)
        given = body.validated_data
        confirmed = signing.confirm(
            signer=callers.person(request),
            password=given["password"],
            address=callers.address(request),
            at=timezone.now(),
        )
        change = changes.assess(
            get_object_or_404(ConfigurationChange, number=number),
            assessment=given["assessment"],
            change_number=given["change_number"],
            confirmed=confirmed,
        )
        return Response(ConfigurationChangeOut(change).data, status=201)


urlpatterns = [
    path("configuration", InForce.as_view(), name="configuration"),
    path("configuration/changes", Changes.as_view(), name="configuration-changes"),
    path("configuration/changes/<str:number>", ChangeView.as_view(), name="configuration-change"),
    path(
        "configuration/changes/<str:number>/assessment",
        Assessment.as_view(),
        name="configuration-assessment",
    ),
]
