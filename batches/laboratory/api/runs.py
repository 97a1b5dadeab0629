"""Runs, injections and results over the API."""

import uuid
from typing import Any

from django.db.models import QuerySet
from django.urls import path
from rest_framework import serializers

from batches.laboratory import injections, results, reviews, runs
from batches.laboratory.api import answered, found, posted
from batches.laboratory.api.views import Caller, Listed, act, listing, reading
from batches.laboratory.models import (
    Injection,
    InjectionKind,
    InjectionOutcome,
    Reagent,
    Result,
    ResultReview,
    ResultState,
    Run,
)
from batches.laboratory.results import Measured


def _start(_: None, said: dict[str, Any], by: Caller) -> Run:
    used = [found.named(Reagent, "reagents", **one) for one in said.pop("reagents")]
    return runs.start(**said, used=used, **by.by)


def _inject(run: Run, said: dict[str, Any], by: Caller) -> Injection:
    batch, number = said.pop("batch"), said.pop("sample")
    return injections.record(
        run,
        number=said["number"],
        kind=InjectionKind(said["kind"]),
        sample=found.sample_of(batch, number) if number else None,
        outcome=InjectionOutcome(said["outcome"]),
        injected_at=said["injected_at"],
        reason=said["reason"],
        **by.by,
    )


def _end(run: Run, said: dict[str, Any], by: Caller) -> Run:
    if said["aborted"]:
        return runs.abort(run, ended_at=said["ended_at"], reason=said["reason"], **by.by)
    return runs.complete(run, ended_at=said["ended_at"], **by.by)


def _report(run: Run, said: dict[str, Any], by: Caller) -> Result:
    measured = [
        Measured(
            one["value"],
            found.named(Injection, "replicates", run=run, number=one["injection"])
            if one["injection"]
            else None,
        )
        for one in said.pop("replicates")
    ]
    return results.report(
        found.sample_of(said.pop("batch"), said.pop("sample")),
        value_text=said.pop("value"),
        replicates=measured,
        run=run,
        message_id=str(uuid.uuid4()),
        **said,
        **by.by,
    )


def _review_run(run: Run, said: dict[str, Any], by: Caller) -> Run:
    return runs.review(run, confirmed=by.confirmed, **said)


def _review_result(result: Result, said: dict[str, Any], by: Caller) -> ResultReview:
    return reviews.review(result, confirmed=by.confirmed, **said)


class _Results(Listed):
    """Results also filter by where they stand, which no column holds."""

    def found(self, asked: Any) -> QuerySet[Any]:
        rows = super().found(asked)
        state = asked.get("state")
        if state and state not in ResultState.values:
            raise serializers.ValidationError({"state": f"one of {', '.join(ResultState.values)}"})
        return rows.in_state(state) if state else rows  # type: ignore[attr-defined]

    @property
    def parameters(self) -> Any:
        from drf_spectacular.utils import OpenApiParameter

        return [*super().parameters, OpenApiParameter("state", enum=ResultState.values)]


Runs = listing(
    "runs",
    Listed(
        lambda: Run.objects.select_related("analyst", "reviewer"), answered.RunOut,
        filters={
            "state": "state", "instrument": "instrument", "method": "method_code",
            "analyst": "analyst__username",
        },
        search=["number", "instrument", "method_code"], sorts=["started_at", "number"],
    ),
    post=act(
        "run_start", _start, body=posted.RunIn, out=answered.RunOut, find=found.nothing,
        says="Start a run; whoever starts it is its analyst.",
    ),
)  # fmt: skip
Results = listing(
    "laboratory_results",
    _Results(
        lambda: Result.objects.select_related("sample__batch", "test", "run"),
        answered.LaboratoryResultOut,
        filters={
            "batch": "sample__batch__number", "tag": "tag", "judgement": "judgement",
            "run": "run__number",
        },
        search=["sample__number", "sample__batch__number", "analyst"],
        sorts=["reported_at", "tag"],
    ),
)  # fmt: skip


def _of_run(name: str, call: Any, *, body: Any, out: Any, says: str) -> Any:
    return act(name, call, body=body, out=out, find=found.run, says=says).as_view()


urlpatterns = [
    path("runs", Runs.as_view(), name="runs"),
    path(
        "runs/<str:number>",
        reading("run", answered.RunDetailOut, found.run).as_view(),
        name="run",
    ),
    path(
        "runs/<str:number>/injections",
        _of_run(
            "injection_record", _inject, body=posted.InjectionIn, out=answered.InjectionOut,
            says="Record an injection under the instrument's number, whatever became of it.",
        ),
        name="run-injections",
    ),
    path(
        "runs/<str:number>/injections/<int:injection>/invalidation",
        act(
            "injection_invalidate",
            lambda injection, said, by: injections.invalidate(injection, **said, **by.by),
            body=posted.LaboratoryReasonIn, out=answered.InjectionOut, find=found.injection,
            says="Say that an injection does not count, and why.",
        ).as_view(),
        name="injection-invalidation",
    ),
    path(
        "runs/<str:number>/reagents",
        _of_run(
            "run_add_reagent",
            lambda run, said, by: runs.add_reagent(
                run, reagent=found.named(Reagent, "lot", **said), **by.by
            ).reagent,
            body=posted.LotIn, out=answered.ReagentOut, says="Add a lot that the run uses.",
        ),
        name="run-reagents",
    ),
    path(
        "runs/<str:number>/suitability",
        _of_run(
            "run_judge",
            lambda run, said, by: runs.judge_suitability(run, **said, **by.by),
            body=posted.SuitabilityIn, out=answered.RunOut,
            says="Judge the system suitability, once.",
        ),
        name="run-suitability",
    ),
    path(
        "runs/<str:number>/end",
        _of_run("run_end", _end, body=posted.EndIn, out=answered.RunOut, says="End a run."),
        name="run-end",
    ),
    path(
        "runs/<str:number>/explanations",
        _of_run(
            "run_explain",
            lambda run, said, by: runs.explain(run, **said, **by.by),
            body=posted.ExplanationIn, out=answered.ExplanationOut, says="Explain orphan data.",
        ),
        name="run-explanations",
    ),
    path(
        "runs/<str:number>/results",
        _of_run(
            "run_report", _report, body=posted.RunResultIn, out=answered.ResultDetailOut,
            says="Report a result, calculated from its determinations.",
        ),
        name="run-results",
    ),
    path(
        "runs/<str:number>/review",
        _of_run(
            "run_review", _review_run, body=posted.RunReviewIn, out=answered.RunOut,
            says="Review a run with its audit trail, by signature.",
        ),
        name="run-review",
    ),
    path("results", Results.as_view(), name="laboratory-results"),
    path(
        "results/<int:pk>",
        reading("laboratory_result", answered.ResultDetailOut, found.result).as_view(),
        name="laboratory-result",
    ),
    path(
        "results/<int:pk>/review",
        act(
            "result_review", _review_result, body=posted.ResultReviewIn, out=answered.ResultReviewOut,
            find=found.result, says="Review a result as a second person, by signature.",
        ).as_view(),
        name="result-review",
    ),
]  # fmt: skip
