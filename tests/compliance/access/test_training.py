"""Only who is trained in the effective version of a procedure works by it (21 CFR 11.10(i), 211.25)."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError

from compliance.access import procedures, training
from compliance.access.authority import NotPermitted
from compliance.access.duties import Role
from compliance.access.models import (
    Assessment,
    Procedure,
    ProcedureVersion,
    Training,
    TrainingMethod,
    User,
)
from compliance.trail import recording
from tests import factories
from tests.factories import NOON

pytestmark = [pytest.mark.django_db, pytest.mark.requirement("P11-i1", "211-25")]
DAY = timedelta(days=1)


@pytest.fixture
def procedure() -> Procedure:
    return factories.procedure()


@pytest.fixture
def operator() -> User:
    return factories.person(Role.OPERATOR, is_trained=False)


@pytest.fixture
def quality() -> User:
    return factories.person(Role.QUALITY_ASSURANCE)


def train(person: User, procedure: Procedure, by: User, **said: Any) -> Training:
    given: dict[str, Any] = {
        "version": procedures.effective_version(procedure, at=NOON),
        "method": TrainingMethod.ON_THE_JOB,
        "assessment": Assessment.PASSED,
        "trained_at": NOON,
    }
    return training.record(person, **{**given, **said}, actor=by, at=NOON)


def test_a_trained_person_passes(procedure: Procedure, operator: User, quality: User) -> None:
    made = train(operator, procedure, quality)

    training.demand(operator, procedure=procedure, at=NOON)
    assert made.trained_by == quality
    assert list(training.of(operator)) == [made]


def test_an_untrained_person_is_refused(procedure: Procedure, operator: User) -> None:
    with pytest.raises(training.NotTrained, match=procedure.code) as refused:
        training.demand(operator, procedure=procedure, at=NOON)

    assert refused.value.code == "not-trained"


def test_a_new_effective_version_makes_old_training_not_current(
    procedure: Procedure, operator: User, quality: User
) -> None:
    train(operator, procedure, quality)
    second = procedures.add_version(
        procedure, summary="the order of the steps", effective_from=NOON + 7 * DAY,
        actor=quality, at=NOON,
    )  # fmt: skip

    assert training.is_current(operator, procedure=procedure, at=NOON + 6 * DAY)
    assert not training.is_current(operator, procedure=procedure, at=NOON + 7 * DAY)
    training.record(
        operator, version=second, method=TrainingMethod.READ, assessment=Assessment.PASSED,
        trained_at=NOON, actor=quality, at=NOON,
    )  # fmt: skip
    assert training.is_current(operator, procedure=procedure, at=NOON + 7 * DAY)


def test_training_runs_out(operator: User, quality: User) -> None:
    yearly = factories.procedure(retrain_after_days=365)

    made = train(operator, yearly, quality)

    assert made.valid_until == (NOON + 365 * DAY).date()
    assert training.is_current(operator, procedure=yearly, at=NOON + 365 * DAY)
    with pytest.raises(training.NotTrained):
        training.demand(operator, procedure=yearly, at=NOON + 366 * DAY)


def test_a_failed_assessment_does_not_count(
    procedure: Procedure, operator: User, quality: User
) -> None:
    failed = {"assessment": Assessment.FAILED}
    with pytest.raises(training.TrainingInvalid, match="remark"):
        train(operator, procedure, quality, **failed)

    train(operator, procedure, quality, **failed, remark="did not know the hold time")

    assert not training.is_current(operator, procedure=procedure, at=NOON)


def test_a_withdrawn_training_does_not_count(
    procedure: Procedure, operator: User, quality: User
) -> None:
    made = train(operator, procedure, quality)

    training.withdraw(made, actor=quality, at=NOON, reason="the trainer was not qualified")

    assert not training.is_current(operator, procedure=procedure, at=NOON)
    with pytest.raises(training.TrainingClosed):
        training.withdraw(made, actor=quality, at=NOON, reason="the trainer was not qualified")


def test_a_retired_procedure_has_nobody_trained(
    procedure: Procedure, operator: User, quality: User
) -> None:
    train(operator, procedure, quality)

    retired = procedures.retire(procedure, actor=quality, at=NOON + DAY, reason="not done any more")

    assert not training.is_current(operator, procedure=retired, at=NOON + DAY)
    with pytest.raises(procedures.ProcedureRetired):
        factories.procedure_version(retired, at=NOON + 2 * DAY)


def test_the_person_says_that_they_have_read_and_understood(
    procedure: Procedure, operator: User, quality: User
) -> None:
    made = train(operator, procedure, quality)
    with pytest.raises(training.TrainingOfAnother):
        training.acknowledge(made, actor=quality, at=NOON)

    assert training.acknowledge(made, actor=operator, at=NOON).acknowledged_at == NOON

    with pytest.raises(training.TrainingClosed):
        training.acknowledge(made, actor=operator, at=NOON)


def test_nobody_trains_themselves(procedure: Procedure, quality: User, operator: User) -> None:
    with pytest.raises(training.OwnTraining):
        train(quality, procedure, quality)
    with pytest.raises(training.OwnTraining):
        train(operator, procedure, quality, trained_by=operator)


def test_only_who_manages_training_records_it(procedure: Procedure, operator: User) -> None:
    with pytest.raises(NotPermitted):
        train(operator, procedure, factories.person(Role.SUPERVISOR))
    with pytest.raises(NotPermitted):
        procedures.create(code="SOP-X", title="x", actor=operator, at=NOON)


@pytest.mark.parametrize(
    "said",
    [{"trained_at": NOON + DAY}, {"valid_until": (NOON - DAY).date()}],
)
def test_a_training_is_not_in_the_future_and_ends_after_it_began(
    procedure: Procedure, operator: User, quality: User, said: dict[str, Any]
) -> None:
    with pytest.raises(training.TrainingInvalid):
        train(operator, procedure, quality, **said)


def test_a_code_is_given_once_and_versions_follow_each_other(
    procedure: Procedure, quality: User
) -> None:
    with pytest.raises(procedures.ProcedureKnown):
        procedures.create(code=procedure.code.lower(), title="again", actor=quality, at=NOON)
    with pytest.raises(procedures.ProcedureInvalid):
        factories.procedure_version(procedure, at=NOON)


# --- In the database


def test_the_database_refuses_a_trainer_who_is_the_person(
    procedure: Procedure, operator: User, quality: User
) -> None:
    made = train(operator, procedure, quality)
    made.pk, made.trained_by = None, operator

    with pytest.raises(IntegrityError, match="trained_by_another"):
        with recording.recording("test", actor=quality, at=NOON, reason="a forged training"):
            Training.objects.bulk_create([made])


def test_the_database_refuses_an_own_act_but_the_acknowledgement(
    procedure: Procedure, operator: User, quality: User
) -> None:
    made = train(operator, procedure, quality)

    with pytest.raises(DatabaseError, match="not written by the person it is about"):
        with recording.recording("test", actor=operator, at=NOON, reason="to withdraw my own"):
            Training.objects.filter(pk=made.pk).update(withdrawn_at=NOON)


@pytest.mark.parametrize(
    "change",
    [{"assessment": "failed"}, {"valid_until": None}, {"trained_at": NOON - DAY},
     {"trained_by_name": "somebody"}],
)  # fmt: skip
def test_the_database_keeps_a_training_as_recorded(
    operator: User, quality: User, change: dict[str, Any]
) -> None:
    made = train(operator, factories.procedure(retrain_after_days=10), quality)

    with pytest.raises(DatabaseError, match="stays as it is recorded"):
        with recording.recording("test", actor=quality, at=NOON, reason="to alter a training"):
            Training.objects.filter(pk=made.pk).update(**change)


def test_the_database_keeps_versions_in_order(procedure: Procedure, quality: User) -> None:
    with pytest.raises(DatabaseError, match="comes after all others"):
        with recording.recording("test", actor=quality, at=NOON, reason="a version before"):
            ProcedureVersion.objects.create(
                procedure=procedure, version=2, summary="x", effective_from=NOON - DAY,
                recorded_at=NOON,
            )  # fmt: skip


def test_the_database_keeps_the_code_of_a_procedure(procedure: Procedure, quality: User) -> None:
    with pytest.raises(DatabaseError, match="code of access_procedure stays"):
        with recording.recording("test", actor=quality, at=NOON, reason="another code"):
            Procedure.objects.filter(pk=procedure.pk).update(code="SOP-OTHER")
