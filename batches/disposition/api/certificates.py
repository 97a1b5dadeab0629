"""Certification by the Qualified Person, and the register of certificates (EU GMP Annex 16)."""

from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import generics
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from batches.disposition import certification, register_file
from batches.disposition.api.confirming import confirmed
from batches.disposition.messages import CertificateIn, CertificateOut
from batches.disposition.models import Certificate
from batches.execution.models import Batch
from compliance import wire
from compliance.access.callers import PeopleRead
from compliance.wire import Pages


class Certification(APIView):
    permission_classes = [PeopleRead]
    version_of = "batches/<str:number>/disposition"

    @extend_schema(operation_id="batch_certificates_list", responses=CertificateOut(many=True))
    def get(self, request: Request, number: str) -> Response:
        """List the certificates of a batch, oldest first."""
        batch = get_object_or_404(Batch, number=number)
        found = certification.register().filter(batch=batch)
        return Response(CertificateOut(found, many=True).data)

    @extend_schema(
        operation_id="batch_certify", request=CertificateIn, responses={201: CertificateOut}
    )
    def post(self, request: Request, number: str) -> Response:
        """Certify a released batch, by the signature of a Qualified Person."""
        body = CertificateIn(data=request.data)
        body.is_valid(raise_exception=True)
        batch = get_object_or_404(Batch, number=number)
        given = dict(body.validated_data)
        password = given.pop("password")
        made = certification.certify(batch, confirmed=confirmed(request, password), **given)
        return Response(CertificateOut(made).data, status=201)


class Register(generics.ListAPIView[Certificate]):
    permission_classes = [PeopleRead]
    serializer_class = CertificateOut
    pagination_class = Pages

    def get_queryset(self) -> QuerySet[Certificate]:
        found = certification.register()
        if batch := self.request.query_params.get("batch"):
            found = wire.narrowed(found, "batch", batch, by="batch__number")
        if product := self.request.query_params.get("product"):
            found = wire.narrowed(found, "product", product, by="batch__recipe__product__code")
        return found

    @extend_schema(
        operation_id="certificates_list",
        parameters=[OpenApiParameter("batch"), OpenApiParameter("product")],
    )
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Read the register of certificates, in the order of its numbers."""
        return super().get(request, *args, **kwargs)


class RegisterFile(APIView):
    permission_classes = [PeopleRead]

    @extend_schema(operation_id="certificates_csv", responses={(200, "text/csv"): OpenApiTypes.STR})
    def get(self, request: Request) -> HttpResponse:
        """Fetch the whole register as CSV."""
        content = register_file.csv_of(certification.register())
        answer = HttpResponse(content, content_type="text/csv; charset=utf-8")
        answer["Content-Disposition"] = 'attachment; filename="certificates.csv"'
        return answer
