"""The review of a batch record by exception: what deviates, and the signed review of it."""

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from batches.disposition import reviews
from batches.disposition.api.confirming import confirmed
from batches.disposition.messages import ReviewIn, ReviewOut, ToReviewOut
from batches.disposition.models import BatchReview
from batches.execution import blockers, review_items
from batches.execution.models import Batch
from compliance.access.callers import PeopleRead
from compliance.signatures import signing


class Review(APIView):
    permission_classes = [PeopleRead]
    version_of = "batches/<str:number>/review"

    @extend_schema(operation_id="batch_review_read", responses=ToReviewOut)
    def get(self, request: Request, number: str) -> Response:
        """Read what deviates, what does not as counts, and what stands against a release."""
        batch = get_object_or_404(Batch.objects.select_related("recipe__product"), number=number)
        digest = signing.digest(batch)
        shown = {
            "digest": digest,
            "sections": [
                {
                    "name": name, "title": label, "count": item.count,
                    "exception_count": item.exception_count, "exceptions": item.exceptions,
                }
                for name, label, item in review_items.of(batch)
            ],
            "blockers": blockers.of(batch),
            "reviews": BatchReview.objects.filter(batch=batch)
            .select_related("signature", "batch__recipe__product")
            .order_by("-pk"),
        }  # fmt: skip
        return Response(ToReviewOut(shown, context={"digests": {batch.pk: digest}}).data)

    @extend_schema(operation_id="batch_review_sign", request=ReviewIn, responses={201: ReviewOut})
    def post(self, request: Request, number: str) -> Response:
        """Sign the review of exactly the record that has this digest."""
        body = ReviewIn(data=request.data)
        body.is_valid(raise_exception=True)
        batch = get_object_or_404(Batch, number=number)
        given = body.validated_data
        review = reviews.sign(
            batch,
            seen=given["digest"],
            remarks=given["remarks"],
            confirmed=confirmed(request, given["password"]),
        )
        return Response(ReviewOut(review).data, status=201)
