"""Rows that are read and stored by statements written once are those that Django reads and stores."""

from typing import Any

import pytest
from django.db import DatabaseError, DataError, IntegrityError, connection, transaction

from batches.execution.actions import Action
from batches.execution.models import Batch, BatchEvent
from compliance.access.models import Device
from compliance.trail import recording
from compliance.written_once import Insertion, Lookup
from tests import factories
from tests.factories import NOON

pytestmark = pytest.mark.django_db
DETAILS = {"lot": "L-100%", "names": ["%s", "Ä"]}


def _values(row: Any) -> dict[str, Any]:
    return {field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields}


def _event(batch: Batch, source: Device, **said: Any) -> BatchEvent:
    return BatchEvent(
        batch=batch, source=source, kind="observation", text="foam 100 % %s", occurred_at=NOON,
        occurred_text=NOON.isoformat(), recorded_at=NOON, message_id="m-1",
        **{"details": DETAILS, **said},
    )  # fmt: skip


def test_a_row_is_found_with_every_value_that_django_reads() -> None:
    batch, source = factories.running_batch(), factories.device()
    with recording.recording(Action.EVENT_RECORDED, actor=source, at=NOON):
        _event(batch, source).save()

    found = Lookup(BatchEvent, "source", "message_id")(source.pk, "m-1")

    assert found is not None
    assert _values(found) == _values(BatchEvent.objects.get(message_id="m-1"))
    assert found.details == DETAILS
    assert not found._state.adding
    assert found.batch == batch


def test_what_is_not_there_is_none() -> None:
    assert Lookup(Batch, "number")("B-none") is None


def test_a_value_with_a_nul_is_refused_as_django_refuses_it() -> None:
    with pytest.raises(DataError):
        Lookup(Batch, "number")("B\x00")


def test_a_stored_row_is_the_one_that_django_would_have_stored() -> None:
    batch, source = factories.running_batch(), factories.device()
    with recording.recording(Action.EVENT_RECORDED, actor=source, at=NOON):
        made = Insertion(BatchEvent)(_event(batch, source))

    stored = BatchEvent.objects.get(message_id="m-1")

    assert (made.pk, made._state.adding, made._state.db) == (stored.pk, False, "default")
    assert _values(made) == _values(stored)


def test_a_value_of_another_kind_is_stored_as_django_stores_it() -> None:
    batch, source = factories.running_batch(), factories.device()
    with recording.recording(Action.EVENT_RECORDED, actor=source, at=NOON):
        made = Insertion(BatchEvent)(_event(batch, source, value=7, is_backfilled="t"))

    stored = BatchEvent.objects.get(pk=made.pk)

    assert (stored.value, stored.is_backfilled) == ("7", True)


def test_a_moment_without_its_zone_is_warned_of() -> None:
    batch, source = factories.running_batch(), factories.device()
    with (
        pytest.raises(RuntimeWarning, match="naive"),
        recording.recording(Action.EVENT_RECORDED, actor=source, at=NOON),
    ):
        Insertion(BatchEvent)(_event(batch, source, sent_at=NOON.replace(tzinfo=None)))


def test_a_row_is_stored_after_a_statement_whose_signs_are_no_places() -> None:
    batch, source = factories.running_batch(), factories.device()
    with recording.recording(Action.EVENT_RECORDED, actor=source, at=NOON):
        made = Insertion(BatchEvent)(_event(batch, source), after="SELECT '100 % of %s'")

    assert BatchEvent.objects.get(pk=made.pk).text == "foam 100 % %s"


def test_a_statement_that_fails_first_leaves_no_row() -> None:
    batch, source = factories.running_batch(), factories.device()
    with (
        pytest.raises(DataError),
        recording.recording(Action.EVENT_RECORDED, actor=source, at=NOON),
    ):
        Insertion(BatchEvent)(_event(batch, source), after="SELECT 1 / 0")

    assert not BatchEvent.objects.filter(message_id="m-1").exists()


def test_a_second_row_of_a_constraint_is_refused() -> None:
    batch, source = factories.running_batch(), factories.device()
    store = Insertion(BatchEvent)
    with recording.recording(Action.EVENT_RECORDED, actor=source, at=NOON):
        store(_event(batch, source))
    with (
        pytest.raises(IntegrityError),
        recording.recording(Action.EVENT_RECORDED, actor=source, at=NOON),
    ):
        store(_event(batch, source))

    assert BatchEvent.objects.filter(message_id="m-1").count() == 1


def test_no_act_no_row() -> None:
    batch, source = factories.running_batch(), factories.device()

    with pytest.raises(DatabaseError, match="no act, no change"), transaction.atomic():
        Insertion(BatchEvent)(_event(batch, source))


def _words() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('audit.act', true)::json ->> 'id'")
        return str(cursor.fetchone()[0])


@pytest.mark.parametrize("ending", ["kept", "rolled back", "rolled back within"])
def test_the_last_act_knows_the_one_before(ending: str) -> None:
    """What the connection remembers is what the database has, also after a rollback."""
    device = factories.device()
    with transaction.atomic():
        with recording.recording(Action.EVENT_RECORDED, actor=device, at=NOON) as first:
            pass
        if ending != "kept":
            with pytest.raises(ZeroDivisionError), transaction.atomic():
                with recording.recording(Action.EVENT_RECORDED, actor=device, at=NOON):
                    if ending == "rolled back within":
                        raise ZeroDivisionError
                raise ZeroDivisionError
        assert _words() == first.id

        _, before = recording.closing(Action.EVENT_RECORDED, actor=device, at=NOON)

    assert before == first.id
