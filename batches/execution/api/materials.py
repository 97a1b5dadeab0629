"""Charges, equipment and genealogy over the API."""

from typing import Any

from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from batches.assets.models import Equipment, MaterialLot
from batches.execution import charges, equipment_use, genealogy, material_accounts
from batches.execution.api import asked, posted
from batches.execution.api.answered import (
    BatchEquipmentOut,
    ChargeOut,
    LinkOut,
    MaterialAccountOut,
    ProducedOut,
)
from batches.execution.api.lists import OfBatch
from batches.execution.api.posted import (
    BatchEquipmentIn,
    ChargeIn,
    MaterialAccountIn,
    ProducedIn,
)
from batches.execution.charges import Weighed
from batches.execution.material_accounts import Account
from batches.execution.models import EquipmentAssignment
from compliance.access import callers
from compliance.access.callers import PeopleRead


class Charges(OfBatch):
    serializer_class = ChargeOut
    relation = "charges"
    related = (
        "phase", "performed_by", "witness", "verified_by", "material", "lot", "scale_used",
    )  # fmt: skip
    filters = ("lot__number", "material__line")

    @extend_schema(operation_id="charges_list")
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List what was charged into a batch."""
        return super().get(request, *args, **kwargs)

    @extend_schema(operation_id="material_charge", request=ChargeIn, responses={201: ChargeOut})
    def post(self, request: Request, number: str) -> Response:
        """Charge material by two people: the caller, and a verifier who gives their password."""
        body, at = posted.read(ChargeIn, request.data), timezone.now()
        batch = asked.batch(number)
        lines = batch.materials.select_related("phase__batch__recipe__product", "batch")
        scale = body.get("scale")
        made = charges.charge(
            asked.one(lines, "line", line=body["line"]),
            lot=asked.one(
                MaterialLot.objects.select_related("material"), "lot", number=body["lot"]
            ),
            weighed=Weighed(
                net=asked.needed_decimal(body, "net"),
                unit=body["unit"],
                gross=asked.decimal(body, "gross"),
                tare=asked.decimal(body, "tare"),
                scale=asked.one(Equipment.objects.all(), "scale", code=scale) if scale else None,
                convert=body["convert"],
                override_reason=body["override_reason"],
            ),
            performed_at=body.get("performed_at", at),
            actor=callers.person(request),
            verifier=asked.other_confirmed(
                request, username=body["verifier"], password=body["password"], member="verifier",
                at=at,
            ),
            late_entry=asked.late(request, body, at=at),
            at=at,
        )  # fmt: skip
        return Response(ChargeOut(made).data, status=201)


class MaterialAccounts(OfBatch):
    serializer_class = MaterialAccountOut
    relation = "material_accounts"
    related = (
        "phase", "performed_by", "witness", "verified_by", "material", "lot", "reconciliation",
    )  # fmt: skip
    filters = ("lot__number", "material__line")

    @extend_schema(operation_id="material_accounts_list")
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List how what was issued to a batch was accounted for."""
        return super().get(request, *args, **kwargs)

    @extend_schema(
        operation_id="material_reconcile",
        request=MaterialAccountIn,
        responses={201: MaterialAccountOut},
    )
    def post(self, request: Request, number: str) -> Response:
        """Reconcile a charged lot; beyond its material's limit it is an exception."""
        body, at = posted.read(MaterialAccountIn, request.data), timezone.now()
        lines = asked.batch(number).materials.select_related(
            "phase__batch__recipe__product", "batch"
        )
        made = material_accounts.reconcile(
            asked.one(lines, "line", line=body["line"]),
            lot=asked.one(
                MaterialLot.objects.select_related("material"), "lot", number=body["lot"]
            ),
            account=Account(
                issued=asked.needed_decimal(body, "issued"),
                unit=body["unit"],
                returned=asked.needed_decimal(body, "returned"),
                wasted=asked.needed_decimal(body, "wasted"),
            ),
            performed_at=body.get("performed_at", at),
            late_entry=asked.late(request, body, at=at),
            actor=callers.person(request),
            at=at,
        )
        return Response(MaterialAccountOut(made).data, status=201)


class EquipmentUses(OfBatch):
    serializer_class = BatchEquipmentOut
    relation = "equipment"
    related = ("phase", "performed_by", "witness", "equipment", "use")

    @extend_schema(operation_id="batch_equipment_list")
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List the equipment used for a batch, with its state at that moment."""
        return super().get(request, *args, **kwargs)

    @extend_schema(
        operation_id="equipment_assign",
        request=BatchEquipmentIn,
        responses={201: BatchEquipmentOut},
    )
    def post(self, request: Request, number: str) -> Response:
        """Use equipment for a phase; its state decides whether it may be used."""
        body, at = posted.read(BatchEquipmentIn, request.data), timezone.now()
        phase, need = asked.phase(number, body["phase"]), body.get("need")
        made = equipment_use.assign(
            phase,
            equipment=asked.one(Equipment.objects.all(), "equipment", code=body["equipment"]),
            need=asked.one(phase.batch.equipment_needs.all(), "need", name=need) if need else None,
            performed_at=body.get("performed_at", at),
            late_entry=asked.late(request, body, at=at),
            actor=callers.person(request),
            at=at,
        )
        return Response(BatchEquipmentOut(made).data, status=201)


class EquipmentReturn(APIView):
    permission_classes = [PeopleRead]

    @extend_schema(
        operation_id="equipment_return", request=None, responses={201: BatchEquipmentOut}
    )
    def post(self, request: Request, number: str, pk: int) -> Response:
        """End the use of equipment; it is to be cleaned before the next."""
        found = EquipmentAssignment.objects.select_related("equipment", "use", "phase")
        given = equipment_use.give_back(
            get_object_or_404(found, batch__number=number, pk=pk),
            actor=callers.person(request),
            at=timezone.now(),
        )
        return Response(BatchEquipmentOut(given).data, status=201)


class Genealogy(APIView):
    permission_classes = [PeopleRead]

    @extend_schema(operation_id="batch_genealogy", responses=LinkOut(many=True))
    def get(self, request: Request, number: str) -> Response:
        """Every lot that went into a batch, through the batches that made them."""
        return Response(LinkOut(genealogy.went_into(asked.batch(number)), many=True).data)


class Produced(OfBatch):
    serializer_class = ProducedOut
    relation = "produced"
    related = ("lot", "recorded_by")

    @extend_schema(operation_id="produced_list")
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List the lots that a batch became."""
        return super().get(request, *args, **kwargs)

    @extend_schema(operation_id="lot_produced", request=ProducedIn, responses={201: ProducedOut})
    def post(self, request: Request, number: str) -> Response:
        """Say which lot a batch became."""
        body = posted.read(ProducedIn, request.data)
        made = genealogy.produced(
            asked.batch(number),
            lot=asked.one(MaterialLot.objects.all(), "lot", number=body["lot"]),
            actor=callers.person(request),
            at=timezone.now(),
        )
        return Response(ProducedOut(made).data, status=201)


class LotBatches(APIView):
    permission_classes = [PeopleRead]

    @extend_schema(operation_id="lot_batches", responses=LinkOut(many=True))
    def get(self, request: Request, lot: str) -> Response:
        """Every batch that a lot went into, and those that its products went into."""
        found = get_object_or_404(MaterialLot, number=lot)
        return Response(LinkOut(genealogy.used_in(found), many=True).data)
