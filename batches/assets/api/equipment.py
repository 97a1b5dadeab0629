"""Equipment over the API: register, amend, qualify, use, and read its log book."""

from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import generics
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from batches.assets import calibrations, equipment, log_book, qualifications, upkeep
from batches.assets.api import asking
from batches.assets.equipment import Particulars
from batches.assets.equipment_messages import (
    CareReasonIn,
    EquipmentAmendIn,
    EquipmentDeclarationIn,
    EquipmentDetailOut,
    EquipmentIn,
    EquipmentOut,
    EquipmentStateIn,
    EquipmentUseEndIn,
    EquipmentUseIn,
    EquipmentUseOut,
    LogBookPeriodIn,
    LogEntryOut,
)
from batches.assets.models import Equipment, EquipmentUse
from batches.assets.upkeep import Needs
from compliance import wire
from compliance.access import callers
from compliance.access.callers import PeopleRead
from compliance.wire import Pages

SEARCHED = ("code", "name", "location", "serial_number")
ORDER = ("code", "name", "calibration_due_on", "qualified_until", "registered_at")
FILTERS = {"state": "state", "kind": "kind", "cleaning_state": "cleaning_state"}


def named(code: str) -> Equipment:
    return get_object_or_404(Equipment, code=code)


class EquipmentList(generics.ListAPIView[Equipment]):
    permission_classes = [PeopleRead]
    serializer_class = EquipmentOut
    pagination_class = Pages
    queryset = Equipment.objects.all()

    def get_queryset(self) -> QuerySet[Equipment]:
        found = asking.narrowed(
            Equipment.objects.all(), self.request, filters=FILTERS, search=SEARCHED, order=ORDER
        )
        if wire.chosen(self.request, "calibration", ["overdue"]):
            late = calibrations.overdue(on=timezone.now().date())
            found = found.filter(pk__in=late.order_by().values("pk"))
        return found

    @extend_schema(
        operation_id="equipment_list",
        parameters=asking.parameters(
            filters=[*FILTERS, "calibration"], search=SEARCHED, order=ORDER
        ),
    )
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List equipment; `calibration=overdue` finds what is late."""
        return super().get(request, *args, **kwargs)

    @extend_schema(
        operation_id="equipment_register", request=EquipmentIn, responses={201: EquipmentOut}
    )
    def post(self, request: Request) -> Response:
        """Register equipment; it waits for its qualification."""
        said = Particulars(**asking.body(EquipmentIn, request))
        made = equipment.register(said, actor=callers.person(request), at=timezone.now())
        return Response(EquipmentOut(made).data, status=201)


class EquipmentView(APIView):
    permission_classes = [PeopleRead]

    @extend_schema(operation_id="equipment_read", responses=EquipmentDetailOut)
    def get(self, request: Request, code: str) -> Response:
        """Read equipment, with what stands against its use now."""
        out = EquipmentDetailOut(named(code), context={"at": timezone.now()})
        return Response(out.data)


class NeedsView(APIView):
    permission_classes = [PeopleRead]

    @extend_schema(operation_id="equipment_amend", request=EquipmentAmendIn, responses=EquipmentOut)
    def put(self, request: Request, code: str) -> Response:
        """Change its place, intervals and hold times."""
        said = asking.body(EquipmentAmendIn, request)
        reason = said.pop("reason")
        amended = upkeep.amend(
            named(code),
            needs=Needs(**said),
            actor=callers.person(request),
            at=timezone.now(),
            reason=reason,
        )
        return Response(EquipmentOut(amended).data)


class State(APIView):
    permission_classes = [PeopleRead]

    @extend_schema(operation_id="equipment_state", request=EquipmentStateIn, responses=EquipmentOut)
    def post(self, request: Request, code: str) -> Response:
        """Withdraw its qualification, take it out of service, return it, or retire it."""
        said = asking.body(EquipmentStateIn, request)
        changed = equipment.set_state(
            named(code),
            said["act"],
            actor=callers.person(request),
            at=timezone.now(),
            reason=said["reason"],
        )
        return Response(EquipmentOut(changed).data)


class Declaration(APIView):
    permission_classes = [PeopleRead]

    @extend_schema(
        operation_id="equipment_qualify",
        request=EquipmentDeclarationIn,
        responses={201: EquipmentOut},
    )
    def post(self, request: Request, code: str) -> Response:
        """Declare it qualified, by signature of QA."""
        said = asking.body(EquipmentDeclarationIn, request)
        declared = qualifications.qualify(
            named(code),
            confirmed=asking.confirmed(request, said["password"]),
            reason=said["reason"],
        )
        return Response(EquipmentOut(declared).data, status=201)


class Uses(generics.ListAPIView[EquipmentUse]):
    permission_classes = [PeopleRead]
    serializer_class = EquipmentUseOut
    pagination_class = Pages
    queryset = EquipmentUse.objects.all()

    def get_queryset(self) -> QuerySet[EquipmentUse]:
        found = EquipmentUse.objects.filter(equipment=named(self.kwargs["code"]))
        return found.order_by("-used_from", "-pk")

    @extend_schema(operation_id="equipment_uses")
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List its uses, newest first."""
        return super().get(request, *args, **kwargs)

    @extend_schema(
        operation_id="equipment_use", request=EquipmentUseIn, responses={201: EquipmentUseOut}
    )
    def post(self, request: Request, code: str) -> Response:
        """Record that a use begins, or was."""
        person = callers.person(request)
        use = equipment.mark_used(
            named(code),
            by_text=person.username,
            actor=person,
            at=timezone.now(),
            **asking.body(EquipmentUseIn, request),
        )
        return Response(EquipmentUseOut(use).data, status=201)


class UseEnd(APIView):
    permission_classes = [PeopleRead]

    @extend_schema(
        operation_id="equipment_use_end", request=EquipmentUseEndIn, responses=EquipmentUseOut
    )
    def post(self, request: Request, code: str, pk: int) -> Response:
        """Record when a use ended."""
        use = equipment.end_use(
            get_object_or_404(EquipmentUse, pk=pk, equipment__code=code),
            actor=callers.person(request),
            at=timezone.now(),
            **asking.body(EquipmentUseEndIn, request),
        )
        return Response(EquipmentUseOut(use).data)


class LogBook(APIView):
    permission_classes = [PeopleRead]

    @extend_schema(
        operation_id="equipment_log_book", parameters=[LogBookPeriodIn],
        responses=LogEntryOut(many=True),
    )  # fmt: skip
    def get(self, request: Request, code: str) -> Response:
        """Read uses, cleanings, calibrations, qualifications and part changes in order of time."""
        asked = LogBookPeriodIn(data=request.query_params.dict())
        asked.is_valid(raise_exception=True)
        found = log_book.of(named(code), **asked.validated_data)
        return Response(LogEntryOut(found, many=True).data)


class Impact(APIView):
    permission_classes = [PeopleRead]

    @extend_schema(operation_id="equipment_impact", responses=EquipmentUseOut(many=True))
    def get(self, request: Request, code: str) -> Response:
        """Read the uses that its calibrations leave in doubt."""
        found = calibrations.impact(named(code), at=timezone.now())
        return Response(EquipmentUseOut(found, many=True).data)


class Services(APIView):
    permission_classes = [PeopleRead]

    @extend_schema(
        operation_id="equipment_service", request=CareReasonIn, responses={201: EquipmentOut}
    )
    def post(self, request: Request, code: str) -> Response:
        """Record a maintenance; running hours count anew."""
        serviced = upkeep.service(
            named(code),
            actor=callers.person(request),
            at=timezone.now(),
            reason=asking.body(CareReasonIn, request)["reason"],
        )
        return Response(EquipmentOut(serviced).data, status=201)
