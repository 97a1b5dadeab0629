"""Lots are followed down to what they were made of, and up to what was made of them."""

from decimal import Decimal

import pytest

from batches.assets import genealogy
from batches.assets.genealogy import GenealogyCircle
from batches.assets.ledger import QuantityInvalid
from batches.assets.lots import LotInvalid
from batches.assets.models import MaterialKind, MaterialLot
from compliance.access.duties import Role
from tests import factories
from tests.factories import NOON

pytestmark = pytest.mark.django_db


@pytest.fixture
def line() -> list[MaterialLot]:
    """Return sugar, salt, a medium of both, and a product of the medium and of salt again."""
    sugar, salt = factories.released_lot(), factories.released_lot()
    medium = factories.made_lot(sugar, salt)
    return [sugar, salt, medium, factories.made_lot(medium, salt, kind=MaterialKind.PRODUCT)]


def test_a_lot_is_followed_to_everything_it_is_made_of(line: list[MaterialLot]) -> None:
    sugar, salt, medium, product = line

    found = [(node.depth, node.number) for node in genealogy.tree(product, "made-of")]

    assert found == [
        (1, medium.number), (2, sugar.number), (2, salt.number), (1, salt.number),
    ]  # fmt: skip


def test_a_lot_is_followed_to_everything_made_of_it(line: list[MaterialLot]) -> None:
    sugar, salt, medium, product = line

    assert genealogy.lots_reached(sugar, "used-in") == [medium.pk, product.pk]
    assert genealogy.lots_reached(salt, "used-in") == [medium.pk, product.pk]
    assert genealogy.lots_reached(product, "used-in") == []


def test_a_tree_is_one_query(line: list[MaterialLot], django_assert_num_queries) -> None:
    with django_assert_num_queries(1):
        genealogy.tree(line[-1], "made-of")


def test_a_lot_is_never_made_of_itself(line: list[MaterialLot]) -> None:
    _, _, medium, product = line

    with pytest.raises(GenealogyCircle):
        genealogy.link(
            medium, child=product, quantity=Decimal(1), unit="kg",
            actor=factories.person(Role.OPERATOR), at=NOON,
        )  # fmt: skip


def test_a_component_is_counted_in_the_unit_of_its_lot(line: list[MaterialLot]) -> None:
    with pytest.raises(QuantityInvalid):
        genealogy.link(
            line[-1], child=line[0], quantity=Decimal(1), unit="g",
            actor=factories.person(Role.OPERATOR), at=NOON,
        )  # fmt: skip


def test_what_is_bought_is_not_made() -> None:
    with pytest.raises(LotInvalid, match="is bought"):
        factories.made_lot(kind=MaterialKind.RAW)
