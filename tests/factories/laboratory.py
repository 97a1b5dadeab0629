"""Runs, injections and OOS investigations."""

from collections.abc import Sequence
from datetime import datetime

from batches.execution.models import Batch
from batches.laboratory import injections, oos_phases, orphans, reviews, runs, specifications
from batches.laboratory.models import (
    CauseCategory,
    Injection,
    InjectionKind,
    InjectionOutcome,
    OosInvestigation,
    Reagent,
    Result,
    ResultReview,
    Run,
    Sample,
)
from compliance.access.duties import Role
from compliance.access.models import User
from tests.factories.batches import result, running_batch, sample
from tests.factories.common import NOON
from tests.factories.people import confirmed, somebody
from tests.factories.recipes import recipe
from tests.factories.specifications import SPECIFIED, specification


def specified_batch(
    tests: Sequence[specifications.TestDraft] = SPECIFIED, *, at: datetime = NOON,
    plan: Sequence[specifications.PointDraft] = (),
) -> Batch:  # fmt: skip
    """Return a running batch of a product that has a specification."""
    made = recipe(at=at)
    specification(made.product, tests, at=at, plan=plan)
    return running_batch(made, at=at)


def oos_investigation(
    value: str = "2.10", *, about: Batch | None = None, at: datetime = NOON
) -> OosInvestigation:
    """Return an investigation that an analyst's result opened."""
    found = result(sample(about or specified_batch(at=at), at=at), value=value, at=at)
    return OosInvestigation.objects.get(result=found)


PHASE_ONE = oos_phases.PhaseOne(
    checklist=dict.fromkeys(oos_phases.CHECKLIST, ("yes", "")),
    is_preparation_retained=True,
    interview="The analyst saw nothing unusual.",
)


CAUSE = oos_phases.Cause(
    CauseCategory.PREPARATION,
    "The sample was diluted 1:20 in the place of 1:10.",
    "The pipette's log and the retained preparation show it.",
)


def investigated_oos(
    of: OosInvestigation, *, by: User, cause: oos_phases.Cause | None = None, at: datetime = NOON
) -> OosInvestigation:
    """Record and close Phase I, with a cause or into Phase II."""
    oos_phases.record_phase_one(
        of, found=PHASE_ONE, actor=by, at=at, reason="first look in the laboratory"
    )
    return oos_phases.close_phase_one(of, cause=cause, confirmed=confirmed(by, at=at))


def run(
    *, by: User | None = None, planned: int = 3, at: datetime = NOON, used: Sequence[Reagent] = ()
) -> Run:
    """Return a running run."""
    return runs.start(
        instrument="HPLC-01", method_code="HPLC-12", method_version="3", started_at=at,
        planned_injections=planned, actor=by or somebody(Role.QC_ANALYST, at=at), at=at, used=used,
    )  # fmt: skip


def injection(
    of: Run, number: int, kind: InjectionKind = InjectionKind.SUITABILITY, *,
    sample: Sample | None = None, at: datetime = NOON,
    outcome: InjectionOutcome = InjectionOutcome.COMPLETED,
) -> Injection:  # fmt: skip
    return injections.record(
        of, number=number, kind=kind, sample=sample, injected_at=at, actor=of.analyst, at=at,
        outcome=outcome, reason="" if outcome == "completed" else "pressure dropped to zero",
    )  # fmt: skip


def suitable_run(of: Run, *, at: datetime = NOON) -> Run:
    """Return a run whose system suitability was shown by its first injection."""
    injection(of, 1, at=at)
    return runs.judge_suitability(
        of, has_passed=True, text="RSD 0.4 % of at most 1.0 %", actor=of.analyst, at=at
    )


def reviewed_run(of: Run, *, at: datetime = NOON) -> Run:
    """Return a run that was completed and reviewed by a second person."""
    if of.state == "running":
        runs.complete(of, ended_at=at, actor=of.analyst, at=at)
    return runs.review(
        of,
        entries_seen=orphans.trail_entries(of),
        confirmed=confirmed(somebody(Role.QC_SUPERVISOR, at=at), at=at),
    )


def reviewed(of: Result, *, at: datetime = NOON, comment: str = "") -> ResultReview:
    return reviews.review(
        of, confirmed=confirmed(somebody(Role.QC_SUPERVISOR, at=at), at=at), comment=comment
    )
