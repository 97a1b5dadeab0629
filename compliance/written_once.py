"""Read and insert single rows by statements that are written once.

Django compiles a query anew each time it is asked, which costs a process several times what the
server needs to answer it. What every posted record asks goes by these: who is this, was it done
before, which batch is it of; and so does what it leaves. All else is asked of the model itself.
"""

from datetime import UTC, datetime
from functools import cached_property
from typing import Any, Generic, TypeVar

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.models import BooleanField, CharField, DateTimeField, Model, TextField
from django.db.models.base import ModelState

from compliance import driver

M = TypeVar("M", bound=Model)
_PLAIN: dict[type, tuple[type, ...]] = {
    str: (CharField, TextField), bool: (BooleanField,), datetime: (DateTimeField,),
}  # fmt: skip


class Lookup(Generic[M]):
    """The one row of a model that has these values in these fields; `ending` may order and lock.

    The fields name one row at most, or `ending` chooses: the key, or what a constraint has once.
    """

    def __init__(self, model: type[M], *fields: str, ending: str = "") -> None:
        self._model, self._by, self._ending = model, fields, ending

    def __call__(self, *values: str | int) -> M | None:
        """Return the row, or None when there is none."""
        row = driver.ask(self._statement, values)
        if row is None:
            return None
        found = list(row)
        for at, field in self._converted:
            ours = connections[DEFAULT_DB_ALIAS]
            found[at] = field.from_db_value(found[at], field.cached_col, ours)
        made = self._model.__new__(self._model)  # as `from_db`, but for signals and what it checks
        made._state = ModelState()
        made._state.adding, made._state.db = False, DEFAULT_DB_ALIAS
        vars(made).update(zip(self._names, found, strict=True))
        return made

    @cached_property
    def _statement(self) -> str:
        known = {field.name: field for field in _fields(self._model)}
        named = " AND ".join(f"{_columns([known[name]])} = %s" for name in self._by)
        return (
            f"SELECT {_columns(_fields(self._model))} "  # noqa: S608 -- names of our models
            f"FROM {_quoted(self._model._meta.db_table)} WHERE {named} {self._ending}"
        )

    @cached_property
    def _names(self) -> list[str]:
        return [field.attname for field in _fields(self._model)]

    @cached_property
    def _converted(self) -> list[tuple[int, Any]]:
        fields = enumerate(_fields(self._model))
        return [(at, field) for at, field in fields if hasattr(field, "from_db_value")]


class Insertion(Generic[M]):
    """What `save(force_insert=True)` does, for a model without parents and defaults of the database.

    And to which no signal listens.
    """

    def __init__(self, model: type[M]) -> None:
        self._model = model

    def __call__(self, made: M, *, after: str = "") -> M:
        """Store a new row and give it its key, in one message `after` a statement, if there is one.

        Raise Django's errors of the database.
        """
        ours = connections[DEFAULT_DB_ALIAS]  # itself: to ask the proxy for it each time costs more
        values = [_as_stored(field, field.pre_save(made, add=True), ours) for field in self._stored]
        (made.pk,) = driver.answer(self._statement, values, after=after)
        made._state.adding, made._state.db = False, DEFAULT_DB_ALIAS
        return made

    @cached_property
    def _statement(self) -> str:
        key = self._model._meta.pk
        places = ", ".join(["%s"] * len(self._stored))
        return (
            f"INSERT INTO {_quoted(self._model._meta.db_table)} ({_columns(self._stored)}) "  # noqa: S608
            f"VALUES ({places}) RETURNING {_columns([key])}"
        )

    @cached_property
    def _stored(self) -> list[Any]:
        return [field for field in _fields(self._model) if field is not self._model._meta.pk]


def _as_stored(field: Any, value: Any, ours: Any) -> Any:
    """Return a value as its field stores it; most are as they are, and need not be asked for."""
    is_plain = value is None or isinstance(field, _PLAIN.get(type(value), ()))
    if is_plain and getattr(value, "tzinfo", UTC) is not None:  # Django warns of one without a zone
        return value
    return field.get_db_prep_save(value, ours)


def _fields(model: type[Model]) -> list[Any]:
    return list(model._meta.concrete_fields)


def _columns(fields: list[Any]) -> str:
    return ", ".join(_quoted(field.column) for field in fields)


def _quoted(name: str) -> str:
    return connections[DEFAULT_DB_ALIAS].ops.quote_name(name)
