"""Let rooms that seal bulk data by one entry (segments of readings) verify it with the trail."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from django.db import Error
from django.db.backends.utils import CursorWrapper


@dataclass(frozen=True)
class Broken:
    """Data that is not what its entry sealed: the record that sealed it, and what is wrong."""

    record: str
    message: str


PATIENCE = "60s"  # for whoever alters a table of bulk data at this moment
Check = Callable[[CursorWrapper], Iterator[Broken]]
_checks: dict[str, Check] = {}
_tables: dict[str, tuple[str, ...]] = {}


def register(name: str, check: Check, *, tables: tuple[str, ...] = ()) -> None:
    """Register how one kind of bulk data is verified; called in AppConfig.ready.

    `tables` have the data where those are rows: nothing may come between them and their readers.
    """
    if name in _checks:
        raise ValueError(f"bulk data named {name} is registered already")
    _checks[name] = check
    _tables[name] = tables


def tables() -> list[str]:
    """Return the tables of all bulk data."""
    return sorted(table for found in _tables.values() for table in found)


def broken(cursor: CursorWrapper) -> Iterator[Broken]:
    """Yield everything that is not what was sealed, of every kind, as the cursor's snapshot has it."""
    for name, check in _checks.items():
        cursor.execute("SAVEPOINT bulk")
        cursor.execute(f"SET LOCAL lock_timeout = '{PATIENCE}'")
        try:
            yield from check(cursor)
        except Error as error:  # a column or a table is gone, or something in its place refuses
            why = str(error).splitlines()[0]
            yield Broken(record=name, message=f"cannot be compared with what was sealed: {why}")
        cursor.execute("ROLLBACK TO SAVEPOINT bulk")
