"""Materials and their suppliers over the API."""

from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import generics
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from batches.assets import lots, materials, suppliers
from batches.assets.api import asking
from batches.assets.equipment_messages import CareReasonIn
from batches.assets.lot_messages import (
    MaterialIn,
    MaterialLotOut,
    MaterialOut,
    SupplierApprovalIn,
    SupplierApprovalOut,
    SupplierIn,
    SupplierOut,
)
from batches.assets.materials import MaterialDraft
from batches.assets.models import Material, Supplier, SupplierApproval
from compliance.access import callers
from compliance.access.callers import PeopleRead
from compliance.wire import Pages

NAMED = ("code", "name")


class Materials(generics.ListAPIView[Material]):
    permission_classes = [PeopleRead]
    serializer_class = MaterialOut
    pagination_class = Pages
    queryset = Material.objects.all()

    def get_queryset(self) -> QuerySet[Material]:
        return asking.narrowed(
            Material.objects.all(), self.request, filters={"kind": "kind"}, search=NAMED,
            order=NAMED,
        )  # fmt: skip

    @extend_schema(
        operation_id="materials_list",
        parameters=asking.parameters(filters=["kind"], search=NAMED, order=NAMED),
    )
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List materials."""
        return super().get(request, *args, **kwargs)

    @extend_schema(operation_id="material_create", request=MaterialIn, responses={201: MaterialOut})
    def post(self, request: Request) -> Response:
        """Enter a material."""
        draft = MaterialDraft(**asking.body(MaterialIn, request))
        made = materials.create(draft, actor=callers.person(request), at=timezone.now())
        return Response(MaterialOut(made).data, status=201)


class MaterialView(APIView):
    permission_classes = [PeopleRead]

    @extend_schema(operation_id="material_read", responses=MaterialOut)
    def get(self, request: Request, code: str) -> Response:
        """Read a material."""
        return Response(MaterialOut(get_object_or_404(Material, code=code)).data)


class FirstToExpire(APIView):
    permission_classes = [PeopleRead]

    @extend_schema(operation_id="material_first_to_expire", responses=MaterialLotOut(many=True))
    def get(self, request: Request, code: str) -> Response:
        """List the lots that may be used now, first expiry first."""
        material = get_object_or_404(Material, code=code)
        found = lots.first_to_expire(material, at=timezone.now())
        shown = found.select_related("material", "supplier", "received_by", "decided_by")
        return Response(MaterialLotOut(shown, many=True).data)


class Suppliers(generics.ListAPIView[Supplier]):
    permission_classes = [PeopleRead]
    serializer_class = SupplierOut
    pagination_class = Pages
    queryset = Supplier.objects.all()

    def get_queryset(self) -> QuerySet[Supplier]:
        return asking.narrowed(
            Supplier.objects.all(), self.request, filters={}, search=NAMED, order=NAMED
        )

    @extend_schema(
        operation_id="suppliers_list",
        parameters=asking.parameters(filters=[], search=NAMED, order=NAMED),
    )
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List suppliers."""
        return super().get(request, *args, **kwargs)

    @extend_schema(
        operation_id="supplier_register", request=SupplierIn, responses={201: SupplierOut}
    )
    def post(self, request: Request) -> Response:
        """Register a supplier; it supplies nothing until it is approved for a material."""
        made = suppliers.register(
            actor=callers.person(request), at=timezone.now(), **asking.body(SupplierIn, request)
        )
        return Response(SupplierOut(made).data, status=201)


class SupplierView(APIView):
    permission_classes = [PeopleRead]

    @extend_schema(operation_id="supplier_read", responses=SupplierOut)
    def get(self, request: Request, code: str) -> Response:
        """Read a supplier."""
        return Response(SupplierOut(get_object_or_404(Supplier, code=code)).data)


class Approvals(APIView):
    permission_classes = [PeopleRead]

    @extend_schema(operation_id="supplier_approvals", responses=SupplierApprovalOut(many=True))
    def get(self, request: Request, code: str) -> Response:
        """List what a supplier was approved for, newest first."""
        supplier = get_object_or_404(Supplier, code=code)
        found = supplier.approvals.select_related("material", "approved_by").order_by("-pk")
        return Response(SupplierApprovalOut(found, many=True).data)

    @extend_schema(
        operation_id="supplier_approve",
        request=SupplierApprovalIn,
        responses={201: SupplierApprovalOut},
    )
    def post(self, request: Request, code: str) -> Response:
        """Approve a supplier for a material."""
        made = suppliers.approve(
            get_object_or_404(Supplier, code=code),
            actor=callers.person(request),
            at=timezone.now(),
            **asking.body(SupplierApprovalIn, request),
        )
        return Response(SupplierApprovalOut(made).data, status=201)


class ApprovalEnd(APIView):
    permission_classes = [PeopleRead]

    @extend_schema(
        operation_id="supplier_approval_end", request=CareReasonIn, responses=SupplierApprovalOut
    )
    def post(self, request: Request, code: str, pk: int) -> Response:
        """End an approval today."""
        ended = suppliers.end_approval(
            get_object_or_404(SupplierApproval, pk=pk, supplier__code=code),
            actor=callers.person(request),
            at=timezone.now(),
            reason=asking.body(CareReasonIn, request)["reason"],
        )
        return Response(SupplierApprovalOut(ended).data)
