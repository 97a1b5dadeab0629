"""Clients over the API: administrators register them, rotate their secrets and set their scopes."""

from datetime import timedelta
from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.urls import path
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import generics, serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from compliance.access import callers, clients
from compliance.access.api import asked
from compliance.access.api.messages import AccessReasonIn
from compliance.access.callers import PeopleRead
from compliance.access.models import ApiClient, ClientSecret, Device
from compliance.access.scopes import Scope
from compliance.wire import In, Moment, Out, Pages, Text

_SECRET = "a secret, which is shown once"  # noqa: S105 -- says why no answer is kept
_MOST_MINUTES = int(clients.MOST_OVERLAP.total_seconds() // 60)


class ClientIn(In):
    device = Text(max_length=60)
    scopes = serializers.ListField(child=serializers.ChoiceField([one.value for one in Scope]))
    reason = Text(max_length=2000)


class ClientScopesIn(In):
    scopes = serializers.ListField(child=serializers.ChoiceField([one.value for one in Scope]))
    reason = Text(max_length=2000)


class ClientRotationIn(In):
    overlap_minutes = serializers.IntegerField(
        min_value=0, max_value=_MOST_MINUTES, help_text="How long the present secret stays valid."
    )
    reason = Text(max_length=2000)


class ClientSecretOut(Out):
    id = serializers.IntegerField()
    created_at = Moment()
    ends_at = Moment(allow_null=True)
    revoked_at = Moment(allow_null=True)


class ClientOut(Out):
    client_id = serializers.CharField()
    device = serializers.CharField(source="device.name")
    site = serializers.CharField()
    scopes = serializers.ListField(child=serializers.CharField(), source="scope_list")
    created_at = Moment()
    revoked_at = Moment(allow_null=True)


class ClientDetailOut(ClientOut):
    secrets = serializers.SerializerMethodField()

    def get_secrets(self, client: ApiClient) -> list[dict[str, Any]]:
        return list(ClientSecretOut(client.secrets.order_by("pk"), many=True).data)


class ClientSecretShownOut(ClientOut):
    client_secret = serializers.CharField(help_text="Shown this once.")


class Clients(generics.ListAPIView[ApiClient]):
    permission_classes = [PeopleRead]
    answer_not_kept = _SECRET
    serializer_class = ClientOut
    pagination_class = Pages

    def get_queryset(self) -> QuerySet[ApiClient]:
        found = ApiClient.objects.select_related("device")
        found = asked.search(found, self.request, "client_id", "device__name")
        return asked.ordered(found, self.request, "client_id", "created_at")

    @extend_schema(
        operation_id="clients_list", parameters=[OpenApiParameter("q"), OpenApiParameter("sort")]
    )
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List clients of the API."""
        return super().get(request, *args, **kwargs)

    @extend_schema(
        operation_id="client_register", request=ClientIn, responses={201: ClientSecretShownOut}
    )
    def post(self, request: Request) -> Response:
        """Register a client for a device; its secret is in this answer and nowhere else."""
        said = asked.body(ClientIn, request)
        device = Device.objects.filter(name=said["device"]).first()
        if device is None:
            raise serializers.ValidationError({"device": f"there is no device {said['device']}"})
        client, secret = clients.register(
            device,
            wanted=said["scopes"],
            actor=callers.person(request),
            at=timezone.now(),
            reason=said["reason"],
        )
        return _shown(client, secret)


class ClientView(APIView):
    permission_classes = [PeopleRead]

    @extend_schema(operation_id="client_read", responses=ClientDetailOut)
    def get(self, request: Request, client_id: str) -> Response:
        """Read one client, with its secrets but for what they are."""
        return Response(ClientDetailOut(_client(client_id)).data)


class ClientScopes(APIView):
    permission_classes = [PeopleRead]

    @extend_schema(operation_id="client_scopes", request=ClientScopesIn, responses=ClientDetailOut)
    def post(self, request: Request, client_id: str) -> Response:
        """Say what a client may do; what it loses is lost at its next request."""
        said = asked.body(ClientScopesIn, request)
        client = clients.set_scopes(
            _client(client_id),
            wanted=said["scopes"],
            actor=callers.person(request),
            at=timezone.now(),
            reason=said["reason"],
        )
        return Response(ClientDetailOut(client).data)


class ClientRotation(APIView):
    permission_classes = [PeopleRead]
    answer_not_kept = _SECRET

    @extend_schema(
        operation_id="client_rotate",
        request=ClientRotationIn,
        responses={201: ClientSecretShownOut},
    )
    def post(self, request: Request, client_id: str) -> Response:
        """Give a client its next secret; the present one stays valid for the overlap."""
        said = asked.body(ClientRotationIn, request)
        client = _client(client_id)
        secret = clients.rotate(
            client,
            overlap=timedelta(minutes=said["overlap_minutes"]),
            actor=callers.person(request),
            at=timezone.now(),
            reason=said["reason"],
        )
        return _shown(client, secret)


class ClientSecretRevocation(APIView):
    permission_classes = [PeopleRead]

    @extend_schema(
        operation_id="client_secret_revoke", request=AccessReasonIn, responses=ClientDetailOut
    )
    def post(self, request: Request, client_id: str, secret: int) -> Response:
        """Shut one secret out at the next request, with the tokens issued on it."""
        said = asked.body(AccessReasonIn, request)
        client = _client(client_id)
        clients.revoke_secret(
            get_object_or_404(ClientSecret, pk=secret, client=client),
            actor=callers.person(request),
            at=timezone.now(),
            reason=said["reason"],
        )
        return Response(ClientDetailOut(client).data)


class ClientRevocation(APIView):
    permission_classes = [PeopleRead]

    @extend_schema(operation_id="client_revoke", request=AccessReasonIn, responses=ClientDetailOut)
    def post(self, request: Request, client_id: str) -> Response:
        """Shut a client out at its next request, for good."""
        said = asked.body(AccessReasonIn, request)
        client = clients.revoke(
            _client(client_id),
            actor=callers.person(request),
            at=timezone.now(),
            reason=said["reason"],
        )
        return Response(ClientDetailOut(client).data)


def _client(client_id: str) -> ApiClient:
    return get_object_or_404(ApiClient.objects.select_related("device"), client_id=client_id)


def _shown(client: ApiClient, secret: str) -> Response:
    return Response({**ClientOut(client).data, "client_secret": secret}, status=201)


_ONE = "access/clients/<str:client_id>"
urlpatterns = [
    path("access/clients", Clients.as_view(), name="clients"),
    path(_ONE, ClientView.as_view(), name="client"),
    path(f"{_ONE}/scopes", ClientScopes.as_view(), name="client-scopes"),
    path(f"{_ONE}/secrets", ClientRotation.as_view(), name="client-secrets"),
    path(
        f"{_ONE}/secrets/<int:secret>/revocation",
        ClientSecretRevocation.as_view(),
        name="client-secret-revocation",
    ),
    path(f"{_ONE}/revocation", ClientRevocation.as_view(), name="client-revocation"),
]
