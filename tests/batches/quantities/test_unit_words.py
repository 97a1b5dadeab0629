"""A unit written for people is the unit that was recorded, and no other."""

import re

import pytest

from batches.quantities import unit_words, units


@pytest.mark.parametrize("code", sorted(units.UNITS))
def test_every_unit_is_written_in_an_approved_spelling_without_brackets(code: str) -> None:
    shown = unit_words.shown(code)

    assert units.canonical(shown) == code
    assert not re.search(r"[\[\]{}*]|_|(?<!\d)\.(?!\d)", shown)


def test_no_two_units_are_written_alike() -> None:
    every = [unit_words.shown(code) for code in units.UNITS]

    assert len(set(every)) == len(every)


def test_what_is_no_known_code_stays_as_it_was_written() -> None:
    for text in ("", "Cel ", "mg", "10*7/mL", "furlong/fortnight"):
        assert unit_words.shown(text) == text
