"""Shipments of released batches over the API."""

from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import generics
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from batches.disposition import shipments
from batches.disposition.messages import ShipmentIn, ShipmentOut
from batches.disposition.models import Market, Shipment
from batches.execution.models import Batch
from compliance import wire
from compliance.access import callers
from compliance.access.callers import PeopleRead
from compliance.wire import Pages

_RELATED = ("batch", "certificate", "recorded_by")


class BatchShipments(APIView):
    permission_classes = [PeopleRead]

    @extend_schema(operation_id="batch_shipments_list", responses=ShipmentOut(many=True))
    def get(self, request: Request, number: str) -> Response:
        """List what of a batch was shipped."""
        batch = get_object_or_404(Batch, number=number)
        found = Shipment.objects.filter(batch=batch).select_related(*_RELATED).order_by("pk")
        return Response(ShipmentOut(found, many=True).data)

    @extend_schema(operation_id="batch_ship", request=ShipmentIn, responses={201: ShipmentOut})
    def post(self, request: Request, number: str) -> Response:
        """Record a shipment of a released batch; into the EU it is certified first."""
        body = ShipmentIn(data=request.data)
        body.is_valid(raise_exception=True)
        given = dict(body.validated_data)
        made = shipments.record(
            get_object_or_404(Batch, number=number),
            market=Market(given.pop("market")),
            actor=callers.person(request),
            at=timezone.now(),
            **given,
        )
        return Response(ShipmentOut(made).data, status=201)


class Shipments(generics.ListAPIView[Shipment]):
    permission_classes = [PeopleRead]
    serializer_class = ShipmentOut
    pagination_class = Pages

    def get_queryset(self) -> QuerySet[Shipment]:
        found = Shipment.objects.select_related(*_RELATED).order_by("-pk")
        if batch := self.request.query_params.get("batch"):
            found = wire.narrowed(found, "batch", batch, by="batch__number")
        if consignee := self.request.query_params.get("consignee"):
            found = found.filter(consignee__icontains=consignee)
        return found

    @extend_schema(
        operation_id="shipments_list",
        parameters=[OpenApiParameter("batch"), OpenApiParameter("consignee")],
    )
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List shipments, the newest first."""
        return super().get(request, *args, **kwargs)
