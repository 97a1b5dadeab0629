"""Confirm a signature with a security key over the API: a question, then its answer."""

from django.http import Http404
from django.urls import path
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from compliance.access import callers
from compliance.access.callers import PeopleRead
from compliance.signatures import contents, security_key
from compliance.signatures.messages import CodeOut, KeyAnswerIn, QuestionIn, QuestionOut
from compliance.signatures.models import Meaning


class Questions(APIView):
    permission_classes = [PeopleRead]

    @extend_schema(
        operation_id="signature_question", request=QuestionIn, responses={201: QuestionOut}
    )
    def post(self, request: Request) -> Response:
        """Ask what the security key signs: this version of this record, with this meaning."""
        body = QuestionIn(data=request.data)
        body.is_valid(raise_exception=True)
        given = body.validated_data
        record = contents.record_of(given["record"], given["record_id"])
        if record is None:
            raise Http404("there is no such record to sign")
        question, options = security_key.ask(
            callers.person(request), record, meaning=Meaning(given["meaning"]), at=timezone.now()
        )
        return Response(QuestionOut({"question": question, "options": options}).data, status=201)


class Confirmations(APIView):
    permission_classes = [PeopleRead]
    answer_not_kept = "a code in the password's place"

    @extend_schema(operation_id="signature_confirm", request=KeyAnswerIn, responses={201: CodeOut})
    def post(self, request: Request) -> Response:
        """Give the key's answer; the code is sent in the password's place, once."""
        body = KeyAnswerIn(data=request.data)
        body.is_valid(raise_exception=True)
        code = security_key.confirm(
            callers.person(request),
            question=body.validated_data["question"],
            answer=body.validated_data["answer"],
            address=callers.address(request),
            at=timezone.now(),
        )
        return Response(CodeOut({"code": code}).data, status=201)


urlpatterns = [
    path("signatures/questions", Questions.as_view(), name="signature-questions"),
    path("signatures/confirmations", Confirmations.as_view(), name="signature-confirmations"),
]
