"""Products over the API: register, list, read and revise."""

from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import generics
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from batches.recipes import products
from batches.recipes.api.messages import ProductIn, ProductOut, ProductRevisionIn
from batches.recipes.models import Product
from batches.recipes.products import Registered
from compliance.access import callers
from compliance.access.callers import PeopleAndDevicesRead
from compliance.access.scopes import Scope
from compliance.wire import Pages


class Products(generics.ListAPIView[Product]):
    permission_classes = [PeopleAndDevicesRead]
    scopes = {"get": Scope.RECIPES_READ}
    serializer_class = ProductOut
    pagination_class = Pages

    def get_queryset(self) -> QuerySet[Product]:
        found = Product.objects.order_by("code")
        if text := self.request.query_params.get("search"):
            found = found.filter(name__icontains=text) | found.filter(code__icontains=text)
        return found

    @extend_schema(
        operation_id="products_list",
        parameters=[OpenApiParameter("search", description="in code or name")],
    )
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List products, by code."""
        return super().get(request, *args, **kwargs)

    @extend_schema(operation_id="product_create", request=ProductIn, responses={201: ProductOut})
    def post(self, request: Request) -> Response:
        """Register a product."""
        body = ProductIn(data=request.data)
        body.is_valid(raise_exception=True)
        said = dict(body.validated_data)
        product = products.create(
            code=said.pop("code"),
            name=said.pop("name"),
            registered=Registered(**said),
            actor=callers.person(request),
            at=timezone.now(),
        )
        return Response(ProductOut(product).data, status=201)


class ProductView(APIView):
    permission_classes = [PeopleAndDevicesRead]
    scopes = {"get": Scope.RECIPES_READ}

    @extend_schema(operation_id="product_read", responses=ProductOut)
    def get(self, request: Request, code: str) -> Response:
        """Read what is registered of a product."""
        return Response(ProductOut(get_object_or_404(Product, code=code)).data)

    @extend_schema(operation_id="product_revise", request=ProductRevisionIn, responses=ProductOut)
    def put(self, request: Request, code: str) -> Response:
        """Record what is registered now; versions that left their draft keep what they say."""
        body = ProductRevisionIn(data=request.data)
        body.is_valid(raise_exception=True)
        said = dict(body.validated_data)
        product = products.revise(
            get_object_or_404(Product, code=code),
            name=said.pop("name"),
            reason=said.pop("reason"),
            registered=Registered(**said),
            actor=callers.person(request),
            at=timezone.now(),
        )
        return Response(ProductOut(product).data)
