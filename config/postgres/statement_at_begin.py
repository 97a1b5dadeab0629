"""Send what must be said first in a transaction together with its BEGIN, in one round trip."""

from typing import TYPE_CHECKING, Any

from django.db.backends.postgresql import base
from psycopg import errors
from psycopg.pq import ExecStatus

if TYPE_CHECKING:
    _Wrapper = base.DatabaseWrapper
else:
    _Wrapper = object

_LEVELS = {1: "READ UNCOMMITTED", 2: "READ COMMITTED", 3: "REPEATABLE READ", 4: "SERIALIZABLE"}


class StatementAtBegin(_Wrapper):
    """A database wrapper whose next transaction begins with `statement_at_begin`, if any.

    Django offers databases a way to begin transactions by themselves; psycopg then finds the
    transaction begun, and sends no BEGIN of its own before the first statement.
    """

    statement_at_begin: str | None = None
    if TYPE_CHECKING:  # what Django's class has, and its types do not say
        isolation_level: int | None

        def _set_autocommit(self, autocommit: bool) -> None: ...

    def _start_transaction_under_autocommit(self) -> None:
        statement, self.statement_at_begin = self.statement_at_begin, None
        if statement is None:
            self._set_autocommit(False)
            return
        level = self.isolation_level
        mode = f" ISOLATION LEVEL {_LEVELS[int(level)]}" if level is not None else ""
        with self.wrap_database_errors:
            # libpq itself: a cursor for two statements without answers costs more than they do.
            done = self.connection.pgconn.exec_(f"BEGIN{mode}; {statement}".encode())
            if done.status not in (ExecStatus.TUPLES_OK, ExecStatus.COMMAND_OK):
                raise errors.error_from_result(done)

    def set_autocommit(self, *args: Any, **kwargs: Any) -> None:
        try:
            super().set_autocommit(*args, **kwargs)
        finally:
            self.statement_at_begin = None  # never for a later transaction
