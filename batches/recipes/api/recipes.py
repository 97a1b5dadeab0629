"""Master recipes over the API: draft, read, revise, compare, and as documents."""

from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import generics, serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from batches.recipes import (
    approvable,
    completeness,
    differences,
    documents,
    lines,
    master_recipes,
    parts,
)
from batches.recipes.api.content_fields import LINES, RecipeContent
from batches.recipes.api.messages import (
    RecipeDetailOut,
    RecipeDifferenceOut,
    RecipeDocumentIn,
    RecipeDocumentOut,
    RecipeDraftIn,
    RecipeLackOut,
    RecipeLineIn,
    RecipeLineRemovalIn,
    RecipeOut,
    RecipeRevisionIn,
)
from batches.recipes.models import MasterRecipe, Product, RecipeState
from batches.recipes.parts import KINDS, Kind
from compliance import wire
from compliance.access import callers
from compliance.access.callers import PeopleAndDevicesRead
from compliance.access.scopes import Scope
from compliance.wire import Pages

_PEOPLE = ("product", "author", "reviewer", "checker", "based_on")
SORTS = ("product", "version", "state", "effective_at", "drafted_at")


def found(product: str, version: int) -> MasterRecipe:
    recipes = MasterRecipe.objects.select_related(*_PEOPLE)
    return get_object_or_404(recipes, product__code=product, version=version)


class Recipes(generics.ListAPIView[MasterRecipe]):
    permission_classes = [PeopleAndDevicesRead]
    scopes = {"get": Scope.RECIPES_READ}
    serializer_class = RecipeOut
    pagination_class = Pages

    def get_queryset(self) -> QuerySet[MasterRecipe]:
        asked = self.request.query_params
        recipes = MasterRecipe.objects.select_related(*_PEOPLE)
        if product := asked.get("product"):
            recipes = wire.narrowed(recipes, "product", product, by="product__code")
        if state := asked.get("state"):
            if state not in RecipeState.values:
                raise serializers.ValidationError({"state": f"one of {', '.join(RecipeState)}"})
            recipes = recipes.filter(state=state)
        sort = asked.get("sort", "product")
        if sort.removeprefix("-") not in SORTS:
            raise serializers.ValidationError({"sort": f"one of {', '.join(SORTS)}"})
        by = sort.replace("product", "product__code")
        return recipes.order_by(by, "product__code", "-version")

    @extend_schema(
        operation_id="recipes_list",
        parameters=[
            OpenApiParameter("product", description="code of a product"),
            OpenApiParameter("state", enum=RecipeState.values),
            OpenApiParameter("sort", enum=[*SORTS, *(f"-{name}" for name in SORTS)]),
        ],
    )
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List versions, by product, the newest one first."""
        return super().get(request, *args, **kwargs)

    @extend_schema(
        operation_id="recipe_draft", request=RecipeDraftIn, responses={201: RecipeDetailOut}
    )
    def post(self, request: Request) -> Response:
        """Draft the next version of a product's recipe."""
        body = RecipeDraftIn(data=request.data)
        body.is_valid(raise_exception=True)
        wanted = body.validated_data["product"]
        product = Product.objects.filter(code=wanted).first()
        if product is None:
            raise serializers.ValidationError({"product": f"there is no product {wanted}"})
        recipe = master_recipes.draft(
            product,
            content=documents.read(body.validated_data["content"]),
            actor=callers.person(request),
            at=timezone.now(),
        )
        return Response(RecipeDetailOut(recipe).data, status=201)


class Imports(APIView):
    @extend_schema(
        operation_id="recipe_import", request=RecipeDocumentIn, responses={201: RecipeDetailOut}
    )
    def post(self, request: Request) -> Response:
        """Draft a version from an exported document; its digest has to fit its content."""
        body = RecipeDocumentIn(data=request.data)
        body.is_valid(raise_exception=True)
        recipe = documents.take(
            dict(request.data), actor=callers.person(request), at=timezone.now()
        )
        return Response(RecipeDetailOut(recipe).data, status=201)


class RecipeView(APIView):
    permission_classes = [PeopleAndDevicesRead]
    scopes = {"get": Scope.RECIPES_READ}

    @extend_schema(operation_id="recipe_read", responses=RecipeDetailOut)
    def get(self, request: Request, product: str, version: int) -> Response:
        """Read a version with its content, its digest and its signatures."""
        return Response(RecipeDetailOut(found(product, version)).data)


class ContentView(APIView):
    permission_classes = [PeopleAndDevicesRead]
    scopes = {"get": Scope.RECIPES_READ}

    @extend_schema(operation_id="recipe_content", responses=RecipeContent)
    def get(self, request: Request, product: str, version: int) -> Response:
        """Read the content alone, to edit it and send it back."""
        return Response(master_recipes.content(found(product, version)))

    @extend_schema(
        operation_id="recipe_revise", request=RecipeRevisionIn, responses=RecipeDetailOut
    )
    def put(self, request: Request, product: str, version: int) -> Response:
        """Write a draft anew; only the lines that differ are touched."""
        body = RecipeRevisionIn(data=request.data)
        body.is_valid(raise_exception=True)
        recipe = documents.revise(
            found(product, version), actor=callers.person(request), at=timezone.now(),
            **body.validated_data,
        )  # fmt: skip
        return Response(RecipeDetailOut(recipe).data)


class Lines(APIView):
    """Single lines of a draft."""

    @extend_schema(operation_id="recipe_line_put", request=RecipeLineIn, responses=RecipeDetailOut)
    def put(self, request: Request, product: str, version: int, part: str) -> Response:
        """Add a line to a draft, or write the one with the same key anew."""
        kind = _kind(part)
        body = RecipeLineIn(data=request.data)
        body.is_valid(raise_exception=True)
        line = LINES[kind.name](data=body.validated_data["line"])
        line.is_valid(raise_exception=True)
        said = dict(line.validated_data)
        place = said.pop("order", None)
        recipe = lines.put(
            found(product, version), kind=kind, line=parts.drafts(kind, [said])[0], place=place,
            actor=callers.person(request), at=timezone.now(),
            reason=body.validated_data["reason"],
        )  # fmt: skip
        return Response(RecipeDetailOut(recipe).data)

    @extend_schema(
        operation_id="recipe_line_remove", request=RecipeLineRemovalIn, responses=RecipeDetailOut
    )
    def post(self, request: Request, product: str, version: int, part: str) -> Response:
        """Take a line out of a draft, by its key; the trail keeps it with the reason."""
        kind = _kind(part)
        body = RecipeLineRemovalIn(data=request.data)
        body.is_valid(raise_exception=True)
        recipe = lines.remove(
            found(product, version), kind=kind, actor=callers.person(request), at=timezone.now(),
            **body.validated_data,
        )  # fmt: skip
        return Response(RecipeDetailOut(recipe).data)


def _kind(part: str) -> Kind:
    if part not in KINDS:
        raise serializers.ValidationError({"part": f"one of {', '.join(KINDS)}"})
    return KINDS[part]


class DocumentView(APIView):
    permission_classes = [PeopleAndDevicesRead]
    scopes = {"get": Scope.RECIPES_READ}

    @extend_schema(operation_id="recipe_export", responses=RecipeDocumentOut)
    def get(self, request: Request, product: str, version: int) -> HttpResponse:
        """Get a version as canonical JSON with its digest, for another system or an archive."""
        recipe = found(product, version)
        answer = HttpResponse(documents.export(recipe), content_type="application/json")
        name = f"{recipe.product.code}-v{recipe.version}.json"
        answer["Content-Disposition"] = f'attachment; filename="{name}"'
        return answer


class Completeness(APIView):
    permission_classes = [PeopleAndDevicesRead]
    scopes = {"get": Scope.RECIPES_READ}

    @extend_schema(operation_id="recipe_completeness", responses=RecipeLackOut(many=True))
    def get(self, request: Request, product: str, version: int) -> Response:
        """Say what a version lacks, item by item of 21 CFR 211.186(b), and for its approval."""
        recipe = found(product, version)
        lacking = completeness.lacking(master_recipes.whole(recipe))
        shown = [{**vars(one), "needed_for": "submission"} for one in lacking]
        shown += [{**vars(one), "needed_for": "approval"} for one in approvable.of_open(recipe)]
        return Response(RecipeLackOut(shown, many=True).data)


class DifferenceView(APIView):
    permission_classes = [PeopleAndDevicesRead]
    scopes = {"get": Scope.RECIPES_READ}

    @extend_schema(
        operation_id="recipe_difference",
        parameters=[OpenApiParameter("with", int, required=True, description="another version")],
        responses=RecipeDifferenceOut,
    )
    def get(self, request: Request, product: str, version: int) -> Response:
        """Compare a version with another one of the product, line by line and field by field."""
        other = request.query_params.get("with", "")
        if not other.isdecimal():
            raise serializers.ValidationError({"with": "the number of another version"})
        before, after = found(product, int(other)), found(product, version)
        difference = differences.between(master_recipes.whole(before), master_recipes.whole(after))
        shown = {
            "before": before.version,
            "after": after.version,
            "is_empty": difference.is_empty,
            "header": difference.header,
            "lines": difference.lines,
        }
        return Response(RecipeDifferenceOut(shown).data)
