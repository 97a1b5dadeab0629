"""Send one message to the database by libpq itself, without a cursor of Django's and psycopg's.

Two cursors around a short statement cost a process six times what libpq needs to send it and to read
one row. What is sent like this goes by no execute wrapper, and into no list of queries.
"""

from collections.abc import Iterable
from typing import Any

from django.db import DEFAULT_DB_ALIAS, DatabaseError, connections
from psycopg.adapt import Transformer

Row = tuple[Any, ...]


def ask(statement: str, values: Iterable[object] = (), *, after: str = "") -> Row | None:
    """Return the first row of a statement, or None; it has `%s` for each value.

    It is sent in one message `after` another, if there is one. Raise Django's errors.
    """
    ours: Any = connections[DEFAULT_DB_ALIAS]  # of our backend: config/postgres
    ours.close_if_health_check_failed()
    ours.ensure_connection()
    ours.validate_no_broken_transaction()
    with ours.wrap_database_errors:
        known = _adapters_of(ours.connection)
        literals = [b"NULL" if value is None else known.as_literal(value) for value in values]
        text = statement.encode() % tuple(literals)
        done = ours.message(after.encode() + b"; " + text if after else text)
        if not done.ntuples:
            return None
        known.set_pgresult(done)
        row: Row = known.load_row(0, tuple)
        return row


def answer(statement: str, values: Iterable[object] = (), *, after: str = "") -> Row:
    """Return the row of a statement that always has one; raise `DatabaseError` should it have none."""
    row = ask(statement, values, after=after)
    if row is None:
        raise DatabaseError("the server stored no row and said nothing: nothing was done")
    return row


def _adapters_of(connection: Any) -> Any:
    """Return what a connection of psycopg knows of types; kept with it, as it looks each up once."""
    if not hasattr(connection, "adapters_kept"):
        connection.adapters_kept = Transformer(connection)
    return connection.adapters_kept
