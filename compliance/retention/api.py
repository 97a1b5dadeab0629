"""Retention and legal holds over the API."""

from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.urls import path
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import generics
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from compliance import wire
from compliance.access import callers
from compliance.access.callers import PeopleRead
from compliance.retention import holds, policies, retention
from compliance.retention.messages import (
    HoldIn,
    HoldOut,
    PolicyIn,
    PolicyOut,
    ReasonIn,
    RetentionOut,
    SignedIn,
    SignedReasonIn,
)
from compliance.retention.models import HoldState, LegalHold, RetentionPolicy
from compliance.retention.periods import Rule
from compliance.signatures import signing
from compliance.signatures.signing import Confirmed
from compliance.wire import Pages


def _confirmed(request: Request, password: str) -> Confirmed:
    return signing.confirm(
        signer=callers.person(request),
        password=password,
        address=callers.address(request),
        at=timezone.now(),
    )


class Kept(APIView):
    permission_classes = [PeopleRead]

    @extend_schema(operation_id="retention_read", responses=RetentionOut)
    def get(self, request: Request, kind: str, number: str) -> Response:
        """Read until when a record is kept, by which terms, and which holds keep it longer."""
        found = retention.until(kind, number)
        shown = {
            "kind": kind,
            "number": number,
            "until": found.until,
            "terms": found.terms,
            "holds": holds.of_subject(kind, number),
        }
        return Response(RetentionOut(shown).data)


class Policies(generics.ListAPIView[RetentionPolicy]):
    permission_classes = [PeopleRead]
    serializer_class = PolicyOut
    pagination_class = Pages

    def get_queryset(self) -> QuerySet[RetentionPolicy]:
        found = RetentionPolicy.objects.select_related("author", "approver")
        return found.prefetch_related("rules").order_by("-version")

    @extend_schema(operation_id="retention_policies_list")
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List the versions of the site's policy, the newest first."""
        return super().get(request, *args, **kwargs)

    @extend_schema(
        operation_id="retention_policy_draft", request=PolicyIn, responses={201: PolicyOut}
    )
    def post(self, request: Request) -> Response:
        """Draft a version; it lengthens the terms of the law and has no effect before approval."""
        body = PolicyIn(data=request.data)
        body.is_valid(raise_exception=True)
        rules = [
            Rule(clause=one.pop("basis"), **one) for one in map(dict, body.validated_data["rules"])
        ]
        policy = policies.draft(
            rules=rules,
            summary=body.validated_data["summary"],
            actor=callers.person(request),
            at=timezone.now(),
        )
        return Response(PolicyOut(policy).data, status=201)


class PolicyView(APIView):
    permission_classes = [PeopleRead]

    @extend_schema(operation_id="retention_policy_read", responses=PolicyOut)
    def get(self, request: Request, version: int) -> Response:
        """Read a version of the policy."""
        return Response(PolicyOut(get_object_or_404(RetentionPolicy, version=version)).data)


class PolicyApproval(APIView):
    permission_classes = [PeopleRead]

    @extend_schema(
        operation_id="retention_policy_approve",
        request=SignedReasonIn,
        responses={201: PolicyOut},
    )
    def post(self, request: Request, version: int) -> Response:
        """Make a version effective, by the signature of another person than its author."""
        body = SignedReasonIn(data=request.data)
        body.is_valid(raise_exception=True)
        given = body.validated_data
        policy = policies.approve(
            get_object_or_404(RetentionPolicy, version=version),
            confirmed=_confirmed(request, given["password"]),
            reason=given["reason"],
        )
        return Response(PolicyOut(policy).data, status=201)


class Holds(generics.ListAPIView[LegalHold]):
    permission_classes = [PeopleRead]
    serializer_class = HoldOut
    pagination_class = Pages

    def get_queryset(self) -> QuerySet[LegalHold]:
        found = LegalHold.objects.select_related(
            "requested_by", "lift_requested_by", "placed_signature", "lift_signature"
        ).prefetch_related("held")
        if state := wire.chosen(self.request, "state", HoldState.values):
            found = found.filter(state=state)
        return found.order_by("-pk")

    @extend_schema(
        operation_id="legal_holds_list",
        parameters=[OpenApiParameter("state", enum=HoldState.values)],
    )
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List the legal holds, the newest first."""
        return super().get(request, *args, **kwargs)

    @extend_schema(operation_id="legal_hold_request", request=HoldIn, responses={201: HoldOut})
    def post(self, request: Request) -> Response:
        """Ask for a hold; it is in force at once, and placed by a second person's signature."""
        body = HoldIn(data=request.data)
        body.is_valid(raise_exception=True)
        given = body.validated_data
        hold = holds.request(
            title=given["title"],
            records=[(one["kind"], one["number"]) for one in given["records"]],
            actor=callers.person(request),
            at=timezone.now(),
            reason=given["reason"],
        )
        return Response(HoldOut(hold).data, status=201)


class HoldView(APIView):
    permission_classes = [PeopleRead]

    @extend_schema(operation_id="legal_hold_read", responses=HoldOut)
    def get(self, request: Request, number: str) -> Response:
        """Read a legal hold."""
        return Response(HoldOut(get_object_or_404(LegalHold, number=number)).data)


class Confirmation(APIView):
    permission_classes = [PeopleRead]

    @extend_schema(operation_id="legal_hold_confirm", request=SignedIn, responses={201: HoldOut})
    def post(self, request: Request, number: str) -> Response:
        """Place a requested hold, by signature."""
        body = SignedIn(data=request.data)
        body.is_valid(raise_exception=True)
        hold = get_object_or_404(LegalHold, number=number)
        done = holds.confirm(hold, confirmed=_confirmed(request, body.validated_data["password"]))
        return Response(HoldOut(done).data, status=201)


class LiftRequest(APIView):
    permission_classes = [PeopleRead]

    @extend_schema(
        operation_id="legal_hold_request_lift", request=ReasonIn, responses={201: HoldOut}
    )
    def post(self, request: Request, number: str) -> Response:
        """Ask that a hold be lifted; it stays in force until a second person signs."""
        body = ReasonIn(data=request.data)
        body.is_valid(raise_exception=True)
        hold = holds.request_lift(
            get_object_or_404(LegalHold, number=number),
            actor=callers.person(request),
            at=timezone.now(),
            reason=body.validated_data["reason"],
        )
        return Response(HoldOut(hold).data, status=201)


class Lift(APIView):
    permission_classes = [PeopleRead]

    @extend_schema(operation_id="legal_hold_lift", request=SignedIn, responses={201: HoldOut})
    def post(self, request: Request, number: str) -> Response:
        """Lift a hold, by the signature of another person than who asked."""
        body = SignedIn(data=request.data)
        body.is_valid(raise_exception=True)
        hold = get_object_or_404(LegalHold, number=number)
        done = holds.lift(hold, confirmed=_confirmed(request, body.validated_data["password"]))
        return Response(HoldOut(done).data, status=201)


urlpatterns = [
    path("retention/<str:kind>/<str:number>", Kept.as_view(), name="retention"),
    path("retention-policies", Policies.as_view(), name="retention-policies"),
    path("retention-policies/<int:version>", PolicyView.as_view(), name="retention-policy"),
    path(
        "retention-policies/<int:version>/approval",
        PolicyApproval.as_view(),
        name="retention-policy-approval",
    ),
    path("legal-holds", Holds.as_view(), name="legal-holds"),
    path("legal-holds/<str:number>", HoldView.as_view(), name="legal-hold"),
    path("legal-holds/<str:number>/confirmation", Confirmation.as_view(), name="hold-confirmation"),
    path("legal-holds/<str:number>/lift-request", LiftRequest.as_view(), name="hold-lift-request"),
    path("legal-holds/<str:number>/lift", Lift.as_view(), name="hold-lift"),
]
