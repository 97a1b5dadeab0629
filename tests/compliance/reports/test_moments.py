from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest

from compliance.reports import moments

NOON = datetime(2026, 7, 1, 12, 0, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("moment", "text"),
    [
        (NOON, "2026-07-01 12:00:05 UTC"),
        (NOON.astimezone(ZoneInfo("Europe/Berlin")), "2026-07-01 14:00:05 CEST (UTC+02:00)"),
        (
            NOON.astimezone(timezone(timedelta(hours=-3, minutes=-30))),
            "2026-07-01 08:30:05 UTC-03:30",
        ),
    ],
)
def test_a_moment_is_written_with_its_zone(moment: datetime, text: str) -> None:
    assert moments.written(moment) == text


def test_a_moment_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="no time zone"):
        moments.written(NOON.replace(tzinfo=None))
