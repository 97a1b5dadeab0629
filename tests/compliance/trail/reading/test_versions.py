"""A record is shown as it was, with the entry that set each field, or with what is not known."""

import itertools
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from compliance.trail import activity_chart, periods, timeline, versions
from compliance.trail.models import Entry
from compliance.trail.periods import Part
from compliance.trail.standing import Mark, Standing
from compliance.trail.timeline import Asked
from compliance.trail.versions import At
from tests import trail_log
from tests.trail_app.models import Vessel

TABLE = "trail_app_vessel"
START = datetime(2026, 3, 2, tzinfo=UTC)


def set_by(version: versions.Version) -> dict[str, int]:
    return {one.field: one.entry.record_seq for one in version.settings}


def test_each_field_names_the_entry_that_set_it(first: Vessel) -> None:
    newest = versions.as_of(TABLE, str(first.pk), At())
    before = versions.as_of(TABLE, str(first.pk), At(number=2))

    # 12.5 and 12.50 are one value in a column of six decimals: the second reading changed nothing.
    assert set_by(newest) | {"id": 1} == {"id": 1, "name": 3, "secret": 1, "volume_l": 2}
    assert set_by(before)["name"] == 2
    assert newest.values["volume_l"] == "12.500000"


def test_a_version_is_found_by_number_entry_size_and_time(first: Vessel) -> None:
    entries = list(Entry.objects.of_record(TABLE, first.pk))
    second = entries[1]
    assert second.index is not None

    found = [
        versions.as_of(TABLE, str(first.pk), at).entry.record_seq
        for at in (
            At(number=2),
            At(entry_id=second.entry_id),
            At(size=second.index + 1),
            At(moment=second.at),
        )
    ]

    assert found == [2, 2, 2, 2]
    with pytest.raises(versions.NotThere):
        versions.as_of(TABLE, str(first.pk), At(moment=entries[0].at - timedelta(seconds=1)))
    with pytest.raises(versions.TooLong):
        versions.as_of(TABLE, str(first.pk), At(), most=2)


def test_a_deleted_record_is_nothing_and_says_who_deleted_it(first: Vessel) -> None:
    key = str(first.pk)
    with trail_log.act("taken out of service", name="carl"):
        first.delete()

    version = versions.as_of(TABLE, key, At())
    _, _, differences = versions.compared(TABLE, key, At(number=3), At())

    assert (version.is_deleted, version.settings, version.entry.actor) == (True, (), "carl")
    assert {"name", "volume_l"} <= {one.field for one in differences}
    assert not versions.as_of(TABLE, key, At(number=3)).is_deleted


def test_a_version_whose_earlier_entry_is_gone_does_not_pass_for_the_whole_record(
    first: Vessel, as_superuser: Any
) -> None:
    middle = list(Entry.objects.of_record(TABLE, first.pk))[1]
    as_superuser.execute("SET session_replication_role = replica")
    as_superuser.execute("ALTER TABLE audit.entry DISABLE TRIGGER USER")
    as_superuser.execute("ALTER TABLE audit.entry_p0 DISABLE TRIGGER USER")
    as_superuser.execute("DELETE FROM audit.entry WHERE entry_id = %s", [middle.entry_id])
    as_superuser.commit()

    version = versions.as_of(TABLE, str(first.pk), At())
    page = timeline.page(Asked(record=TABLE, record_id=str(first.pk)))

    assert not version.is_whole
    assert [one.body is None for one in page.entries] == [False, True, False]


@pytest.mark.parametrize(
    ("index", "marks"),
    [
        (None, (Mark.UNSEALED,)),
        (30, (Mark.SEALED,)),
        (29, (Mark.CHECKPOINTED,)),
        (19, (Mark.WITNESSED,)),
        (9, (Mark.WITNESSED, Mark.TIME_STAMPED)),
    ],
)
def test_an_entry_is_secured_by_every_checkpoint_that_is_larger(
    index: int | None, marks: tuple[Mark, ...]
) -> None:
    assert Standing(signed=30, witnessed=20, stamped=10).of(index) == marks


@pytest.mark.parametrize("hours", [0, 0.1, 1, 5, 24, 200, 24 * 31, 24 * 365, 24 * 3650, 24 * 36500])
def test_a_period_is_cut_into_parts_that_cover_it(hours: float) -> None:
    end = START + timedelta(hours=hours)

    edges = periods.split(START, end)

    assert edges[0] <= START
    assert edges[-1] >= end
    assert {b - a for a, b in itertools.pairwise(edges)} == {edges[1] - edges[0]}
    assert periods.FEWEST_PARTS <= len(edges) - 1 <= periods.MOST_PARTS


def test_a_chart_shows_one_entry_beside_a_million_and_says_its_numbers() -> None:
    hour = timedelta(hours=1)
    parts = [Part(START + hour * n, START + hour * (n + 1), (1_000_000, 0, 1)[n]) for n in range(3)]

    chart = activity_chart.draw(parts)

    assert chart is not None
    assert [bar.height for bar in chart.bars] == [96.0, 0.0, 2.0]
    assert "1,000,001 entries" in chart.summary
    assert activity_chart.draw([Part(START, START + hour, 0)]) is None
