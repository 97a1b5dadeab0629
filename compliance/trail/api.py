"""Timelines and evidence bundles over the API."""

from typing import Any, cast

from django.http import HttpResponse
from django.urls import path
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from compliance.refusals import Refused
from compliance.trail import evidence_page, issuing, openings, standing, terminal, timeline
from compliance.trail.recording import Actor
from compliance.trail.subjects import Wanted
from compliance.trail.timeline import Asked
from compliance.trail.verifier.contents import Kind
from compliance.wire import In, Moment, Out, Text

READ = "trail.view_entry"


class PasswordNotOwn(Refused):
    """Whoever set this password could act in the person's name (21 CFR 11.300)."""

    code = "password-not-own"
    status = 403


class MaySeeEntries(BasePermission):
    """Only a person who may see entries."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        has_perm = getattr(request.user, "has_perm", None)  # devices have none
        if has_perm is None or not has_perm(READ):
            return False
        if getattr(request.user, "must_change_password", False):
            raise PasswordNotOwn("choose a password of your own first")
        return True


class TimelineIn(In):
    record = Text(max_length=63, required=False)
    record_id = Text(max_length=400, required=False)
    act = Text(max_length=60, required=False)
    actor = Text(max_length=200, required=False)
    action = Text(max_length=100, required=False)
    role = Text(max_length=200, required=False)
    op = serializers.ChoiceField(choices=["insert", "update", "delete"], required=False)
    reason = Text(max_length=200, required=False, help_text="A part of it, whatever the case.")
    start = Moment(required=False)
    end = Moment(required=False, help_text="Not part of the period.")
    before = serializers.IntegerField(
        required=False, min_value=0, max_value=2**62, help_text="Entries older than this id."
    )
    after = serializers.IntegerField(
        required=False, min_value=0, max_value=2**62, help_text="Entries newer than this id."
    )
    limit = serializers.IntegerField(required=False, min_value=1, max_value=500, default=100)


class EntryOut(Out):
    entry_id = serializers.IntegerField()
    index = serializers.IntegerField(allow_null=True, help_text="Null while it is not sealed.")
    digest = serializers.CharField(allow_null=True)
    secured = serializers.ListField(child=serializers.CharField())
    body = serializers.JSONField(
        allow_null=True, help_text="Null when it is not here, its text where it is no JSON."
    )


class TimelineOut(Out):
    entries = EntryOut(many=True, help_text="Newest first.")
    older = serializers.IntegerField(allow_null=True, help_text="Ask for `before` this.")
    newer = serializers.IntegerField(allow_null=True, help_text="Ask for `after` this.")
    searched_to = serializers.IntegerField(
        allow_null=True, help_text="The search stopped here; there may be more further on."
    )


class Timeline(APIView):
    permission_classes = [MaySeeEntries]

    @extend_schema(
        operation_id="entries_list", parameters=[TimelineIn], responses={200: TimelineOut}
    )
    def get(self, request: Request) -> Response:
        """Read the entries of a record, a person, an act or a period, a page at a time."""
        query = TimelineIn(data=request.query_params.dict())
        query.is_valid(raise_exception=True)
        given: dict[str, Any] = dict(query.validated_data)
        limit, before, after = (given.pop(name, None) for name in ("limit", "before", "after"))
        page = timeline.page(Asked(**given), before=before, after=after, limit=limit or 100)
        secured = standing.now()
        entries = [terminal.as_json(entry, secured) for entry in page.entries]
        return Response(
            {
                "entries": entries,
                "older": page.older,
                "newer": page.newer,
                "searched_to": page.searched_to,
            }
        )


class Receiver(In):
    reason = Text(max_length=500, required=False, help_text="For whom, and why; recorded.")
    held = serializers.ListField(
        child=Text(max_length=20_000), required=False, max_length=20,
        help_text="Checkpoints that the receiver holds, as signed notes.",
    )  # fmt: skip


class RecordEvidenceIn(Receiver):
    record = Text(max_length=63, help_text="The table.")
    record_id = Text(max_length=400)


class BatchEvidenceIn(Receiver):
    number = Text(max_length=60)


class ActEvidenceIn(Receiver):
    id = Text(max_length=60)


class PersonEvidenceIn(Receiver):
    name = Text(max_length=200)
    start = Moment(required=False)
    end = Moment(required=False)


class PeriodEvidenceIn(Receiver):
    start = Moment()
    end = Moment(help_text="Not part of the period.")


_FILE = {(200, "application/zip"): OpenApiTypes.BINARY}
_SAID = [
    OpenApiParameter(name, str, OpenApiParameter.HEADER, response=[200], description=text)
    for name, text in (
        ("Evidence-Tree-Size", "Size of the log whose checkpoint the bundle rests on."),
        ("Evidence-SHA-256", "Digest of the file, as the trail has recorded it."),
        ("Evidence-Late-Entries", "Entries left out, because no checkpoint covers them yet."),
    )
]


class Evidence(APIView):
    """A bundle is issued by a POST: who got which one is an entry of the trail."""

    permission_classes = [MaySeeEntries]
    answer_not_kept = "a file"

    def issue(self, request: Request, body: In, wanted: Wanted) -> HttpResponse:
        issued = issuing.issue(
            wanted,
            actor=cast(Actor, request.user),
            at=timezone.now(),
            reason=body.validated_data.get("reason", ""),
            held=[one.encode() for one in body.validated_data.get("held", [])],
            may_open=request.user.has_perm(openings.PERMISSION),
        )
        return evidence_page.download(issued)


class RecordEvidence(Evidence):
    @extend_schema(
        operation_id="evidence_record", request=RecordEvidenceIn, responses=_FILE, parameters=_SAID
    )
    def post(self, request: Request) -> HttpResponse:
        """Issue the evidence of all entries of a record."""
        body = _read(RecordEvidenceIn, request)
        record = (body.validated_data["record"], body.validated_data["record_id"])
        return self.issue(request, body, Wanted(kind=Kind.RECORD, records=(record,)))


class BatchEvidence(Evidence):
    @extend_schema(
        operation_id="evidence_batch", request=BatchEvidenceIn, responses=_FILE, parameters=_SAID
    )
    def post(self, request: Request) -> HttpResponse:
        """Issue the evidence of all records of a batch."""
        body = _read(BatchEvidenceIn, request)
        return self.issue(
            request, body, Wanted(kind=Kind.BATCH, name=body.validated_data["number"])
        )


class ActEvidence(Evidence):
    @extend_schema(
        operation_id="evidence_act", request=ActEvidenceIn, responses=_FILE, parameters=_SAID
    )
    def post(self, request: Request) -> HttpResponse:
        """Issue the evidence of one act."""
        body = _read(ActEvidenceIn, request)
        return self.issue(request, body, Wanted(kind=Kind.ACT, name=body.validated_data["id"]))


class PersonEvidence(Evidence):
    @extend_schema(
        operation_id="evidence_person", request=PersonEvidenceIn, responses=_FILE, parameters=_SAID
    )
    def post(self, request: Request) -> HttpResponse:
        """Issue the evidence of what somebody did."""
        body = _read(PersonEvidenceIn, request)
        given = body.validated_data
        wanted = Wanted(
            kind=Kind.PERSON, name=given["name"], start=given.get("start"), end=given.get("end")
        )
        return self.issue(request, body, wanted)


class PeriodEvidence(Evidence):
    @extend_schema(
        operation_id="evidence_period", request=PeriodEvidenceIn, responses=_FILE, parameters=_SAID
    )
    def post(self, request: Request) -> HttpResponse:
        """Issue the evidence of all entries of a period."""
        body = _read(PeriodEvidenceIn, request)
        given = body.validated_data
        return self.issue(
            request, body, Wanted(kind=Kind.PERIOD, start=given["start"], end=given["end"])
        )


def _read(kind: type[Receiver], request: Request) -> Receiver:
    body = kind(data=request.data)
    body.is_valid(raise_exception=True)
    return body


urlpatterns = [
    path("entries", Timeline.as_view(), name="entries"),
    path("evidence/record", RecordEvidence.as_view(), name="evidence-record"),
    path("evidence/batch", BatchEvidence.as_view(), name="evidence-batch"),
    path("evidence/act", ActEvidence.as_view(), name="evidence-act"),
    path("evidence/person", PersonEvidence.as_view(), name="evidence-person"),
    path("evidence/period", PeriodEvidence.as_view(), name="evidence-period"),
]
