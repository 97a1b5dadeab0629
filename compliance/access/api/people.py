"""People over the API: accounts, roles, identity, sessions and the access log."""

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

from compliance.access import callers, identity, people, segregation, sessions
from compliance.access.api import asked
from compliance.access.api.messages import (
    ROLES,
    AccessEventOut,
    AccessReasonIn,
    IdentityProofIn,
    IdentityProofOut,
    LeavingIn,
    PasswordResetIn,
    PersonDetailOut,
    PersonIn,
    PersonOut,
    RoleIn,
    SegregationOut,
    SessionRecordOut,
)
from compliance.access.callers import PeopleRead
from compliance.access.duties import DUTIES, Role
from compliance.access.models import (
    AccessEvent,
    AccessEventKind,
    IdentityProof,
    PersonSession,
    ProofMethod,
    RoleAssignment,
    User,
)
from compliance.wire import Pages


class People(generics.ListAPIView[User]):
    permission_classes = [PeopleRead]
    serializer_class = PersonOut
    pagination_class = Pages

    def get_queryset(self) -> QuerySet[User]:
        found = User.objects.prefetch_related("role_assignments")
        if (active := asked.yes_or_no(self.request, "is_active")) is not None:
            found = found.filter(is_active=active)
        if role := asked.one_of(self.request, "role", ROLES):
            found = found.filter(role_assignments__role=role, role_assignments__ended_at=None)
        found = asked.search(found, self.request, "username", "full_name")
        return asked.ordered(found, self.request, "username", "full_name", "created_at")

    @extend_schema(
        operation_id="people_list",
        parameters=[
            OpenApiParameter("is_active", enum=["true", "false"]),
            OpenApiParameter("role", enum=ROLES),
            OpenApiParameter("q"),
            OpenApiParameter("sort"),
        ],
    )
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List people, by user name."""
        return super().get(request, *args, **kwargs)

    @extend_schema(operation_id="person_create", request=PersonIn, responses={201: PersonOut})
    def post(self, request: Request) -> Response:
        """Create a person; the password must be changed at the first sign-in."""
        said = asked.body(PersonIn, request)
        person = people.create(
            **{**said, "roles": frozenset(said["roles"])},
            actor=callers.person(request),
            at=timezone.now(),
        )
        return Response(PersonOut(person).data, status=201)


class Person(APIView):
    permission_classes = [PeopleRead]

    @extend_schema(operation_id="person_read", responses=PersonDetailOut)
    def get(self, request: Request, username: str) -> Response:
        """Read a person with roles and proofs of identity."""
        return Response(PersonDetailOut(asked.person(username)).data)


class Roles(APIView):
    permission_classes = [PeopleRead]

    @extend_schema(operation_id="role_grant", request=RoleIn, responses={201: PersonOut})
    def post(self, request: Request, username: str) -> Response:
        """Give one more role; nobody gives themselves one."""
        said = asked.body(RoleIn, request)
        person = asked.person(username)
        people.grant(
            person,
            role=Role(said["role"]),
            actor=callers.person(request),
            at=timezone.now(),
            reason=said["reason"],
        )
        return Response(PersonOut(person).data, status=201)


class RoleEnd(APIView):
    permission_classes = [PeopleRead]

    @extend_schema(operation_id="role_end", request=AccessReasonIn, responses=PersonOut)
    def post(self, request: Request, username: str, role: str) -> Response:
        """End a role; the person has to sign in again."""
        said = asked.body(AccessReasonIn, request)
        held = get_object_or_404(
            RoleAssignment, user=asked.person(username), role=role, ended_at=None
        )
        people.end_role(
            held, actor=callers.person(request), at=timezone.now(), reason=said["reason"]
        )
        return Response(PersonOut(asked.person(username)).data)


class Deactivation(APIView):
    permission_classes = [PeopleRead]

    @extend_schema(operation_id="person_deactivate", request=AccessReasonIn, responses=PersonOut)
    def post(self, request: Request, username: str) -> Response:
        """Shut a person out at the next request; the name is never given again."""
        said = asked.body(AccessReasonIn, request)
        person = people.deactivate(
            asked.person(username),
            actor=callers.person(request),
            at=timezone.now(),
            reason=said["reason"],
        )
        return Response(PersonOut(person).data)


class Leaving(APIView):
    permission_classes = [PeopleRead]

    @extend_schema(operation_id="person_leaving", request=LeavingIn, responses=PersonOut)
    def put(self, request: Request, username: str) -> Response:
        """Record the last day at work; an account that is active after it is alarmed."""
        said = asked.body(LeavingIn, request)
        person = people.record_leaving(
            asked.person(username), actor=callers.person(request), at=timezone.now(), **said
        )
        return Response(PersonOut(person).data)


class PasswordReset(APIView):
    permission_classes = [PeopleRead]

    @extend_schema(operation_id="password_reset", request=PasswordResetIn, responses=PersonOut)
    def post(self, request: Request, username: str) -> Response:
        """Set a password that its owner must change; all sessions of the person end."""
        said = asked.body(PasswordResetIn, request)
        person = people.change_password(
            asked.person(username),
            new=said["password"],
            actor=callers.person(request),
            at=timezone.now(),
            reason=said["reason"],
        )
        return Response(PersonOut(person).data)


class Proofs(APIView):
    permission_classes = [PeopleRead]
    answer_not_kept = "the proof of an identity, which may have to be erased"

    @extend_schema(
        operation_id="identity_prove", request=IdentityProofIn, responses={201: IdentityProofOut}
    )
    def post(self, request: Request, username: str) -> Response:
        """Record that you have seen who this is; nobody signs before that."""
        said = asked.body(IdentityProofIn, request)
        proof = identity.prove(
            asked.person(username),
            method=ProofMethod(said.pop("method")),
            **said,
            actor=callers.person(request),
            at=timezone.now(),
        )
        return Response(IdentityProofOut(proof).data, status=201)


class ProofWithdrawal(APIView):
    permission_classes = [PeopleRead]
    answer_not_kept = "the proof of an identity, which may have to be erased"

    @extend_schema(
        operation_id="identity_withdraw", request=AccessReasonIn, responses=IdentityProofOut
    )
    def post(self, request: Request, username: str, number: int) -> Response:
        """Withdraw a proof that was found wrong."""
        said = asked.body(AccessReasonIn, request)
        proof = identity.withdraw(
            get_object_or_404(IdentityProof, pk=number, person=asked.person(username)),
            actor=callers.person(request),
            at=timezone.now(),
            reason=said["reason"],
        )
        return Response(IdentityProofOut(proof).data)


class Sessions(generics.ListAPIView[PersonSession]):
    permission_classes = [PeopleRead]
    serializer_class = SessionRecordOut
    pagination_class = Pages

    def get_queryset(self) -> QuerySet[PersonSession]:
        found = PersonSession.objects.select_related("person")
        is_open = asked.yes_or_no(self.request, "is_open")
        if is_open is not None:
            standing = sessions.standing(at=timezone.now())
            found = standing if is_open else found.filter(ended_at__isnull=False)
        if username := self.request.query_params.get("username"):
            found = found.filter(person__username__iexact=username)
        return found.order_by("-opened_at", "-pk")

    @extend_schema(
        operation_id="sessions_list",
        parameters=[
            OpenApiParameter("is_open", enum=["true", "false"]),
            OpenApiParameter("username"),
        ],
    )
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List sessions, newest first."""
        return super().get(request, *args, **kwargs)


class Revocation(APIView):
    permission_classes = [PeopleRead]

    @extend_schema(
        operation_id="session_revoke", request=AccessReasonIn, responses=SessionRecordOut
    )
    def post(self, request: Request, number: int) -> Response:
        """End somebody's session; its next request is refused."""
        said = asked.body(AccessReasonIn, request)
        session = sessions.revoke(
            get_object_or_404(PersonSession.objects.select_related("person"), pk=number),
            actor=callers.person(request),
            at=timezone.now(),
            reason=said["reason"],
        )
        return Response(SessionRecordOut(session).data)


class Log(generics.ListAPIView[AccessEvent]):
    permission_classes = [PeopleRead]
    serializer_class = AccessEventOut
    pagination_class = Pages

    def get_queryset(self) -> QuerySet[AccessEvent]:
        found = AccessEvent.objects.all()
        if kind := asked.one_of(self.request, "kind", AccessEventKind.values):
            found = found.filter(kind=kind)
        if username := self.request.query_params.get("username"):
            found = found.filter(username__iexact=username)
        found = asked.search(found, self.request, "username", "detail", "address")
        return asked.ordered(found, self.request, "-at", "username")

    @extend_schema(
        operation_id="access_log",
        parameters=[
            OpenApiParameter("kind", enum=AccessEventKind.values),
            OpenApiParameter("username"),
            OpenApiParameter("q"),
            OpenApiParameter("sort"),
        ],
    )
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List sign-ins, failures, sessions, roles, passwords and alarms, newest first."""
        return super().get(request, *args, **kwargs)


class Segregation(APIView):
    permission_classes = [PeopleRead]

    @extend_schema(operation_id="segregation_of_duties", responses=SegregationOut)
    def get(self, request: Request) -> Response:
        """Read which role may do what, and what excludes what."""
        held = {name: sorted(duties) for name, duties in DUTIES.items()}
        shown = {
            "conflicts": segregation.conflicts(),
            "rules": segregation.rules(),
            "duties": held,
        }
        return Response(SegregationOut(shown).data)


_ONE = "access/people/<str:username>"
urlpatterns = [
    path("access/people", People.as_view(), name="people"),
    path(_ONE, Person.as_view(), name="person"),
    path(f"{_ONE}/roles", Roles.as_view(), name="person-roles"),
    path(f"{_ONE}/roles/<str:role>/end", RoleEnd.as_view(), name="person-role-end"),
    path(f"{_ONE}/deactivation", Deactivation.as_view(), name="person-deactivation"),
    path(f"{_ONE}/leaving", Leaving.as_view(), name="person-leaving"),
    path(f"{_ONE}/password", PasswordReset.as_view(), name="person-password"),
    path(f"{_ONE}/identity-proofs", Proofs.as_view(), name="person-proofs"),
    path(
        f"{_ONE}/identity-proofs/<int:number>/withdrawal",
        ProofWithdrawal.as_view(),
        name="person-proof-withdrawal",
    ),
    path("access/sessions", Sessions.as_view(), name="person-sessions"),
    path(
        "access/sessions/<int:number>/revocation", Revocation.as_view(), name="session-revocation"
    ),
    path("access/log", Log.as_view(), name="access-log"),
    path("access/segregation", Segregation.as_view(), name="segregation"),
]
