"""Bulk runs over the API: ask, watch, cancel, try failed parts again, fetch the merged result."""

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
from twins.bulk import asking, batches_named, running, tasks, wire
from twins.bulk.models import BulkPart, BulkRun, BulkState
from twins.models.requests import FeedStep


class BulkRuns(generics.ListAPIView[BulkRun]):
    permission_classes = [PeopleRead]
    pagination_class = Pages
    queryset = (
        BulkRun.objects.select_related("requested_by").defer("request", "result").order_by("-pk")
    )
    serializer_class = wire.BulkRunOut

    @extend_schema(operation_id="bulk_runs_list")
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List bulk runs, newest first."""
        return super().get(request, *args, **kwargs)

    @extend_schema(
        operation_id="bulk_run_ask", request=wire.BulkRunIn, responses={202: wire.BulkRunOut}
    )
    def post(self, request: Request) -> Response:
        """Ask for predictions of many batches, or for many futures of one; workers share the parts."""
        body = wire.BulkRunIn(data=request.data)
        body.is_valid(raise_exception=True)
        run = _asked(request, body.validated_data)
        transaction.on_commit(lambda: tasks.start(run), robust=True)
        return Response(wire.BulkRunOut(run).data, status=202)


class OneBulkRun(APIView):
    permission_classes = [PeopleRead]

    @extend_schema(operation_id="bulk_run_read", responses=wire.BulkRunOut)
    def get(self, request: Request, number: str) -> Response:
        """Read a bulk run."""
        return Response(wire.BulkRunOut(_run(number)).data)


class BulkProgress(APIView):
    permission_classes = [PeopleRead]

    @extend_schema(operation_id="bulk_run_progress_read", responses=wire.BulkProgressOut)
    def get(self, request: Request, number: str) -> Response:
        """Count the parts of a run by state."""
        return Response(wire.BulkProgressOut(running.progress(_run(number))).data)


class BulkParts(generics.ListAPIView[BulkPart]):
    permission_classes = [PeopleRead]
    pagination_class = Pages
    serializer_class = wire.BulkPartOut

    def get_queryset(self) -> QuerySet[BulkPart]:
        return _run(self.kwargs["number"]).parts.defer("work", "output").order_by("order")

    @extend_schema(operation_id="bulk_run_parts_list")
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List the parts of a run, in the order in which they are merged."""
        return super().get(request, *args, **kwargs)


class BulkResult(APIView):
    permission_classes = [PeopleRead]

    @extend_schema(
        operation_id="bulk_run_result_read",
        responses={(200, "application/json"): OpenApiTypes.OBJECT},
    )
    def get(self, request: Request, number: str) -> HttpResponse:
        """Fetch the merged result of a run that is done; its SHA-256 is the ETag."""
        run = get_object_or_404(BulkRun, number=number, state=BulkState.DONE)
        return HttpResponse(
            run.result.encode(),
            content_type="application/json",
            headers={"ETag": f'"{run.result_digest}"'},
        )


class BulkCancellation(APIView):
    permission_classes = [PeopleRead]

    @extend_schema(
        operation_id="bulk_run_cancel", request=wire.BulkReasonIn,
        responses={201: wire.BulkRunOut},
    )  # fmt: skip
    def post(self, request: Request, number: str) -> Response:
        """Cancel a run: what is done stays, the rest is not run."""
        run = running.cancel(
            _run(number), actor=callers.person(request), at=timezone.now(), reason=_reason(request)
        )
        return Response(wire.BulkRunOut(run).data, status=201)


class BulkRetry(APIView):
    permission_classes = [PeopleRead]

    @extend_schema(
        operation_id="bulk_run_retry", request=wire.BulkReasonIn, responses={201: wire.BulkRunOut}
    )
    def post(self, request: Request, number: str) -> Response:
        """Try the failed parts of a run again."""
        run = running.retry(
            _run(number), actor=callers.person(request), at=timezone.now(), reason=_reason(request)
        )
        transaction.on_commit(lambda: tasks.start(run), robust=True)
        return Response(wire.BulkRunOut(run).data, status=201)


def _run(number: str) -> BulkRun:
    found = BulkRun.objects.select_related("requested_by").defer("request", "result")
    return get_object_or_404(found, number=number)


def _reason(request: Request) -> str:
    body = wire.BulkReasonIn(data=request.data)
    body.is_valid(raise_exception=True)
    return str(body.validated_data["reason"])


def _asked(request: Request, said: dict[str, Any]) -> BulkRun:
    common: dict[str, Any] = {
        "actor": callers.person(request), "at": timezone.now(), "reason": said["reason"],
    }  # fmt: skip
    if "predictions" in said:
        wanted = said["predictions"]
        return asking.predictions(
            batches_named.all_of(wanted["batches"]), as_of=wanted.get("as_of"), **common
        )
    wanted = said["futures"]
    feed = wanted.get("feed")
    return asking.of_futures(
        batches_named.one(wanted["batch"]),
        as_of=wanted["as_of"],
        members=wanted["members"],
        horizon_h=wanted.get("horizon_h"),
        feed=feed
        and [FeedStep(float(step["start_h"]), float(step["rate_l_per_h"])) for step in feed],
        **common,
    )


urlpatterns = [
    path("bulk-runs", BulkRuns.as_view(), name="bulk-runs"),
    path("bulk-runs/<str:number>", OneBulkRun.as_view(), name="bulk-run"),
    path("bulk-runs/<str:number>/progress", BulkProgress.as_view(), name="bulk-run-progress"),
    path("bulk-runs/<str:number>/parts", BulkParts.as_view(), name="bulk-run-parts"),
    path("bulk-runs/<str:number>/result", BulkResult.as_view(), name="bulk-run-result"),
    path(
        "bulk-runs/<str:number>/cancellation", BulkCancellation.as_view(),
        name="bulk-run-cancellation",
    ),
    path("bulk-runs/<str:number>/retry", BulkRetry.as_view(), name="bulk-run-retry"),
]  # fmt: skip
