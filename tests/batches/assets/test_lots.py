"""A lot is used only after another person of QA released it, and while it is in date."""

import pytest

from batches.assets import lots
from batches.assets.lots import LotNotUsable
from tests import factories
from tests.factories import NOON

pytestmark = pytest.mark.django_db


def test_a_received_lot_waits_in_quarantine() -> None:
    lot = factories.received_lot()

    with pytest.raises(LotNotUsable, match="in quarantine"):
        lots.demand_usable(lot, at=NOON)


def test_a_released_lot_is_usable() -> None:
    lots.demand_usable(factories.released_lot(), at=NOON)
