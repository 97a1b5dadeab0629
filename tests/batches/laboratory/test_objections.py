"""What the laboratory objects to a release, and that nothing is left when all is done."""

import pytest

from batches.execution import blockers
from batches.execution.models import Batch
from batches.laboratory import custody, oos, oos_conclusions, orphans, runs, samples
from batches.laboratory import results as result_reports
from batches.laboratory.models import Conclusion, CustodyKind, InjectionKind
from batches.laboratory.results import Measured
from batches.laboratory.specifications import PointDraft
from compliance.access.duties import Role
from tests import factories
from tests.factories import CAUSE, NOON

pytestmark = pytest.mark.django_db
LABORATORY = {
    "oos-open", "spec-not-met", "spec-test-missing", "sampling-plan", "result-unreviewed",
    "run-unreviewed", "orphan-data",
}  # fmt: skip


def _names(batch: Batch) -> set[str]:
    return {one.name for one in blockers.of(batch)} & LABORATORY


def test_nothing_is_objected_to_a_batch_without_a_specification() -> None:
    assert _names(factories.completed_batch()) == set()


@pytest.mark.requirement("211-160/165/166/198", "211-194")
def test_a_missing_mandatory_test_and_then_a_missing_review_block() -> None:
    batch = factories.specified_batch()
    assert _names(batch) == {"spec-test-missing"}

    found = factories.result(factories.sample(batch))
    assert _names(batch) == {"result-unreviewed"}

    factories.reviewed(found)
    assert _names(batch) == set()


@pytest.mark.requirement("FDA-OOS", "211-160/165/166/198")
def test_an_oos_blocks_while_it_is_open_and_for_good_when_it_is_confirmed() -> None:
    batch = factories.specified_batch()
    investigator = factories.person(Role.QC_SUPERVISOR)
    made = factories.oos_investigation(about=batch)
    assert made.result is not None
    factories.reviewed(made.result)
    assert _names(batch) == {"oos-open"}

    factories.investigated_oos(made, by=investigator, cause=CAUSE)
    oos_conclusions.conclude(
        made, conclusion=Conclusion.CONFIRMED, text="The cause does not explain all of it.",
        confirmed=factories.confirmed(investigator),
    )  # fmt: skip
    quality = factories.person(Role.QUALITY_ASSURANCE)
    oos.link_deviation(
        made, deviation=factories.deviation(batch), actor=quality, at=NOON,
        reason="the cause is sought in production",
    )  # fmt: skip
    oos_conclusions.close(made, confirmed=factories.confirmed(quality), reason="agreed with it")

    assert _names(batch) == {"spec-not-met"}


@pytest.mark.requirement("FDA-OOS")
def test_an_invalidated_result_leaves_its_test_missing_until_it_is_replaced() -> None:
    batch = factories.specified_batch()
    investigator = factories.person(Role.QC_SUPERVISOR)
    made = factories.investigated_oos(
        factories.oos_investigation(about=batch), by=investigator, cause=CAUSE
    )
    oos_conclusions.conclude(
        made, conclusion=Conclusion.INVALIDATED, text="The dilution was wrong, as the log shows.",
        confirmed=factories.confirmed(investigator),
    )  # fmt: skip
    quality = factories.person(Role.QUALITY_ASSURANCE)
    oos_conclusions.close(made, confirmed=factories.confirmed(quality), reason="agreed with it")
    assert _names(batch) == {"spec-test-missing"}
    assert made.result is not None

    second = factories.result(
        made.result.sample, version=2, reason="new preparation, as the investigation says"
    )
    factories.reviewed(second)

    assert _names(batch) == set()


@pytest.mark.requirement("211-194")
def test_an_unreviewed_run_and_its_orphans_block() -> None:
    batch = factories.specified_batch()
    sample = factories.sample(batch)
    run = factories.suitable_run(factories.run(planned=3))
    injection = factories.injection(run, 2, InjectionKind.SAMPLE, sample=sample)
    found = result_reports.report(
        sample, tag="mab_g_l", unit="g/L", reported_at=NOON, message_id="1", actor=run.analyst,
        at=NOON, run=run, replicates=[Measured("3.00", injection)],
    )  # fmt: skip
    runs.complete(run, ended_at=NOON, actor=run.analyst, at=NOON)
    assert _names(batch) == {"run-unreviewed", "orphan-data", "result-unreviewed"}
    assert orphans.of_batch(batch) == [(run, orphans.Orphan("injection 3"))]

    runs.explain(
        run, orphan="injection 3", text="the third vial was not filled, see the log",
        actor=run.analyst, at=NOON,
    )  # fmt: skip
    factories.reviewed_run(runs.take_unlocked(run, runs.RunStep.REVIEW))
    factories.reviewed(found)

    assert _names(batch) == set()


@pytest.mark.requirement("211-160/165/166/198")
def test_a_batch_has_the_samples_of_its_plan() -> None:
    batch = factories.specified_batch(plan=[PointDraft("Harvest", 2, "3 x 10 mL")])
    lims = factories.device()
    first, second = (
        samples.take(batch, number=str(one), point="Harvest", taken_at=NOON, actor=lims, at=NOON)
        for one in (1, 2)
    )
    assert "sampling-plan" not in _names(batch)
    assert first != second

    custody.move(
        second, kind=CustodyKind.CANCELLED, happened_at=NOON, at=NOON,
        actor=factories.person(Role.QC_ANALYST), reason="the bottle broke on its way",
    )  # fmt: skip

    assert "sampling-plan" in _names(batch)
