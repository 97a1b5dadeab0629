"""The ledger of a lot goes on line by line, and never below nothing."""

from datetime import date, timedelta
from decimal import Decimal

import pytest

from batches.assets import ledger, lots, reconciling
from batches.assets.ledger import Line, LotNotUsable, QuantityInvalid, StockShort
from batches.assets.models import MaterialKind, MaterialLot, Movement, MovementKind
from compliance.access.authority import NotPermitted
from compliance.access.duties import Role
from compliance.trail.recording import ReasonNotMeaningful
from tests import factories
from tests.factories import NOON

pytestmark = pytest.mark.django_db
LINE = Line(reason="for batch B-1", reference="B-1")


def moved(
    lot: MaterialLot, kind: MovementKind, amount: str, *, unit="kg", line=LINE, at=NOON
) -> Movement:
    role = Role.QC_ANALYST if kind == MovementKind.SAMPLED else Role.WAREHOUSE
    return ledger.move(
        lot, kind, quantity=Decimal(amount), unit=unit, line=line, actor=factories.person(role),
        at=at,
    )  # fmt: skip


def test_each_line_has_the_balance_after_it() -> None:
    lot = factories.released_lot(quantity="25")

    moved(lot, MovementKind.SAMPLED, "0.1")
    moved(lot, MovementKind.DISPENSED, "10.5")
    moved(lot, MovementKind.RETURNED, "0.5")
    moved(lot, MovementKind.SCRAPPED, "0.4")
    moved(lot, MovementKind.ADJUSTED, "-0.5")

    lines = lot.movements.order_by("sequence").values_list("sequence", "balance")
    assert [(number, str(balance.normalize())) for number, balance in lines] == [
        (1, "25"), (2, "24.9"), (3, "14.4"), (4, "14.9"), (5, "14.5"), (6, "14"),
    ]  # fmt: skip
    assert reconciling.account(lot).used == Decimal(10)


def test_more_than_there_is_cannot_be_taken() -> None:
    lot = factories.released_lot(quantity="25")
    moved(lot, MovementKind.DISPENSED, "25")

    with pytest.raises(StockShort, match="holds 0 kg"):
        moved(lot, MovementKind.DISPENSED, "0.000001")


@pytest.mark.requirement("211-101/103/110/111")
def test_nothing_is_dispensed_of_a_lot_that_expired() -> None:
    lot = factories.released_lot(expires_on=date(2026, 3, 2))

    with pytest.raises(LotNotUsable, match="expired"):
        moved(lot, MovementKind.DISPENSED, "1", at=NOON + timedelta(days=1))


@pytest.mark.parametrize(
    ("amount", "unit"),
    [
        ("0", "kg"),
        ("-1", "kg"),
        ("1", "g"),
        ("1", ""),
        ("0.0000001", "kg"),
        ("NaN", "kg"),
        ("Infinity", "kg"),
        ("1E+14", "kg"),
        ("1E+40", "kg"),
    ],
)
def test_an_amount_that_cannot_be_is_refused(amount: str, unit: str) -> None:
    with pytest.raises(QuantityInvalid):
        moved(factories.released_lot(), MovementKind.DISPENSED, amount, unit=unit)


def test_a_movement_needs_a_reason_that_says_something() -> None:
    with pytest.raises(ReasonNotMeaningful):
        moved(factories.released_lot(), MovementKind.DISPENSED, "1", line=Line(reason="ok"))


def test_a_move_changes_the_place_and_no_amount() -> None:
    lot = factories.released_lot(quantity="25")

    moved(lot, MovementKind.MOVED, "0", line=Line(reason="cold room is full", location="Cold 2"))

    lot.refresh_from_db()
    assert lot.location == "Cold 2"
    assert ledger.balance(lot) == Decimal(25)


def test_only_who_works_with_materials_moves_them() -> None:
    with pytest.raises(NotPermitted):
        ledger.move(
            factories.released_lot(), MovementKind.DISPENSED, quantity=Decimal(1), unit="kg",
            line=LINE, actor=factories.person(Role.QC_ANALYST), at=NOON,
        )  # fmt: skip


def test_labels_are_accounted_for() -> None:
    labels = factories.material(unit="{label}", kind=MaterialKind.PACKAGING)
    lot = factories.released_lot(labels, quantity="1000")
    moved(lot, MovementKind.DISPENSED, "900", unit="{label}")
    moved(lot, MovementKind.RETURNED, "40", unit="{label}")
    moved(lot, MovementKind.SCRAPPED, "140", unit="{label}")

    account = reconciling.account(lot)

    assert (account.received, account.used, account.scrapped, account.balance) == (
        1000, 860, 140, 0,
    )  # fmt: skip


def test_a_count_within_its_limit_adjusts_the_ledger() -> None:
    lot = factories.released_lot(
        factories.material(reconciliation_limit_percent=Decimal(1)), quantity="100"
    )

    made = reconciling.count(
        lot, counted=Decimal("99"), unit="kg", actor=factories.person(Role.WAREHOUSE), at=NOON,
        explanation="loss in the scoop",
    )  # fmt: skip

    assert (made.is_within_limit, made.deviation) == (True, None)
    assert ledger.balance(lot) == Decimal(99)


def test_a_count_outside_its_limit_opens_a_deviation() -> None:
    lot = factories.released_lot(
        factories.material(reconciliation_limit_percent=Decimal(1)), quantity="100"
    )

    made = reconciling.count(
        lot, counted=Decimal("98.999999"), unit="kg", actor=factories.person(Role.WAREHOUSE),
        at=NOON, explanation="a container is missing",
    )  # fmt: skip

    assert made.deviation is not None
    assert lot.number in made.deviation.title


def test_what_each_lot_holds_comes_in_one_query(django_assert_num_queries) -> None:
    made = [factories.released_lot(quantity=str(number)) for number in (1, 2, 3)]

    with django_assert_num_queries(1):
        found = ledger.with_balance(MaterialLot.objects.filter(pk__in=[one.pk for one in made]))
        assert sorted(one.on_hand for one in found) == [1, 2, 3]


def test_a_lot_that_is_used_up_is_not_offered() -> None:
    lot = factories.released_lot(quantity="1")
    moved(lot, MovementKind.DISPENSED, "1")

    assert list(lots.first_to_expire(lot.material, at=NOON)) == []


def test_nothing_is_taken_at_a_moment_before_the_lot_was_there_and_released() -> None:
    lot = factories.received_lot(received_at=NOON - timedelta(hours=2))
    quality = factories.person(Role.QUALITY_ASSURANCE)
    lots.release(lot, confirmed=factories.confirmed(quality), reason="tested and within limits")

    for_hours = {1: LotNotUsable, 3: LotNotUsable}
    for hours, refusal in for_hours.items():
        early = Line(reason="for batch B-1", moved_at=NOON - timedelta(hours=hours))
        with pytest.raises(refusal, match="after that moment"):
            moved(lot, MovementKind.DISPENSED, "1", line=early)
    with pytest.raises(QuantityInvalid, match="was received at"):
        moved(
            lot, MovementKind.SCRAPPED, "1",
            line=Line(reason="torn container", moved_at=NOON - timedelta(hours=3)),
        )  # fmt: skip
