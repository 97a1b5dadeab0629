"""OOS investigations over the API."""

from typing import Any

from django.urls import path

from batches.laboratory import oos, oos_conclusions, oos_phases, oos_retests
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
from batches.laboratory.models import (
    CauseCategory,
    Conclusion,
    OosDeviation,
    OosInvestigation,
    PlanKind,
    Retest,
    Run,
)
from batches.laboratory.oos_phases import Cause, PhaseOne
from batches.laboratory.oos_retests import Plan
from compliance.wire import In, Out


def _phase_one(of: OosInvestigation, said: dict[str, Any], by: Caller) -> OosInvestigation:
    answers = {one["item"]: (one["answer"], one["remark"]) for one in said["checklist"]}
    whole = PhaseOne(answers, said["is_preparation_retained"], said["interview"])
    return oos_phases.record_phase_one(of, found=whole, reason=said["reason"], **by.by)


def _cause(said: dict[str, Any]) -> Cause:
    return Cause(CauseCategory(said["category"]), said["text"], said["evidence"])


def _close_phase_one(of: OosInvestigation, said: dict[str, Any], by: Caller) -> OosInvestigation:
    cause = _cause(said["cause"]) if said["cause"] else None
    return oos_phases.close_phase_one(of, cause=cause, confirmed=by.confirmed)


def _find_cause(of: OosInvestigation, said: dict[str, Any], by: Caller) -> OosInvestigation:
    return oos_phases.find_cause(of, cause=_cause(said["cause"]), confirmed=by.confirmed)


def _propose(of: OosInvestigation, said: dict[str, Any], by: Caller) -> OosInvestigation:
    reason = said.pop("reason")
    said["kind"], said["analyst"] = PlanKind(said["kind"]), found.person(said["analyst"])
    return oos_retests.propose(of, plan=Plan(**said), reason=reason, **by.by)


def _approve_plan(of: OosInvestigation, _: dict[str, Any], by: Caller) -> OosInvestigation:
    return oos_retests.approve(of, confirmed=by.confirmed)


def _retest(of: OosInvestigation, said: dict[str, Any], by: Caller) -> Retest:
    return oos_retests.record(
        of,
        value_text=said["value"],
        tested_at=said["tested_at"],
        sample=found.sample_of(of.batch.number, said["sample"]) if said["sample"] else None,
        run=found.named(Run, "run", number=said["run"]) if said["run"] else None,
        **by.by,
    )


def _conclude(of: OosInvestigation, said: dict[str, Any], by: Caller) -> OosInvestigation:
    return oos_conclusions.conclude(
        of, conclusion=Conclusion(said["conclusion"]), text=said["text"], confirmed=by.confirmed
    )


def _close(of: OosInvestigation, said: dict[str, Any], by: Caller) -> OosInvestigation:
    return oos_conclusions.close(of, confirmed=by.confirmed, reason=said["reason"])


def _link(of: OosInvestigation, said: dict[str, Any], by: Caller) -> OosDeviation:
    return oos.link_deviation(
        of, deviation=found.deviation(said["deviation"]), reason=said["reason"], **by.by
    )


Investigations = listing(
    "oos",
    Listed(
        lambda: OosInvestigation.objects.select_related("batch", "test"), answered_on.OosOut,
        filters={
            "state": "state", "batch": "batch__number", "test": "test__tag",
            "conclusion": "conclusion", "due_before": "due_on__lt",
        },
        search=["number", "batch__number"], sorts=["opened_at", "due_on"],
    ),
)  # fmt: skip


def _of_oos(
    at: str, name: str, call: Any, *, body: type[In], says: str, out: type[Out] = answered_on.OosOut
) -> Any:
    view = act(f"oos_{name}", call, body=body, out=out, find=found.oos, says=says)
    return path(f"oos/<str:number>/{at}", view.as_view(), name=f"oos-{name.replace('_', '-')}")


urlpatterns = [
    path("oos", Investigations.as_view(), name="oos"),
    path(
        "oos/<str:number>",
        reading("oos", answered_on.OosDetailOut, found.oos).as_view(),
        name="oos-investigation",
    ),
    _of_oos(
        "phase-one", "phase_one", _phase_one, body=posted.PhaseOneIn,
        says="Record or amend Phase I.",
    ),
    _of_oos(
        "phase-one/closure", "close_phase_one", _close_phase_one, body=posted.PhaseOneClosureIn,
        says="Close Phase I by signature, with an assignable cause or into Phase II.",
    ),
    _of_oos(
        "cause", "find_cause", _find_cause, body=posted.FoundCauseIn,
        says="Record an assignable cause that Phase II brought to light.",
    ),
    _of_oos(
        "production-review", "review_production",
        lambda of, said, by: oos_phases.review_production(of, **said, **by.by),
        body=posted.ProductionReviewIn, says="Record the review of production.",
    ),
    _of_oos(
        "retest-plan", "propose_plan", _propose, body=posted.PlanIn,
        says="Propose a retest plan.",
    ),
    _of_oos(
        "retest-plan/approval", "approve_plan", _approve_plan, body=LaboratorySignedIn,
        says="Approve the retest plan by signature of quality.",
    ),
    _of_oos(
        "retests", "retest", _retest, body=posted.RetestIn, out=answered_on.RetestOut,
        says="Record one retest of the approved plan.",
    ),
    _of_oos(
        "conclusion", "conclude", _conclude, body=posted.ConclusionIn,
        says="Conclude the investigation by signature.",
    ),
    _of_oos(
        "return", "send_back",
        lambda of, said, by: oos_conclusions.send_back(of, **said, **by.by),
        body=posted.LaboratoryReasonIn, says="Send a plan or a conclusion back.",
    ),
    _of_oos(
        "closure", "close", _close, body=LaboratorySignedWithReasonIn,
        says="Close the investigation by signature of quality.",
    ),
    _of_oos(
        "deviations", "link", _link, body=posted.OosLinkIn, out=answered_on.OosLinkOut,
        says="Link a deviation.",
    ),
]  # fmt: skip
