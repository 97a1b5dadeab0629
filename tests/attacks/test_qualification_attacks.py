"""Author, keeper and database administrator together: what they alter of a qualification is named."""

from typing import Any

import psycopg
import pytest
from psycopg import errors

from compliance.signatures import verdicts
from compliance.trail import verification
from tests import factories, trail_log
from tests.attacks.test_trail_as_superuser import unguarded
from tests.twins.hub.conftest import Walk, made_walk
from twins.hub import life
from twins.hub.models import Qualification, QualificationState, TestRun
from twins.models.qualification.scoring import Answer

Superuser = psycopg.Connection[Any]


@pytest.fixture
def twice(fresh_log: Any) -> Walk:
    """Fail a first test, pass a second one on the same set, qualify, and seal the log."""
    walk = made_walk()
    walk.prepare()
    test_set = walk.seal()
    walk.run(walk.approve(walk.draft(test_set)), {batch: Answer(5.0) for batch in walk.answers})
    walk.run(walk.approve(walk.draft(test_set)))
    life.qualify(
        walk.version,
        confirmed=factories.confirmed(walk.quality, at=walk.now()),
        reason="its second test has passed",
    )
    trail_log.seal_and_sign()
    assert verification.verify().faults == ()
    return walk


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE hub_criterion SET threshold = '0.0'",
        "DELETE FROM hub_custodylook WHERE number = 1",
        "UPDATE hub_custodylook SET number = 9 WHERE number = 2",
        "UPDATE hub_testrun SET is_second_look = false",
        "DELETE FROM hub_testrun",
        "UPDATE hub_sealedbatch SET content_digest = repeat('0', 64)",
        "UPDATE hub_sealedtestset SET labels_digest = repeat('0', 64)",
        "DELETE FROM hub_trainingbatch",
        "UPDATE hub_qualification SET state = 'passed' WHERE state = 'failed'",
        "UPDATE hub_qualification SET change_number = 'CC-2026-0001'",
        "UPDATE hub_modelversion SET parameters_digest = repeat('0', 64)",
        "TRUNCATE hub_custodylook CASCADE",
    ],
)
def test_a_superuser_as_a_replica_is_refused_by_the_guards(
    twice: Walk, as_superuser: Superuser, statement: str
) -> None:
    as_superuser.execute("SET session_replication_role = replica")

    with pytest.raises(psycopg.Error) as refused, as_superuser.transaction():
        as_superuser.execute(statement)

    assert not isinstance(refused.value, (errors.SyntaxError, errors.UndefinedColumn))
    assert refused.value.sqlstate and refused.value.sqlstate.startswith("GM")


@pytest.mark.requirement("A22-6")
@pytest.mark.parametrize(
    ("table", "statement"),
    [
        ("hub_custodylook", "UPDATE hub_custodylook SET why = 'training of the keeper'"),
        ("hub_testrun", "UPDATE hub_testrun SET is_second_look = false WHERE is_second_look"),
        ("hub_criterion", "UPDATE hub_criterion SET threshold = '0.0'"),
        ("hub_sealedbatch", "UPDATE hub_sealedbatch SET content_digest = repeat('0', 63) || id % 10"
                            " WHERE id = (SELECT min(id) FROM hub_sealedbatch)"),
        ("hub_trainingbatch", "DELETE FROM hub_trainingbatch"),
        ("hub_testrun", "DELETE FROM hub_testrun WHERE outcome <> 'passed'"),
        ("hub_modelversion", "UPDATE hub_modelversion SET parameters_digest = repeat('0', 64)"),
    ],
)  # fmt: skip
def test_what_a_superuser_alters_with_the_guards_off_is_named(
    twice: Walk, as_superuser: Superuser, table: str, statement: str
) -> None:
    with unguarded(as_superuser, table):
        assert as_superuser.execute(statement).rowcount > 0

    trail_log.seal_and_sign()
    report = verification.verify()
    assert report.faults != ()
    assert any(table in str(fault) for fault in report.faults)


def test_criteria_loosened_behind_their_signature_show_it_as_invalid(
    twice: Walk, as_superuser: Superuser
) -> None:
    with unguarded(as_superuser, "hub_criterion"):
        as_superuser.execute("UPDATE hub_criterion SET threshold = '0.0'")

    for qualification in Qualification.objects.all():
        assert not any(one.is_valid for one in verdicts.of_record(qualification))


def test_an_older_test_that_passed_does_not_outweigh_a_newer_one_that_failed(
    fresh_log: Any, as_superuser: Superuser
) -> None:
    """The application refuses it; so does the database, for whoever goes round the application."""
    walk = made_walk()
    walk.prepare()
    test_set = walk.seal()
    walk.run(walk.approve(walk.draft(test_set)))
    walk.run(walk.approve(walk.draft(test_set)), {batch: Answer(5.0) for batch in walk.answers})
    states = Qualification.objects.order_by("pk").values_list("state", flat=True)
    assert list(states) == [QualificationState.PASSED, QualificationState.FAILED]
    assert TestRun.objects.count() == 2

    with pytest.raises(life.ModelWithoutSkill):
        life.qualify(
            walk.version,
            confirmed=factories.confirmed(walk.quality, at=walk.now()),
            reason="it has passed once",
        )
    with pytest.raises(psycopg.Error, match="newest"), as_superuser.transaction():
        with unguarded_but_newest(as_superuser):
            as_superuser.execute(
                "UPDATE hub_modelversion SET state = 'qualified', qualified_at = now()"
            )


class unguarded_but_newest:  # noqa: N801 -- a context, as `unguarded`
    """Switch all other guards of the versions off, so that this one is seen to hold."""

    def __init__(self, superuser: Superuser) -> None:
        self.superuser = superuser

    def __enter__(self) -> None:
        self.superuser.execute("ALTER TABLE hub_modelversion DISABLE TRIGGER ALL")
        self.superuser.execute(
            "ALTER TABLE hub_modelversion ENABLE ALWAYS TRIGGER model_version_newest_test"
        )

    def __exit__(self, *_: object) -> None:
        return None  # the transaction is rolled back
