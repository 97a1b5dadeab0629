"""Working hours are those of the site's clocks and of every role that somebody holds."""

from datetime import UTC, datetime

import pytest

from compliance.quality import trail_rules, working_hours
from compliance.quality.working_hours import NotHours
from tests.compliance.quality.test_trail_reviews import _fact

ROUND = "1-5 05:00-21:00; operator, supervisor: 1-7 00:00-24:00; maintenance: 1-5 22:00-06:00"
NIGHT = datetime(2026, 3, 3, 2, 0, tzinfo=UTC)  # a Tuesday


@pytest.mark.parametrize(
    ("moment", "roles", "expected"),
    [
        (NIGHT, [], False),
        (NIGHT, ["quality-assurance"], False),
        (NIGHT, ["operator"], True),
        (NIGHT, ["operator", "quality-assurance"], False),
        (NIGHT, ["maintenance"], True),
        (NIGHT.replace(hour=6), ["maintenance"], False),
        (NIGHT.replace(day=2), ["maintenance"], False),  # Monday morning: Sunday's shift is none
        (NIGHT.replace(day=7), ["maintenance"], True),  # Saturday morning: of Friday's shift
        (NIGHT.replace(hour=4, minute=59), [], False),
        (NIGHT.replace(hour=5), [], True),
        (NIGHT.replace(hour=20, minute=59), [], True),
        (NIGHT.replace(hour=21), [], False),
        (NIGHT.replace(day=8, hour=12), [], False),
    ],
)
def test_a_moment_is_within_the_hours_of_every_role(
    moment: datetime, roles: list[str], expected: bool
) -> None:
    assert working_hours.parse(ROUND).cover(moment, roles=roles, zone="UTC") is expected


def test_the_hours_are_those_of_the_site() -> None:
    hours = working_hours.parse(working_hours.DEFAULT)

    assert not hours.cover(NIGHT.replace(hour=4, minute=30), roles=[], zone="UTC")
    assert hours.cover(NIGHT.replace(hour=4, minute=30), roles=[], zone="Europe/Berlin")


@pytest.mark.parametrize(
    "text",
    [
        "", "always", "1-5", "1-5 05:00", "5-1 05:00-21:00", "0-5 05:00-21:00", "1-8 05:00-21:00",
        "1-5 25:00-26:00", "1-5 5:00-21:00", "operator: 1-7 00:00-24:00", "1-5 05:00-21:00;",
        "Operator: 1-7 00:00-24:00; 1-5 05:00-21:00",
    ],
)  # fmt: skip
def test_what_is_not_written_like_hours_is_refused(text: str) -> None:
    with pytest.raises(NotHours):
        working_hours.parse(text)


def test_the_rule_goes_by_the_configured_hours(settings: pytest.FixtureRequest) -> None:
    settings.WORKING_HOURS = working_hours.parse(ROUND)  # type: ignore[attr-defined]
    night = {"acted_at": NIGHT}

    assert trail_rules.reasons(_fact(**night, role="operator")) == []
    assert trail_rules.reasons(_fact(**night, role="qc-analyst")) == ["out-of-hours"]
    assert trail_rules.hours() == f"{ROUND} (UTC)"
