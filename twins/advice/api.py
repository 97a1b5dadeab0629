"""Proposals over the API: read what is advised, ask for advice, answer it."""

from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import path
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import generics
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from compliance.access import callers
from compliance.access.callers import PeopleRead
from compliance.wire import Pages
from twins.advice import proposals, requests, tasks
from twins.advice.models import Proposal, ProposalState
from twins.advice.wire import ProposalAnswerIn, ProposalDetailOut, ProposalOut
from twins.predictions.asked import wire as asked
from twins.predictions.models import Alert


class Proposals(generics.ListAPIView[Proposal]):
    permission_classes = [PeopleRead]
    serializer_class = ProposalOut
    pagination_class = Pages

    def get_queryset(self) -> QuerySet[Proposal]:
        return asked.listed(self.request, Proposal.objects.all(), states=ProposalState.values)

    @extend_schema(operation_id="proposals_list", parameters=asked.filters(ProposalState.values))
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List proposals of moves, newest first."""
        return super().get(request, *args, **kwargs)


class ProposalView(APIView):
    permission_classes = [PeopleRead]

    @extend_schema(operation_id="proposal_read", responses=ProposalDetailOut)
    def get(self, request: Request, pk: int) -> Response:
        """Read a proposal with its two futures, and how it compares with what was done."""
        found = Proposal.objects.select_related(*asked.WITH, "comparison").defer(
            "input", *asked.OF_PREDICTION
        )
        return Response(ProposalDetailOut(get_object_or_404(found, pk=pk)).data)


class ProposalInput(APIView):
    permission_classes = [PeopleRead]

    @extend_schema(
        operation_id="proposal_input_read",
        responses={(200, "application/json"): OpenApiTypes.OBJECT},
    )
    def get(self, request: Request, pk: int) -> HttpResponse:
        """Fetch the exact bytes of the question; their SHA-256 is the ETag."""
        found = get_object_or_404(Proposal.objects.exclude(input=""), pk=pk)
        return asked.question(found)


class ProposalAnswer(APIView):
    permission_classes = [PeopleRead]

    @extend_schema(
        operation_id="proposal_answer", request=ProposalAnswerIn, responses={201: ProposalOut}
    )
    def post(self, request: Request, pk: int) -> Response:
        """Accept or reject a proposal, once, with a reason, until its last safe moment."""
        body = ProposalAnswerIn(data=request.data)
        body.is_valid(raise_exception=True)
        proposal = proposals.answer(
            get_object_or_404(Proposal.objects.select_related(*asked.WITH), pk=pk),
            actor=callers.person(request),
            at=timezone.now(),
            **body.validated_data,
        )
        return Response(ProposalOut(proposal).data, status=201)


class AlertProposals(APIView):
    permission_classes = [PeopleRead]
    adds = True  # beside the alert, which stays as it is

    @extend_schema(operation_id="proposal_request", request=None, responses={202: ProposalOut})
    def post(self, request: Request, pk: int) -> Response:
        """Ask for advice on an alert from the newest forecast; a worker gives it."""
        alert = get_object_or_404(
            Alert.objects.select_related("batch__recipe", "prediction"), pk=pk
        )
        proposal = requests.by_person(alert, actor=callers.person(request), at=timezone.now())
        transaction.on_commit(lambda: tasks.advise.delay(proposal_id=proposal.pk), robust=True)
        return Response(ProposalOut(proposal).data, status=202)


urlpatterns = [
    path("proposals", Proposals.as_view(), name="proposals"),
    path("proposals/<int:pk>", ProposalView.as_view(), name="proposal"),
    path("proposals/<int:pk>/input", ProposalInput.as_view(), name="proposal-input"),
    path("proposals/<int:pk>/answer", ProposalAnswer.as_view(), name="proposal-answer"),
    path("alerts/<int:pk>/proposals", AlertProposals.as_view(), name="alert-proposals"),
]
