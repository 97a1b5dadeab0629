"""Read the table of approved units: codes, factors and the spellings that plants write."""

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

TABLES = Path(__file__).parent / "tables"
CURRENT = "units-2026.1"
_TERM = re.compile(r"\d+(?:\.\d+)?(?:[*/]\d+(?:\.\d+)?)*")


class TableFaulty(Exception):
    """The table of units is not one: the product does not start with it."""


@dataclass(frozen=True)
class Unit:
    """One approved unit: its value in the first unit of its kind is `value * factor + offset`."""

    code: str
    kind: str
    factor: Fraction
    offset: Fraction = Fraction(0)


def load(name: str) -> tuple[str, Mapping[str, Unit]]:
    """Return the version of a table and its units by every spelling of them."""
    data = tomllib.loads((TABLES / f"{name}.toml").read_text(encoding="utf-8"))
    by_spelling: dict[str, Unit] = {}
    for unit, spellings in _units(data["kinds"]):
        for spelling in spellings:
            if spelling in by_spelling:
                raise TableFaulty(f"“{spelling}” means two units in {name}")
            by_spelling[spelling] = unit
    return str(data["version"]), by_spelling


def _units(
    kinds: Mapping[str, Mapping[str, Mapping[str, Any]]],
) -> Iterator[tuple[Unit, list[str]]]:
    for kind, units in kinds.items():
        for code, said in units.items():
            if set(said) - {"factor", "offset", "also"}:
                raise TableFaulty(f"{code} says more than factor, offset and spellings")
            factor = _fraction(str(said["factor"]))
            if not factor:
                raise TableFaulty(f"{code} has no factor")
            unit = Unit(code, kind, factor, _fraction(str(said.get("offset", "0"))))
            yield unit, [code, *said["also"]]


def _fraction(text: str) -> Fraction:
    if not _TERM.fullmatch(text):
        raise TableFaulty(f"“{text}” is no fraction of the form 1000, 0.001, 1/60 or 2*5/9")
    parts = re.split(r"([*/])", text)
    found = Fraction(parts[0])
    for sign, part in zip(parts[1::2], parts[2::2], strict=True):
        found = found * Fraction(part) if sign == "*" else found / Fraction(part)
    return found
