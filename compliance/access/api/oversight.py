"""Alarms, reviews of access and the letter to the agency over the API."""

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

from compliance.access import alarms, callers, certification, reviews
from compliance.access.api import asked
from compliance.access.api.messages import (
    AccessReviewConclusionIn,
    AccessReviewDetailOut,
    AccessReviewLineOut,
    AccessReviewOut,
    AccountDecisionIn,
    AlarmCommentIn,
    CertificationLetterIn,
    CertificationLetterOut,
    SecurityAlarmOut,
)
from compliance.access.callers import PeopleRead
from compliance.access.models import (
    AccessReview,
    AccessReviewLine,
    AlarmKind,
    CertificationLetter,
    ReviewOutcome,
    ReviewState,
    SecurityAlarm,
)
from compliance.wire import Pages


class Alarms(generics.ListAPIView[SecurityAlarm]):
    permission_classes = [PeopleRead]
    serializer_class = SecurityAlarmOut
    pagination_class = Pages

    def get_queryset(self) -> QuerySet[SecurityAlarm]:
        found = SecurityAlarm.objects.select_related("acknowledged_by")
        if kind := asked.one_of(self.request, "kind", AlarmKind.values):
            found = found.filter(kind=kind)
        if (waiting := asked.yes_or_no(self.request, "is_waiting")) is not None:
            found = found.filter(acknowledged_at__isnull=waiting)
        found = asked.search(found, self.request, "about", "text", "comment")
        return asked.ordered(found, self.request, "-raised_at", "acknowledged_at", "kind")

    @extend_schema(
        operation_id="alarms_list",
        parameters=[
            OpenApiParameter("kind", enum=AlarmKind.values),
            OpenApiParameter("is_waiting", enum=["true", "false"]),
            OpenApiParameter("q"),
            OpenApiParameter("sort"),
        ],
    )
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List security alarms, newest first."""
        return super().get(request, *args, **kwargs)


class Alarm(APIView):
    permission_classes = [PeopleRead]

    @extend_schema(operation_id="alarm_read", responses=SecurityAlarmOut)
    def get(self, request: Request, number: int) -> Response:
        """Read one alarm."""
        return Response(SecurityAlarmOut(get_object_or_404(SecurityAlarm, pk=number)).data)


class AlarmAcknowledgement(APIView):
    permission_classes = [PeopleRead]

    @extend_schema(
        operation_id="alarm_acknowledge", request=AlarmCommentIn, responses=SecurityAlarmOut
    )
    def post(self, request: Request, number: int) -> Response:
        """Acknowledge an alarm that is not about yourself, with what was found and follows."""
        said = asked.body(AlarmCommentIn, request)
        alarm = alarms.acknowledge(
            get_object_or_404(SecurityAlarm, pk=number),
            comment=said["comment"],
            actor=callers.person(request),
            at=timezone.now(),
        )
        return Response(SecurityAlarmOut(alarm).data)


class Reviews(generics.ListAPIView[AccessReview]):
    permission_classes = [PeopleRead]
    serializer_class = AccessReviewOut
    pagination_class = Pages

    def get_queryset(self) -> QuerySet[AccessReview]:
        found = AccessReview.objects.select_related("reviewer")
        if state := asked.one_of(self.request, "state", ReviewState.values):
            found = found.filter(state=state)
        return asked.ordered(found, self.request, "-opened_at", "due_on")

    @extend_schema(
        operation_id="access_reviews_list",
        parameters=[
            OpenApiParameter("state", enum=ReviewState.values),
            OpenApiParameter("sort"),
        ],
    )
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List reviews of access, newest first."""
        return super().get(request, *args, **kwargs)

    @extend_schema(
        operation_id="access_review_open", request=None, responses={201: AccessReviewOut}
    )
    def post(self, request: Request) -> Response:
        """Open a review: every account as it stands now."""
        review = reviews.open_(actor=callers.person(request), at=timezone.now())
        return Response(AccessReviewOut(review).data, status=201)


class Review(APIView):
    permission_classes = [PeopleRead]

    @extend_schema(operation_id="access_review_read", responses=AccessReviewDetailOut)
    def get(self, request: Request, number: str) -> Response:
        """Read a review with its accounts."""
        found = AccessReview.objects.select_related("reviewer").prefetch_related("lines__person")
        return Response(AccessReviewDetailOut(get_object_or_404(found, number=number)).data)


class Decision(APIView):
    permission_classes = [PeopleRead]

    @extend_schema(
        operation_id="access_review_decide",
        request=AccountDecisionIn,
        responses=AccessReviewLineOut,
    )
    def post(self, request: Request, number: str, username: str) -> Response:
        """Decide that an account is kept, or removed."""
        said = asked.body(AccountDecisionIn, request)
        line = get_object_or_404(
            AccessReviewLine.objects.select_related("review", "person"),
            review__number=number,
            person=asked.person(username),
        )
        decided = reviews.decide(
            line,
            outcome=ReviewOutcome(said["outcome"]),
            actor=callers.person(request),
            at=timezone.now(),
            reason=said["reason"],
        )
        return Response(AccessReviewLineOut(decided).data)


class ReviewClosure(APIView):
    permission_classes = [PeopleRead]

    @extend_schema(
        operation_id="access_review_close",
        request=AccessReviewConclusionIn,
        responses=AccessReviewOut,
    )
    def post(self, request: Request, number: str) -> Response:
        """Close a review whose accounts are all decided on."""
        said = asked.body(AccessReviewConclusionIn, request)
        review = reviews.close(
            get_object_or_404(AccessReview, number=number),
            conclusion=said["conclusion"],
            actor=callers.person(request),
            at=timezone.now(),
        )
        return Response(AccessReviewOut(review).data)


class Letters(generics.ListAPIView[CertificationLetter]):
    permission_classes = [PeopleRead]
    serializer_class = CertificationLetterOut
    pagination_class = Pages
    queryset = CertificationLetter.objects.order_by("-sent_on", "-pk")

    @extend_schema(operation_id="certification_letters_list")
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List the letters to the agency (21 CFR 11.100(c)), newest first."""
        return super().get(request, *args, **kwargs)

    @extend_schema(
        operation_id="certification_letter_record",
        request=CertificationLetterIn,
        responses={201: CertificationLetterOut},
    )
    def post(self, request: Request) -> Response:
        """Record a letter that was sent."""
        said = asked.body(CertificationLetterIn, request)
        letter = certification.record(**said, actor=callers.person(request), at=timezone.now())
        return Response(CertificationLetterOut(letter).data, status=201)


_REVIEW = "access/reviews/<str:number>"
urlpatterns = [
    path("access/alarms", Alarms.as_view(), name="alarms"),
    path("access/alarms/<int:number>", Alarm.as_view(), name="alarm"),
    path(
        "access/alarms/<int:number>/acknowledgement",
        AlarmAcknowledgement.as_view(),
        name="alarm-acknowledgement",
    ),
    path("access/reviews", Reviews.as_view(), name="access-reviews"),
    path(_REVIEW, Review.as_view(), name="access-review"),
    path(
        f"{_REVIEW}/lines/<str:username>/decision",
        Decision.as_view(),
        name="access-review-decision",
    ),
    path(f"{_REVIEW}/closure", ReviewClosure.as_view(), name="access-review-closure"),
    path("access/certification-letters", Letters.as_view(), name="certification-letters"),
]
