"""Of all terms that apply to a record, the one that ends last holds."""

from datetime import date

import pytest

from compliance.retention import periods, retention
from compliance.retention.periods import Anchors, Rule

EXPIRY, CERTIFIED = date(2028, 2, 29), date(2026, 3, 2)


@pytest.mark.requirement("CH4-10", "P11-c1", "211-180")
@pytest.mark.parametrize(
    ("anchors", "until", "clause"),
    [
        # expires early: five years after certification is longer (EU GMP 4.11)
        (
            {"expiry": date(2027, 6, 30), "certification": CERTIFIED},
            date(2031, 3, 2),
            "EU GMP 4.11",
        ),
        # a long shelf life: one year after expiry is longer
        ({"expiry": date(2031, 12, 31), "certification": CERTIFIED}, date(2032, 12, 31), "21 CFR"),
        # both end on the same day
        ({"expiry": date(2030, 3, 2), "certification": CERTIFIED}, date(2031, 3, 2), "21 CFR"),
        # never certified: not for the EU
        ({"expiry": date(2027, 6, 30)}, date(2028, 6, 30), "21 CFR"),
        # a day that the year after does not have: at least a year, so the next one
        ({"expiry": EXPIRY}, date(2029, 3, 1), "21 CFR"),
        ({"rejection": CERTIFIED}, date(2031, 3, 2), "EU GMP 4.12"),
        # what has not come yet begins no term: no end is known
        ({"expiry": None, "certification": CERTIFIED}, None, ""),
        ({"expiry": None}, None, ""),
        ({}, None, ""),
    ],
)
def test_a_batch_record_is_kept_for_the_longest_of_its_terms(
    anchors: Anchors, until: date | None, clause: str
) -> None:
    rules = [rule for rule in retention.minimum() if rule.kind == "batch-record"]

    found = periods.of(rules, anchors)

    assert found.until == until
    assert (found.holds.rule.clause if found.holds else "").startswith(clause)
    if until:
        assert not found.is_over(on=until)
        assert found.is_over(on=date.fromordinal(until.toordinal() + 1))
    else:
        assert not found.is_over(on=date.max)


@pytest.mark.parametrize(
    ("start", "years", "months", "end"),
    [
        (date(2026, 1, 31), 0, 1, date(2026, 3, 1)),
        (date(2026, 12, 31), 0, 2, date(2027, 3, 1)),
        (date(2024, 2, 29), 4, 0, date(2028, 2, 29)),
        (date(2026, 11, 15), 1, 2, date(2028, 1, 15)),
        (date(2026, 12, 1), 0, 0, date(2026, 12, 1)),
    ],
)
def test_a_period_is_never_shorter_than_it_says(
    start: date, years: int, months: int, end: date
) -> None:
    assert periods.later(start, years=years, months=months) == end


def test_every_day_of_four_years_has_its_day_in_every_later_month() -> None:
    for ordinal in range(date(2024, 1, 1).toordinal(), date(2028, 1, 1).toordinal()):
        start = date.fromordinal(ordinal)
        for months in range(1, 14):
            end = periods.later(start, years=0, months=months)
            if end.day != start.day:
                assert end.day == 1
                assert date.fromordinal(end.toordinal() - 1).day < start.day


def test_the_law_names_its_clause_and_how_sure_we_are_of_it() -> None:
    for rule in retention.minimum():
        assert isinstance(rule, Rule)
        assert rule.clause
        assert rule.source_status in {"verified", "secondary", "to-check"}
