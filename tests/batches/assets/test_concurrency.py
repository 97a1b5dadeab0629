"""People who act on one lot or one vessel at the same moment follow each other."""

import threading
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.db import connections

from batches.assets import equipment, ledger
from batches.assets.equipment import EquipmentNotUsable
from batches.assets.ledger import Line, StockShort
from batches.assets.models import MovementKind
from compliance.access.duties import Role
from compliance.refusals import Refused
from tests import factories
from tests.factories import NOON

PEOPLE = 6


def at_once(act: Callable[[int], object]) -> list[str]:
    """Let several threads act together, each in a connection of its own; return what came of it."""
    together, found = threading.Barrier(PEOPLE), []

    def run(number: int) -> None:
        try:
            together.wait(timeout=240)
            act(number)
            found.append("done")
        except Refused as refused:
            found.append(refused.code)
        except Exception as error:
            found.append(repr(error))
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(PEOPLE)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sorted(found)


def test_the_last_of_a_lot_is_taken_once(fresh_log: Any) -> None:
    lot = factories.released_lot(quantity="20")
    takers = [factories.person(Role.OPERATOR) for _ in range(PEOPLE)]

    def take(number: int) -> None:
        for _ in range(2):
            ledger.move(
                lot, MovementKind.DISPENSED, quantity=Decimal(5), unit="kg", actor=takers[number],
                line=Line(reason=f"for batch B-{number}"), at=NOON,
            )  # fmt: skip

    codes = at_once(take)

    assert set(codes) <= {"done", StockShort.code}
    lines = list(lot.movements.order_by("sequence").values_list("sequence", "balance"))
    assert lines == [(1, 20), (2, 15), (3, 10), (4, 5), (5, 0)]


def test_a_clean_vessel_is_taken_into_use_by_one(fresh_log: Any) -> None:
    vessel = factories.vessel()
    takers = [factories.person(Role.OPERATOR) for _ in range(PEOPLE)]

    def take(number: int) -> None:
        equipment.mark_used(
            vessel, purpose=f"batch B-{number}", by_text="om", actor=takers[number],
            at=NOON + timedelta(hours=1),
        )  # fmt: skip

    codes = at_once(take)

    assert codes == ["done"] + [EquipmentNotUsable.code] * (PEOPLE - 1)
    assert vessel.uses.count() == 1
