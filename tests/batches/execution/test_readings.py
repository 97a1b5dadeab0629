"""Readings are stored all or none, with the recipe's tags and units (21 CFR 211.68(b))."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, OperationalError, connection

from batches.execution import readings, sample_bytes, samples, segments, series
from batches.execution.events import MessageKnown
from batches.execution.models import BatchException, ReadingSegment
from batches.execution.readings import ReadingsRefused
from batches.execution.sample_bytes import Reading
from compliance.access.authority import NotPermitted
from compliance.trail.tlog import merkle
from tests import factories
from tests.factories import NOON

pytestmark = pytest.mark.django_db
GOOD = Reading("temperature_c", NOON, Decimal("36.80"), "Cel")


def _count() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM execution_reading")
        return int(cursor.fetchone()[0])


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        (GOOD._replace(unit="K"), "line 2: temperature_c is in Cel, got “K”"),
        (GOOD._replace(unit="cel"), "line 2: temperature_c is in Cel, got “cel”"),
        (GOOD._replace(tag="temp"), "known: ph, temperature_c"),
        (GOOD._replace(tag="mab_g_l", unit="g/L"), "no tag of the recipe"),
        (GOOD._replace(value=Decimal("NaN")), "no number"),
        (GOOD._replace(value=Decimal("-Infinity")), "no number"),
        (GOOD._replace(value=Decimal("1." + "0" * 30)), "more than 30 digits"),
        (GOOD._replace(value=Decimal("1E+31")), "exponent"),
        (GOOD._replace(value=Decimal("1E-31")), "exponent"),
        (GOOD._replace(observed_at=NOON + timedelta(minutes=6)), "future"),
        (GOOD._replace(observed_at=datetime(1999, 12, 31, tzinfo=UTC)), "before 2000"),
    ],
)
def test_one_bad_line_refuses_all_of_them_and_is_named(bad: Reading, said: str) -> None:
    batch = factories.running_batch()

    with pytest.raises(ReadingsRefused, match="nothing was stored") as refused:
        factories.stored(batch, [GOOD, bad, GOOD])

    assert said in refused.value.errors[0]["detail"]
    assert refused.value.errors[0]["line"] == "2"
    assert (_count(), ReadingSegment.objects.count()) == (0, 0)


def test_every_bad_line_is_named() -> None:
    batch = factories.running_batch()

    with pytest.raises(ReadingsRefused) as refused:
        factories.stored(batch, [GOOD._replace(unit="K"), GOOD, GOOD._replace(tag="x")])

    assert [error["pointer"] for error in refused.value.errors] == ["/0/unit", "/2/tag"]


@pytest.mark.parametrize("count", [0, readings.MOST_ROWS + 1])
def test_a_post_has_at_least_one_and_at_most_fifty_thousand_readings(count: int) -> None:
    with pytest.raises(ReadingsRefused, match="1 to 50000"):
        factories.stored(factories.running_batch(), [GOOD] * count)


def test_a_post_that_spans_years_is_refused() -> None:
    rows = [GOOD, GOOD._replace(observed_at=NOON - timedelta(days=401))]

    with pytest.raises(ReadingsRefused, match="400 days"):
        factories.stored(factories.running_batch(), rows)


def test_a_message_of_readings_is_stored_once() -> None:
    batch, source = factories.running_batch(), factories.device()

    def store() -> None:
        readings.store(
            batch, rows=[GOOD], message_id="m-1", source=source, content_digest="0" * 64, at=NOON
        )

    store()

    with pytest.raises(MessageKnown):
        store()
    assert _count() == 1


def test_a_revoked_device_stores_nothing() -> None:
    batch, source = factories.running_batch(), factories.device()
    source.is_active = False

    with pytest.raises(NotPermitted):
        factories.stored(batch, [GOOD], by=source)


def test_readings_over_a_change_of_month_go_to_their_partitions() -> None:
    batch = factories.running_batch()
    rows = [
        GOOD._replace(observed_at=datetime(2026, 1, 31, 23, 59, 59, 999_999, tzinfo=UTC)),
        GOOD._replace(observed_at=datetime(2026, 2, 1, tzinfo=UTC)),
    ]

    segment = factories.stored(batch, rows)

    with connection.cursor() as cursor:
        cursor.execute("SELECT tableoid::regclass::text FROM execution_reading ORDER BY position")
        tables = [name for (name,) in cursor.fetchall()]
    assert tables == ["execution_reading_202601", "execution_reading_202602"]
    segments.verify(segment)


@pytest.mark.parametrize(("minutes", "is_backfilled"), [(15, False), (16, True)])
def test_readings_sent_long_after_they_were_taken_are_marked(
    minutes: int, is_backfilled: bool
) -> None:
    segment = factories.stored(
        factories.running_batch(), [GOOD], at=NOON + timedelta(minutes=minutes)
    )

    assert segment.is_backfilled is is_backfilled


def test_a_series_is_read_in_order_of_time_with_its_digits() -> None:
    batch = factories.running_batch()
    later = NOON + timedelta(hours=1)
    factories.stored(batch, factories.temperatures("36.80", since=later), at=later)
    factories.stored(batch, factories.temperatures("36.7", "36.90"), at=later)

    found = series.of(batch, tag="temperature_c")

    assert [str(point.value) for point in found.points] == ["36.7", "36.90", "36.80"]
    assert not found.is_thinned


def test_a_thinned_series_keeps_every_excursion() -> None:
    batch = factories.running_batch()
    values = ["36.8"] * 1000
    values[417], values[822] = "39.95", "33.05"
    later = NOON + timedelta(days=1)
    factories.stored(batch, factories.temperatures(*values), at=later)

    found = series.of(batch, tag="temperature_c", max_points=50)

    assert found.count == 1000
    assert len(found.points) <= 52
    times = {point.value: point.at for point in found.points}
    assert times[Decimal("39.95")] == NOON + timedelta(minutes=417)
    assert times[Decimal("33.05")] == NOON + timedelta(minutes=822)
    assert [point.at for point in found.points] == sorted(point.at for point in found.points)


def test_a_window_of_a_series_has_both_its_ends() -> None:
    batch = factories.running_batch()
    later = NOON + timedelta(days=1)
    factories.stored(batch, factories.temperatures("1", "2", "3", "4"), at=later)

    found = series.of(
        batch,
        tag="temperature_c",
        first=NOON + timedelta(minutes=1),
        last=NOON + timedelta(minutes=2),
    )

    assert [int(point.value) for point in found.points] == [2, 3]


def test_the_newest_reading_of_each_tag_is_found() -> None:
    batch = factories.running_batch()
    later = NOON + timedelta(hours=1)
    factories.stored(batch, factories.temperatures("36.8", "36.9"), at=later)
    factories.stored(batch, [Reading("ph", NOON, Decimal("7.01"), "[pH]")], at=later)

    newest = {one.tag: str(one.value) for one in series.latest(batch)}

    assert newest == {"temperature_c": "36.9", "ph": "7.01"}


def test_readings_sent_again_are_counted_and_not_stored_again() -> None:
    batch = factories.running_batch()
    later = NOON + timedelta(hours=1)
    factories.stored(batch, factories.temperatures("36.8", "36.9"), at=later)

    again = factories.stored(batch, factories.temperatures("36.8", "36.9", "37.0"), at=later)
    none = factories.stored(batch, factories.temperatures("36.8", "36.9", "37.0"), at=later)

    assert (again.count, again.repeated, again.conflicting) == (1, 2, 0)
    assert (none.count, none.repeated) == (0, 3)
    assert _count() == 3
    for segment in (again, none):
        segments.verify(segment)


@pytest.mark.requirement("A11-5")
def test_another_value_of_the_same_moment_is_kept_beside_and_flagged_and_overwrites_nothing() -> (
    None
):
    batch = factories.running_batch()
    later = NOON + timedelta(hours=1)
    factories.stored(batch, factories.temperatures("36.8", "36.9"), at=later)

    segment = factories.stored(batch, factories.temperatures("36.80", "36.9", "37.0"), at=later)

    assert (segment.count, segment.repeated, segment.conflicting) == (1, 1, 1)
    values = [str(point.value) for point in series.of(batch, tag="temperature_c").points]
    assert values == ["36.8", "36.9", "37.0"]
    with connection.cursor() as cursor:
        cursor.execute("SELECT segment_id, value::text FROM execution_readingconflict")
        assert cursor.fetchall() == [(segment.pk, "36.80")]
    flagged = BatchException.objects.get(kind="reading-conflict")
    assert flagged.subject == f"execution_readingsegment {segment.pk}"
    assert "is 36.8 Cel, sent again as 36.80 Cel" in flagged.text
    segments.verify(segment)


def test_one_post_that_contradicts_itself_is_in_conflict_with_its_first_value() -> None:
    batch = factories.running_batch()
    row = factories.temperatures("36.8")[0]

    segment = factories.stored(batch, [row, row, row._replace(value=Decimal("36.9"))])

    assert (segment.count, segment.repeated, segment.conflicting) == (1, 1, 1)
    segments.verify(segment)


def test_the_database_takes_no_second_value_of_a_moment() -> None:
    segment = factories.stored(factories.running_batch(), factories.temperatures("36.8"))

    with pytest.raises(IntegrityError), connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO execution_reading VALUES (%s, 1, %s, 'temperature_c', %s, 40, 'Cel')",
            [segment.pk, segment.batch_id, NOON],
        )


@pytest.mark.parametrize("count", range(131))
def test_a_root_by_levels_is_that_of_the_tree(count: int) -> None:
    leaves = [merkle.leaf_hash(bytes([number])) for number in range(count)]

    assert samples.root(leaves) == merkle.root_of(leaves)


def test_samples_by_columns_have_the_bytes_of_samples_by_rows() -> None:
    rows = [
        GOOD, GOOD._replace(value=Decimal("-0.0")), GOOD._replace(tag='a"b', unit="µS/cm"),
        GOOD._replace(observed_at=NOON.replace(microsecond=70), value=Decimal("1E+3")),
    ]  # fmt: skip
    columns = samples.of(rows)

    hashes = samples.hashes(0, columns, sample_bytes.LeafHasher())

    assert hashes == sample_bytes.leaf_hashes(rows)
    assert columns.values == ["36.80", "0.0", "36.80", "1000"]


@pytest.mark.django_db(transaction=True)
def test_a_server_that_goes_during_the_copy_is_unreachable_and_nothing_is_stored(
    monkeypatch: pytest.MonkeyPatch, as_superuser: Any
) -> None:
    batch = factories.running_batch()
    parts = readings._parts

    def lost(*given: Any) -> Any:
        own = connection.connection.info.backend_pid
        as_superuser.execute("SELECT pg_terminate_backend(%s, 5000)", [own])
        return parts(*given)

    monkeypatch.setattr(readings, "_parts", lost)

    with pytest.raises(OperationalError, match=r"terminating connection|closed"):
        factories.stored(batch, factories.temperatures("36.8"))

    connection.close()
    assert _count() == 0
    assert not ReadingSegment.objects.exists()
