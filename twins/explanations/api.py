"""Explanations over the API: read what an alarm may be, ask again with the newest rows."""

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
from twins.explanations import requests, tasks
from twins.explanations.models import Explanation, ExplanationState
from twins.explanations.wire import AlertExplanationDetailOut, AlertExplanationOut
from twins.predictions.asked import wire as asked
from twins.predictions.models import Alert


class Explanations(generics.ListAPIView[Explanation]):
    permission_classes = [PeopleRead]
    serializer_class = AlertExplanationOut
    pagination_class = Pages

    def get_queryset(self) -> QuerySet[Explanation]:
        return asked.listed(self.request, Explanation.objects.all(), states=ExplanationState.values)

    @extend_schema(
        operation_id="explanations_list", parameters=asked.filters(ExplanationState.values)
    )
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List explanations of alerts, newest first."""
        return super().get(request, *args, **kwargs)


class ExplanationView(APIView):
    permission_classes = [PeopleRead]

    @extend_schema(operation_id="explanation_read", responses=AlertExplanationDetailOut)
    def get(self, request: Request, pk: int) -> Response:
        """Read an explanation: weights, signs, and what each likely cause costs."""
        found = Explanation.objects.select_related(*asked.WITH).defer("input", *asked.OF_PREDICTION)
        return Response(AlertExplanationDetailOut(get_object_or_404(found, pk=pk)).data)


class ExplanationInput(APIView):
    permission_classes = [PeopleRead]

    @extend_schema(
        operation_id="explanation_input_read",
        responses={(200, "application/json"): OpenApiTypes.OBJECT},
    )
    def get(self, request: Request, pk: int) -> HttpResponse:
        """Fetch the exact bytes of the question; their SHA-256 is the ETag.

        The rows that it names by their digest are the input of the prediction.
        """
        found = get_object_or_404(Explanation.objects.exclude(input=""), pk=pk)
        return asked.question(found)


class AlertExplanations(APIView):
    permission_classes = [PeopleRead]
    adds = True  # beside the alert, which stays as it is

    @extend_schema(
        operation_id="explanation_request", request=None, responses={202: AlertExplanationOut}
    )
    def post(self, request: Request, pk: int) -> Response:
        """Ask to explain an alert again, with the newest rows that its twin has seen; a worker does."""
        alert = get_object_or_404(
            Alert.objects.select_related("batch", "prediction__model_version"), pk=pk
        )
        explanation = requests.by_person(alert, actor=callers.person(request), at=timezone.now())
        transaction.on_commit(
            lambda: tasks.explain.delay(explanation_id=explanation.pk), robust=True
        )
        return Response(AlertExplanationOut(explanation).data, status=202)


urlpatterns = [
    path("explanations", Explanations.as_view(), name="explanations"),
    path("explanations/<int:pk>", ExplanationView.as_view(), name="explanation"),
    path("explanations/<int:pk>/input", ExplanationInput.as_view(), name="explanation-input"),
    path("alerts/<int:pk>/explanations", AlertExplanations.as_view(), name="alert-explanations"),
]
