"""Attacks on the series of readings: bulk data that are sealed by segments, and captured by nobody."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from psycopg import Connection

from batches.execution.models import ReadingSegment
from compliance.trail import verification
from compliance.trail.findings import Fault, Verdict
from tests import factories, trail_log
from tests.attacks.test_inventions_in_the_database import first_on_the_search_path, quietly
from tests.factories import NOON

Superuser = Connection[Any]
PARTITION = "execution_reading_202603"


@pytest.fixture
def segment(fresh_log: Any) -> ReadingSegment:
    batch = factories.running_batch()
    rows = factories.temperatures("36.8", "36.9", "37.0")
    factories.stored(batch, rows, at=NOON + timedelta(hours=3))
    again = factories.temperatures("36.8", "39.9", "37.0", since=NOON)
    found = factories.stored(batch, again, at=NOON + timedelta(hours=3))
    trail_log.seal_and_sign()
    return found


def named(faults: Sequence[Fault], verdict: Verdict, words: str) -> bool:
    return any(one.verdict == verdict and words in str(one) for one in faults)


def test_untouched_readings_are_intact(segment: ReadingSegment) -> None:
    assert verification.verify().faults == ()


@pytest.mark.parametrize("table", ["execution_reading", "execution_readingconflict"])
def test_a_sample_of_no_segment_is_named(
    segment: ReadingSegment, as_superuser: Superuser, table: str
) -> None:
    quietly(
        as_superuser,
        "SET session_replication_role = replica",
        f"INSERT INTO {table} SELECT 99999, 0, batch_id, tag, observed_at + interval '7 s', 12.3, "
        "unit FROM execution_reading WHERE position = 0",
        "SET session_replication_role = origin",
    )

    faults = verification.verify().faults

    assert named(faults, Verdict.TAMPERED, f"1 samples of batch {segment.batch.number} in {table}")


def test_a_sample_that_the_index_of_its_segment_does_not_lead_to_is_named(
    segment: ReadingSegment, as_superuser: Superuser
) -> None:
    of_segment = f"WHERE indrelid = '{PARTITION}'::regclass AND indkey::text = '1 2'"
    quietly(
        as_superuser,
        f"UPDATE pg_index SET indisready = false, indisvalid = false {of_segment}",
        "INSERT INTO execution_reading SELECT segment_id, 3, batch_id, tag, "
        "observed_at + interval '7 s', 12.3, unit FROM execution_reading WHERE position = 0",
        f"UPDATE pg_index SET indisready = true, indisvalid = true {of_segment}",
    )

    assert named(verification.verify().faults, Verdict.TAMPERED, "samples")


@pytest.mark.parametrize(
    ("statement", "table"),
    [
        (
            "ALTER TABLE execution_reading RENAME TO aside; CREATE VIEW execution_reading AS SELECT "
            "segment_id, position, batch_id, tag, observed_at, CASE WHEN current_query() LIKE "
            "'%to_char(%' THEN value ELSE 37.0 END AS value, unit FROM aside; "
            "GRANT SELECT, INSERT ON execution_reading TO gmp_app",
            "execution_reading",
        ),
        (
            "CREATE RULE away AS ON INSERT TO execution_reading DO INSTEAD NOTHING",
            "execution_reading",
        ),
        (
            "ALTER TABLE execution_readingconflict ENABLE ROW LEVEL SECURITY; CREATE POLICY p ON "
            "execution_readingconflict USING (current_setting('transaction_read_only') = 'on')",
            "execution_readingconflict",
        ),
        (f"ALTER TABLE {PARTITION} ENABLE ROW LEVEL SECURITY", PARTITION),
        (
            "CREATE FUNCTION public.away() RETURNS trigger LANGUAGE plpgsql AS "
            "'BEGIN RETURN NULL; END'; CREATE TRIGGER away BEFORE INSERT ON execution_reading "
            "FOR EACH ROW EXECUTE FUNCTION public.away()",
            PARTITION,
        ),
        (
            "CREATE FUNCTION public.away() RETURNS trigger LANGUAGE plpgsql AS "
            f"'BEGIN RETURN NULL; END'; CREATE TRIGGER away BEFORE INSERT ON {PARTITION} "
            "FOR EACH ROW EXECUTE FUNCTION public.away(); "
            "UPDATE pg_trigger SET tgisinternal = true WHERE tgname = 'away'",
            PARTITION,
        ),
        ("ALTER TABLE execution_reading DISABLE TRIGGER ALL", "execution_reading"),
        (
            "CREATE TABLE public.more () INHERITS (execution_readingconflict)",
            "more",
        ),
        ("ALTER TABLE execution_readingconflict RENAME TO aside", "execution_readingconflict"),
        (
            f"ALTER TABLE execution_reading DETACH PARTITION {PARTITION}; "
            f"ALTER TABLE {PARTITION} SET UNLOGGED; ALTER TABLE execution_reading ATTACH PARTITION "
            f"{PARTITION} FOR VALUES FROM ('2026-03-01+00') TO ('2026-04-01+00')",
            PARTITION,
        ),
    ],
)  # fmt: skip
def test_what_comes_between_readings_and_their_readers_is_named(
    segment: ReadingSegment, as_superuser: Superuser, statement: str, table: str
) -> None:
    quietly(as_superuser, statement)

    assert named(verification.verify().faults, Verdict.DISABLED, f"{table}: ")


def test_readings_of_the_attackers_schema_are_not_asked(
    segment: ReadingSegment, as_superuser: Superuser
) -> None:
    first_on_the_search_path(as_superuser)
    quietly(
        as_superuser,
        "CREATE TABLE evil.execution_reading AS SELECT * FROM public.execution_reading",
        "GRANT SELECT ON evil.execution_reading TO PUBLIC",
        "UPDATE public.execution_reading SET value = 37.0",
    )
    connection.close()

    assert named(verification.verify().faults, Verdict.TAMPERED, "are not those that were sealed")


def test_bulk_data_that_cannot_be_read_are_named(
    segment: ReadingSegment, as_superuser: Superuser
) -> None:
    quietly(as_superuser, "ALTER TABLE execution_reading RENAME COLUMN unit TO units")

    assert named(verification.verify().faults, Verdict.TAMPERED, "cannot be compared")
