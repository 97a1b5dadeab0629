"""One batch from its recipe to its certification and shipment, over the API only."""

import pytest

from tests.journeys import records
from tests.journeys.conftest import Walked

pytestmark = pytest.mark.timeout(2400)


def test_a_batch_is_walked_from_its_recipe_to_its_certified_shipment(
    walked_over_api: Walked,
) -> None:
    records.must_be_finished(walked_over_api.left)


@pytest.mark.requirement("A11-15")
def test_what_takes_several_people_was_done_by_several(walked_over_api: Walked) -> None:
    records.must_be_of_different_people(walked_over_api.left)


def test_every_row_of_the_walk_is_under_the_intact_trail(walked_over_api: Walked) -> None:
    verified = walked_over_api.verified
    assert verified.returncode == 0, verified.stdout + verified.stderr
    assert "INTACT" in verified.stdout
    assert " 0 unsealed" in verified.stdout
