"""Every attack of the design is a test, which is there under the name that the table says."""

import ast
from pathlib import Path

import pytest

from tests.attacks.part_fifteen import ATTACKS, Attack

ROOT = Path(__file__).resolve().parents[2]


def names(file: str) -> set[str]:
    tree = ast.parse((ROOT / file).read_text())
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda one: f"{one.number:02}")
def test_an_attack_of_the_table_has_its_tests(attack: Attack) -> None:
    missing = [
        one for one in attack.tests if one.partition("::")[2] not in names(one.partition("::")[0])
    ]

    assert attack.tests
    assert missing == []


def test_the_attacks_are_numbered_without_a_gap() -> None:
    assert [one.number for one in ATTACKS] == list(range(1, 32))
