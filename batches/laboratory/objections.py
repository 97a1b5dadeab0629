"""What the laboratory objects to a release (21 CFR 211.165, 211.192, 211.194).

All of it concerns batches that a specification governs; a batch of a product without one is
judged by the limits of its recipe, as disposition does.
"""

from batches.execution import blockers
from batches.execution.models import Batch
from batches.laboratory import governing, oos, orphans
from batches.laboratory.models import (
    OosInvestigation,
    OosState,
    Result,
    RunState,
    Sample,
    SampleState,
    SpecificationTest,
    TestDecisionKind,
)


@blockers.register("oos-open", clause="21 CFR 211.192")
def still_open(batch: Batch) -> list[str]:
    return [
        f"{one} is open: {one.test.tag} {one.value_text} outside {one.limits_text}"
        for one in oos.open_of(batch).select_related("test").order_by("number")
    ]


@blockers.register("spec-not-met", clause="21 CFR 211.165(f)")
def confirmed(batch: Batch) -> list[str]:
    """A batch that fails its specification is rejected; an inconclusive OOS is a failure too."""
    found: list[OosInvestigation] = list(
        oos.standing(batch).filter(state=OosState.CLOSED).select_related("test").order_by("number")
    )
    return [
        f"{one}: {one.test.tag} {one.value_text} is outside {one.limits_text} "
        f"({one.get_conclusion_display().lower()})"
        for one in found
    ]


@blockers.register("spec-test-missing", clause="21 CFR 211.165(a)")
def missing_tests(batch: Batch) -> list[str]:
    version = governing.version_of(batch)
    if version is None:
        return []
    tested = set(
        Result.objects.standing().filter(sample__batch=batch).values_list("test", flat=True)
    )
    decided = governing.decided(batch)
    found = []
    for test in version.tests.order_by("tag", "point"):
        kind = decided[test.pk].kind if test.pk in decided else ""
        if kind == TestDecisionKind.HOLD:
            found.append(f"{_named(test)} is on hold: {decided[test.pk].reason}")
        elif test.is_mandatory and kind != TestDecisionKind.SKIP and test.pk not in tested:
            found.append(f"{_named(test)} of {version} has no result that stands")
    return found


@blockers.register("sampling-plan", clause="21 CFR 211.165(c)")
def sampling_plan(batch: Batch) -> list[str]:
    version = governing.version_of(batch)
    if version is None:
        return []
    taken: dict[str, int] = {}
    counted = Sample.objects.filter(batch=batch, parent=None)
    for point in counted.exclude(standing__state=SampleState.CANCELLED).values_list(
        "point", flat=True
    ):
        taken[point] = taken.get(point, 0) + 1
    return [
        f"{one.point}: {one.samples} samples are planned, {taken.get(one.point, 0)} taken"
        for one in version.plan.order_by("point")
        if taken.get(one.point, 0) < one.samples
    ]


@blockers.register("result-unreviewed", clause="21 CFR 211.194(a)(8)")
def unreviewed(batch: Batch) -> list[str]:
    if governing.version_of(batch) is None:
        return []
    found = Result.objects.unreviewed().filter(sample__batch=batch, test__isnull=False)
    return [
        f"{one.tag} of sample {one.sample.number} is not reviewed by a second person"
        for one in found.select_related("sample").order_by("sample__number", "tag")
    ]


@blockers.register("run-unreviewed", clause="21 CFR 211.194(a)(8)")
def unreviewed_runs(batch: Batch) -> list[str]:
    return [
        f"{run} is {run.get_state_display().lower()}, not reviewed with its audit trail"
        for run in orphans.runs_of(batch)
        if run.state != RunState.REVIEWED
    ]


@blockers.register("orphan-data", clause="21 CFR 211.194(a)(4)")
def orphan_data(batch: Batch) -> list[str]:
    return [
        f"{run}: {one.name} is on no record and not explained"
        for run, one in orphans.of_batch(batch)
        if not one.explanation
    ]


def _named(test: SpecificationTest) -> str:
    return f"{test.tag} at {test.point}" if test.point else test.tag
