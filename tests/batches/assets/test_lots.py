"""A lot is used only after another person of QA released it, and while it is in date."""

from datetime import date, timedelta
from decimal import Decimal

import pytest

from batches.assets import lots
from batches.assets.lots import (
    Implausible,
    LotInvalid,
    LotKnown,
    LotNotUsable,
    ReceiverDecides,
    SupplierNotApproved,
)
from batches.assets.models import LotState
from compliance.access.authority import NotPermitted
from compliance.access.duties import Role
from compliance.signatures import signing
from tests import factories
from tests.factories import NOON

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


@pytest.mark.requirement("211-101/103/110/111")
def test_a_received_lot_waits_in_quarantine() -> None:
    lot = factories.received_lot()

    with pytest.raises(LotNotUsable, match="in quarantine"):
        lots.demand_usable(lot, at=NOON)


def test_a_released_lot_is_usable_and_carries_the_signature() -> None:
    lot = factories.released_lot()

    lots.demand_usable(lot, at=NOON)
    (signature,) = signing.of(lot)
    assert signature.meaning == "released"
    assert signing.is_current(signature, lot)


@pytest.mark.requirement("211-101/103/110/111")
@pytest.mark.parametrize("decide", ["blocked", "rejected"])
def test_a_lot_that_is_blocked_or_rejected_is_not_used(decide: str) -> None:
    lot = factories.released_lot()
    quality = factories.person(Role.QUALITY_ASSURANCE)
    if decide == "blocked":
        lots.block(lot, actor=quality, at=NOON, reason="the supplier called it back")
    else:
        lots.reject(
            lot, confirmed=factories.confirmed(quality), reason="the supplier called it back"
        )

    with pytest.raises(LotNotUsable, match=decide):
        lots.demand_usable(lot, at=NOON)


@pytest.mark.requirement("211-101/103/110/111")
def test_a_lot_is_used_on_its_last_day_and_not_after_it() -> None:
    lot = factories.released_lot(expires_on=date(2026, 3, 5))

    lots.demand_usable(lot, at=NOON + 3 * DAY)
    with pytest.raises(LotNotUsable, match="expired on 2026-03-05"):
        lots.demand_usable(lot, at=NOON + 4 * DAY)


@pytest.mark.requirement("211-101/103/110/111")
def test_a_lot_overdue_for_its_retest_is_not_used_until_it_passed_another() -> None:
    lot = factories.released_lot(factories.material(retest_interval_days=30))
    late = NOON + 31 * DAY
    quality = factories.person(Role.QUALITY_ASSURANCE)
    lots.demand_usable(lot, at=NOON + 30 * DAY)

    with pytest.raises(LotNotUsable, match="retest was due on 2026-04-01"):
        lots.demand_usable(lot, at=late)
    lots.quarantine(lot, actor=quality, at=late, reason="it is tested again")
    again = lots.release(
        lot, confirmed=factories.confirmed(quality, at=late), reason="the retest passed",
        retest_on=(late + 30 * DAY).date(),
    )  # fmt: skip

    lots.demand_usable(again, at=late + 30 * DAY)


def test_whoever_received_a_lot_does_not_release_it() -> None:
    both = factories.person(Role.WAREHOUSE, Role.QUALITY_ASSURANCE)
    material = factories.material()
    receipt = lots.Receipt(
        quantity=Decimal(1), unit="kg", received_at=NOON, location="A",
        supplier=factories.supplier(material), supplier_lot="1",
    )  # fmt: skip
    lot = lots.receive(material, receipt=receipt, actor=both, at=NOON)

    with pytest.raises(ReceiverDecides):
        lots.release(lot, confirmed=factories.confirmed(both), reason="tested and within limits")


def test_the_warehouse_does_not_release() -> None:
    with pytest.raises(NotPermitted):
        lots.release(
            factories.received_lot(), reason="it is needed now",
            confirmed=factories.confirmed(factories.person(Role.WAREHOUSE)),
        )  # fmt: skip


def test_a_lot_of_a_supplier_who_is_not_approved_is_not_released() -> None:
    lot = factories.received_lot(supplier=factories.supplier())

    with pytest.raises(SupplierNotApproved):
        lots.release(
            lot, confirmed=factories.confirmed(factories.person(Role.QUALITY_ASSURANCE)),
            reason="tested and within limits",
        )  # fmt: skip


@pytest.mark.requirement("A11D-10")
@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"quantity": "0"}, "above nothing"),
        ({"quantity": "-1"}, "above nothing"),
        ({"container_count": 0}, "one container"),
        ({"unit": "g"}, "counted in kg, not in g"),
        ({"received_at": NOON + timedelta(minutes=6)}, "future"),
        ({"expires_on": date(2026, 3, 1)}, "not before the receipt"),
        ({"retest_on": date(2026, 3, 1)}, "not before the receipt"),
        ({"location": " "}, "where"),
        ({"supplier_lot": ""}, "supplier's number"),
    ],
)
def test_what_cannot_be_is_refused_at_entry(said: dict[str, object], words: str) -> None:
    with pytest.raises(LotInvalid, match=words):
        factories.received_lot(**said)


@pytest.mark.requirement("A11D-10")
@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"quantity": "100.000001"}, "more than the usual 100"),
        ({"expires_on": date(2036, 3, 3)}, "more than ten years"),
        ({"received_at": NOON - 7 * DAY - timedelta(seconds=1)}, "more than a week ago"),
    ],
)
def test_what_looks_wrong_needs_a_reason(said: dict[str, object], words: str) -> None:
    material = factories.material(largest_receipt=Decimal(100))

    with pytest.raises(Implausible, match=words):
        factories.received_lot(material, **said)
    taken = factories.received_lot(material, plausibility_note="weighed twice, as ordered", **said)

    assert taken.state == LotState.QUARANTINE


@pytest.mark.requirement("A11D-10")
@pytest.mark.parametrize(
    "said",
    [
        {"quantity": "100"},
        {"quantity": "0.000001"},
        {"expires_on": date(2036, 3, 2)},
        {"expires_on": date(2026, 3, 2)},
        {"received_at": NOON - 7 * DAY},
        {"received_at": NOON + timedelta(minutes=5)},
    ],
)
def test_what_is_just_within_its_boundary_is_taken(said: dict[str, object]) -> None:
    material = factories.material(largest_receipt=Decimal(100))

    assert factories.received_lot(material, **said).state == LotState.QUARANTINE


def test_a_number_is_given_once_and_counted_on_by_itself() -> None:
    first = factories.received_lot()

    assert factories.received_lot().number != first.number
    with pytest.raises(LotKnown):
        factories.received_lot(number=first.number)


def test_the_first_to_expire_comes_first_and_nothing_unusable_is_offered() -> None:
    material = factories.material()
    late = factories.released_lot(material, expires_on=date(2026, 12, 1))
    soon = factories.released_lot(material, expires_on=date(2026, 6, 1))
    never = factories.released_lot(material)
    factories.released_lot(material, expires_on=date(2026, 3, 3))
    factories.received_lot(material, expires_on=date(2026, 4, 1))

    offered = list(lots.first_to_expire(material, at=NOON + 2 * DAY))

    assert offered == [soon, late, never]


def test_the_dates_of_a_released_lot_are_only_brought_forward() -> None:
    lot = factories.released_lot(expires_on=date(2026, 6, 1))
    quality = factories.person(Role.QUALITY_ASSURANCE)

    with pytest.raises(LotInvalid, match="only brought forward"):
        lots.change_dates(
            lot, expires_on=date(2026, 7, 1), retest_on=None, actor=quality, at=NOON,
            reason="stability data of 24 months",
        )  # fmt: skip
    changed = lots.change_dates(
        lot, expires_on=date(2026, 5, 1), retest_on=None, actor=quality, at=NOON,
        reason="opened container, shorter life",
    )  # fmt: skip

    assert changed.expires_on == date(2026, 5, 1)
