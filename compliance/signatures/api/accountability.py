"""The accountability statement over the API: read, acknowledge, draft and publish it."""

from django.http import Http404
from django.shortcuts import get_object_or_404
from django.urls import path
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from compliance.access import callers
from compliance.access.callers import PeopleRead
from compliance.access.models import User
from compliance.signatures import accountability, signing, statements
from compliance.signatures.messages import (
    AccountabilityOut,
    AcknowledgeIn,
    DraftIn,
    PublishIn,
    StatementOut,
)
from compliance.signatures.models import Statement
from compliance.signatures.signing import Confirmed


class Accountability(APIView):
    permission_classes = [PeopleRead]

    @extend_schema(operation_id="accountability_read", responses=AccountabilityOut)
    def get(self, request: Request) -> Response:
        """Read the statement in force, and whether you have acknowledged it."""
        return Response(_shown(callers.person(request)))

    @extend_schema(
        operation_id="accountability_acknowledge",
        request=AcknowledgeIn,
        responses={201: AccountabilityOut},
    )
    def post(self, request: Request) -> Response:
        """Acknowledge the statement in force by signature, before the first signing."""
        body = AcknowledgeIn(data=request.data)
        body.is_valid(raise_exception=True)
        statement = get_object_or_404(Statement, version=body.validated_data["version"])
        statements.acknowledge(
            statement, confirmed=_confirmed(request, body.validated_data["password"])
        )
        return Response(_shown(callers.person(request)), status=201)


class Versions(APIView):
    permission_classes = [PeopleRead]

    @extend_schema(operation_id="statements_list", responses=StatementOut(many=True))
    def get(self, request: Request) -> Response:
        """List every version of the statement, newest first."""
        found = Statement.objects.select_related("drafted_by").order_by("-version")
        return Response(StatementOut(found, many=True).data)

    @extend_schema(operation_id="statement_draft", request=DraftIn, responses={201: StatementOut})
    def post(self, request: Request) -> Response:
        """Write the next version; another person publishes it."""
        body = DraftIn(data=request.data)
        body.is_valid(raise_exception=True)
        drafted = statements.draft(
            actor=callers.person(request), at=timezone.now(), **body.validated_data
        )
        return Response(StatementOut(drafted).data, status=201)


class VersionView(APIView):
    permission_classes = [PeopleRead]

    @extend_schema(operation_id="statement_read", responses=StatementOut)
    def get(self, request: Request, version: int) -> Response:
        """Read a version of the statement."""
        return Response(StatementOut(get_object_or_404(Statement, version=version)).data)


class Publication(APIView):
    permission_classes = [PeopleRead]

    @extend_schema(
        operation_id="statement_publish", request=PublishIn, responses={201: StatementOut}
    )
    def post(self, request: Request, version: int) -> Response:
        """Put a version in force by signature."""
        body = PublishIn(data=request.data)
        body.is_valid(raise_exception=True)
        published = statements.publish(
            get_object_or_404(Statement, version=version),
            confirmed=_confirmed(request, body.validated_data["password"]),
            reason=body.validated_data["reason"],
        )
        return Response(StatementOut(published).data, status=201)


def _confirmed(request: Request, password: str) -> Confirmed:
    return signing.confirm(
        signer=callers.person(request),
        password=password,
        address=callers.address(request),
        at=timezone.now(),
    )


def _shown(person: User) -> dict[str, object]:
    statement = accountability.effective()
    if statement is None:
        raise Http404("no statement is in force")
    given = accountability.acknowledgement(person)
    shown = {"statement": statement, "acknowledged_at": given.signed_at if given else None}
    return dict(AccountabilityOut(shown).data)


urlpatterns = [
    path("accountability", Accountability.as_view(), name="accountability"),
    path("accountability/versions", Versions.as_view(), name="accountability-versions"),
    path(
        "accountability/versions/<int:version>",
        VersionView.as_view(),
        name="accountability-version",
    ),
    path(
        "accountability/versions/<int:version>/publication",
        Publication.as_view(),
        name="accountability-publication",
    ),
]
