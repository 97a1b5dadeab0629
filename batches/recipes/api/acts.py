"""Acts on a version over the API: copy, submit, review, return, approve, withdraw, discard."""

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from batches.recipes import master_recipes, versions
from batches.recipes.api.messages import (
    ApprovalIn,
    CopyIn,
    ReasonIn,
    RecipeDetailOut,
    RecipeOut,
    ReviewIn,
    SignIn,
    WithdrawalIn,
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
    @extend_schema(operation_id="recipe_copy", request=CopyIn, responses={201: RecipeDetailOut})
    def post(self, request: Request, product: str, version: int) -> Response:
        """Draft the next version from this one."""
        recipe = master_recipes.copy(
            found(product, version), actor=callers.person(request), at=timezone.now(),
            **_said(request, CopyIn),
        )  # fmt: skip
        return Response(RecipeDetailOut(recipe).data, status=201)


class Submission(APIView):
    @extend_schema(operation_id="recipe_submit", request=SignIn, responses={201: RecipeOut})
    def post(self, request: Request, product: str, version: int) -> Response:
        """Sign a complete draft as its author, and hand it over for review."""
        said = _said(request, SignIn)
        recipe = versions.submit(found(product, version), confirmed=_confirmed(request, said))
        return Response(RecipeOut(recipe).data, status=201)


class Review(APIView):
    @extend_schema(operation_id="recipe_review", request=ReviewIn, responses={201: RecipeOut})
    def post(self, request: Request, product: str, version: int) -> Response:
        """Sign the review."""
        said = _said(request, ReviewIn)
        confirmed = _confirmed(request, said)
        recipe = versions.review(found(product, version), confirmed=confirmed, **said)
        return Response(RecipeOut(recipe).data, status=201)


class Return(APIView):
    @extend_schema(operation_id="recipe_return", request=ReasonIn, responses={201: RecipeOut})
    def post(self, request: Request, product: str, version: int) -> Response:
        """Give a version in review back to its author."""
        recipe = versions.return_(
            found(product, version), actor=callers.person(request), at=timezone.now(),
            **_said(request, ReasonIn),
        )  # fmt: skip
        return Response(RecipeOut(recipe).data, status=201)


class Approval(APIView):
    @extend_schema(operation_id="recipe_approve", request=ApprovalIn, responses={201: RecipeOut})
    def post(self, request: Request, product: str, version: int) -> Response:
        """Approve by signature; the version takes effect on its day, by default at once."""
        said = _said(request, ApprovalIn)
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
    @extend_schema(operation_id="recipe_withdraw", request=WithdrawalIn, responses={201: RecipeOut})
    def post(self, request: Request, product: str, version: int) -> Response:
        """Take a version out of use by signature."""
        said = _said(request, WithdrawalIn)
        confirmed = _confirmed(request, said)
        recipe = versions.withdraw(found(product, version), confirmed=confirmed, **said)
        return Response(RecipeOut(recipe).data, status=201)


class Discard(APIView):
    @extend_schema(operation_id="recipe_discard", request=ReasonIn, responses={201: RecipeOut})
    def post(self, request: Request, product: str, version: int) -> Response:
        """Give up a draft; its number is not used again."""
        recipe = versions.discard(
            found(product, version), actor=callers.person(request), at=timezone.now(),
            **_said(request, ReasonIn),
        )  # fmt: skip
        return Response(RecipeOut(recipe).data, status=201)
