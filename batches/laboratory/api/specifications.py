"""Specifications, samples and reagents over the API."""

from typing import Any

from django.urls import path

from batches.execution.models import Batch
from batches.laboratory import custody, governing, reagents, specifications, test_decisions
from batches.laboratory.api import answered, found, posted
from batches.laboratory.api.views import Caller, LaboratorySignedIn, Listed, act, listing, reading
from batches.laboratory.models import (
    CustodyKind,
    Reagent,
    ReagentKind,
    Sample,
    SampleCustody,
    Specification,
    SpecificationUse,
    SpecificationVersion,
    TestDecision,
    TestDecisionKind,
)
from batches.laboratory.specifications import PointDraft, TestDraft
from batches.laboratory.test_decisions import DecisionNotPossible


def _create(_: None, said: dict[str, Any], by: Caller) -> Specification:
    said["product"] = found.product(said["product"])
    said["use"] = SpecificationUse(said["use"])
    return specifications.create(**said, **by.by)


def _draft(of: Specification, said: dict[str, Any], by: Caller) -> SpecificationVersion:
    return specifications.draft(
        of,
        tests=[TestDraft(**one) for one in said["tests"]],
        plan=[PointDraft(**one) for one in said["plan"]],
        reason=said["reason"],
        **by.by,
    )


def _approve(version: SpecificationVersion, _: dict[str, Any], by: Caller) -> SpecificationVersion:
    return specifications.approve(version, confirmed=by.confirmed)


def _decide(batch: Batch, said: dict[str, Any], by: Caller) -> TestDecision:
    version = governing.version_of(batch)
    tests = version.tests.filter(tag=said["tag"], point=said["point"]) if version else None
    test = tests.first() if tests is not None else None
    if test is None:
        raise DecisionNotPossible(f"no specification of {batch} has a test {said['tag']}")
    return test_decisions.decide(
        batch, test=test, kind=TestDecisionKind(said["kind"]), confirmed=by.confirmed,
        reason=said["reason"],
    )  # fmt: skip


def _move(sample: Sample, said: dict[str, Any], by: Caller) -> SampleCustody:
    said["kind"] = CustodyKind(said["kind"])
    return custody.move(sample, **said, **by.by)


def _register(_: None, said: dict[str, Any], by: Caller) -> Reagent:
    said["kind"] = ReagentKind(said["kind"])
    return reagents.register(**said, **by.by)


Specifications = listing(
    "specifications",
    Listed(
        lambda: Specification.objects.select_related("product"), answered.SpecificationOut,
        filters={"use": "use", "product": "product__code"},
        search=["code", "title", "material"], sorts=["code"],
    ),
    post=act(
        "specification_create", _create, body=posted.SpecificationIn,
        out=answered.SpecificationOut, find=found.nothing, says="Begin a specification.",
    ),
)  # fmt: skip
Versions = listing(
    "specification_versions",
    Listed(
        lambda: SpecificationVersion.objects.select_related("specification", "author", "approver"),
        answered.VersionOut, filters={"state": "state", "specification": "specification__code"},
        search=["specification__code", "reason"], sorts=["version", "effective_at"],
    ),
)  # fmt: skip
Samples = listing(
    "laboratory_samples",
    Listed(
        lambda: Sample.objects.select_related("batch", "standing", "parent"),
        answered.LaboratorySampleOut,
        filters={"batch": "batch__number", "point": "point", "state": "standing__state"},
        search=["number", "batch__number"], sorts=["taken_at", "number"],
    ),
)  # fmt: skip
Reagents = listing(
    "reagents",
    Listed(
        Reagent.objects.all, answered.ReagentOut,
        filters={"kind": "kind", "code": "code", "expires_before": "expires_on__lt"},
        search=["code", "lot", "name"], sorts=["expires_on", "code"],
    ),
    post=act(
        "reagent_register", _register, body=posted.ReagentIn, out=answered.ReagentOut,
        find=found.nothing, says="Register a lot of a reagent or reference standard.",
    ),
)  # fmt: skip

_OF_BATCH = "batches/<str:number>"
urlpatterns = [
    path("specifications", Specifications.as_view(), name="specifications"),
    path("specification-versions", Versions.as_view(), name="specification-versions"),
    path(
        "specifications/<str:code>/versions",
        act(
            "specification_draft", _draft, body=posted.VersionIn, out=answered.VersionDetailOut,
            find=found.specification, says="Write the next version of a specification.",
        ).as_view(),
        name="specification-drafts",
    ),
    path(
        "specifications/<str:code>/versions/<int:version>",
        reading("specification_version", answered.VersionDetailOut, found.version).as_view(),
        name="specification-version",
    ),
    path(
        "specifications/<str:code>/versions/<int:version>/approval",
        act(
            "specification_approve", _approve, body=LaboratorySignedIn, out=answered.VersionOut,
            find=found.version, says="Make a version effective by signature.",
        ).as_view(),
        name="specification-approval",
    ),
    path(
        f"{_OF_BATCH}/test-decisions",
        act(
            "test_decide", _decide, body=posted.TestDecisionIn, out=answered.TestDecisionOut,
            find=found.batch, says="Hold, resume or skip a test of a batch, by signature.",
        ).as_view(),
        name="test-decisions",
    ),
    path("samples", Samples.as_view(), name="laboratory-samples"),
    path(
        f"{_OF_BATCH}/samples/<str:sample>",
        reading("sample", answered.LaboratorySampleOut, found.sample).as_view(),
        name="sample",
    ),
    path(
        f"{_OF_BATCH}/samples/<str:sample>/custody",
        act(
            "sample_move", _move, body=posted.CustodyIn, out=answered.CustodyOut,
            find=found.sample, says="Receive, store, dispose of or cancel a sample.",
        ).as_view(),
        name="sample-custody",
    ),
    path(
        f"{_OF_BATCH}/samples/<str:sample>/aliquots",
        act(
            "sample_split",
            lambda sample, said, by: custody.split(sample, **said, **by.by),
            body=posted.AliquotIn, out=answered.LaboratorySampleOut, find=found.sample,
            says="Make an aliquot of a sample.",
        ).as_view(),
        name="sample-aliquots",
    ),
    path("reagents", Reagents.as_view(), name="reagents"),
    path(
        "reagents/<str:code>/<str:lot>/withdrawal",
        act(
            "reagent_withdraw",
            lambda reagent, said, by: reagents.withdraw(reagent, **said, **by.by),
            body=posted.LaboratoryReasonIn, out=answered.ReagentOut, find=found.reagent,
            says="Take a lot out of use.",
        ).as_view(),
        name="reagent-withdrawal",
    ),
]  # fmt: skip
