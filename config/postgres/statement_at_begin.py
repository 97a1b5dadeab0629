"""Send what must be said first in a transaction, or last in a savepoint, in one round trip with it."""

from typing import TYPE_CHECKING, Any

from django.db.backends.postgresql import base
from django.db.utils import Error
from psycopg import OperationalError, errors
from psycopg.pq import ConnStatus, ExecStatus, TransactionStatus

if TYPE_CHECKING:
    _Wrapper = base.DatabaseWrapper
else:
    _Wrapper = object

_LEVELS = {1: "READ UNCOMMITTED", 2: "READ COMMITTED", 3: "REPEATABLE READ", 4: "SERIALIZABLE"}


class StatementAtBegin(_Wrapper):
    """A database wrapper whose next transaction or savepoint begins with `statement_at_begin`, if any.

    And whose next savepoint is released after `statement_at_release`. Django offers databases a way
    to begin transactions by themselves; psycopg then finds the transaction begun, and sends no BEGIN
    of its own before the first statement.
    """

    statement_at_begin: str | None = None
    statement_at_release: str | None = None
    answer_at_begin: bytes | None = None  # the first value that it answered
    # The act whose words are set in this transaction, "" before the first; None: only the database
    # knows, as something was rolled back.
    act_before: str | None = None
    if TYPE_CHECKING:  # what Django's class has, and its types do not say
        isolation_level: int | None

        def _set_autocommit(self, autocommit: bool) -> None: ...

    def _start_transaction_under_autocommit(self) -> None:
        statement, self.statement_at_begin = self.statement_at_begin, None
        if statement is None:
            self._set_autocommit(False)
            return
        try:
            self.answer_at_begin = self._run(f"{self._begin()}; {statement}")
        except Error:
            self._run("ROLLBACK")  # Django takes the transaction for not begun
            raise

    def set_autocommit(self, *args: Any, **kwargs: Any) -> None:
        try:
            super().set_autocommit(*args, **kwargs)
        finally:
            # Never for a later transaction.
            self.statement_at_begin = self.statement_at_release = None
            self.act_before = ""

    def _savepoint(self, sid: str) -> None:
        statement, self.statement_at_begin = self.statement_at_begin, None
        if statement is None:
            super()._savepoint(sid)  # type: ignore[misc]
            return
        if self.connection.pgconn.transaction_status == TransactionStatus.IDLE:
            self._run(self._begin())  # psycopg has put it off until the first statement
        try:
            self.answer_at_begin = self._run(f"{self.ops.savepoint_create_sql(sid)}; {statement}")
        except Error:
            # Django takes the savepoint for not made: what is around it goes on as if it never was.
            super()._savepoint_rollback(sid)  # type: ignore[misc]
            super()._savepoint_commit(sid)  # type: ignore[misc]
            raise

    def _savepoint_commit(self, sid: str) -> None:
        statement, self.statement_at_release = self.statement_at_release, None
        if statement is None:
            super()._savepoint_commit(sid)  # type: ignore[misc]
            return
        self._run(f"{statement}; {self.ops.savepoint_commit_sql(sid)}")

    def _savepoint_rollback(self, sid: str) -> None:
        self.statement_at_release = self.act_before = None  # of what is undone now
        super()._savepoint_rollback(sid)  # type: ignore[misc]

    def _begin(self) -> str:
        level = self.isolation_level
        return f"BEGIN ISOLATION LEVEL {_LEVELS[int(level)]}" if level is not None else "BEGIN"

    def _run(self, statements: str) -> bytes | None:
        """Run statements, and return the last one's first value as text; raise Django's errors."""
        with self.wrap_database_errors:
            # libpq itself: a cursor for two such statements costs more than they do.
            server = self.connection.pgconn
            done = server.exec_(statements.encode())
            if server.status == ConnStatus.BAD:  # it went: there is no SQLSTATE to say so
                raise OperationalError(server.get_error_message())
            if done.status not in (ExecStatus.TUPLES_OK, ExecStatus.COMMAND_OK):
                raise errors.error_from_result(done)
            return done.get_value(0, 0) if done.ntuples else None
