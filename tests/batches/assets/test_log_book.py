"""The log book shows all that was done to equipment, in the order of time."""

from datetime import timedelta

import pytest

from batches.assets import equipment, log_book, parts
from batches.assets.models import Equipment
from batches.assets.parts import Part
from compliance.access.duties import Role
from tests import factories
from tests.factories import NOON

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


@pytest.fixture
def busy_vessel() -> Equipment:
    vessel = factories.vessel(calibration_interval_days=30)
    factories.calibrated(vessel, at=NOON + HOUR)
    equipment.mark_used(
        vessel, purpose="batch B-1", product="PRODUCT-A", by_text="om", at=NOON + 3 * HOUR,
        used_from=NOON + 2 * HOUR, used_until=NOON + 3 * HOUR,
        actor=factories.person(Role.OPERATOR),
    )  # fmt: skip
    factories.cleaned(vessel, at=NOON + 4 * HOUR)
    part = Part(manufacturer="Pumpworks", model="P-10", serial_number="77")
    parts.replace(
        vessel, component="feed pump", old=part, new=part, is_like_for_like=True,
        changed_at=NOON + 5 * HOUR, actor=factories.person(Role.MAINTENANCE), at=NOON + 5 * HOUR,
        reason="the old pump leaked",
    )  # fmt: skip
    return vessel


@pytest.mark.requirement("211-188")
def test_one_timeline_has_all_that_was_done(busy_vessel: Equipment) -> None:
    kinds = [entry.kind for entry in log_book.of(busy_vessel, newest=100)]

    assert kinds == [
        "Qualification", "Qualification", "Cleaning", "Calibration", "Use", "Cleaning", "Part",
    ]  # fmt: skip


def test_a_period_is_cut_out_of_it(busy_vessel: Equipment) -> None:
    found = log_book.of(busy_vessel, newest=100, since=NOON + 2 * HOUR, until=NOON + 4 * HOUR)

    assert [entry.kind for entry in found] == ["Use", "Cleaning"]


def test_the_newest_lines_are_the_newest_of_all_kinds(busy_vessel: Equipment) -> None:
    found = log_book.of(busy_vessel, newest=3)

    assert [entry.kind for entry in found] == ["Use", "Cleaning", "Part"]


def test_each_line_says_who_did_it_and_who_checked_it(busy_vessel: Equipment) -> None:
    entry = next(one for one in log_book.of(busy_vessel, newest=100) if one.kind == "Calibration")

    assert entry.by != entry.checked_by != ""
    assert "due on 2026-04-01" in entry.text


def test_it_costs_as_many_queries_as_it_has_kinds(
    busy_vessel: Equipment, django_assert_num_queries
) -> None:
    with django_assert_num_queries(5):
        log_book.of(busy_vessel, newest=100)
