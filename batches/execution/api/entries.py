"""People's entries over the API: in-process results, yields, examinations, labels."""

from typing import Any

from django.http import Http404
from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, PolymorphicProxySerializer, extend_schema
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from batches.execution import calculating, examinations, in_process, verification
from batches.execution.api import asked, posted
from batches.execution.api.answered import (
    CalculationOut,
    ExaminationOut,
    InProcessOut,
    LabelUseOut,
    MaterialAccountOut,
)
from batches.execution.api.lists import OfBatch
from batches.execution.api.posted import ExaminationIn, InProcessIn, LabelUseIn, SignIn, YieldIn
from batches.execution.examinations import Count
from batches.execution.files import Content
from batches.execution.in_process import Entry
from batches.execution.models import (
    Examination,
    ExaminationKind,
    InProcessResult,
    LabelUse,
    MaterialAccount,
)
from batches.quantities.units import Quantity
from compliance.access import callers
from compliance.access.callers import PeopleRead

_PEOPLE = ("phase", "performed_by", "witness", "verified_by")


class InProcessResults(OfBatch):
    serializer_class = InProcessOut
    relation = "in_process_results"
    related = (*_PEOPLE, "parameter")
    filters = ("standing", "parameter__tag")

    @extend_schema(operation_id="in_process_list")
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List the in-process results that people entered."""
        return super().get(request, *args, **kwargs)

    @extend_schema(
        operation_id="in_process_enter", request=InProcessIn, responses={201: InProcessOut}
    )
    def post(self, request: Request, number: str) -> Response:
        """Enter an in-process result; one outside its limits is flagged at once."""
        body, at = posted.read(InProcessIn, request.data), timezone.now()
        made = in_process.enter(
            asked.batch(number),
            phase=asked.optional_phase(number, body.get("phase")),
            entry=Entry(
                tag=body["tag"],
                value=body["value"],
                unit=body["unit"],
                performed_at=body.get("performed_at", at),
                convert=body["convert"],
                override_reason=body["override_reason"],
            ),
            late_entry=asked.late(request, body, at=at),
            actor=callers.person(request),
            at=at,
        )
        return Response(InProcessOut(made).data, status=201)


_VERIFIED: dict[str, tuple[type[Any], type[Any]]] = {
    "in-process-results": (InProcessResult, InProcessOut),
    "examinations": (Examination, ExaminationOut),
    "label-uses": (LabelUse, LabelUseOut),
    "material-accounts": (MaterialAccount, MaterialAccountOut),
}


class EntryVerification(APIView):
    permission_classes = [PeopleRead]

    @extend_schema(
        operation_id="entry_verify",
        parameters=[OpenApiParameter("entries", location="path", enum=list(_VERIFIED))],
        request=SignIn,
        responses={
            201: PolymorphicProxySerializer(
                component_name="VerifiedEntry",
                serializers=[out for _, out in _VERIFIED.values()],
                resource_type_field_name=None,
            )
        },
    )
    def post(self, request: Request, number: str, entries: str, pk: int) -> Response:
        """Verify an entry of another person, by signature."""
        body, at = posted.read(SignIn, request.data), timezone.now()
        if entries not in _VERIFIED:
            raise Http404("there are no such entries")
        model, out = _VERIFIED[entries]
        found = model.objects.select_related("batch", "phase")
        verified = verification.verify(
            get_object_or_404(found, batch__number=number, pk=pk),
            confirmed=asked.caller_confirmed(request, body["password"], at=at),
            comment=body["comment"],
        )
        return Response(out(verified).data, status=201)


class Calculations(OfBatch):
    serializer_class = CalculationOut
    relation = "calculations"
    related = ("phase", "computed_by")
    filters = ("purpose",)

    @extend_schema(operation_id="calculations_list")
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List the calculations of a batch, each with the result of its second evaluation."""
        return super().get(request, *args, **kwargs)


class Yields(APIView):
    permission_classes = [PeopleRead]

    @extend_schema(operation_id="yield_record", request=YieldIn, responses={201: CalculationOut})
    def post(self, request: Request, number: str) -> Response:
        """Record the actual yield after a phase; its percentage is computed twice."""
        body = posted.read(YieldIn, request.data)
        made = calculating.record_yield(
            asked.phase(number, body["phase"]),
            actual=Quantity(asked.needed_decimal(body, "value"), body["unit"]),
            actor=callers.person(request),
            at=timezone.now(),
        )
        return Response(CalculationOut(made).data, status=201)


class Examinations(OfBatch):
    serializer_class = ExaminationOut
    relation = "examinations"
    related = _PEOPLE
    filters = ("kind",)

    @extend_schema(operation_id="examinations_list")
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List area clearances and examinations of packages."""
        return super().get(request, *args, **kwargs)

    @extend_schema(
        operation_id="examination_record", request=ExaminationIn, responses={201: ExaminationOut}
    )
    def post(self, request: Request, number: str) -> Response:
        """Record what was looked at and found."""
        body, at = posted.read(ExaminationIn, request.data), timezone.now()
        made = examinations.examine(
            asked.phase(number, body["phase"]),
            kind=ExaminationKind(body["kind"]),
            is_conforming=body["is_conforming"],
            finding=body["finding"],
            performed_at=body.get("performed_at", at),
            late_entry=asked.late(request, body, at=at),
            actor=callers.person(request),
            at=at,
        )
        return Response(ExaminationOut(made).data, status=201)


class LabelUses(OfBatch):
    serializer_class = LabelUseOut
    relation = "label_uses"
    related = (*_PEOPLE, "label", "specimen", "reconciliation")
    parser_classes = [MultiPartParser]

    @extend_schema(operation_id="label_uses_list")
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List how the labels of a batch were accounted for."""
        return super().get(request, *args, **kwargs)

    @extend_schema(
        operation_id="labels_account",
        request={"multipart/form-data": LabelUseIn},
        responses={201: LabelUseOut},
    )
    def post(self, request: Request, number: str) -> Response:
        """Account for the labels of a batch, with a specimen."""
        body, at = posted.read(LabelUseIn, request.data), timezone.now()
        batch, specimen = asked.batch(number), body["specimen"]
        made = examinations.account_labels(
            asked.one(batch.labels.all(), "code", code=body["code"]),
            phase=asked.phase(number, body["phase"]),
            count=Count(
                **{
                    name: body[name]
                    for name in ("issued", "used", "returned", "destroyed", "sampled")
                }
            ),
            specimen=Content(specimen.name, specimen.content_type or "", specimen.read()),
            performed_at=body.get("performed_at", at),
            late_entry=asked.late(request, body, at=at),
            actor=callers.person(request),
            at=at,
        )
        return Response(LabelUseOut(made).data, status=201)
