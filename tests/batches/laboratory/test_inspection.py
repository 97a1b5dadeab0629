"""The simulated inspector reads reviews and sequences of the laboratory."""

from datetime import timedelta

import pytest

from batches.execution.models import Batch
from batches.laboratory import runs
from batches.laboratory.models import InjectionKind
from compliance.inspection import engine, snapshots
from compliance.inspection.models import Profile, Verdict
from tests import factories
from tests.factories import NOON

pytestmark = pytest.mark.django_db


def _result(batch: Batch, check_id: str) -> engine.Result:
    snapshot = snapshots.take(scope=[batch.number], as_of=NOON + timedelta(days=2))
    assessment = engine.assess(snapshot, profile=Profile.FDA, repeats={})
    return next(one for one in assessment.results if one.check_id == check_id)


@pytest.mark.requirement("211-194")
def test_a_gap_in_a_sequence_is_a_finding_until_it_is_explained() -> None:
    batch = factories.specified_batch()
    run = factories.run(planned=3)
    factories.injection(run, 1)
    factories.injection(run, 3, InjectionKind.SAMPLE, sample=factories.sample(batch))
    runs.complete(run, ended_at=NOON, actor=run.analyst, at=NOON)
    found = _result(batch, "LB-09")
    assert found.verdict == Verdict.FINDING
    assert "injection 2" in str(vars(found))

    for orphan in ("injection 2", "result of injection 3"):
        runs.explain(
            run, orphan=orphan, text="the sampler skipped a vial, see its log",
            actor=run.analyst, at=NOON,
        )  # fmt: skip

    assert _result(batch, "LB-09").verdict == Verdict.CLEAN


def test_reviewed_results_are_seen_and_those_of_a_system_are_asked_for_there() -> None:
    governed = factories.specified_batch()
    factories.reviewed(factories.result(factories.sample(governed)))

    assert _result(governed, "LB-06").verdict == Verdict.CLEAN
    assert _result(factories.completed_batch(), "LB-06").verdict == Verdict.NOT_ASSESSABLE
