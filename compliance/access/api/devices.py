"""Devices over the API: administrators enrol them, quality qualifies them."""

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

from compliance.access import callers, devices
from compliance.access.api import asked
from compliance.access.api.messages import (
    AccessReasonIn,
    DeviceDisqualificationIn,
    DeviceIn,
    DeviceOut,
    DeviceQualificationIn,
    DeviceTokenOut,
)
from compliance.access.callers import PeopleRead
from compliance.access.models import Device, DeviceKind, Qualification
from compliance.wire import Pages


class Devices(generics.ListAPIView[Device]):
    permission_classes = [PeopleRead]
    answer_not_kept = "a token, which is shown once"
    serializer_class = DeviceOut
    pagination_class = Pages

    def get_queryset(self) -> QuerySet[Device]:
        found = Device.objects.all()
        if state := asked.one_of(self.request, "qualification", Qualification.values):
            found = found.filter(qualification=state)
        if (active := asked.yes_or_no(self.request, "is_active")) is not None:
            found = found.filter(is_active=active)
        found = asked.search(found, self.request, "name", "bound_to")
        return asked.ordered(found, self.request, "name", "enrolled_at", "qualified_until")

    @extend_schema(
        operation_id="devices_list",
        parameters=[
            OpenApiParameter("qualification", enum=Qualification.values),
            OpenApiParameter("is_active", enum=["true", "false"]),
            OpenApiParameter("q"),
            OpenApiParameter("sort"),
        ],
    )
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List devices, by name."""
        return super().get(request, *args, **kwargs)

    @extend_schema(operation_id="device_enrol", request=DeviceIn, responses={201: DeviceTokenOut})
    def post(self, request: Request) -> Response:
        """Enrol a device; its token is in this answer and nowhere else."""
        said = asked.body(DeviceIn, request)
        device, token = devices.enrol(
            **{**said, "kind": DeviceKind(said["kind"])},
            actor=callers.person(request),
            at=timezone.now(),
        )
        return Response({**DeviceOut(device).data, "token": token}, status=201)


class DeviceView(APIView):
    permission_classes = [PeopleRead]

    @extend_schema(operation_id="device_read", responses=DeviceOut)
    def get(self, request: Request, name: str) -> Response:
        """Read one device."""
        return Response(DeviceOut(get_object_or_404(Device, name=name)).data)


class DeviceQualification(APIView):
    permission_classes = [PeopleRead]

    @extend_schema(
        operation_id="device_qualify", request=DeviceQualificationIn, responses=DeviceOut
    )
    def post(self, request: Request, name: str) -> Response:
        """Let a device post for one piece of equipment; the reason names the evidence."""
        said = asked.body(DeviceQualificationIn, request)
        device = devices.qualify(
            get_object_or_404(Device, name=name),
            **said,
            actor=callers.person(request),
            at=timezone.now(),
        )
        return Response(DeviceOut(device).data)


class Disqualification(APIView):
    permission_classes = [PeopleRead]

    @extend_schema(
        operation_id="device_disqualify", request=DeviceDisqualificationIn, responses=DeviceOut
    )
    def post(self, request: Request, name: str) -> Response:
        """Take the qualification back, or retire the device for good."""
        said = asked.body(DeviceDisqualificationIn, request)
        device = devices.disqualify(
            get_object_or_404(Device, name=name),
            **said,
            actor=callers.person(request),
            at=timezone.now(),
        )
        return Response(DeviceOut(device).data)


class Token(APIView):
    permission_classes = [PeopleRead]
    answer_not_kept = "a token, which is shown once"

    @extend_schema(
        operation_id="device_renew_token", request=AccessReasonIn, responses={201: DeviceTokenOut}
    )
    def post(self, request: Request, name: str) -> Response:
        """Renew a device's token; the old one fails at the next request."""
        said = asked.body(AccessReasonIn, request)
        device = get_object_or_404(Device, name=name)
        token = devices.renew_token(
            device, actor=callers.person(request), at=timezone.now(), reason=said["reason"]
        )
        return Response({**DeviceOut(device).data, "token": token}, status=201)


class Revocation(APIView):
    permission_classes = [PeopleRead]

    @extend_schema(operation_id="device_revoke", request=AccessReasonIn, responses=DeviceOut)
    def post(self, request: Request, name: str) -> Response:
        """Shut a device out at its next request, for good."""
        said = asked.body(AccessReasonIn, request)
        device = devices.revoke(
            get_object_or_404(Device, name=name),
            actor=callers.person(request),
            at=timezone.now(),
            reason=said["reason"],
        )
        return Response(DeviceOut(device).data)


_ONE = "access/devices/<str:name>"
urlpatterns = [
    path("access/devices", Devices.as_view(), name="devices"),
    path(_ONE, DeviceView.as_view(), name="device"),
    path(f"{_ONE}/qualification", DeviceQualification.as_view(), name="device-qualification"),
    path(f"{_ONE}/disqualification", Disqualification.as_view(), name="device-disqualification"),
    path(f"{_ONE}/token", Token.as_view(), name="device-token"),
    path(f"{_ONE}/revocation", Revocation.as_view(), name="device-revocation"),
]
