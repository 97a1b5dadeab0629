"""Receipts over the API: the answer to “did you get this?”."""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import generics, serializers
from rest_framework.request import Request
from rest_framework.response import Response

from batches.exchange.api.answered import ReceiptOut
from batches.exchange.models import Receipt
from compliance.access import callers
from compliance.access.callers import PeopleAndDevicesRead
from compliance.access.models import Device
from compliance.access.scopes import Scope
from compliance.wire import Pages


class Receipts(generics.ListAPIView[Receipt]):
    permission_classes = [PeopleAndDevicesRead]
    scopes = {"get": Scope.RECEIPTS_READ}
    serializer_class = ReceiptOut
    pagination_class = Pages

    def get_queryset(self) -> QuerySet[Receipt]:
        key = self.request.query_params.get("idempotency_key")
        if not key:
            raise serializers.ValidationError({"idempotency_key": "say which one"})
        found = Receipt.objects.filter(idempotency_key=key).order_by("pk")
        caller = callers.principal(self.request)
        if isinstance(caller, Device):
            found = found.filter(sender=caller.trail_identity().id)
        return found

    @extend_schema(
        operation_id="receipts_list",
        parameters=[OpenApiParameter("idempotency_key", required=True)],
    )
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List the receipts under a key: a device sees its own."""
        return super().get(request, *args, **kwargs)
