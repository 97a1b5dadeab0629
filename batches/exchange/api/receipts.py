"""Receipts over the API: the answer to “did you get this?”."""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, PolymorphicProxySerializer, extend_schema
from rest_framework import generics, serializers
from rest_framework.request import Request
from rest_framework.response import Response

from batches.exchange import proofs
from batches.exchange.api.answered import ReceiptOut
from batches.exchange.api.receipts_answered import ReceiptPageOut, RecordReceiptsOut
from batches.exchange.api.streams import readable
from batches.exchange.models import Receipt, SourceRecord
from compliance.access import callers
from compliance.access.callers import PeopleAndDevicesRead
from compliance.access.models import Device
from compliance.access.scopes import Scope
from compliance.wire import Pages

MOST_IDS = 100


class Receipts(generics.ListAPIView[Receipt]):
    permission_classes = [PeopleAndDevicesRead]
    scopes = {"get": Scope.RECEIPTS_READ}
    serializer_class = ReceiptOut
    pagination_class = Pages

    def get_queryset(self) -> QuerySet[Receipt]:
        key = self.request.query_params.get("idempotency_key")
        if not key:
            raise serializers.ValidationError(
                {"idempotency_key": "say which one, or give a source and an id"}
            )
        found = Receipt.objects.filter(idempotency_key=key).order_by("pk")
        caller = callers.principal(self.request)
        if isinstance(caller, Device):
            found = found.filter(sender=caller.trail_identity().id)
        return found

    @extend_schema(
        operation_id="receipts_list",
        parameters=[
            OpenApiParameter("idempotency_key", description="Of a write."),
            OpenApiParameter("source", description="Of a record, with `id`."),
            OpenApiParameter(
                "id", OpenApiTypes.STR, many=True,
                description=f"The source's ids, each as a parameter of its own; at most {MOST_IDS}.",
            ),
        ],
        responses=PolymorphicProxySerializer(
            component_name="Receipts",
            serializers=[ReceiptPageOut, RecordReceiptsOut],
            resource_type_field_name=None,
            many=False,
        ),
    )  # fmt: skip
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Say whether something arrived, with its proof: by key of the write, or by source and id."""
        code = request.query_params.get("source")
        if code is not None:
            return Response(_of_records(code, request))
        page = self.paginate_queryset(self.get_queryset())
        receipts = list(page or [])
        context = {"proofs": proofs.of(receipts)}
        return self.get_paginated_response(ReceiptOut(receipts, many=True, context=context).data)


def _of_records(code: str, request: Request) -> Any:
    """Answer for each id that was asked for, also for those that never came."""
    ids = list(dict.fromkeys(request.query_params.getlist("id")))
    if not 1 <= len(ids) <= MOST_IDS:
        raise serializers.ValidationError({"id": f"ask for 1 to {MOST_IDS} ids"})
    source = readable(code, request)
    found = list(SourceRecord.objects.filter(source=source, record_id__in=ids).order_by("version"))
    by_id: dict[str, list[SourceRecord]] = {}
    for record in found:
        by_id.setdefault(record.record_id, []).append(record)
    asked = [
        {"id": one, "is_received": one in by_id, "versions": by_id.get(one, [])} for one in ids
    ]
    context = {"proofs": proofs.of(found)}
    return RecordReceiptsOut({"source": source.code, "records": asked}, context=context).data
