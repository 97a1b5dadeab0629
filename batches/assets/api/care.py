"""The care of equipment over the API: qualifications, parts, calibrations and cleanings."""

from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from batches.assets import calibrations, cleanings, parts, qualifications
from batches.assets.api import asking
from batches.assets.api.equipment import named
from batches.assets.calibrations import Measured
from batches.assets.cleanings import Method
from batches.assets.equipment_messages import (
    CalibrationDueDateIn,
    CalibrationIn,
    CalibrationOut,
    CareReasonIn,
    CareSignatureIn,
    CleaningCheckIn,
    CleaningIn,
    CleaningOut,
    PartChangeIn,
    PartChangeOut,
    QualificationIn,
    QualificationOut,
)
from batches.assets.models import Calibration, Cleaning, Qualification
from batches.assets.parts import Part
from batches.assets.qualifications import StageReport
from compliance.access import callers
from compliance.access.callers import PeopleRead
from compliance.wire import In


class Qualifications(APIView):
    permission_classes = [PeopleRead]

    @extend_schema(operation_id="qualifications_list", responses=QualificationOut(many=True))
    def get(self, request: Request, code: str) -> Response:
        """List the stages of its qualifications, newest first."""
        found = named(code).qualifications.select_related("performed_by", "approved_by")
        return Response(QualificationOut(found.order_by("-performed_on", "-pk"), many=True).data)

    @extend_schema(
        operation_id="qualification_record",
        request=QualificationIn,
        responses={201: QualificationOut},
    )
    def post(self, request: Request, code: str) -> Response:
        """Record a stage that was performed."""
        made = qualifications.record(
            named(code),
            report=StageReport(**asking.body(QualificationIn, request)),
            actor=callers.person(request),
            at=timezone.now(),
        )
        return Response(QualificationOut(made).data, status=201)


class StageApproval(APIView):
    permission_classes = [PeopleRead]

    @extend_schema(
        operation_id="qualification_approve",
        request=CareSignatureIn,
        responses={201: QualificationOut},
    )
    def post(self, request: Request, code: str, pk: int) -> Response:
        """Approve a stage, by signature of QA."""
        stage = get_object_or_404(Qualification, pk=pk, equipment__code=code)
        said = asking.body(CareSignatureIn, request)
        approved = qualifications.approve(
            stage, confirmed=asking.confirmed(request, said["password"])
        )
        return Response(QualificationOut(approved).data, status=201)


class PartChanges(APIView):
    permission_classes = [PeopleRead]

    @extend_schema(operation_id="part_changes_list", responses=PartChangeOut(many=True))
    def get(self, request: Request, code: str) -> Response:
        """List its replaced parts, newest first."""
        found = named(code).part_changes.select_related("changed_by").order_by("-changed_at", "-pk")
        return Response(PartChangeOut(found, many=True).data)

    @extend_schema(operation_id="part_change", request=PartChangeIn, responses={201: PartChangeOut})
    def post(self, request: Request, code: str) -> Response:
        """Record a replaced part; one of another make ends the qualification."""
        said = asking.body(PartChangeIn, request)
        made = parts.replace(
            named(code),
            old=Part(**said.pop("old")),
            new=Part(**said.pop("new")),
            actor=callers.person(request),
            at=timezone.now(),
            **said,
        )
        return Response(PartChangeOut(made).data, status=201)


class Calibrations(APIView):
    permission_classes = [PeopleRead]

    @extend_schema(operation_id="calibrations_list", responses=CalibrationOut(many=True))
    def get(self, request: Request, code: str) -> Response:
        """List its calibrations, newest first."""
        found = named(code).calibrations.select_related("performed_by", "verified_by", "deviation")
        return Response(CalibrationOut(found.order_by("-performed_at", "-pk"), many=True).data)

    @extend_schema(
        operation_id="calibration_record", request=CalibrationIn, responses={201: CalibrationOut}
    )
    def post(self, request: Request, code: str) -> Response:
        """Record a calibration; it holds once another person has verified it."""
        made = calibrations.record(
            named(code),
            measured=Measured(**asking.body(CalibrationIn, request)),
            actor=callers.person(request),
            at=timezone.now(),
        )
        return Response(CalibrationOut(made).data, status=201)


def _calibration(code: str, pk: int) -> Calibration:
    return get_object_or_404(Calibration, pk=pk, equipment__code=code)


class CalibrationCheck(APIView):
    permission_classes = [PeopleRead]

    @extend_schema(
        operation_id="calibration_verify", request=CareReasonIn, responses={201: CalibrationOut}
    )
    def post(self, request: Request, code: str, pk: int) -> Response:
        """Verify somebody else's calibration."""
        verified = calibrations.verify(
            _calibration(code, pk),
            actor=callers.person(request),
            at=timezone.now(),
            reason=asking.body(CareReasonIn, request)["reason"],
        )
        return Response(CalibrationOut(verified).data, status=201)


class DueDate(APIView):
    permission_classes = [PeopleRead]

    @extend_schema(
        operation_id="calibration_shorten", request=CalibrationDueDateIn, responses=CalibrationOut
    )
    def put(self, request: Request, code: str, pk: int) -> Response:
        """Let a calibration hold for less; uses after the new day open a deviation."""
        shortened = calibrations.shorten(
            _calibration(code, pk),
            actor=callers.person(request),
            at=timezone.now(),
            **asking.body(CalibrationDueDateIn, request),
        )
        return Response(CalibrationOut(shortened).data)


class Cleanings(APIView):
    permission_classes = [PeopleRead]

    @extend_schema(operation_id="cleanings_list", responses=CleaningOut(many=True))
    def get(self, request: Request, code: str) -> Response:
        """List its cleanings, newest first."""
        found = named(code).cleanings.select_related(
            "performed_by", "verified_by", "procedure_version__procedure"
        )
        return Response(CleaningOut(found.order_by("-started_at", "-pk"), many=True).data)

    @extend_schema(operation_id="cleaning_start", request=CleaningIn, responses={201: CleaningOut})
    def post(self, request: Request, code: str) -> Response:
        """Begin a cleaning by the effective version of its procedure."""
        made = cleanings.start(
            named(code),
            method=Method(**asking.body(CleaningIn, request)),
            actor=callers.person(request),
            at=timezone.now(),
        )
        return Response(CleaningOut(made).data, status=201)


def _cleaning(code: str, pk: int) -> Cleaning:
    found = Cleaning.objects.select_related("equipment", "procedure_version__procedure")
    return get_object_or_404(found, pk=pk, equipment__code=code)


class CleaningFinishIn(In):
    """A body without members."""


class CleaningFinish(APIView):
    permission_classes = [PeopleRead]

    @extend_schema(operation_id="cleaning_finish", request=CleaningFinishIn, responses=CleaningOut)
    def post(self, request: Request, code: str, pk: int) -> Response:
        """Record that the cleaning is done."""
        asking.body(CleaningFinishIn, request)
        done = cleanings.finish(
            _cleaning(code, pk), actor=callers.person(request), at=timezone.now()
        )
        return Response(CleaningOut(done).data)


class CleaningCheck(APIView):
    permission_classes = [PeopleRead]

    @extend_schema(
        operation_id="cleaning_verify", request=CleaningCheckIn, responses={201: CleaningOut}
    )
    def post(self, request: Request, code: str, pk: int) -> Response:
        """Verify somebody else's cleaning."""
        verified = cleanings.verify(
            _cleaning(code, pk),
            actor=callers.person(request),
            at=timezone.now(),
            **asking.body(CleaningCheckIn, request),
        )
        return Response(CleaningOut(verified).data, status=201)
