"""Versions of twins and their qualification over the API."""

from collections.abc import Mapping
from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.urls import path
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import generics
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from compliance.access import callers
from compliance.access.callers import PeopleRead
from compliance.api_contract.strict_json import StrictJSONParser
from compliance.signatures import signing
from compliance.signatures.signing import Confirmed
from compliance.wire import Pages
from twins.hub import dossiers, life, protocols, runs, sealed_sets
from twins.hub.dossiers import BatchRows
from twins.hub.lined_batches import LinedBatches
from twins.hub.messages import (
    DossierIn,
    DriftCheckOut,
    ModelQualificationIn,
    ModelQualificationOut,
    ModelSignatureIn,
    ModelTestIn,
    ModelVersionDossierOut,
    TestRunOut,
    TestSetIn,
    TestSetOut,
)
from twins.hub.models import DriftCheck, ModelVersion, Qualification, SealedTestSet
from twins.hub.protocols import Contract
from twins.hub.sealed_sets import LabelledBatch
from twins.models.qualification.criteria import Comparison, Criterion
from twins.models.qualification.scoring import Answer, Label

LINED = [StrictJSONParser, LinedBatches]


def _confirmed(request: Request, password: str) -> Confirmed:
    return signing.confirm(
        signer=callers.person(request),
        password=password,
        address=callers.address(request),
        at=timezone.now(),
    )


def _float(value: Any) -> float | None:
    return None if value is None else float(value)


def _label(given: Mapping[str, Any]) -> Label:
    return Label(
        subgroup=given["subgroup"],
        onset_h=_float(given["onset_h"]),
        harm_h=_float(given["harm_h"]),
        values=tuple(float(value) for value in given["values"]),
    )


def _answer(given: Mapping[str, Any]) -> Answer:
    return Answer(
        first_alarm_h=_float(given["first_alarm_h"]),
        probability=_float(given["probability"]),
        intervals=tuple((float(low), float(high)) for low, high in given["intervals"]),
        is_undecided=given["is_undecided"],
    )


class Versions(generics.ListAPIView[ModelVersion]):
    permission_classes = [PeopleRead]
    serializer_class = ModelVersionDossierOut
    pagination_class = Pages

    def get_queryset(self) -> QuerySet[ModelVersion]:
        return ModelVersion.objects.select_related("dossier__prepared_by").order_by("-pk")

    @extend_schema(operation_id="model_versions_list")
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List the registered versions of twins with their dossiers, the newest first."""
        return super().get(request, *args, **kwargs)


class Dossier(APIView):
    permission_classes = [PeopleRead]
    parser_classes = LINED

    @extend_schema(
        operation_id="model_dossier_prepare",
        request=DossierIn,
        responses={201: ModelVersionDossierOut},
    )
    def post(self, request: Request, pk: int) -> Response:
        """Prepare and sign the dossier of a version; it freezes the version."""
        body = DossierIn(data=request.data)
        body.is_valid(raise_exception=True)
        given = body.validated_data
        version = get_object_or_404(ModelVersion, pk=pk)
        dossiers.prepare(
            version,
            subgroups=given["subgroups"],
            limits=given["limits"],
            training=given["training"],
            trainers=dossiers.trainers(given["trainers"]),
            batches=[BatchRows(one["name"], one["rows"]) for one in given["batches"]],
            confirmed=_confirmed(request, given["password"]),
        )
        version.refresh_from_db()
        return Response(ModelVersionDossierOut(version).data, status=201)


class Approval(APIView):
    permission_classes = [PeopleRead]

    @extend_schema(
        operation_id="model_version_qualify",
        request=ModelSignatureIn,
        responses={201: ModelVersionDossierOut},
    )
    def post(self, request: Request, pk: int) -> Response:
        """Qualify a version by signature, after its test has passed."""
        body = ModelSignatureIn(data=request.data)
        body.is_valid(raise_exception=True)
        version = life.qualify(
            get_object_or_404(ModelVersion, pk=pk),
            confirmed=_confirmed(request, body.validated_data["password"]),
            reason=body.validated_data["reason"],
        )
        return Response(ModelVersionDossierOut(version).data, status=201)


class Retirement(APIView):
    permission_classes = [PeopleRead]

    @extend_schema(
        operation_id="model_version_retire",
        request=ModelSignatureIn,
        responses={201: ModelVersionDossierOut},
    )
    def post(self, request: Request, pk: int) -> Response:
        """Retire a qualified version by signature."""
        body = ModelSignatureIn(data=request.data)
        body.is_valid(raise_exception=True)
        version = life.retire(
            get_object_or_404(ModelVersion, pk=pk),
            confirmed=_confirmed(request, body.validated_data["password"]),
            reason=body.validated_data["reason"],
        )
        return Response(ModelVersionDossierOut(version).data, status=201)


class TestSets(generics.ListAPIView[SealedTestSet]):
    permission_classes = [PeopleRead]
    parser_classes = LINED
    serializer_class = TestSetOut
    pagination_class = Pages

    def get_queryset(self) -> QuerySet[SealedTestSet]:
        found = SealedTestSet.objects.select_related("sealed_by").prefetch_related("batches")
        return found.order_by("-pk")

    @extend_schema(operation_id="test_sets_list")
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List the sealed test sets by their digests, each with every look into it."""
        return super().get(request, *args, **kwargs)

    @extend_schema(operation_id="test_set_seal", request=TestSetIn, responses={201: TestSetOut})
    def post(self, request: Request) -> Response:
        """Seal a test set by signature: digests are taken, rows and labels are not kept."""
        body = TestSetIn(data=request.data)
        body.is_valid(raise_exception=True)
        given = body.validated_data
        test_set = sealed_sets.seal(
            name=given["name"],
            batches=[
                LabelledBatch(one["name"], one["rows"], _label(one["truth"]))
                for one in given["batches"]
            ],
            provenance=given["provenance"],
            label_provenance=given["label_provenance"],
            is_generated=given["is_generated"],
            exclusions=[(one["batch"], one["reason"]) for one in given["exclusions"]],
            confirmed=_confirmed(request, given["password"]),
        )
        return Response(TestSetOut(test_set).data, status=201)


class Qualifications(generics.ListAPIView[Qualification]):
    permission_classes = [PeopleRead]
    serializer_class = ModelQualificationOut
    pagination_class = Pages

    def get_queryset(self) -> QuerySet[Qualification]:
        found = Qualification.objects.select_related(
            "test_set", "author", "approver", "run__look", "run__deviation", "run__run_by"
        )
        return found.prefetch_related("criteria").order_by("-pk")

    @extend_schema(operation_id="model_qualifications_list")
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List the qualifications of versions with their test runs, the newest first."""
        return super().get(request, *args, **kwargs)

    @extend_schema(
        operation_id="model_qualification_draft",
        request=ModelQualificationIn,
        responses={201: ModelQualificationOut},
    )
    def post(self, request: Request) -> Response:
        """Draft the protocol of a test: its criteria are approved before the set is opened."""
        body = ModelQualificationIn(data=request.data)
        body.is_valid(raise_exception=True)
        given = body.validated_data
        qualification = protocols.draft(
            get_object_or_404(ModelVersion, pk=given["version"]),
            test_set=get_object_or_404(SealedTestSet, number=given["test_set"]),
            criteria=[
                Criterion(
                    one["metric"], Comparison(one["comparison"]), float(one["threshold"]),
                    one["population"],
                )
                for one in given["criteria"]
            ],
            replaces=given["replaces"],
            change_number=given["change_number"],
            contract=Contract(
                drift_alpha=float(given["drift_alpha"]),
                false_alarms=float(given["false_alarm_contract"]),
                misses=float(given["miss_contract"]),
            ),
            actor=callers.person(request),
            at=timezone.now(),
        )  # fmt: skip
        return Response(ModelQualificationOut(qualification).data, status=201)


class QualificationApproval(APIView):
    permission_classes = [PeopleRead]

    @extend_schema(
        operation_id="model_qualification_approve",
        request=ModelSignatureIn,
        responses={201: ModelQualificationOut},
    )
    def post(self, request: Request, number: str) -> Response:
        """Approve the criteria by the signature of a second person."""
        body = ModelSignatureIn(data=request.data)
        body.is_valid(raise_exception=True)
        qualification = protocols.approve(
            get_object_or_404(Qualification, number=number),
            confirmed=_confirmed(request, body.validated_data["password"]),
            reason=body.validated_data["reason"],
        )
        return Response(ModelQualificationOut(qualification).data, status=201)


class Run(APIView):
    permission_classes = [PeopleRead]
    parser_classes = LINED

    @extend_schema(
        operation_id="model_qualification_run", request=ModelTestIn, responses={201: TestRunOut}
    )
    def post(self, request: Request, number: str) -> Response:
        """Open the test set, score the answers of the version, and sign the run."""
        body = ModelTestIn(data=request.data)
        body.is_valid(raise_exception=True)
        given = body.validated_data
        made = runs.run(
            get_object_or_404(Qualification, number=number),
            labels={one["batch"]: _label(one) for one in given["labels"]},
            answers=(
                {one["batch"]: _answer(one) for one in given["answers"]}
                if "answers" in given
                else None
            ),
            batches=[BatchRows(one["name"], one["rows"]) for one in given.get("batches", [])],
            why=given["why"],
            confirmed=_confirmed(request, given["password"]),
        )
        return Response(TestRunOut(made).data, status=201)


class DriftChecks(generics.ListAPIView[DriftCheck]):
    permission_classes = [PeopleRead]
    serializer_class = DriftCheckOut
    pagination_class = Pages

    def get_queryset(self) -> QuerySet[DriftCheck]:
        return DriftCheck.objects.order_by("-pk")

    @extend_schema(operation_id="drift_checks_list")
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List what the watch over qualified versions found, window by window."""
        return super().get(request, *args, **kwargs)


urlpatterns = [
    path("model-versions", Versions.as_view(), name="model-versions"),
    path("model-versions/<int:pk>/dossier", Dossier.as_view(), name="model-dossier"),
    path(
        "model-versions/<int:pk>/qualification",
        Approval.as_view(),
        name="model-version-qualification",
    ),
    path("model-versions/<int:pk>/retirement", Retirement.as_view(), name="model-retirement"),
    path("test-sets", TestSets.as_view(), name="test-sets"),
    path("model-qualifications", Qualifications.as_view(), name="model-qualifications"),
    path(
        "model-qualifications/<str:number>/approval",
        QualificationApproval.as_view(),
        name="model-qualification-approval",
    ),
    path("model-qualifications/<str:number>/run", Run.as_view(), name="model-qualification-run"),
    path("drift-checks", DriftChecks.as_view(), name="drift-checks"),
]
