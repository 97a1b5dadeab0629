"""What the application refuses, the database refuses too, whoever asks it."""

from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction

from batches.execution.models import (
    Batch,
    BatchEvent,
    BatchException,
    BatchPhase,
    BatchState,
    EventKind,
    ExceptionKind,
    InProcessResult,
    PhaseState,
)
from batches.execution.states import ALLOWED, MOVES, PHASE_ALLOWED, PHASE_MOVES
from batches.recipes.models import MasterRecipe
from compliance.access.duties import Role
from compliance.trail import recording
from tests import factories
from tests.factories import NOON, TEST

pytestmark = pytest.mark.django_db


def refused(statement: str, parameters: list[Any]) -> str:
    """Run a statement in an act as the application does, and return what the database says."""
    with pytest.raises(DatabaseError) as caught, transaction.atomic():
        run(statement, parameters)
    return str(caught.value)


def run(statement: str, parameters: list[Any]) -> None:
    with recording.recording(
        "execution.tests", actor=TEST, at=NOON, reason="an attempt around the application"
    ):
        with connection.cursor() as cursor:
            cursor.execute(statement, parameters)


def _reached(moves: Any, allowed: Any) -> set[tuple[str, str]]:
    return {
        (str(state), str(target))
        for state, steps in allowed.items()
        for step, target in moves.items()
        if step in steps
    }


@pytest.mark.requirement("P11-f1")
def test_the_database_moves_batches_as_the_table_says_and_no_other_way() -> None:
    allowed, recipe = _reached(MOVES, ALLOWED), factories.recipe()
    for before in BatchState.values:
        for after in BatchState.values:
            if before == after:
                continue
            batch = _batch(before, recipe)
            statement = "UPDATE execution_batch SET state = %s WHERE id = %s"
            if (before, after) in allowed:
                run(statement, [after, batch.pk])
            else:
                assert f"does not go from {before} to {after}" in refused(
                    statement, [after, batch.pk]
                )


def _batch(state: str, recipe: MasterRecipe) -> Batch:
    batch = factories.batch(recipe)
    way = {
        BatchState.ISSUED: [],
        BatchState.RUNNING: ["running"],
        BatchState.SUSPENDED: ["running", "suspended"],
        BatchState.COMPLETED: ["running", "completed"],
        BatchState.ABORTED: ["aborted"],
    }[BatchState(state)]
    for step in way:
        run("UPDATE execution_batch SET state = %s WHERE id = %s", [step, batch.pk])
    return batch


@pytest.mark.requirement("P11-f1")
def test_the_database_moves_phases_as_the_table_says_and_no_other_way() -> None:
    batch = factories.running_batch()
    allowed = _reached(PHASE_MOVES, PHASE_ALLOWED)
    statement = "UPDATE execution_batchphase SET state = %s WHERE id = %s"
    ways = {
        "waiting": [], "running": ["running"], "held": ["running", "held"],
        "done": ["running", "done"], "aborted": ["running", "aborted"],
    }  # fmt: skip
    for before in PhaseState.values:
        for after in PhaseState.values:
            if before == after:
                continue
            point = transaction.savepoint()
            phase = batch.phases.get(order=1)
            for step in ways[before]:
                run(statement, [step, phase.pk])
            if (before, after) in allowed:
                run(statement, [after, phase.pk])
            else:
                assert f"does not go from {before} to {after}" in refused(
                    statement, [after, phase.pk]
                )
            transaction.savepoint_rollback(point)


@pytest.mark.requirement("P11-f1", "211-100a/b")
def test_raw_sql_starts_no_phase_before_its_predecessor_is_behind() -> None:
    batch = factories.running_batch()
    second = batch.phases.get(order=2)

    said = refused("UPDATE execution_batchphase SET state = 'running' WHERE id = %s", [second.pk])

    assert "an earlier phase is not behind" in said


def test_raw_sql_starts_no_phase_of_a_batch_that_does_not_run() -> None:
    batch = factories.batch()
    first = batch.phases.get(order=1)

    said = refused("UPDATE execution_batchphase SET state = 'running' WHERE id = %s", [first.pk])

    assert "its batch is issued" in said


def test_raw_sql_completes_no_batch_with_a_phase_under_way() -> None:
    phase = factories.ready_phase()

    said = refused("UPDATE execution_batch SET state = 'completed' WHERE id = %s", [phase.batch_id])

    assert "a phase is under way" in said


def test_moments_of_batch_and_phase_are_written_once() -> None:
    phase = factories.ready_phase()

    assert "not altered" in refused(
        "UPDATE execution_batchphase SET started_at = now() WHERE id = %s", [phase.pk]
    )
    assert "stay as they are" in refused(
        "UPDATE execution_batch SET started_at = now() WHERE id = %s", [phase.batch_id]
    )


def test_a_batch_does_not_begin_in_the_middle() -> None:
    batch = factories.batch()
    columns = [field.column for field in Batch._meta.concrete_fields if field.column not in ("id",)]
    chosen = ", ".join(columns)
    values = ", ".join(
        {"number": "'B-FORGED'", "state": "'completed'"}.get(column, column) for column in columns
    )

    said = refused(
        f"INSERT INTO execution_batch ({chosen}) SELECT {values} FROM execution_batch "
        "WHERE id = %s",
        [batch.pk],
    )

    assert "begins issued and pending" in said


@pytest.mark.requirement("211-100a/b", "CH4-8")
def test_raw_sql_writes_no_late_entry_without_reason_and_witness() -> None:
    phase = factories.ready_phase()
    entered = factories.in_process(phase, value="7.00")
    columns = [
        field.column for field in InProcessResult._meta.concrete_fields if field.column != "id"
    ]
    for change, words in (
        ({"performed_at": "performed_at - interval '16 minutes'"}, "its reason and a witness"),
        ({"performed_at": "performed_at + interval '6 minutes'"}, "before it was done"),
    ):
        values = ", ".join(change.get(column, column) for column in columns)

        said = refused(
            f"INSERT INTO execution_inprocessresult ({', '.join(columns)}) SELECT {values} "
            "FROM execution_inprocessresult WHERE id = %s",
            [entered.pk],
        )

        assert words in said


def test_raw_sql_writes_no_late_event_of_a_person_without_a_witness() -> None:
    batch = factories.running_batch()
    event = batch.events.get(kind=EventKind.BATCH_STARTED)
    person = factories.person(Role.OPERATOR)
    columns = [field.column for field in BatchEvent._meta.concrete_fields if field.column != "id"]
    changed = {
        "recorded_by_id": str(person.pk), "source_id": "NULL",
        "occurred_at": "occurred_at - interval '1 hour'",
    }  # fmt: skip
    values = ", ".join(changed.get(column, column) for column in columns)

    said = refused(
        f"INSERT INTO execution_batchevent ({', '.join(columns)}) SELECT {values} "
        "FROM execution_batchevent WHERE id = %s",
        [event.pk],
    )

    assert "its reason and a witness" in said


def test_raw_sql_does_not_alter_what_was_entered() -> None:
    entered = factories.in_process(factories.ready_phase(), value="7.00")

    for change in (
        "value_text = '7.01'",
        "standing = 'within', value = 7.01",
        "performed_at = now()",
    ):
        assert "not altered" in refused(
            f"UPDATE execution_inprocessresult SET {change} WHERE id = %s", [entered.pk]
        )
    with pytest.raises(DatabaseError), transaction.atomic():
        run("DELETE FROM execution_inprocessresult WHERE id = %s", [entered.pk])


@pytest.mark.requirement("P11-g1")
def test_the_database_lets_nobody_verify_what_they_did() -> None:
    operator = factories.person(Role.OPERATOR)
    entered = factories.in_process(factories.ready_phase(), value="7.00", by=operator)

    with pytest.raises(IntegrityError, match="in_process_verified"), transaction.atomic():
        run(
            "UPDATE execution_inprocessresult SET verified_by_id = %s, verified_at = now() "
            "WHERE id = %s",
            [operator.pk, entered.pk],
        )


def test_an_exception_is_neither_reworded_nor_removed() -> None:
    entered = factories.in_process(factories.ready_phase(), value="7.40")
    found = BatchException.objects.get(batch=entered.batch, kind=ExceptionKind.OUT_OF_LIMITS)

    for change in ("text = 'all is well'", "detected_at = now()", "kind = 'late-entry'"):
        assert "not altered" in refused(
            f"UPDATE execution_batchexception SET {change} WHERE id = %s", [found.pk]
        )
    with pytest.raises(DatabaseError), transaction.atomic():
        run("DELETE FROM execution_batchexception WHERE id = %s", [found.pk])


@pytest.mark.requirement("211-100a/b")
def test_the_database_takes_no_missed_limit_as_assessed_without_a_deviation() -> None:
    entered = factories.in_process(factories.ready_phase(), value="7.40")
    found = BatchException.objects.get(batch=entered.batch, kind=ExceptionKind.OUT_OF_LIMITS)
    quality = factories.person(Role.QUALITY_ASSURANCE)

    with pytest.raises(IntegrityError, match="exception_of_limits_has_deviation"):
        with transaction.atomic():
            run(
                "UPDATE execution_batchexception SET state = 'assessed', assessment = 'fine', "
                "assessed_by_id = %s, assessed_at = now() WHERE id = %s",
                [quality.pk, found.pk],
            )


def test_bulk_updates_meet_the_same_guards() -> None:
    phase = factories.ready_phase()

    with pytest.raises(DatabaseError), transaction.atomic():
        with recording.recording(
            "execution.tests", actor=TEST, at=NOON, reason="an attempt in bulk"
        ):
            BatchPhase.objects.filter(batch=phase.batch).update(state=PhaseState.DONE)
