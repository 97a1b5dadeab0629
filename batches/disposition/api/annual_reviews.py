"""The data of a product's annual review over the API (21 CFR 211.180(e); EU GMP Chapter 1, 1.10)."""

from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from batches.disposition import annual_review
from batches.disposition.messages import AnnualReviewAskedIn, AnnualReviewOut
from batches.recipes.models import Product
from compliance.access.callers import PeopleRead


class AnnualReviewOfProduct(APIView):
    permission_classes = [PeopleRead]

    @extend_schema(
        operation_id="annual_review", parameters=[AnnualReviewAskedIn], responses=AnnualReviewOut
    )
    def get(self, request: Request, code: str) -> Response:
        """Read what the review of a product over a period is written from."""
        asked = AnnualReviewAskedIn(data=request.query_params.dict())
        asked.is_valid(raise_exception=True)
        product = get_object_or_404(Product, code=code)
        found = annual_review.of(product, at=timezone.now(), **asked.validated_data)
        return Response(AnnualReviewOut(found).data)
