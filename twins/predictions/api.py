"""Predictions and alerts over the API: read what was foretold, answer what was warned of."""

from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import path
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import generics
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from batches.execution.models import Batch
from compliance import wire
from compliance.access import callers
from compliance.access.callers import PeopleRead
from compliance.wire import Pages
from twins.hub.models import ModelVersion
from twins.predictions import achieved, alerts
from twins.predictions.asked import wire as asked
from twins.predictions.models import Alert, AlertState, Prediction, PredictionState
from twins.predictions.wire import (
    AchievedOut,
    AlertOut,
    AnswerIn,
    ModelVersionOut,
    PredictionDetailOut,
    PredictionOut,
)


class Twins(generics.ListAPIView[ModelVersion]):
    permission_classes = [PeopleRead]
    serializer_class = ModelVersionOut
    pagination_class = Pages
    queryset = ModelVersion.objects.order_by("-registered_at", "-pk")

    @extend_schema(operation_id="twins_list")
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List the registered versions of twins: intended use, valid range, digests."""
        return super().get(request, *args, **kwargs)


class AchievedView(APIView):
    permission_classes = [PeopleRead]

    @extend_schema(operation_id="model_version_achieved", responses=AchievedOut(many=True))
    def get(self, request: Request, pk: int) -> Response:
        """Read how a version does in use, for GMP and as a trial, beside what it promised."""
        version = get_object_or_404(ModelVersion, pk=pk)
        return Response(AchievedOut(achieved.of(version), many=True).data)


class BatchPredictions(generics.ListAPIView[Prediction]):
    permission_classes = [PeopleRead]
    serializer_class = PredictionOut
    pagination_class = Pages

    def get_queryset(self) -> QuerySet[Prediction]:
        batch = get_object_or_404(Batch, number=self.kwargs["number"])
        # A list needs none of the bytes.
        return (
            Prediction.objects.filter(batch=batch)
            .select_related("batch")
            .defer("input", "output")
            .order_by("-as_of", "-pk")
        )

    @extend_schema(operation_id="batch_predictions_list")
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List the predictions of a batch, the latest moment first."""
        return super().get(request, *args, **kwargs)


class PredictionView(APIView):
    permission_classes = [PeopleRead]

    @extend_schema(operation_id="prediction_read", responses=PredictionDetailOut)
    def get(self, request: Request, pk: int) -> Response:
        """Read a prediction with its forecast."""
        found = Prediction.objects.select_related("batch").defer("input")
        return Response(PredictionDetailOut(get_object_or_404(found, pk=pk)).data)


class PredictionInput(APIView):
    permission_classes = [PeopleRead]

    @extend_schema(
        operation_id="prediction_input_read",
        responses={(200, "application/json"): OpenApiTypes.OBJECT},
    )
    def get(self, request: Request, pk: int) -> HttpResponse:
        """Fetch the exact bytes that the twin was asked with; their SHA-256 is the ETag."""
        found = get_object_or_404(Prediction, pk=pk, state=PredictionState.DONE)
        return asked.question(found)


class Alerts(generics.ListAPIView[Alert]):
    permission_classes = [PeopleRead]
    serializer_class = AlertOut
    pagination_class = Pages

    def get_queryset(self) -> QuerySet[Alert]:
        found = Alert.objects.select_related("batch", "prediction", "deviation").defer(
            "prediction__input", "prediction__output"
        )
        if state := wire.chosen(self.request, "state", AlertState.values):
            found = found.filter(state=state)
        if number := self.request.query_params.get("batch"):
            found = wire.narrowed(found, "batch", number, by="batch__number")
        return found.order_by("-raised_at", "-pk")

    @extend_schema(
        operation_id="alerts_list",
        parameters=[
            OpenApiParameter("state", enum=AlertState.values),
            OpenApiParameter("batch", description="number of a batch"),
        ],
    )
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List alerts, newest first."""
        return super().get(request, *args, **kwargs)


class AlertView(APIView):
    permission_classes = [PeopleRead]

    @extend_schema(operation_id="alert_read", responses=AlertOut)
    def get(self, request: Request, pk: int) -> Response:
        """Read an alert."""
        return Response(AlertOut(get_object_or_404(Alert, pk=pk)).data)


class Answer(APIView):
    permission_classes = [PeopleRead]

    @extend_schema(operation_id="alert_answer", request=AnswerIn, responses={201: AlertOut})
    def post(self, request: Request, pk: int) -> Response:
        """Accept an alert, which opens a deviation, or reject it; once, and with a reason."""
        body = AnswerIn(data=request.data)
        body.is_valid(raise_exception=True)
        alert = alerts.answer(
            get_object_or_404(Alert, pk=pk),
            actor=callers.person(request),
            at=timezone.now(),
            **body.validated_data,
        )
        return Response(AlertOut(alert).data, status=201)


urlpatterns = [
    path("twins", Twins.as_view(), name="twins"),
    path("model-versions/<int:pk>/achieved", AchievedView.as_view(), name="achieved"),
    path("batches/<str:number>/predictions", BatchPredictions.as_view(), name="batch-predictions"),
    path("predictions/<int:pk>", PredictionView.as_view(), name="prediction"),
    path("predictions/<int:pk>/input", PredictionInput.as_view(), name="prediction-input"),
    path("alerts", Alerts.as_view(), name="alerts"),
    path("alerts/<int:pk>", AlertView.as_view(), name="alert"),
    path("alerts/<int:pk>/answer", Answer.as_view(), name="alert-answer"),
]
