"""Deviations over the API: open, note, investigate, sign and close."""

from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.urls import path
from django.utils import timezone
from django.views.decorators.http import conditional_page
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import generics, serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from compliance.access import callers
from compliance.access.callers import PeopleRead
from compliance.quality import deviations
from compliance.quality.deviations import Findings
from compliance.quality.messages import (
    ClosureIn,
    DeviationDetailOut,
    DeviationIn,
    DeviationOut,
    ImportIn,
    InvestigationIn,
    NoteIn,
    NoteOut,
    SignatureIn,
    SignatureOut,
)
from compliance.quality.models import Deviation, DeviationState
from compliance.signatures import signing
from compliance.wire import Pages


class Deviations(generics.ListAPIView[Deviation]):
    permission_classes = [PeopleRead]
    serializer_class = DeviationOut
    pagination_class = Pages

    def get_queryset(self) -> QuerySet[Deviation]:
        found = Deviation.objects.order_by("-opened_at", "-pk")
        if state := self.request.query_params.get("state"):
            if state not in DeviationState.values:
                raise serializers.ValidationError({"state": "open, under-investigation or closed"})
            found = found.filter(state=state)
        return found

    @extend_schema(
        operation_id="deviations_list",
        parameters=[OpenApiParameter("state", enum=DeviationState.values)],
    )
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List deviations, newest first."""
        return super().get(request, *args, **kwargs)

    @extend_schema(
        operation_id="deviation_open", request=DeviationIn, responses={201: DeviationOut}
    )
    def post(self, request: Request) -> Response:
        """Open a deviation."""
        body = DeviationIn(data=request.data)
        body.is_valid(raise_exception=True)
        deviation = deviations.open_(
            actor=callers.person(request), at=timezone.now(), **body.validated_data
        )
        return Response(DeviationOut(deviation).data, status=201)


class Imports(APIView):
    @extend_schema(operation_id="deviation_import", request=ImportIn, responses={201: DeviationOut})
    def post(self, request: Request) -> Response:
        """Take over a deviation report of another system, with its own number and words."""
        body = ImportIn(data=request.data)
        body.is_valid(raise_exception=True)
        deviation = deviations.import_(
            actor=callers.person(request), at=timezone.now(), **body.validated_data
        )
        return Response(DeviationOut(deviation).data, status=201)


class DeviationView(APIView):
    permission_classes = [PeopleRead]

    @extend_schema(operation_id="deviation_read", responses=DeviationDetailOut)
    def get(self, request: Request, number: str) -> Response:
        """Read a deviation with its notes and signatures."""
        return Response(DeviationDetailOut(get_object_or_404(Deviation, number=number)).data)


class Notes(APIView):
    permission_classes = [PeopleRead]

    @extend_schema(operation_id="deviation_note", request=NoteIn, responses={201: NoteOut})
    def post(self, request: Request, number: str) -> Response:
        """Add a dated remark; remarks are never changed."""
        body = NoteIn(data=request.data)
        body.is_valid(raise_exception=True)
        note = deviations.note(
            get_object_or_404(Deviation, number=number),
            actor=callers.person(request),
            at=timezone.now(),
            **body.validated_data,
        )
        return Response(NoteOut(note).data, status=201)


class Investigation(APIView):
    permission_classes = [PeopleRead]

    @extend_schema(
        operation_id="deviation_investigate", request=InvestigationIn, responses=DeviationOut
    )
    def put(self, request: Request, number: str) -> Response:
        """Record what the investigation found; earlier texts stay in the trail."""
        body = InvestigationIn(data=request.data)
        body.is_valid(raise_exception=True)
        found = dict(body.validated_data)
        reason = found.pop("reason")
        deviation = deviations.investigate(
            get_object_or_404(Deviation, number=number),
            findings=Findings(**found),
            actor=callers.person(request),
            at=timezone.now(),
            reason=reason,
        )
        return Response(DeviationOut(deviation).data)


class Signatures(APIView):
    permission_classes = [PeopleRead]

    @extend_schema(
        operation_id="deviation_sign", request=SignatureIn, responses={201: SignatureOut}
    )
    def post(self, request: Request, number: str) -> Response:
        """Sign the investigation, with the password again."""
        body = SignatureIn(data=request.data)
        body.is_valid(raise_exception=True)
        deviation = get_object_or_404(Deviation, number=number)
        confirmed = signing.confirm(
            signer=callers.person(request),
            password=body.validated_data["password"],
            address=callers.address(request),
            at=timezone.now(),
        )
        signature = deviations.sign_investigation(deviation, confirmed=confirmed)
        return Response(SignatureOut(signature, context={"record": deviation}).data, status=201)


class Closure(APIView):
    permission_classes = [PeopleRead]

    @extend_schema(operation_id="deviation_close", request=ClosureIn, responses={201: DeviationOut})
    def post(self, request: Request, number: str) -> Response:
        """Close the deviation by signature."""
        body = ClosureIn(data=request.data)
        body.is_valid(raise_exception=True)
        deviation = get_object_or_404(Deviation, number=number)
        confirmed = signing.confirm(
            signer=callers.person(request),
            password=body.validated_data["password"],
            address=callers.address(request),
            at=timezone.now(),
        )
        closed = deviations.close(
            deviation, confirmed=confirmed, reason=body.validated_data["reason"]
        )
        return Response(DeviationOut(closed).data, status=201)


urlpatterns = [
    path("deviations", Deviations.as_view(), name="deviations"),
    path("deviations/imports", Imports.as_view(), name="deviation-imports"),
    path("deviations/<str:number>", conditional_page(DeviationView.as_view()), name="deviation"),
    path("deviations/<str:number>/notes", Notes.as_view(), name="deviation-notes"),
    path(
        "deviations/<str:number>/investigation",
        Investigation.as_view(),
        name="deviation-investigation",
    ),
    path("deviations/<str:number>/signatures", Signatures.as_view(), name="deviation-signatures"),
    path("deviations/<str:number>/closure", Closure.as_view(), name="deviation-closure"),
]
