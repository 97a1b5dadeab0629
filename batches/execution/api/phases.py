"""Phases over the API: what they are, running them, verifying them; the check of the copy."""

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from batches.execution import copy_checks, phases
from batches.execution.api import asked, posted
from batches.execution.api.answered import CheckedOut, PhaseRecordOut
from batches.execution.api.lists import OfBatch
from batches.execution.api.posted import MoveIn, SignIn
from batches.execution.states import PhaseStep
from compliance.access import callers
from compliance.access.callers import PeopleRead


class Phases(OfBatch):
    serializer_class = PhaseRecordOut
    relation = "phases"
    related = ("started_by", "ended_by", "verified_by")
    filters = ("state",)

    @extend_schema(operation_id="phases_list")
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List the phases of a batch with what may be done to each now."""
        return super().get(request, *args, **kwargs)


class Moves(APIView):
    permission_classes = [PeopleRead]

    @extend_schema(operation_id="phase_move", request=MoveIn, responses={201: PhaseRecordOut})
    def post(self, request: Request, number: str, order: int) -> Response:
        """Start, hold, resume, end or abort a phase."""
        body, at = posted.read(MoveIn, request.data), timezone.now()
        phase = asked.phase(number, order)
        phases.move(
            phase,
            PhaseStep[body["step"].upper()],
            performed_at=body.get("performed_at"),
            text=body["text"],
            late_entry=asked.late(request, body, at=at),
            actor=callers.person(request),
            at=at,
        )
        return Response(PhaseRecordOut(asked.phase(number, order)).data, status=201)


class PhaseVerification(APIView):
    permission_classes = [PeopleRead]

    @extend_schema(operation_id="phase_verify", request=SignIn, responses={201: PhaseRecordOut})
    def post(self, request: Request, number: str, order: int) -> Response:
        """Verify a phase that is done, by signature."""
        body, at = posted.read(SignIn, request.data), timezone.now()
        verified = phases.verify(
            asked.phase(number, order),
            confirmed=asked.caller_confirmed(request, body["password"], at=at),
            comment=body["comment"],
        )
        return Response(PhaseRecordOut(verified).data, status=201)


class CopyCheck(APIView):
    permission_classes = [PeopleRead]

    @extend_schema(operation_id="copy_check", request=SignIn, responses={201: CheckedOut})
    def post(self, request: Request, number: str) -> Response:
        """Check the issued copy against its master record, by signature."""
        body, at = posted.read(SignIn, request.data), timezone.now()
        confirmed = asked.caller_confirmed(request, body["password"], at=at)
        checked = copy_checks.check(asked.batch(number), confirmed=confirmed)
        return Response(CheckedOut(checked).data, status=201)
