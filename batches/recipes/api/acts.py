"""Acts on a version over the API: copy, submit, review, return, approve, withdraw, discard."""

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from batches.recipes import master_recipes, versions
from batches.recipes.api.messages import (
    RecipeApprovalIn,
    RecipeCopyIn,
    RecipeDetailOut,
    RecipeOut,
    RecipeReasonIn,
    RecipeReviewIn,
    RecipeSignIn,
    RecipeWithdrawalIn,
)
from batches.recipes.api.recipes import found
from compliance.access import callers
from compliance.signatures import signing
from compliance.signatures.signing import Confirmed
from compliance.wire import In


def _said(request: Request, form: type[In]) -> dict[str, Any]:
    body = form(data=request.data)
    body.is_valid(raise_exception=True)
    return dict(body.validated_data)


def _confirmed(request: Request, said: dict[str, Any]) -> Confirmed:
    """Take the password out of what was said, and confirm the signer with it."""
    return signing.confirm(
        signer=callers.person(request),
        password=said.pop("password"),
        address=callers.address(request),
        at=timezone.now(),
    )


class Copies(APIView):
    @extend_schema(
        operation_id="recipe_copy", request=RecipeCopyIn, responses={201: RecipeDetailOut}
    )
    def post(self, request: Request, product: str, version: int) -> Response:
        """Draft the next version from this one."""
        recipe = master_recipes.copy(
            found(product, version), actor=callers.person(request), at=timezone.now(),
            **_said(request, RecipeCopyIn),
        )  # fmt: skip
        return Response(RecipeDetailOut(recipe).data, status=201)


class Submission(APIView):
    @extend_schema(operation_id="recipe_submit", request=RecipeSignIn, responses={201: RecipeOut})
    def post(self, request: Request, product: str, version: int) -> Response:
        """Sign a complete draft as its author, and hand it over for review."""
        said = _said(request, RecipeSignIn)
        recipe = versions.submit(found(product, version), confirmed=_confirmed(request, said))
        return Response(RecipeOut(recipe).data, status=201)


class Review(APIView):
    @extend_schema(operation_id="recipe_review", request=RecipeReviewIn, responses={201: RecipeOut})
    def post(self, request: Request, product: str, version: int) -> Response:
        """Sign the review."""
        said = _said(request, RecipeReviewIn)
        confirmed = _confirmed(request, said)
        recipe = versions.review(found(product, version), confirmed=confirmed, **said)
        return Response(RecipeOut(recipe).data, status=201)


class Return(APIView):
    @extend_schema(operation_id="recipe_return", request=RecipeReasonIn, responses={201: RecipeOut})
    def post(self, request: Request, product: str, version: int) -> Response:
        """Give a version in review back to its author."""
        recipe = versions.return_(
            found(product, version), actor=callers.person(request), at=timezone.now(),
            **_said(request, RecipeReasonIn),
        )  # fmt: skip
        return Response(RecipeOut(recipe).data, status=201)


class Approval(APIView):
    @extend_schema(
        operation_id="recipe_approve", request=RecipeApprovalIn, responses={201: RecipeOut}
    )
    def post(self, request: Request, product: str, version: int) -> Response:
        """Approve by signature; the version takes effect on its day, by default at once."""
        said = _said(request, RecipeApprovalIn)
        confirmed = _confirmed(request, said)
        recipe = versions.approve(found(product, version), confirmed=confirmed, **said)
        return Response(RecipeOut(recipe).data, status=201)


class Effect(APIView):
    @extend_schema(operation_id="recipe_take_effect", request=None, responses={201: RecipeOut})
    def post(self, request: Request, product: str, version: int) -> Response:
        """Make an approved version effective whose day has come, before the schedule does."""
        recipe = versions.take_effect(
            found(product, version), actor=callers.person(request), at=timezone.now()
        )
        return Response(RecipeOut(recipe).data, status=201)


class Withdrawal(APIView):
    @extend_schema(
        operation_id="recipe_withdraw", request=RecipeWithdrawalIn, responses={201: RecipeOut}
    )
    def post(self, request: Request, product: str, version: int) -> Response:
        """Take a version out of use by signature."""
        said = _said(request, RecipeWithdrawalIn)
        confirmed = _confirmed(request, said)
        recipe = versions.withdraw(found(product, version), confirmed=confirmed, **said)
        return Response(RecipeOut(recipe).data, status=201)


class Discard(APIView):
    @extend_schema(
        operation_id="recipe_discard", request=RecipeReasonIn, responses={201: RecipeOut}
    )
    def post(self, request: Request, product: str, version: int) -> Response:
        """Give up a draft; its number is not used again."""
        recipe = versions.discard(
            found(product, version), actor=callers.person(request), at=timezone.now(),
            **_said(request, RecipeReasonIn),
        )  # fmt: skip
        return Response(RecipeOut(recipe).data, status=201)
