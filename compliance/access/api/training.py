"""Procedures and trainings over the API."""

from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.urls import path
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import generics
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from compliance import wire
from compliance.access import callers, gaps, procedures, training
from compliance.access.api import asked
from compliance.access.api.messages import (
    AccessReasonIn,
    CurriculumIn,
    LackingTrainingOut,
    ProcedureIn,
    ProcedureOut,
    ProcedureVersionIn,
    ProcedureVersionOut,
    TrainingIn,
    TrainingOut,
)
from compliance.access.callers import PeopleRead
from compliance.access.duties import Role
from compliance.access.models import (
    Assessment,
    Curriculum,
    Procedure,
    ProcedureVersion,
    Training,
    TrainingMethod,
)
from compliance.wire import Pages


class Procedures(generics.ListAPIView[Procedure]):
    permission_classes = [PeopleRead]
    serializer_class = ProcedureOut
    pagination_class = Pages

    def get_queryset(self) -> QuerySet[Procedure]:
        found = Procedure.objects.prefetch_related("versions", "curricula")
        return asked.ordered(
            asked.search(found, self.request, "code", "title"), self.request, "code", "title"
        )

    @extend_schema(
        operation_id="procedures_list", parameters=[OpenApiParameter("q"), OpenApiParameter("sort")]
    )
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List procedures, by code."""
        return super().get(request, *args, **kwargs)

    @extend_schema(
        operation_id="procedure_create", request=ProcedureIn, responses={201: ProcedureOut}
    )
    def post(self, request: Request) -> Response:
        """Register a procedure."""
        said = asked.body(ProcedureIn, request)
        made = procedures.create(**said, actor=callers.person(request), at=timezone.now())
        return Response(ProcedureOut(made).data, status=201)


class ProcedureView(APIView):
    permission_classes = [PeopleRead]

    @extend_schema(operation_id="procedure_read", responses=ProcedureOut)
    def get(self, request: Request, code: str) -> Response:
        """Read a procedure with its versions and the roles that need it."""
        return Response(ProcedureOut(get_object_or_404(Procedure, code=code)).data)


class Versions(APIView):
    permission_classes = [PeopleRead]

    @extend_schema(
        operation_id="procedure_version_add",
        request=ProcedureVersionIn,
        responses={201: ProcedureVersionOut},
    )
    def post(self, request: Request, code: str) -> Response:
        """Add the next version; trainings in the one before count until it is effective."""
        said = asked.body(ProcedureVersionIn, request)
        version = procedures.add_version(
            get_object_or_404(Procedure, code=code),
            **said,
            actor=callers.person(request),
            at=timezone.now(),
        )
        return Response(ProcedureVersionOut(version).data, status=201)


class Retirement(APIView):
    permission_classes = [PeopleRead]

    @extend_schema(operation_id="procedure_retire", request=AccessReasonIn, responses=ProcedureOut)
    def post(self, request: Request, code: str) -> Response:
        """Take a procedure out of use."""
        said = asked.body(AccessReasonIn, request)
        made = procedures.retire(
            get_object_or_404(Procedure, code=code),
            actor=callers.person(request),
            at=timezone.now(),
            reason=said["reason"],
        )
        return Response(ProcedureOut(made).data)


class Needs(APIView):
    permission_classes = [PeopleRead]

    @extend_schema(
        operation_id="curriculum_add", request=CurriculumIn, responses={201: ProcedureOut}
    )
    def post(self, request: Request, code: str) -> Response:
        """Say that a role needs training in the procedure."""
        said = asked.body(CurriculumIn, request)
        procedure = get_object_or_404(Procedure, code=code)
        procedures.need(
            procedure,
            role=Role(said["role"]),
            actor=callers.person(request),
            at=timezone.now(),
        )
        return Response(ProcedureOut(procedure).data, status=201)


class NeedEnd(APIView):
    permission_classes = [PeopleRead]

    @extend_schema(operation_id="curriculum_end", request=AccessReasonIn, responses=ProcedureOut)
    def post(self, request: Request, code: str, role: str) -> Response:
        """Say that a role needs the training no longer."""
        said = asked.body(AccessReasonIn, request)
        found = get_object_or_404(Curriculum, procedure__code=code, role=role, ended_at=None)
        procedures.end_need(
            found, actor=callers.person(request), at=timezone.now(), reason=said["reason"]
        )
        return Response(ProcedureOut(get_object_or_404(Procedure, code=code)).data)


class Trainings(generics.ListAPIView[Training]):
    permission_classes = [PeopleRead]
    serializer_class = TrainingOut
    pagination_class = Pages

    def get_queryset(self) -> QuerySet[Training]:
        found = Training.objects.select_related("person", "procedure_version__procedure")
        if username := self.request.query_params.get("person"):
            found = found.filter(person__username__iexact=username)
        if code := self.request.query_params.get("procedure"):
            found = wire.narrowed(found, "procedure", code, by="procedure_version__procedure__code")
        return asked.ordered(found, self.request, "-trained_at", "valid_until")

    @extend_schema(
        operation_id="trainings_list",
        parameters=[
            OpenApiParameter("person"),
            OpenApiParameter("procedure"),
            OpenApiParameter("sort"),
        ],
    )
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List trainings, newest first."""
        return super().get(request, *args, **kwargs)

    @extend_schema(operation_id="training_record", request=TrainingIn, responses={201: TrainingOut})
    def post(self, request: Request) -> Response:
        """Record a training; nobody records their own."""
        said = asked.body(TrainingIn, request)
        trainer = said.pop("trained_by", None)
        made = training.record(
            asked.person(said.pop("person")),
            version=get_object_or_404(
                ProcedureVersion.objects.select_related("procedure"),
                procedure__code=said.pop("procedure"),
                version=said.pop("version"),
            ),
            method=TrainingMethod(said.pop("method")),
            assessment=Assessment(said.pop("assessment")),
            trained_by=asked.person(trainer) if trainer else None,
            **said,
            actor=callers.person(request),
            at=timezone.now(),
        )
        return Response(TrainingOut(made).data, status=201)


class Acknowledgement(APIView):
    permission_classes = [PeopleRead]

    @extend_schema(operation_id="training_acknowledge", request=None, responses=TrainingOut)
    def post(self, request: Request, number: int) -> Response:
        """Say that you have read and understood."""
        made = training.acknowledge(
            get_object_or_404(Training, pk=number),
            actor=callers.person(request),
            at=timezone.now(),
        )
        return Response(TrainingOut(made).data)


class Withdrawal(APIView):
    permission_classes = [PeopleRead]

    @extend_schema(operation_id="training_withdraw", request=AccessReasonIn, responses=TrainingOut)
    def post(self, request: Request, number: int) -> Response:
        """Withdraw a training; it counts no more."""
        said = asked.body(AccessReasonIn, request)
        made = training.withdraw(
            get_object_or_404(Training, pk=number),
            actor=callers.person(request),
            at=timezone.now(),
            reason=said["reason"],
        )
        return Response(TrainingOut(made).data)


class Lacking(APIView):
    permission_classes = [PeopleRead]

    @extend_schema(operation_id="trainings_lacking", responses=LackingTrainingOut(many=True))
    def get(self, request: Request) -> Response:
        """List what active people's roles need and they lack now."""
        return Response(LackingTrainingOut(gaps.overdue(at=timezone.now()), many=True).data)


_ONE = "access/procedures/<str:code>"
urlpatterns = [
    path("access/procedures", Procedures.as_view(), name="procedures"),
    path(_ONE, ProcedureView.as_view(), name="procedure"),
    path(f"{_ONE}/versions", Versions.as_view(), name="procedure-versions"),
    path(f"{_ONE}/retirement", Retirement.as_view(), name="procedure-retirement"),
    path(f"{_ONE}/needs", Needs.as_view(), name="procedure-needs"),
    path(f"{_ONE}/needs/<str:role>/end", NeedEnd.as_view(), name="procedure-need-end"),
    path("access/trainings", Trainings.as_view(), name="trainings"),
    path("access/trainings/lacking", Lacking.as_view(), name="trainings-lacking"),
    path(
        "access/trainings/<int:number>/acknowledgement",
        Acknowledgement.as_view(),
        name="training-acknowledgement",
    ),
    path(
        "access/trainings/<int:number>/withdrawal",
        Withdrawal.as_view(),
        name="training-withdrawal",
    ),
]
