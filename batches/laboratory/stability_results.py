"""Report and review results of stability pulls, and follow their trend (21 CFR 211.166; ICH Q1E)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db.models import Exists, OuterRef, QuerySet

from batches.execution import events
from batches.laboratory import judging, oos_opening, readiness, regression, states
from batches.laboratory.actions import Action
from batches.laboratory.models import (
    Judgement,
    OosInvestigation,
    SpecificationTest,
    StabilityPull,
    StabilityResult,
    StabilityReview,
    StabilityStudy,
    TestKind,
)
from batches.laboratory.results import ResultInvalid, ResultReported
from batches.laboratory.runs import ReviewerIsAnalyst
from batches.laboratory.states import PullStep, ResultStateForbids, StudyStep
from compliance.access import authority
from compliance.access.duties import Duty
from compliance.access.models import User
from compliance.signatures import signing
from compliance.signatures.models import Meaning
from compliance.signatures.signing import Confirmed
from compliance.trail import recording
from compliance.trail.tlog import canonical


@dataclass(frozen=True)
class Trend:
    """The series of one test in one study, with its line and how long it stays within limits."""

    test: SpecificationTest
    points: list[tuple[int, Decimal]]
    line: regression.Line | None
    months: int | None


def report(
    pull: StabilityPull, *, test: SpecificationTest, value_text: str, tested_at: datetime,
    actor: User, at: datetime, version: int = 1, reason: str = "",
) -> StabilityResult:  # fmt: skip
    """Record a result of a time point; an OOS opens its investigation in the same act."""
    authority.demand(actor, Duty.ENTER_RESULTS)
    if test.version_id != pull.study.specification_id:
        raise ResultInvalid(f"{test} is no test of {pull.study}")
    value = judging.read(test, value_text)
    events.demand_possible(tested_at, at=at)
    readiness.demand_trained(actor, method_code=test.method_code, at=at)
    text = recording.demand_reason(reason) if version > 1 else reason.strip()
    with recording.recording(
        Action.RESULT_CORRECTED if version > 1 else Action.RESULT_REPORTED,
        actor=actor, at=at, reason=text or f"{test.tag} of {pull}",
    ):  # fmt: skip
        StabilityStudy.objects.select_for_update(no_key=True).get(pk=pull.study_id)
        locked = StabilityPull.objects.select_related("study__batch").get(pk=pull.pk)
        states.demand(locked.study, locked.study.state, StudyStep.REPORT)
        states.demand(locked, locked.state, PullStep.REPORT)
        if locked.pulled_at and tested_at < locked.pulled_at:
            raise ResultInvalid(f"{locked} was pulled after the result was obtained")
        _demand_next(locked, test, version)
        judged = judging.judge(test, value)
        result = StabilityResult.objects.create(
            pull=locked, test=test, version=version, value_text=value_text, value=value,
            judged_value=judged.value, judgement=judged.judgement, reason=text, entered_by=actor,
            tested_at=tested_at, recorded_at=at,
        )  # fmt: skip
        if judged.judgement == Judgement.OOS:
            oos_opening.of_stability(result, actor=actor, at=at)
    return result


def review(result: StabilityResult, *, confirmed: Confirmed) -> StabilityReview:
    """Review a result as a second person, by signature."""
    reviewer, at = confirmed.signer, confirmed.at
    authority.demand(reviewer, Duty.REVIEW_RESULTS)
    if result.entered_by_id == reviewer.pk:
        raise ReviewerIsAnalyst(f"{result}: its analyst does not review it; ask another person")
    with recording.recording(
        Action.RESULT_REVIEWED, actor=reviewer, at=at, reason=f"review of {result}"
    ):
        StabilityStudy.objects.select_for_update(no_key=True).get(pk=result.pull.study_id)
        if not current(result.pull.study).filter(pk=result.pk, review=None).exists():
            raise ResultStateForbids(f"{result} is reviewed or corrected already")
        signature = signing.sign(result, meaning=Meaning.REVIEWED, confirmed=confirmed)
        return StabilityReview.objects.create(
            result=result, reviewer=reviewer, signature=signature, reviewed_at=at
        )


def current(study: StabilityStudy) -> QuerySet[StabilityResult]:
    """Return the newest version of each test at each time point."""
    newer = StabilityResult.objects.filter(
        pull=OuterRef("pull"), test=OuterRef("test"), version__gt=OuterRef("version")
    )
    return StabilityResult.objects.filter(~Exists(newer), pull__study=study)


def trends(study: StabilityStudy) -> list[Trend]:
    """Return the series of every numeric test of a study; an OOS that stands is part of it."""
    values: dict[int, list[tuple[int, Decimal]]] = {}
    found = current(study).filter(judged_value__isnull=False).order_by("pull__month")
    for test_id, month, value in found.values_list("test", "pull__month", "judged_value"):
        if value is not None:
            values.setdefault(test_id, []).append((month, value))
    tests = study.specification.tests.filter(kind=TestKind.NUMERIC).order_by("tag", "point")
    return [_trend(test, values[test.pk]) for test in tests if test.pk in values]


def _trend(test: SpecificationTest, points: list[tuple[int, Decimal]]) -> Trend:
    line = regression.fit(points)
    if line is None or (test.low is None and test.high is None):
        return Trend(test, points, line, None)
    last = max(month for month, _ in points)
    months = regression.months_within(line, low=test.low, high=test.high, last=last)
    return Trend(test, points, line, months)


def _demand_next(pull: StabilityPull, test: SpecificationTest, version: int) -> None:
    last = StabilityResult.objects.filter(pull=pull, test=test).order_by("-version").first()
    expected = last.version + 1 if last else 1
    if version != expected:
        raise ResultReported(f"{test.tag} of {pull}: the next version is {expected}")
    standing = OosInvestigation.objects.filter(
        stability_result__pull=pull, stability_result__test=test
    ).exclude(state="closed", conclusion="invalidated")
    if oos := standing.first():
        raise oos_opening.OosStands(f"{oos} stands for {test.tag} of {pull}")


@signing.signable(StabilityResult, meanings=[Meaning.REVIEWED])
def content(result: StabilityResult) -> Mapping[str, canonical.Value]:
    """What a signature under a stability result covers."""
    return {
        "pull": str(result.pull),
        "test": str(result.test),
        "version": result.version,
        "value": result.value_text,
        "judgement": result.judgement,
        "reason": result.reason,
        "entered_by": result.entered_by.username,
        "tested_at": result.tested_at.isoformat(),
    }
