"""The register of signatures over the API, each with how it stands now."""

from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.urls import path
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import generics, serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from compliance import wire
from compliance.access.callers import PeopleRead
from compliance.signatures import signing, verdicts
from compliance.signatures.messages import VerdictOut
from compliance.signatures.models import Meaning, Signature
from compliance.wire import Pages

_ORDERS = {"signed_at": ("signed_at", "pk"), "-signed_at": ("-signed_at", "-pk")}


class Signatures(generics.GenericAPIView[Signature]):
    permission_classes = [PeopleRead]
    serializer_class = VerdictOut
    pagination_class = Pages

    def get_queryset(self) -> QuerySet[Signature]:
        given = self.request.query_params
        found = Signature.objects.select_related("reauthentication")
        for name in ("record", "record_id"):
            if value := given.get(name):
                found = found.filter(**{name: value})
        if meaning := wire.chosen(self.request, "meaning", Meaning.values):
            found = found.filter(meaning=meaning)
        if username := given.get("username"):
            found = found.filter(username__iexact=username)
        order = given.get("order", "-signed_at")
        if order not in _ORDERS:
            raise serializers.ValidationError({"order": " or ".join(_ORDERS)})
        return found.order_by(*_ORDERS[order])

    @extend_schema(
        operation_id="signatures_list",
        parameters=[
            OpenApiParameter("record", description="Table of the signed records."),
            OpenApiParameter("record_id"),
            OpenApiParameter("username"),
            OpenApiParameter("meaning", enum=Meaning.values),
            OpenApiParameter("order", enum=list(_ORDERS)),
        ],
        responses=VerdictOut(many=True),
    )
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List signatures, superseded ones too, with how each stands."""
        page = self.paginate_queryset(self.get_queryset())
        found = verdicts.of_many(page or [])
        return self.get_paginated_response(VerdictOut(found, many=True).data)


class SignatureView(APIView):
    permission_classes = [PeopleRead]

    @extend_schema(operation_id="signature_read", responses=VerdictOut)
    def get(self, request: Request, pk: int) -> Response:
        """Read one signature, verified now."""
        found = Signature.objects.select_related("reauthentication")
        return Response(VerdictOut(signing.verify(get_object_or_404(found, pk=pk))).data)


urlpatterns = [
    path("signatures", Signatures.as_view(), name="signatures"),
    path("signatures/<int:pk>", SignatureView.as_view(), name="signature"),
]
