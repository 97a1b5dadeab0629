"""The disposition of a batch: what stands against it, and the signed decisions."""

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from batches.disposition import decisions, standing
from batches.disposition.api.confirming import confirmed
from batches.disposition.messages import DecisionIn, DecisionOut, DispositionOut
from batches.disposition.models import Decision
from batches.execution import blockers
from batches.execution.models import Batch
from compliance.access.callers import PeopleRead
from compliance.signatures import signing


class Disposition(APIView):
    permission_classes = [PeopleRead]
    version_of = "batches/<str:number>/disposition"

    @extend_schema(operation_id="disposition_read", responses=DispositionOut)
    def get(self, request: Request, number: str) -> Response:
        """Read the decisions, what came after the newest one, and what stands against a release."""
        batch = get_object_or_404(Batch.objects.select_related("recipe__product"), number=number)
        found = standing.of(batch)
        is_changed = found.decision is not None and not found.is_current
        shown = {
            "disposition": batch.disposition,
            "needs_reevaluation": found.needs_reevaluation,
            "changed_since": standing.entries_since(found.decision)
            if is_changed and found.decision
            else [],
            "blockers": blockers.of(batch),
            "standing": found,
            "decisions": Decision.objects.filter(batch=batch)
            .select_related("signature")
            .order_by("pk"),
        }
        context = {"digest": signing.digest(batch)}
        return Response(DispositionOut(shown, context=context).data)

    @extend_schema(
        operation_id="disposition_decide", request=DecisionIn, responses={201: DecisionOut}
    )
    def post(self, request: Request, number: str) -> Response:
        """Release, reject, hold, lift, rework or recall a batch, by signature."""
        body = DecisionIn(data=request.data)
        body.is_valid(raise_exception=True)
        batch = get_object_or_404(Batch, number=number)
        given = dict(body.validated_data)
        password = given.pop("password")
        decision = decisions.decide(batch, confirmed=confirmed(request, password), **given)
        return Response(DecisionOut(decision).data, status=201)
