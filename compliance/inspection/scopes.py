"""Let the rooms above say which of their records belong to a set of batches."""

from collections.abc import Callable
from typing import Any, TypeVar

from django.db.models import Model, QuerySet

Numbers = tuple[str, ...]
M = TypeVar("M", bound=Model)
Rows = Callable[[Numbers], "QuerySet[Any]"]
NumbersOf = Callable[[Numbers], frozenset[str]]

_rows: dict[type[Model], Rows] = {}
_known: list[NumbersOf] = []
_released: list[NumbersOf] = []


def rows_of(model: type[Model]) -> Callable[[Rows], Rows]:
    """Declare how the rows of a model are narrowed to batch numbers."""

    def declare(rows: Rows) -> Rows:
        if model in _rows:
            raise ValueError(f"the rows of {model.__name__} are narrowed already")
        _rows[model] = rows
        return rows

    return declare


def known_batches(numbers: NumbersOf) -> NumbersOf:
    """Declare which of the numbers asked for are batches of this site."""
    _known.append(numbers)
    return numbers


def released_batches(numbers: NumbersOf) -> NumbersOf:
    """Declare which of the numbers asked for (all, when none are) have been released."""
    _released.append(numbers)
    return numbers


def narrow(model: type[M], numbers: Numbers) -> "QuerySet[M]":
    """Return the rows of a model that belong to these batches, in order; all, when none are named.

    A model that nobody narrows belongs to the site as a whole (people, sign-ins).
    """
    if numbers and model in _rows:
        return _rows[model](numbers).order_by("pk")
    return model._default_manager.order_by("pk")


def narrowed() -> tuple[type[Model], ...]:
    """Return every model whose rows can be narrowed to batches, by table name."""
    return tuple(sorted(_rows, key=lambda model: model._meta.db_table))


def known(numbers: Numbers) -> frozenset[str]:
    return frozenset().union(*(declared(numbers) for declared in _known))


def released(numbers: Numbers) -> frozenset[str]:
    return frozenset().union(*(declared(numbers) for declared in _released))
