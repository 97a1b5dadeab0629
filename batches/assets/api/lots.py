"""Lots of materials over the API: receive, decide, move, count, and follow their genealogy."""

from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import generics
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from batches.assets import genealogy, ledger, lots, reconciling
from batches.assets.api import asking
from batches.assets.ledger import Line
from batches.assets.lot_messages import (
    GenealogyOut,
    LotAccountOut,
    LotComponentIn,
    LotComponentOut,
    LotCountIn,
    LotCountOut,
    LotDatesIn,
    LotDecisionIn,
    MaterialLotDetailOut,
    MaterialLotIn,
    MaterialLotOut,
    MovementIn,
    MovementOut,
)
from batches.assets.lots import Receipt
from batches.assets.models import LotState, MaterialLot, Movement
from compliance.access import callers
from compliance.access.callers import PeopleRead
from compliance.wire import Pages

FILTERS = {
    "state": "state",
    "material": "material__code",
    "supplier": "supplier__code",
    "location": "location",
}
SEARCHED = ("number", "supplier_lot", "material__code", "material__name")
ORDER = ("number", "received_at", "expires_on", "retest_on")
SHOWN = ("material", "supplier", "received_by", "decided_by")


def named(number: str) -> MaterialLot:
    return get_object_or_404(MaterialLot.objects.select_related(*SHOWN), number=number)


class Lots(generics.ListAPIView[MaterialLot]):
    permission_classes = [PeopleRead]
    serializer_class = MaterialLotOut
    pagination_class = Pages
    queryset = MaterialLot.objects.all()

    def get_queryset(self) -> QuerySet[MaterialLot]:
        every = ledger.with_balance(MaterialLot.objects.select_related(*SHOWN))
        return asking.narrowed(every, self.request, filters=FILTERS, search=SEARCHED, order=ORDER)

    @extend_schema(
        operation_id="material_lots_list",
        parameters=asking.parameters(filters=[*FILTERS], search=SEARCHED, order=ORDER),
    )
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List lots with what each holds now."""
        return super().get(request, *args, **kwargs)

    @extend_schema(
        operation_id="material_lot_receive", request=MaterialLotIn, responses={201: MaterialLotOut}
    )
    def post(self, request: Request) -> Response:
        """Take a delivery into quarantine."""
        said = asking.body(MaterialLotIn, request)
        lot = lots.receive(
            said.pop("material"),
            receipt=Receipt(**said),
            actor=callers.person(request),
            at=timezone.now(),
        )
        return Response(MaterialLotOut(lot).data, status=201)


class LotView(APIView):
    permission_classes = [PeopleRead]

    @extend_schema(operation_id="material_lot_read", responses=MaterialLotDetailOut)
    def get(self, request: Request, number: str) -> Response:
        """Read a lot, with what stands against its use now."""
        return Response(MaterialLotDetailOut(named(number), context={"at": timezone.now()}).data)


class Decisions(APIView):
    permission_classes = [PeopleRead]

    @extend_schema(
        operation_id="material_lot_decide", request=LotDecisionIn, responses={201: MaterialLotOut}
    )
    def post(self, request: Request, number: str) -> Response:
        """Release or reject a lot by signature; block it, or put it into quarantine."""
        said = asking.body(LotDecisionIn, request)
        lot, reason = named(number), said["reason"]
        person, at = callers.person(request), timezone.now()
        match said["outcome"]:
            case LotState.RELEASED:
                signer = asking.confirmed(request, said["password"])
                decided = lots.release(
                    lot, confirmed=signer, reason=reason, retest_on=said.get("retest_on")
                )
            case LotState.REJECTED:
                signer = asking.confirmed(request, said["password"])
                decided = lots.reject(lot, confirmed=signer, reason=reason)
            case LotState.BLOCKED:
                decided = lots.block(lot, actor=person, at=at, reason=reason)
            case _:
                decided = lots.quarantine(lot, actor=person, at=at, reason=reason)
        return Response(MaterialLotOut(decided).data, status=201)


class Dates(APIView):
    permission_classes = [PeopleRead]

    @extend_schema(operation_id="material_lot_dates", request=LotDatesIn, responses=MaterialLotOut)
    def put(self, request: Request, number: str) -> Response:
        """Change expiry and retest; those of a released lot are only brought forward."""
        changed = lots.change_dates(
            named(number),
            actor=callers.person(request),
            at=timezone.now(),
            **asking.body(LotDatesIn, request),
        )
        return Response(MaterialLotOut(changed).data)


class Movements(generics.ListAPIView[Movement]):
    permission_classes = [PeopleRead]
    serializer_class = MovementOut
    pagination_class = Pages
    queryset = Movement.objects.all()

    def get_queryset(self) -> QuerySet[Movement]:
        return Movement.objects.filter(lot=named(self.kwargs["number"])).order_by("sequence")

    @extend_schema(operation_id="material_lot_movements")
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Read the ledger of a lot, line by line."""
        return super().get(request, *args, **kwargs)

    @extend_schema(
        operation_id="material_lot_move", request=MovementIn, responses={201: MovementOut}
    )
    def post(self, request: Request, number: str) -> Response:
        """Add a line to the ledger."""
        said = asking.body(MovementIn, request)
        added = ledger.move(
            named(number),
            said.pop("kind"),
            quantity=said.pop("quantity"),
            unit=said.pop("unit"),
            line=Line(**said),
            actor=callers.person(request),
            at=timezone.now(),
        )
        return Response(MovementOut(added).data, status=201)


class AccountView(APIView):
    permission_classes = [PeopleRead]

    @extend_schema(operation_id="material_lot_account", responses=LotAccountOut)
    def get(self, request: Request, number: str) -> Response:
        """Read what came into a lot, what left it and how, and what must be there."""
        return Response(LotAccountOut(reconciling.account(named(number))).data)


class Counts(APIView):
    permission_classes = [PeopleRead]

    @extend_schema(operation_id="material_lot_counts", responses=LotCountOut(many=True))
    def get(self, request: Request, number: str) -> Response:
        """List its counts, newest first."""
        found = named(number).counts.select_related("counted_by", "deviation").order_by("-pk")
        return Response(LotCountOut(found, many=True).data)

    @extend_schema(
        operation_id="material_lot_count", request=LotCountIn, responses={201: LotCountOut}
    )
    def post(self, request: Request, number: str) -> Response:
        """Record a count; beyond the limit of the material it opens a deviation."""
        made = reconciling.count(
            named(number),
            actor=callers.person(request),
            at=timezone.now(),
            **asking.body(LotCountIn, request),
        )
        return Response(LotCountOut(made).data, status=201)


class Genealogy(APIView):
    permission_classes = [PeopleRead]

    @extend_schema(operation_id="material_lot_genealogy", responses=GenealogyOut)
    def get(self, request: Request, number: str) -> Response:
        """Read what a lot was made of, and what was made of it, to the ends of both."""
        lot = named(number)
        shown = {
            "number": lot.number,
            "made_of": genealogy.tree(lot, "made-of"),
            "used_in": genealogy.tree(lot, "used-in"),
        }
        return Response(GenealogyOut(shown).data)


class Components(APIView):
    permission_classes = [PeopleRead]

    @extend_schema(
        operation_id="material_lot_component",
        request=LotComponentIn,
        responses={201: LotComponentOut},
    )
    def post(self, request: Request, number: str) -> Response:
        """Record that a lot was made of another."""
        said = asking.body(LotComponentIn, request)
        made = genealogy.link(
            named(number),
            child=said["component"],
            quantity=said["quantity"],
            unit=said["unit"],
            actor=callers.person(request),
            at=timezone.now(),
        )
        return Response(LotComponentOut(made).data, status=201)
