"""Batches over the API: issue, list, read, and link deviations to them."""

from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import generics, serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from batches.exchange.api.answered import BatchDetailOut, BatchOut
from batches.exchange.api.posted import BatchIn, LinkIn
from batches.execution import batches
from batches.execution.batches import RecipeNotEffective
from batches.execution.models import Batch, BatchState
from batches.recipes.models import MasterRecipe, RecipeState
from compliance.access import callers
from compliance.access.callers import PeopleAndDevicesRead, PeopleRead
from compliance.access.scopes import Scope
from compliance.quality.models import Deviation
from compliance.wire import Pages


class Batches(generics.ListAPIView[Batch]):
    permission_classes = [PeopleAndDevicesRead]
    scopes = {"get": Scope.BATCHES_READ, "post": Scope.BATCHES_WRITE}
    serializer_class = BatchOut
    pagination_class = Pages

    def get_queryset(self) -> QuerySet[Batch]:
        found = Batch.objects.select_related("recipe__product").order_by("-issued_at", "-pk")
        if state := self.request.query_params.get("state"):
            if state not in BatchState.values:
                raise serializers.ValidationError(
                    {"state": f"one of {', '.join(BatchState.values)}"}
                )
            found = found.filter(state=state)
        return found

    @extend_schema(
        operation_id="batches_list",
        parameters=[OpenApiParameter("state", enum=BatchState.values)],
    )
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List batches, newest first."""
        return super().get(request, *args, **kwargs)

    @extend_schema(
        operation_id="batch_issue",
        request=BatchIn,
        responses={201: BatchOut},
    )
    def post(self, request: Request) -> Response:
        """Issue a batch of a product against its effective recipe."""
        body = BatchIn(data=request.data)
        body.is_valid(raise_exception=True)
        product = body.validated_data["product"]
        recipe = MasterRecipe.objects.filter(
            product__code=product, state=RecipeState.EFFECTIVE
        ).first()
        if recipe is None:
            raise RecipeNotEffective(f"there is no effective recipe of a product {product}")
        batch = batches.issue(
            recipe,
            number=body.validated_data["number"],
            actor=callers.principal(request),
            at=timezone.now(),
        )
        return Response(BatchOut(batch).data, status=201)


class BatchView(APIView):
    permission_classes = [PeopleAndDevicesRead]
    scopes = {"get": Scope.BATCHES_READ}

    @extend_schema(operation_id="batch_read", responses=BatchDetailOut)
    def get(self, request: Request, number: str) -> Response:
        """Read a batch with its phases and the deviations linked to it."""
        found = get_object_or_404(Batch.objects.select_related("recipe__product"), number=number)
        return Response(BatchDetailOut(found).data)


class Links(APIView):
    permission_classes = [PeopleRead]
    adds = True

    @extend_schema(operation_id="deviation_link", request=LinkIn, responses={201: BatchDetailOut})
    def post(self, request: Request, number: str) -> Response:
        """Link a deviation to a batch it concerns."""
        body = LinkIn(data=request.data)
        body.is_valid(raise_exception=True)
        batch = get_object_or_404(Batch.objects.select_related("recipe__product"), number=number)
        wanted = body.validated_data["deviation"]
        deviation = Deviation.objects.filter(number=wanted).first()
        if deviation is None:
            raise serializers.ValidationError({"deviation": f"there is no deviation {wanted}"})
        batches.link_deviation(
            batch,
            deviation=deviation,
            actor=callers.person(request),
            at=timezone.now(),
            reason=body.validated_data["reason"],
        )
        return Response(BatchDetailOut(batch).data, status=201)
