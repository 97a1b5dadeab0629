"""The disposition of a batch over the API: what stands against it, and the signed decision."""

from typing import Any

from django.shortcuts import get_object_or_404
from django.urls import path
from django.utils import timezone
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from batches.disposition import decisions
from batches.disposition.models import Decision
from batches.execution import blockers
from batches.execution.models import Batch, DispositionState
from compliance.access import callers
from compliance.access.callers import PeopleRead
from compliance.signatures import signing
from compliance.wire import In, Out, Text


class DecisionIn(In):
    outcome = serializers.ChoiceField(
        choices=[
            choice for choice in DispositionState.choices if choice[0] != DispositionState.PENDING
        ]
    )
    reason = Text(max_length=1000)
    password = Text(max_length=200, write_only=True)


class DecisionOut(Out):
    outcome = serializers.CharField()
    reason = serializers.CharField()
    decided_at = serializers.DateTimeField()
    printed_name = serializers.CharField(source="signature.printed_name")
    username = serializers.CharField(source="signature.username")
    meaning = serializers.CharField(source="signature.meaning")
    record_digest = serializers.CharField(source="signature.record_digest")
    is_current = serializers.SerializerMethodField(
        help_text="False when the batch record was changed after the decision."
    )

    def get_is_current(self, decision: Decision) -> bool:
        return signing.is_current(decision.signature, decision.batch)


class BlockerOut(Out):
    name = serializers.CharField()
    clause = serializers.CharField(help_text="The rule that it rests on.")
    text = serializers.CharField()


class DispositionOut(Out):
    disposition = serializers.CharField()
    blockers = BlockerOut(many=True, help_text="What stands against a release now.")
    decision = serializers.SerializerMethodField()

    @extend_schema_field(DecisionOut(allow_null=True))
    def get_decision(self, shown: dict[str, Any]) -> dict[str, Any] | None:
        found = shown["decision"]
        return None if found is None else dict(DecisionOut(found).data)


class Disposition(APIView):
    permission_classes = [PeopleRead]

    @extend_schema(operation_id="disposition_read", responses=DispositionOut)
    def get(self, request: Request, number: str) -> Response:
        """Read the decision, or what stands against a release."""
        batch = get_object_or_404(Batch.objects.select_related("recipe__product"), number=number)
        decision = Decision.objects.select_related("signature", "batch__recipe__product").filter(
            batch=batch
        )
        shown = {
            "disposition": batch.disposition,
            "blockers": blockers.of(batch),
            "decision": decision.first(),
        }
        return Response(DispositionOut(shown).data)

    @extend_schema(
        operation_id="disposition_decide", request=DecisionIn, responses={201: DecisionOut}
    )
    def post(self, request: Request, number: str) -> Response:
        """Release or reject a batch, by signature."""
        body = DecisionIn(data=request.data)
        body.is_valid(raise_exception=True)
        batch = get_object_or_404(Batch, number=number)
        confirmed = signing.confirm(
            signer=callers.person(request),
            password=body.validated_data["password"],
            address=callers.address(request),
            at=timezone.now(),
        )
        decision = decisions.decide(
            batch,
            outcome=DispositionState(body.validated_data["outcome"]),
            confirmed=confirmed,
            reason=body.validated_data["reason"],
        )
        return Response(DecisionOut(decision).data, status=201)


urlpatterns = [path("batches/<str:number>/disposition", Disposition.as_view(), name="disposition")]
