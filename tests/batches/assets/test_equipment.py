"""Equipment is used only while it is qualified, calibrated and clean."""

import pytest

from batches.assets import equipment
from batches.assets.equipment import EquipmentNotUsable
from compliance.access.duties import Role
from tests import factories
from tests.factories import NOON

pytestmark = pytest.mark.django_db


def test_equipment_in_qualification_is_not_used() -> None:
    new = factories.registered_equipment()

    with pytest.raises(EquipmentNotUsable, match="in qualification"):
        equipment.demand_usable(new, at=NOON)


def test_qualified_equipment_is_used_and_its_use_is_recorded() -> None:
    ready = factories.equipment()
    operator = factories.person(Role.OPERATOR)

    use = equipment.mark_used(
        ready, purpose="batch B-1, Growth", by_text="operator", at=NOON, actor=operator
    )

    assert list(equipment.uses_since(ready, NOON)) == [use]
