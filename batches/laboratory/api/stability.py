"""Stability studies and complaints over the API."""

from typing import Any

from django.urls import path
from rest_framework import serializers

from batches.execution.models import Batch
from batches.laboratory import complaints, stability, stability_results
from batches.laboratory.api import answered_on, found, posted
from batches.laboratory.api.views import (
    Caller,
    LaboratorySignedIn,
    LaboratorySignedWithReasonIn,
    Listed,
    act,
    listing,
    reading,
)
from batches.laboratory.complaints import Answer, Told
from batches.laboratory.models import (
    Complaint,
    ComplaintBatch,
    StabilityPull,
    StabilityResult,
    StabilityReview,
    StabilityStudy,
    StudyKind,
)
from batches.laboratory.stability import Schedule


def _plan(_: None, said: dict[str, Any], by: Caller) -> StabilityStudy:
    schedule = Schedule(said.pop("months"), said.pop("days_before"), said.pop("days_after"))
    version = found.version({"code": said.pop("specification"), "version": said.pop("version")})
    batch = found.named(Batch, "batch", number=said.pop("batch"))
    said["kind"] = StudyKind(said["kind"])
    return stability.plan(batch, specification=version, schedule=schedule, **said, **by.by)


def _approve(study: StabilityStudy, _: dict[str, Any], by: Caller) -> StabilityStudy:
    return stability.approve(study, confirmed=by.confirmed)


def _pull(pull: StabilityPull, said: dict[str, Any], by: Caller) -> StabilityPull:
    if pulled_at := said.get("pulled_at"):
        return stability.pull(pull, pulled_at=pulled_at, remark=said["remark"], **by.by)
    return stability.miss(pull, reason=said["remark"], **by.by)


def _report(pull: StabilityPull, said: dict[str, Any], by: Caller) -> StabilityResult:
    tag = said.pop("tag")
    test = pull.study.specification.tests.filter(tag=tag).order_by("point").first()
    if test is None:
        raise serializers.ValidationError({"tag": f"{pull.study.specification} has no test {tag}"})
    return stability_results.report(pull, test=test, value_text=said.pop("value"), **said, **by.by)


def _review(result: StabilityResult, _: dict[str, Any], by: Caller) -> StabilityReview:
    return stability_results.review(result, confirmed=by.confirmed)


def _open(_: None, said: dict[str, Any], by: Caller) -> Complaint:
    received_at = said.pop("received_at")
    return complaints.open_(told=Told(**said), received_at=received_at, **by.by)


def _consider(complaint: Complaint, said: dict[str, Any], by: Caller) -> ComplaintBatch:
    batch = found.named(Batch, "batch", number=said.pop("batch"))
    return complaints.consider(complaint, batch=batch, **said, **by.by)


def _answer(complaint: Complaint, said: dict[str, Any], by: Caller) -> Complaint:
    reason, number = said.pop("reason"), said.pop("deviation")
    answer = Answer(**said, deviation=found.deviation(number) if number else None)
    return complaints.investigate(complaint, answer=answer, reason=reason, **by.by)


def _close(complaint: Complaint, said: dict[str, Any], by: Caller) -> Complaint:
    return complaints.close(complaint, confirmed=by.confirmed, reason=said["reason"])


Studies = listing(
    "stability_studies",
    Listed(
        lambda: StabilityStudy.objects.select_related(
            "batch", "specification__specification"
        ),
        answered_on.StudyOut,
        filters={"state": "state", "kind": "kind", "batch": "batch__number"},
        search=["number", "batch__number", "condition"], sorts=["started_on", "number"],
    ),
    post=act(
        "stability_plan", _plan, body=posted.StudyIn, out=answered_on.StudyOut, find=found.nothing,
        says="Plan a stability study with its pulls.",
    ),
)  # fmt: skip
Pulls = listing(
    "stability_pulls",
    Listed(
        lambda: StabilityPull.objects.select_related("study"), answered_on.PullOut,
        filters={"state": "state", "study": "study__number", "closes_before": "closes_on__lt"},
        search=["study__number"], sorts=["due_on"],
    ),
)  # fmt: skip
Complaints = listing(
    "complaints",
    Listed(
        Complaint.objects.all, answered_on.ComplaintOut,
        filters={"state": "state", "lot": "lot_text", "due_before": "due_on__lt"},
        search=["number", "product_text", "nature"], sorts=["received_at", "due_on"],
    ),
    post=act(
        "complaint_open", _open, body=posted.ComplaintIn, out=answered_on.ComplaintOut,
        find=found.nothing, says="Open a complaint.",
    ),
)  # fmt: skip

urlpatterns = [
    path("stability-studies", Studies.as_view(), name="stability-studies"),
    path("stability-pulls", Pulls.as_view(), name="stability-pulls"),
    path(
        "stability-studies/<str:number>",
        reading("stability_study", answered_on.StudyDetailOut, found.study).as_view(),
        name="stability-study",
    ),
    path(
        "stability-studies/<str:number>/approval",
        act(
            "stability_approve", _approve, body=LaboratorySignedIn, out=answered_on.StudyOut,
            find=found.study,
            says="Approve a study by signature.",
        ).as_view(),
        name="stability-approval",
    ),
    path(
        "stability-studies/<str:number>/completion",
        act(
            "stability_complete",
            lambda study, said, by: stability.complete(study, **said, **by.by),
            body=posted.LaboratoryReasonIn, out=answered_on.StudyOut, find=found.study,
            says="Complete a study.",
        ).as_view(),
        name="stability-completion",
    ),
    path(
        "stability-studies/<str:number>/pulls/<int:month>",
        act(
            "stability_pull", _pull, body=posted.PullIn, out=answered_on.PullOut, find=found.pull,
            says="Record a pull, or that it was missed.",
        ).as_view(),
        name="stability-pull",
    ),
    path(
        "stability-studies/<str:number>/pulls/<int:month>/results",
        act(
            "stability_report", _report, body=posted.StabilityResultIn,
            out=answered_on.StabilityResultOut, find=found.pull, says="Report a result of a pull.",
        ).as_view(),
        name="stability-results",
    ),
    path(
        "stability-results/<int:pk>",
        reading(
            "stability_result", answered_on.StabilityResultOut, found.stability_result
        ).as_view(),
        name="stability-result",
    ),
    path(
        "stability-results/<int:pk>/review",
        act(
            "stability_review", _review, body=LaboratorySignedIn, out=answered_on.StabilityReviewOut,
            find=found.stability_result, says="Review a stability result, by signature.",
        ).as_view(),
        name="stability-review",
    ),
    path("complaints", Complaints.as_view(), name="complaints"),
    path(
        "complaints/<str:number>",
        reading("complaint", answered_on.ComplaintOut, found.complaint).as_view(),
        name="complaint",
    ),
    path(
        "complaints/<str:number>/batches",
        act(
            "complaint_consider", _consider, body=posted.ConsideredIn,
            out=answered_on.ConsideredOut, find=found.complaint,
            says="Record what was found in a batch.",
        ).as_view(),
        name="complaint-batches",
    ),
    path(
        "complaints/<str:number>/investigation",
        act(
            "complaint_investigate", _answer, body=posted.ComplaintAnswerIn,
            out=answered_on.ComplaintOut, find=found.complaint, says="Record the investigation.",
        ).as_view(),
        name="complaint-investigation",
    ),
    path(
        "complaints/<str:number>/closure",
        act(
            "complaint_close", _close, body=LaboratorySignedWithReasonIn, out=answered_on.ComplaintOut,
            find=found.complaint, says="Close a complaint by signature of quality.",
        ).as_view(),
        name="complaint-closure",
    ),
]  # fmt: skip
