"""Samples and results of a batch over the API."""

from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import generics
from rest_framework.request import Request
from rest_framework.response import Response

from batches.exchange import idempotency
from batches.exchange.api.answered import ResultOut, SampleOut
from batches.exchange.api.posted import ResultIn, SampleIn
from batches.execution.models import Batch
from batches.laboratory import results, samples
from batches.laboratory.models import Result, Sample
from compliance.access import callers
from compliance.access.callers import PeopleAndDevicesRead
from compliance.access.scopes import Scope
from compliance.refusals import Refused
from compliance.wire import Pages


class SampleUnknown(Refused):
    """A result is one of a sample that was registered."""

    code = "sample-unknown"
    status = 422


class Samples(generics.ListAPIView[Sample]):
    permission_classes = [PeopleAndDevicesRead]
    scopes = {"get": Scope.SAMPLES_READ, "post": Scope.SAMPLES_WRITE}
    serializer_class = SampleOut
    pagination_class = Pages

    def get_queryset(self) -> QuerySet[Sample]:
        batch = get_object_or_404(Batch, number=self.kwargs["number"])
        return batch.samples.order_by("taken_at", "pk")

    @extend_schema(operation_id="samples_list")
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List the samples of a batch."""
        return super().get(request, *args, **kwargs)

    @extend_schema(
        operation_id="sample_register",
        request=SampleIn,
        responses={201: SampleOut},
    )
    def post(self, request: Request, number: str) -> Response:
        """Register a sample taken of the batch."""
        batch = get_object_or_404(Batch, number=number)
        body = SampleIn(data=request.data)
        body.is_valid(raise_exception=True)
        sample = samples.take(
            batch, actor=callers.principal(request), at=timezone.now(), **body.validated_data
        )
        return Response(SampleOut(sample).data, status=201)


class Results(generics.ListAPIView[Result]):
    permission_classes = [PeopleAndDevicesRead]
    scopes = {"get": Scope.RESULTS_READ, "post": Scope.RESULTS_WRITE}
    serializer_class = ResultOut
    pagination_class = Pages

    def get_queryset(self) -> QuerySet[Result]:
        batch = get_object_or_404(Batch, number=self.kwargs["number"])
        found = Result.objects.filter(sample__batch=batch).select_related("sample")
        return found.order_by("sample__taken_at", "sample_id", "tag", "version")

    @extend_schema(operation_id="results_list")
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List every version of every result of a batch."""
        return super().get(request, *args, **kwargs)

    @extend_schema(
        operation_id="result_report",
        request=ResultIn,
        responses={201: ResultOut},
    )
    def post(self, request: Request, number: str) -> Response:
        """Report a result of a sample; a correction is the next version, with a reason."""
        batch = get_object_or_404(Batch, number=number)
        body = ResultIn(data=request.data)
        body.is_valid(raise_exception=True)
        said = dict(body.validated_data)
        wanted = said.pop("sample")
        sample = batch.samples.select_related("batch").filter(number=wanted).first()
        if sample is None:
            raise SampleUnknown(f"{number} has no sample {wanted}")
        result = results.report(
            sample,
            value_text=said.pop("value"),
            message_id=said.pop("message_id", None) or idempotency.message_id(request),
            actor=callers.principal(request),
            at=timezone.now(),
            **said,
        )
        return Response(ResultOut(result).data, status=201)
