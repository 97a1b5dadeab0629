"""What an administrator of the database changes in a series is found, whatever it is."""

from datetime import timedelta
from typing import Any

import psycopg
from django.db import connection, transaction

from batches.execution import segments
from tests import factories
from tests.factories import NOON

ALTERATIONS = [
    "UPDATE execution_reading SET value = 36.91 WHERE position = 1 AND segment_id = %s",
    "UPDATE execution_reading SET value = 36.90 WHERE position = 1 AND segment_id = %s",
    "UPDATE execution_reading SET observed_at = observed_at + interval '1 s' "
    "WHERE position = 1 AND segment_id = %s",
    "UPDATE execution_reading SET unit = 'K' WHERE position = 1 AND segment_id = %s",
    "UPDATE execution_reading SET tag = 'ph' WHERE position = 1 AND segment_id = %s",
    "UPDATE execution_reading SET batch_id = batch_id + 1 WHERE segment_id = %s",
    "UPDATE execution_reading SET position = 2 - position WHERE segment_id = %s",
    "DELETE FROM execution_reading WHERE position = 2 AND segment_id = %s",
    "DELETE FROM execution_reading WHERE segment_id = %s",
    """INSERT INTO execution_reading
    SELECT segment_id, 3, batch_id, tag, observed_at + interval '30 s', value, unit
    FROM execution_reading WHERE position = 2 AND segment_id = %s""",
]

CONFLICT_ALTERATIONS = [
    "UPDATE execution_readingconflict SET value = 36.8 WHERE position = 0 AND segment_id = %s",
    "DELETE FROM execution_readingconflict WHERE segment_id = %s",
    "DELETE FROM execution_readingconflict WHERE position = 1 AND segment_id = %s",
]


def broken() -> list[str]:
    with transaction.atomic(), connection.cursor() as cursor:
        return [one.record for one in segments.broken(cursor)]


def test_a_sample_that_an_administrator_changed_is_found(
    fresh_log: Any, as_superuser: psycopg.Connection[Any]
) -> None:
    batch = factories.running_batch()
    historian = factories.device()
    altered = []
    for number, statement in enumerate(ALTERATIONS):
        since = NOON + timedelta(minutes=10 * number)
        rows = factories.temperatures("36.8", "36.9", "37.0", since=since)
        segment = factories.stored(batch, rows, by=historian, at=NOON + timedelta(hours=3))
        as_superuser.execute(statement, [segment.pk])
        altered.append(segment.pk)
    untouched = factories.stored(
        batch, factories.temperatures("36.8", since=NOON - timedelta(hours=1)), by=historian
    )
    as_superuser.commit()

    found = broken()

    assert found == [f"execution_readingsegment {pk}" for pk in altered]
    assert f"execution_readingsegment {untouched.pk}" not in found


def test_a_sample_that_the_application_adds_to_a_sealed_segment_is_found(fresh_log: Any) -> None:
    segment = factories.stored(factories.running_batch(), factories.temperatures("36.8"))
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO execution_reading VALUES (%s, 1, %s, 'ph', %s, 7.00, '[pH]')",
            [segment.pk, segment.batch_id, NOON],
        )

    assert broken() == [f"execution_readingsegment {segment.pk}"]


def test_a_conflicting_sample_that_an_administrator_changed_is_found(
    fresh_log: Any, as_superuser: psycopg.Connection[Any]
) -> None:
    batch = factories.running_batch()
    factories.stored(batch, factories.temperatures("36.8", "36.9"))
    altered = []
    for number, statement in enumerate(CONFLICT_ALTERATIONS):
        rows = factories.temperatures(f"40.{number}", f"41.{number}")
        segment = factories.stored(batch, rows)
        as_superuser.execute(statement, [segment.pk])
        altered.append(f"execution_readingsegment {segment.pk}")
    as_superuser.commit()

    assert broken() == altered
