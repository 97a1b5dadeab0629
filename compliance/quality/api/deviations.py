"""Deviations over the API: open, note, investigate, sign and close."""

from collections.abc import Callable
from typing import Any

from django.shortcuts import get_object_or_404
from django.urls import path
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from compliance.access import callers
from compliance.access.acts import Occasion
from compliance.access.callers import PeopleRead
from compliance.quality import deviations, trends
from compliance.quality.acts import deviations as acts
from compliance.quality.api import endpoints
from compliance.quality.api.endpoints import View
from compliance.quality.deviations import Findings
from compliance.quality.messages import deviations as messages
from compliance.quality.messages.deviations import (
    ClosureIn,
    DeviationDetailOut,
    DeviationNoteIn,
    DeviationNoteOut,
    DeviationOut,
    ImportIn,
    InvestigationIn,
    SignatureIn,
)
from compliance.quality.messages.signatures import SignatureOut, WithTextIn
from compliance.quality.models import Deviation
from compliance.signatures import signing
from compliance.wire import In, Out


class Imports(APIView):
    @extend_schema(operation_id="deviation_import", request=ImportIn, responses={201: DeviationOut})
    def post(self, request: Request) -> Response:
        """Take over a deviation report of another system, with its own number and words."""
        body = ImportIn(data=request.data)
        body.is_valid(raise_exception=True)
        deviation = deviations.import_(
            actor=callers.person(request), at=timezone.now(), **body.validated_data
        )
        return Response(DeviationOut(deviation).data, status=201)


class Figures(APIView):
    permission_classes = [PeopleRead]

    @extend_schema(operation_id="deviation_trends", responses=messages.TrendsOut)
    def get(self, request: Request) -> Response:
        """Read the trends of twelve months and the figures of the management review."""
        on = timezone.now().date()
        found = {"trends": trends.of_months(until=on), "pack": trends.pack(on=on), "on": on}
        return Response(messages.TrendsOut(found).data)


class Notes(APIView):
    permission_classes = [PeopleRead]
    adds = True

    @extend_schema(
        operation_id="deviation_note", request=DeviationNoteIn, responses={201: DeviationNoteOut}
    )
    def post(self, request: Request, number: str) -> Response:
        """Add a dated remark; remarks are never changed."""
        body = DeviationNoteIn(data=request.data)
        body.is_valid(raise_exception=True)
        note = deviations.note(
            get_object_or_404(Deviation, number=number),
            actor=callers.person(request),
            at=timezone.now(),
            **body.validated_data,
        )
        return Response(DeviationNoteOut(note).data, status=201)


class Investigation(APIView):
    permission_classes = [PeopleRead]

    @extend_schema(
        operation_id="deviation_investigate", request=InvestigationIn, responses=DeviationOut
    )
    def put(self, request: Request, number: str) -> Response:
        """Record what the investigation found; earlier texts stay in the trail."""
        body = InvestigationIn(data=request.data)
        body.is_valid(raise_exception=True)
        found = dict(body.validated_data)
        reason = found.pop("reason")
        deviation = deviations.investigate(
            get_object_or_404(Deviation, number=number),
            findings=Findings(**found),
            actor=callers.person(request),
            at=timezone.now(),
            reason=reason,
        )
        return Response(DeviationOut(deviation).data)


class Signatures(APIView):
    permission_classes = [PeopleRead]

    @extend_schema(
        operation_id="deviation_sign", request=SignatureIn, responses={201: SignatureOut}
    )
    def post(self, request: Request, number: str) -> Response:
        """Sign the investigation, with the password again."""
        body = SignatureIn(data=request.data)
        body.is_valid(raise_exception=True)
        deviation = get_object_or_404(Deviation, number=number)
        confirmed = signing.confirm(
            signer=callers.person(request),
            password=body.validated_data["password"],
            address=callers.address(request),
            at=timezone.now(),
        )
        signature = deviations.sign_investigation(deviation, confirmed=confirmed)
        return Response(
            SignatureOut(signature, context={"digest": signature.record_digest}).data, status=201
        )


class Closure(APIView):
    permission_classes = [PeopleRead]

    @extend_schema(operation_id="deviation_close", request=ClosureIn, responses={201: DeviationOut})
    def post(self, request: Request, number: str) -> Response:
        """Close the deviation by signature."""
        body = ClosureIn(data=request.data)
        body.is_valid(raise_exception=True)
        deviation = get_object_or_404(Deviation, number=number)
        confirmed = signing.confirm(
            signer=callers.person(request),
            password=body.validated_data["password"],
            address=callers.address(request),
            at=timezone.now(),
        )
        closed = deviations.close(
            deviation, confirmed=confirmed, reason=body.validated_data["reason"]
        )
        return Response(DeviationOut(closed).data, status=201)


_WITH_PEOPLE = Deviation.objects.select_related("duplicate_of", "follows")
_WHOLE = _WITH_PEOPLE.prefetch_related(
    "notes__written_by", "classifications__made_by", "causes__considered_by",
    "neighbours__decided_by", "recurrence_answers__answered_by", "extensions__requested_by",
    "extensions__answered_by",
)  # fmt: skip
_ALL = Deviation.objects.all()


def _act(
    name: str, do: Callable[[Occasion], Any], gives: type[Out], takes: type[In] | None = None,
    *, is_many: bool = False,
) -> View:  # fmt: skip
    return endpoints.act(f"deviation_{name}", _ALL, do, gives=gives, takes=takes, is_many=is_many)


_ONE = "deviations/<str:number>"
urlpatterns = [
    path(
        "deviations",
        endpoints.collection(
            "deviations",
            _WITH_PEOPLE,
            gives=DeviationOut,
            takes=messages.DeviationIn,
            act=acts.open_,
            filters=("state", "severity", "category", "origin", "due_on"),
            searched=("number", "title", "description", "opened_by", "concerns"),
        ),
        name="deviations",
    ),
    path("deviations/imports", Imports.as_view(), name="deviation-imports"),
    path("deviations/trends", Figures.as_view(), name="deviation-trends"),
    path(_ONE, endpoints.member("deviation", _WHOLE, gives=DeviationDetailOut), name="deviation"),
    path(f"{_ONE}/notes", Notes.as_view(), name="deviation-notes"),
    path(f"{_ONE}/investigation", Investigation.as_view(), name="deviation-investigation"),
    path(f"{_ONE}/signatures", Signatures.as_view(), name="deviation-signatures"),
    path(f"{_ONE}/closure", Closure.as_view(), name="deviation-closure"),
    path(
        f"{_ONE}/immediate-actions",
        _act("act_at_once", acts.act_at_once, DeviationOut, WithTextIn),
        name="deviation-immediate-actions",
    ),
    path(
        f"{_ONE}/classifications",
        _act("classify", acts.classify, messages.ClassificationOut, messages.ClassificationIn),
        name="deviation-classifications",
    ),
    path(
        f"{_ONE}/causes",
        _act(
            "consider_cause",
            acts.consider_cause,
            messages.DeviationCauseOut,
            messages.DeviationCauseIn,
        ),
        name="deviation-causes",
    ),
    path(
        f"{_ONE}/scope",
        _act("extend_scope", acts.extend_scope, messages.NeighbourOut, is_many=True),
        name="deviation-scope",
    ),
    path(
        f"{_ONE}/neighbours",
        _act("add_neighbour", acts.add_neighbour, messages.NeighbourOut, messages.NeighbourIn),
        name="deviation-neighbours",
    ),
    path(
        f"{_ONE}/neighbours/<int:neighbour>/decision",
        _act(
            "decide_neighbour",
            acts.decide_neighbour,
            messages.NeighbourOut,
            messages.NeighbourEffectIn,
        ),
        name="deviation-neighbour-decision",
    ),
    path(
        f"{_ONE}/recurrences",
        _act(
            "answer_recurrence",
            acts.answer_recurrence,
            messages.RecurrenceOut,
            messages.RecurrenceIn,
        ),
        name="deviation-recurrences",
    ),
    path(
        f"{_ONE}/extensions",
        _act("ask_extension", acts.ask_extension, messages.ExtensionOut, messages.ExtensionIn),
        name="deviation-extensions",
    ),
    path(
        f"{_ONE}/extensions/<int:extension>/answer",
        _act(
            "answer_extension",
            acts.answer_extension,
            messages.ExtensionOut,
            messages.ExtensionAnswerIn,
        ),
        name="deviation-extension-answer",
    ),
    path(
        f"{_ONE}/cancellation",
        _act("cancel", acts.cancel, DeviationOut, messages.CancellationIn),
        name="deviation-cancellation",
    ),
]
