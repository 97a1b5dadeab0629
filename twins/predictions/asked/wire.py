"""Describe what was asked of alerts as it goes over the wire, and say which of it a list wants."""

from collections.abc import Iterable
from typing import Any, TypeVar

from django.db.models import QuerySet
from django.http import HttpResponse
from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers
from rest_framework.request import Request

from compliance import wire
from compliance.wire import Out
from twins.predictions.asked.models import Asked
from twins.predictions.replays import Stored

A = TypeVar("A", bound=Asked)
WITH = ("alert__batch", "prediction")
OF_PREDICTION = ("prediction__input", "prediction__output")


class AskedOut(Out):
    """What every record of work asked of an alert says."""

    id = serializers.IntegerField()
    alert = serializers.IntegerField(source="alert_id")
    batch = serializers.CharField(source="alert.batch.number")
    prediction = serializers.IntegerField(source="prediction_id")
    model_version = serializers.IntegerField(source="prediction.model_version_id")
    as_of = serializers.DateTimeField(source="prediction.as_of")
    state = serializers.CharField()
    is_trial = serializers.BooleanField()
    requested_by = serializers.CharField()
    requested_at = serializers.DateTimeField()
    finished_at = serializers.DateTimeField(allow_null=True)
    refusal = serializers.CharField(help_text="code of the refusal")
    problem = serializers.CharField()
    input_digest = serializers.CharField()
    output_digest = serializers.CharField()


class _Alert(serializers.Serializer[Any]):
    alert = serializers.IntegerField(required=False, min_value=1, max_value=2**63 - 1)


def filters(states: Iterable[str]) -> list[OpenApiParameter]:
    """Describe what `listed` takes."""
    return [
        OpenApiParameter("alert", type=int, description="id of an alert"),
        OpenApiParameter("batch", description="number of a batch"),
        OpenApiParameter("state", enum=list(states)),
    ]


def listed(request: Request, rows: QuerySet[A], *, states: Iterable[str]) -> QuerySet[A]:
    """Return what a list wants, newest first, without the bytes; raise `ValidationError`."""
    asked = _Alert(data=request.query_params.dict())
    asked.is_valid(raise_exception=True)
    found = rows.select_related(*WITH).defer("input", "output", *OF_PREDICTION)
    if state := wire.chosen(request, "state", states):
        found = found.filter(state=state)
    if number := request.query_params.get("batch"):
        found = wire.narrowed(found, "batch", number, by="alert__batch__number")
    if alert := asked.validated_data.get("alert"):
        found = found.filter(alert=alert)
    return found.order_by("-requested_at", "-pk")


def question(record: Stored) -> HttpResponse:
    """Answer the exact bytes that a twin was asked with; their SHA-256 is the ETag."""
    return HttpResponse(
        record.input.encode(),
        content_type="application/json",
        headers={"ETag": f'"{record.input_digest}"'},
    )
