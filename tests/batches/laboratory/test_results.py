"""Results are judged as they are entered, never overwritten, and reviewed by a second person."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from batches.execution.models import Batch
from batches.laboratory import results, reviews, runs, states, test_decisions
from batches.laboratory.models import (
    InjectionKind,
    Judgement,
    OosInvestigation,
    Result,
    ResultState,
    SpecificationTest,
    TestDecisionKind,
)
from batches.laboratory.results import Measured
from batches.laboratory.runs import ReviewerIsAnalyst
from compliance.access.authority import NotPermitted
from compliance.access.duties import Role
from compliance.access.models import DeviceKind, User
from compliance.signatures import signing
from tests import factories
from tests.batches.laboratory.conftest import Refuses
from tests.factories import NOON, SPECIFIED

pytestmark = pytest.mark.django_db
TRIPLE = [replace(SPECIFIED[0], replicates=3)]


def _report(
    values: Sequence[str], *, tests: Sequence[object] = TRIPLE, actor: User | None = None
) -> Result:
    batch = factories.specified_batch(tests)  # type: ignore[arg-type]
    return results.report(
        factories.sample(batch), tag="mab_g_l", unit="g/L", reported_at=NOON, message_id="1",
        actor=actor or factories.person(Role.QC_ANALYST), at=NOON,
        replicates=[Measured(value) for value in values],
    )  # fmt: skip


def test_a_batch_without_a_specification_keeps_the_limits_of_its_recipe() -> None:
    found = factories.result(factories.sample(factories.running_batch()), value="1.00")

    assert (found.judgement, found.test) == (Judgement.NONE, None)
    assert not OosInvestigation.objects.exists()


@pytest.mark.requirement("FDA-OOS", "CH5/6")
def test_an_oos_opens_its_investigation_in_the_same_act() -> None:
    found = factories.result(factories.sample(factories.specified_batch()), value="2.49")

    assert found.judgement == Judgement.OOS
    assert found.oos.limits_text == "2.50 to 3.50 g/L"
    assert found.oos.state == "phase-one"


def test_a_value_is_rounded_as_declared_before_it_is_compared() -> None:
    sample = factories.sample(factories.specified_batch())

    assert factories.result(sample, value="2.495").judgement == Judgement.CONFORMS
    other = factories.sample(factories.specified_batch())
    assert factories.result(other, value="2.4949").judgement == Judgement.OOS


def test_an_attribute_conforms_or_is_oos() -> None:
    sample = factories.sample(factories.specified_batch())
    said = factories.result(sample, tag="appearance", value="clear, colourless", unit="")

    assert said.judgement == Judgement.CONFORMS
    other = factories.sample(factories.specified_batch())
    cloudy = factories.result(other, tag="appearance", value="cloudy", unit="")
    assert cloudy.judgement == Judgement.OOS


def test_a_result_is_calculated_from_its_replicates() -> None:
    found = _report(["2.61", "2.62", "2.64"])

    assert found.value_text == "2.62"
    assert list(found.replicates.order_by("number").values_list("value_text", flat=True)) == [
        "2.61", "2.62", "2.64",
    ]  # fmt: skip


@pytest.mark.requirement("FDA-OOS")
def test_a_mean_within_limits_does_not_hide_a_replicate_outside() -> None:
    found = _report(["2.40", "2.80", "2.80"])

    assert found.value_text == "2.67"
    assert found.judgement == Judgement.OOS


def test_where_only_the_mean_is_specified_a_replicate_may_be_outside() -> None:
    found = _report(["2.40", "2.80", "2.80"], tests=[replace(TRIPLE[0], is_each_judged=False)])

    assert found.judgement == Judgement.CONFORMS


@pytest.mark.parametrize("values", [["2.6"], ["2.6", "2.6"], ["2.6"] * 4, []])
def test_a_person_gives_as_many_determinations_as_declared(values: list[str]) -> None:
    with pytest.raises(results.ReplicatesIncomplete):
        _report(values)


@pytest.mark.requirement("CH5/6")
def test_a_result_outside_the_alert_limits_is_out_of_trend() -> None:
    found = factories.result(factories.sample(factories.specified_batch()), value="2.55")

    assert (found.judgement, found.trend) == (
        Judgement.CONFORMS,
        "outside the alert limits 2.6 to none",
    )


@pytest.mark.requirement("CH5/6")
def test_a_result_far_from_those_of_earlier_batches_is_out_of_trend() -> None:
    recipe = factories.recipe()
    factories.specification(recipe.product)
    for number, value in enumerate(["2.98", "3.02"] * 4):
        at = NOON + timedelta(hours=number + 1)
        factories.result(factories.sample(factories.running_batch(recipe, at=at), at=at),
                         value=value, at=at)  # fmt: skip
    at = NOON + timedelta(days=1)
    sample = factories.sample(factories.running_batch(recipe, at=at), at=at)

    found = factories.result(sample, value="3.07", at=at)

    assert found.judgement == Judgement.CONFORMS
    assert "of 8 earlier batches" in found.trend


def in_force(batch: Batch) -> SpecificationTest:
    """Return the test of the specification in force, which samples of the batch are judged by."""
    (specification,) = batch.recipe.product.specifications.all()
    return specification.versions.latest("version").tests.get(tag="mab_g_l")


def test_a_test_on_hold_takes_no_result() -> None:
    batch = factories.specified_batch()
    sample = factories.sample(batch)
    test = in_force(batch)
    quality = factories.person(Role.QUALITY_ASSURANCE)
    test_decisions.decide(
        batch, test=test, kind=TestDecisionKind.HOLD, confirmed=factories.confirmed(quality),
        reason="the column is being replaced",
    )  # fmt: skip

    with pytest.raises(results.TestOnHold):
        factories.result(sample)

    test_decisions.decide(
        batch, test=test, kind=TestDecisionKind.RESUME, confirmed=factories.confirmed(quality),
        reason="the new column is qualified",
    )  # fmt: skip
    assert factories.result(sample).judgement == Judgement.CONFORMS


@pytest.mark.requirement("211-194")
def test_a_result_of_a_run_needs_its_system_suitability() -> None:
    analyst = factories.person(Role.QC_ANALYST)
    sample = factories.sample(factories.specified_batch())
    run = factories.run(by=analyst)
    said = {
        "tag": "mab_g_l", "unit": "g/L", "reported_at": NOON, "message_id": "1", "actor": analyst,
        "at": NOON, "value_text": "3.00",
    }  # fmt: skip

    with pytest.raises(results.SuitabilityNotPassed):
        results.report(sample, run=run, **said)  # type: ignore[arg-type]

    run = factories.suitable_run(run)
    assert results.report(sample, run=run, **said).run == run  # type: ignore[arg-type]


def test_a_determination_is_from_a_completed_injection_of_its_sample() -> None:
    analyst = factories.person(Role.QC_ANALYST)
    sample = factories.sample(factories.specified_batch())
    run = factories.suitable_run(factories.run(by=analyst))
    of_standard = factories.injection(run, 2, InjectionKind.STANDARD)
    of_sample = factories.injection(run, 3, InjectionKind.SAMPLE, sample=sample)

    with pytest.raises(results.ResultInvalid):
        results.report(
            sample, tag="mab_g_l", unit="g/L", reported_at=NOON, message_id="1", actor=analyst,
            at=NOON, run=run, replicates=[Measured("3.00", of_standard)],
        )  # fmt: skip
    found = results.report(
        sample, tag="mab_g_l", unit="g/L", reported_at=NOON, message_id="1", actor=analyst,
        at=NOON, run=run, replicates=[Measured("3.00", of_sample)],
    )  # fmt: skip
    assert found.replicates.get().injection == of_sample


def test_an_injection_is_named_with_its_run_and_counts_once(database_refuses: Refuses) -> None:
    """Without its run nobody asks whether it is of this sample, completed, and of a suitable run."""
    analyst = factories.person(Role.QC_ANALYST)
    test = replace(factories.SPECIFIED[0], replicates=2)
    batch = factories.specified_batch([test])
    sample, other = factories.sample(batch), factories.sample(batch)
    run = factories.run(by=analyst)
    of_other = factories.injection(run, 2, InjectionKind.SAMPLE, sample=other)
    said = {
        "tag": "mab_g_l", "unit": "g/L", "reported_at": NOON, "message_id": "1", "actor": analyst,
        "at": NOON,
    }  # fmt: skip
    twice = [Measured("3.00", of_other), Measured("3.02", of_other)]

    with pytest.raises(results.ResultInvalid, match="names their run"):
        results.report(sample, replicates=twice, **said)  # type: ignore[arg-type]
    run = factories.suitable_run(run)
    with pytest.raises(results.ResultInvalid, match="injection of its own"):
        results.report(other, run=run, replicates=twice, **said)  # type: ignore[arg-type]

    found = factories.result(sample)
    database_refuses(
        "INSERT INTO laboratory_replicate (result_id, number, value_text, value, injection_id) "
        "VALUES (%s, 1, '3.00', 3, %s)", found.pk, of_other.pk,
        saying="a completed injection of its sample in its run",
    )  # fmt: skip


@pytest.mark.parametrize("written", ["{0} ", "  {0}", "{1}", "\u00a0{1}", "Ａda {0}"])
def test_an_analyst_whom_the_lims_names_a_little_otherwise_does_not_review(written: str) -> None:
    reviewer = factories.person(Role.QC_SUPERVISOR)
    name = written.format(reviewer.username.upper(), reviewer.full_name.replace(" ", "  "))
    sample = factories.sample(factories.specified_batch())
    found = results.report(
        sample, tag="mab_g_l", unit="g/L", reported_at=NOON, message_id="1",
        actor=factories.device(DeviceKind.LIMS), at=NOON, value_text="3.00", analyst=name,
    )  # fmt: skip

    if name.startswith("Ａda"):  # another name is another person
        assert reviews.review(found, confirmed=factories.confirmed(reviewer)).pk
    else:
        with pytest.raises(ReviewerIsAnalyst):
            reviews.review(found, confirmed=factories.confirmed(reviewer))


@pytest.mark.requirement("211-194")
def test_a_second_person_reviews_a_result_by_signature() -> None:
    found = factories.result(factories.sample(factories.specified_batch()))

    review = factories.reviewed(found)

    assert results.state_of(found) == ResultState.REVIEWED
    assert signing.is_current(review.signature, found)


@pytest.mark.requirement("211-194", "P11-g1")
def test_its_analyst_does_not_review_a_result() -> None:
    analyst = factories.person(Role.QC_SUPERVISOR)
    found = _report(["2.61", "2.62", "2.64"], actor=analyst)

    with pytest.raises(runs.ReviewerIsAnalyst):
        reviews.review(found, confirmed=factories.confirmed(analyst))


def test_the_analyst_that_a_lims_names_does_not_review_the_result() -> None:
    supervisor = factories.person(Role.QC_SUPERVISOR)
    sample = factories.sample(factories.specified_batch())
    found = results.report(
        sample, tag="mab_g_l", unit="g/L", value_text="3.00", reported_at=NOON, message_id="1",
        actor=factories.device(), at=NOON, analyst=supervisor.full_name.upper(),
    )  # fmt: skip

    with pytest.raises(runs.ReviewerIsAnalyst):
        reviews.review(found, confirmed=factories.confirmed(supervisor))


def test_an_analyst_may_not_review() -> None:
    found = factories.result(factories.sample(factories.specified_batch()))

    with pytest.raises(NotPermitted):
        reviews.review(found, confirmed=factories.confirmed(factories.person(Role.QC_ANALYST)))


def test_a_correction_is_a_new_version_that_is_reviewed_again() -> None:
    sample = factories.sample(factories.specified_batch())
    first = factories.result(sample, value="3.00")
    factories.reviewed(first)

    second = factories.result(sample, value="3.01", version=2, reason="transcription of the LIMS")

    assert results.state_of(first) == ResultState.CORRECTED
    assert results.state_of(second) == ResultState.ENTERED
    with pytest.raises(states.ResultStateForbids):
        factories.reviewed(first)
    assert Result.objects.filter(sample=sample).count() == 2


@pytest.mark.requirement("CH5/6")
def test_an_out_of_trend_result_is_reviewed_with_a_comment() -> None:
    found = factories.result(factories.sample(factories.specified_batch()), value="2.55")

    with pytest.raises(reviews.TrendUnexplained):
        factories.reviewed(found)
    factories.reviewed(found, comment="Same lot of resin as the batch before; see its trend.")


# --- What the database refuses


INSERT = (
    "INSERT INTO laboratory_result (sample_id, tag, version, value_text, value, unit, analyst, "
    "reported_at, recorded_at, reason, message_id, test_id, judged_value, judgement, trend, run_id)"
    " VALUES (%s, 'mab_g_l', 1, %s, %s, 'g/L', 'x', now(), now(), '', 'raw', %s, %s, %s, '', %s)"
)


@pytest.mark.requirement("FDA-OOS")
@pytest.mark.parametrize(
    ("judged", "judgement", "is_tested", "saying"),
    [
        ("2.10", "conforms", True, "outside its limits is out of specification"),
        ("2.50", "conforms", True, "not the reported one, rounded as declared"),
        (None, "", False, "judged by another test"),
        ("2.10", "oos", True, "has its investigation in the same act"),
    ],
)
def test_the_database_lets_no_oos_pass_unjudged_or_uninvestigated(
    judged: str | None, judgement: str, is_tested: bool, saying: str, database_refuses: Refuses
) -> None:
    batch = factories.specified_batch()
    sample = factories.sample(batch)
    test = in_force(batch)
    values = [sample.pk, "2.10", "2.10", test.pk if is_tested else None, judged, judgement, None]

    database_refuses(INSERT, *values, saying=saying)


def test_the_database_takes_no_result_of_an_unsuitable_run(database_refuses: Refuses) -> None:
    batch = factories.specified_batch()
    sample = factories.sample(batch)
    test = in_force(batch)

    database_refuses(
        INSERT, sample.pk, "3", "3", test.pk, "3", "conforms", factories.run().pk,
        saying="system suitability passes before",
    )  # fmt: skip


def test_the_database_takes_no_replicate_that_the_mean_would_hide(
    database_refuses: Refuses,
) -> None:
    found = factories.result(factories.sample(factories.specified_batch()))

    database_refuses(
        "INSERT INTO laboratory_replicate (result_id, number, value_text, value) "
        "VALUES (%s, 1, '2.1', 2.1)",
        found.pk,
        saying="a mean does not hide",
    )


@pytest.mark.requirement("211-194")
def test_the_database_takes_no_review_by_the_analyst_or_without_signature(
    database_refuses: Refuses,
) -> None:
    analyst = factories.person(Role.QC_SUPERVISOR)
    found = _report(["2.61", "2.62", "2.64"], actor=analyst)
    signature = signing.sign(
        found, meaning=signing.Meaning.REVIEWED, confirmed=factories.confirmed(analyst)
    )
    insert = (
        "INSERT INTO laboratory_resultreview (result_id, reviewer_id, signature_id, comment, "
        "reviewed_at) VALUES (%s, %s, %s, '', now())"
    )
    other = factories.person(Role.QC_SUPERVISOR)

    database_refuses(insert, found.pk, analyst.pk, signature.pk, saying="a second person reviews")
    database_refuses(insert, found.pk, other.pk, signature.pk, saying="not that of the reviewer")


def test_the_database_invalidates_no_result_without_an_investigation(
    database_refuses: Refuses,
) -> None:
    oos = factories.oos_investigation()

    database_refuses(
        "INSERT INTO laboratory_resultinvalidation (result_id, oos_id, invalidated_at) "
        "VALUES (%s, %s, now())",
        oos.result_id,
        oos.pk,
        saying="only a closed investigation with a cause",
    )


def test_decimals_of_limits_are_shown_as_declared() -> None:
    found = factories.result(factories.sample(factories.specified_batch()))

    assert found.test is not None
    assert found.test.limits_text == "2.50 to 3.50 g/L"
    assert found.judged_value == Decimal("3.10")
