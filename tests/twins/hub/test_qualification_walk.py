"""A version is qualified against criteria signed before, on data it has not seen, by other people."""

import random

import pytest
from django.db import DatabaseError, connection, transaction

from compliance.signatures import signing, verdicts
from compliance.trail import recording
from compliance.trail.models import Refusal
from tests import factories
from tests.factories import NOON, TEST
from tests.twins.hub.conftest import Walk, labelled, rows_of
from twins.hub import custody, dossiers, life, protocols, runs, sealed_sets
from twins.hub.actions import Action
from twins.hub.models import (
    CustodyLook,
    Qualification,
    QualificationState,
    RunOutcome,
    TestRun,
    VersionState,
)
from twins.models.qualification.criteria import Comparison, Criterion
from twins.models.qualification.scoring import Answer

pytestmark = pytest.mark.django_db
WHY = "its test has passed"


def _approved(walk: Walk) -> Qualification:
    walk.prepare()
    return walk.approve(walk.draft(walk.seal()))


@pytest.mark.requirement("A22-2", "A22-4", "A22-6", "A22-7")
def test_a_good_model_is_qualified_and_retired_by_signature(walk: Walk) -> None:
    qualification = _approved(walk)
    run = walk.run(qualification)

    qualified = life.qualify(
        walk.version, confirmed=factories.confirmed(walk.quality, at=walk.now()), reason=WHY
    )

    assert run.outcome == RunOutcome.PASSED
    assert run.scores[0]["population"] == "all"
    assert run.scores[0]["metrics"]["sensitivity"]["value"] == "1.0"
    assert run.look.number == 1
    assert not run.is_second_look
    assert qualification.approved_at is not None
    assert qualification.approved_at < run.look.looked_at
    assert qualified.state == VersionState.QUALIFIED
    for record in (qualified, run, qualification, qualification.test_set):
        assert all(verdict.is_valid for verdict in verdicts.of_record(record))
    assert [one.meaning for one in signing.of(qualified)] == ["authored", "approved"]
    retired = life.retire(
        walk.version,
        confirmed=factories.confirmed(walk.quality, at=walk.now()),
        reason="its successor is qualified",
    )
    assert retired.state == VersionState.RETIRED


@pytest.mark.requirement("A22-4", "A22-7")
def test_a_model_whose_answers_are_shuffled_is_refused_for_lack_of_skill(walk: Walk) -> None:
    qualification = _approved(walk)
    answers = walk.answers
    said = list(answers.values())
    random.Random(7).shuffle(said)

    run = walk.run(qualification, dict(zip(answers, said, strict=True)))

    assert run.outcome == RunOutcome.WITHOUT_SKILL
    assert run.deviation is not None
    assert run.deviation.concerns == f"model {walk.version}"
    with pytest.raises(life.ModelWithoutSkill) as refused:
        life.qualify(
            walk.version, confirmed=factories.confirmed(walk.quality, at=walk.now()), reason=WHY
        )
    assert refused.value.code == "model-without-skill"


@pytest.mark.requirement("A22-7")
def test_a_criterion_that_is_not_met_opens_a_deviation_on_the_model(walk: Walk) -> None:
    walk.prepare()
    strict = Criterion("lead_time_h", Comparison.AT_LEAST, 24.0)
    skill = Criterion("skill", Comparison.ABOVE, 0.0)
    qualification = walk.approve(walk.draft(walk.seal(), strict, skill))

    run = walk.run(qualification)

    qualification.refresh_from_db()
    assert (run.outcome, qualification.state) == (RunOutcome.FAILED, QualificationState.FAILED)
    assert [one["is_met"] for one in run.verdicts] == [False, True]
    assert run.deviation is not None
    assert "lead_time_h of all at least 24: it was 18" in run.deviation.description
    with pytest.raises(life.CriteriaNotMet):
        life.qualify(
            walk.version, confirmed=factories.confirmed(walk.quality, at=walk.now()), reason=WHY
        )


@pytest.mark.requirement("A22-6")
def test_a_training_batch_in_the_test_set_is_caught_whatever_it_is_called(walk: Walk) -> None:
    smuggled = [{**row, "batch_id": "NEW", "hour": f"{row['hour']}.0"} for row in rows_of(104)]
    walk.prepare([rows_of(1), smuggled[::-1]])
    test_set = walk.seal()

    with pytest.raises(custody.TestSetNotIndependent, match="B-104"):
        walk.draft(test_set)

    kept = Refusal.objects.using("outside").get(code="test-set-not-independent")
    assert kept.subject == test_set.number
    assert not CustodyLook.objects.exists()


@pytest.mark.requirement("A22-6")
def test_a_second_look_is_allowed_and_stays_on_record(walk: Walk) -> None:
    first = _approved(walk)
    walk.run(first, {batch: Answer(5.0) for batch in walk.answers})
    second = walk.approve(walk.draft(first.test_set))

    run = walk.run(second)

    assert run.is_second_look
    looks = first.test_set.looks.order_by("number")
    assert [(one.number, one.qualification_id) for one in looks] == [
        (1, first.pk),
        (2, second.pk),
    ]


@pytest.mark.requirement("A22-4")
def test_nothing_is_opened_before_the_criteria_are_signed(walk: Walk) -> None:
    walk.prepare()
    qualification = walk.draft(walk.seal())

    with pytest.raises(custody.CriteriaNotSigned):
        walk.run(qualification)

    assert not CustodyLook.objects.exists()


@pytest.mark.requirement("A22-6")
def test_whoever_trained_does_not_open_the_test_set_and_the_attempt_is_kept(walk: Walk) -> None:
    qualification = _approved(walk)

    with pytest.raises(custody.TrainerMayNotLook):
        walk.run(qualification, by=walk.trainer)

    kept = Refusal.objects.using("outside").get(code="trainer-may-not-look")
    assert kept.actor == walk.trainer.username


def test_the_author_of_a_protocol_does_not_approve_it(walk: Walk) -> None:
    walk.prepare()
    qualification = walk.draft(walk.seal())
    with recording.recording(
        Action.QUALIFICATION_APPROVED, actor=TEST, at=NOON, reason="the approver is the author"
    ):
        with pytest.raises(DatabaseError), transaction.atomic():
            qualification.approver = walk.engineer
            qualification.save()
    walk.quality = walk.engineer

    with pytest.raises(Exception, match="may not approve model"):
        walk.approve(qualification)


def test_a_version_that_was_not_tested_is_not_qualified(walk: Walk) -> None:
    walk.prepare()

    with pytest.raises(life.NotTested):
        life.qualify(
            walk.version, confirmed=factories.confirmed(walk.quality, at=walk.now()), reason=WHY
        )


@pytest.mark.requirement("A22-5")
def test_a_batch_left_out_without_a_reason_is_refused(walk: Walk) -> None:
    with pytest.raises(sealed_sets.TestSetInvalid, match="without a reason"):
        sealed_sets.seal(
            name="spring", batches=walk.batches, provenance="All batches of the campaign.",
            label_provenance="Two investigators on their own.", is_generated=False,
            exclusions=[("B-1", " ")], confirmed=factories.confirmed(walk.keeper),
        )  # fmt: skip


@pytest.mark.requirement("A22-5")
def test_a_test_set_says_what_it_covers(walk: Walk) -> None:
    test_set = walk.seal()

    assert test_set.coverage == [["site A", 20, 10], ["site B", 20, 10]]
    assert test_set.exclusions == [["B-99", "the probe was being repaired"]]


def test_the_same_batch_twice_is_no_test_set(walk: Walk) -> None:
    walk.batches = [labelled(100), labelled(100)]

    with pytest.raises(sealed_sets.TestSetInvalid, match="same content"):
        walk.seal()


def test_other_labels_than_the_sealed_ones_are_refused(walk: Walk) -> None:
    qualification = _approved(walk)
    labels = walk.labels
    first, second, *_ = labels
    labels[first], labels[second] = labels[second], labels[first]

    with pytest.raises(runs.LabelsNotSealed):
        runs.run(
            qualification, labels=labels, answers=walk.answers, why="the test of the protocol",
            confirmed=factories.confirmed(walk.keeper, at=walk.now()),
        )  # fmt: skip
    assert not CustodyLook.objects.exists()


def test_a_batch_without_an_answer_is_refused(walk: Walk) -> None:
    answers = walk.answers
    answers.popitem()

    with pytest.raises(runs.AnswersRefused, match="1 batches have no answer"):
        walk.run(_approved(walk), answers)


@pytest.mark.requirement("A22-2")
@pytest.mark.parametrize(
    ("field", "value"),
    [("subgroups", []), ("limits", "none"), ("training", ""), ("trainers", [])],
)
def test_a_dossier_with_a_gap_is_refused(walk: Walk, field: str, value: object) -> None:
    told = {
        "subgroups": ["all"], "limits": "It sees temperature only.", "trainers": [walk.trainer],
        "training": "Twenty batches of spring.", "batches": [dossiers.BatchRows("T", rows_of(1))],
    }  # fmt: skip

    with pytest.raises(dossiers.DossierIncomplete):
        dossiers.prepare(
            walk.version, **(told | {field: value}), confirmed=factories.confirmed(walk.engineer)
        )


def test_a_protocol_without_a_criterion_on_skill_is_refused(walk: Walk) -> None:
    walk.prepare()

    with pytest.raises(protocols.ProtocolInvalid, match="skill"):
        walk.draft(walk.seal(), Criterion("sensitivity", Comparison.AT_LEAST, 0.5))


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE hub_custodylook SET why = 'nothing'",
        "DELETE FROM hub_custodylook",
        "UPDATE hub_testrun SET outcome = 'passed'",
        "UPDATE hub_sealedbatch SET content_digest = repeat('0', 64)",
        "UPDATE hub_trainingbatch SET content_digest = repeat('0', 64)",
        "UPDATE hub_criterion SET threshold = '0.0'",
        "UPDATE hub_qualification SET miss_contract = '0.9'",
        "UPDATE hub_qualification SET state = 'draft'",
        "UPDATE hub_modelversion SET intended_use = 'release of batches'",
        "UPDATE hub_modelversion SET state = 'retired', qualified_at = now(), retired_at = now()",
        "INSERT INTO hub_trainer (dossier_id, person_id) "
        "SELECT d.id, d.prepared_by_id FROM hub_modeldossier d",
        "INSERT INTO hub_criterion (qualification_id, metric, comparison, threshold, population) "
        "SELECT id, 'skill', 'above', '0.0', 'all' FROM hub_qualification",
        "INSERT INTO hub_sealedbatch (test_set_id, label, content_digest, subgroup, rows) "
        "SELECT id, 'x', repeat('1', 64), 'x', 1 FROM hub_sealedtestset",
        "INSERT INTO hub_custodylook (test_set_id, number, qualification_id, looked_by_id, "
        "looked_at, why) SELECT test_set_id, 7, id, author_id, now(), 'by hand' "
        "FROM hub_qualification",
        "INSERT INTO hub_custodylook (test_set_id, number, qualification_id, looked_by_id, "
        "looked_at, why) SELECT q.test_set_id, 2, q.id, t.person_id, now(), 'by hand' "
        "FROM hub_qualification q CROSS JOIN hub_trainer t",
        "INSERT INTO hub_custodylook (test_set_id, number, qualification_id, looked_by_id, "
        "looked_at, why) SELECT test_set_id, 2, id, author_id, approved_at, 'by hand' "
        "FROM hub_qualification",
    ],
)
def test_the_database_keeps_the_protocol_the_looks_and_the_runs(walk: Walk, statement: str) -> None:
    walk.run(_approved(walk), {batch: Answer(5.0) for batch in walk.answers})

    with (
        pytest.raises(DatabaseError) as refused,
        transaction.atomic(),
        recording.recording(Action.VERSION_TESTED, actor=TEST, at=NOON, reason="by hand"),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)
    assert getattr(refused.value.__cause__, "sqlstate", "") in {"GM002", "GM020"}


def test_the_database_qualifies_nothing_without_a_passed_test(walk: Walk) -> None:
    walk.run(_approved(walk), {batch: Answer(5.0) for batch in walk.answers})
    assert TestRun.objects.get().outcome != RunOutcome.PASSED

    with (
        pytest.raises(DatabaseError, match="after a passed test"),
        transaction.atomic(),
        recording.recording(Action.VERSION_QUALIFIED, actor=TEST, at=NOON, reason="by hand"),
        connection.cursor() as cursor,
    ):
        cursor.execute("UPDATE hub_modelversion SET state = 'qualified', qualified_at = now()")
