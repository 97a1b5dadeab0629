"""Send what must be said first in a transaction, or last in a savepoint, in one message with others."""

from typing import TYPE_CHECKING, Any

from django.db.backends.postgresql import base
from django.db.backends.utils import debug_transaction
from django.db.utils import Error
from psycopg import ClientCursor, OperationalError, errors
from psycopg.pq import ConnStatus, ExecStatus, TransactionStatus
from psycopg.pq.abc import PGresult

if TYPE_CHECKING:
    _Wrapper = base.DatabaseWrapper
    _Cursor = ClientCursor[Any]
else:
    _Wrapper = object
    _Cursor = base.Cursor

_LEVELS = {1: "READ UNCOMMITTED", 2: "READ COMMITTED", 3: "REPEATABLE READ", 4: "SERIALIZABLE"}
_RESULTS_AHEAD = 2  # of BEGIN, and of the statement after it


class StatementAtBegin(_Wrapper):
    """A database wrapper whose next transaction or savepoint begins with a statement, if there is one.

    `statement_at_begin` waits, together with BEGIN, for the first statement of the transaction, and
    travels with it; should there be none, the transaction never was. `question_at_begin` is asked
    with BEGIN at once. A savepoint is made at once with either. The next savepoint is released after
    `statement_at_release`.

    Django offers databases a way to begin transactions by themselves; psycopg then finds the
    transaction begun, and sends no BEGIN of its own before the first statement.
    """

    statement_at_begin: str | None = None
    statement_at_release: str | None = None
    question_at_begin: str | None = None
    answer_at_begin: bytes | None = None  # the first value that it answered
    # What the next statement is to be sent behind, in the same message.
    ahead: bytes | None = None
    # The act whose words are set in this transaction, "" before the first; None: only the database
    # knows, as something was rolled back.
    act_before: str | None = None
    if TYPE_CHECKING:  # what Django's class has, and its types do not say
        isolation_level: int | None

    def get_connection_params(self) -> dict[str, Any]:
        parameters: dict[str, Any] = super().get_connection_params()
        if parameters.get("cursor_factory") is base.Cursor:
            parameters["cursor_factory"] = CursorBehind
        return parameters

    def connect(self) -> None:
        # Connecting says what ends a transaction (`set_autocommit`), also where the one that is to
        # begin has found its connection gone: it begins in this one.
        waiting = self.statement_at_begin, self.question_at_begin
        super().connect()
        self.statement_at_begin, self.question_at_begin = waiting

    def create_cursor(self, name: str | None = None) -> Any:
        if name is not None:
            self.send_ahead()  # DECLARE has a message of its own
        cursor = super().create_cursor(name)
        if name is not None and self.in_atomic_block:
            # Django asks psycopg, which has not begun this transaction: it would hold the rows
            # beyond the end, which the server refuses for rows that are locked.
            cursor._withhold = False
        if isinstance(cursor, CursorBehind):
            cursor.ours = self
        return cursor

    def _start_transaction_under_autocommit(self) -> None:
        statement, self.statement_at_begin = self.statement_at_begin, None
        question, self.question_at_begin = self.question_at_begin, None
        first = statement or question
        # Of other kinds of cursors a statement is alone in its message.
        waits = statement is not None and issubclass(self.connection.cursor_factory, CursorBehind)
        if waits:
            self.ahead = f"{self._begin()}; {statement}".encode()
        elif first is not None:
            try:
                self.answer_at_begin = self._run(f"{self._begin()}; {first}")
            except Error:
                self._run("ROLLBACK")  # Django takes the transaction for not begun
                raise
        else:
            self._set_autocommit(False)

    def _set_autocommit(self, autocommit: bool) -> None:
        # psycopg never left it for a transaction that was begun above, and takes its time to say so.
        if not autocommit or not self.connection.autocommit or not _is_idle(self.connection.pgconn):
            super()._set_autocommit(autocommit)  # type: ignore[misc]

    def set_autocommit(self, autocommit: bool, *args: Any, **kwargs: Any) -> None:
        if autocommit:  # before what waits for the commit runs: it is behind nothing of that one
            self.ahead = None
        try:
            super().set_autocommit(autocommit, *args, **kwargs)
        except BaseException:
            self.ahead = None
            raise
        finally:
            # Never for a later transaction.
            self.statement_at_begin = self.question_at_begin = self.statement_at_release = None
            self.act_before = ""

    def _commit(self) -> None:
        # Likewise: what began in a message of its own ends in one.
        if self.connection is None or not self.connection.autocommit:
            super()._commit()  # type: ignore[misc]
        elif not _is_idle(self.connection.pgconn):
            with debug_transaction(self, "COMMIT"):
                self.message(b"COMMIT")

    def _savepoint(self, sid: str) -> None:
        statement = self.statement_at_begin or self.question_at_begin
        self.statement_at_begin = self.question_at_begin = None
        if statement is None:
            super()._savepoint(sid)  # type: ignore[misc]
            return
        self.send_ahead()
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

    def send_ahead(self) -> None:
        """Send now what waits for the next statement, before one that cannot travel with it."""
        if self.ahead is not None:
            waiting, self.ahead = self.ahead, None
            self.message(waiting)

    def has_sent(self) -> None:
        """Forget what was ahead, unless it never arrived.

        A message that the server cannot read does not even begin the transaction: then the next
        statement must not do without it.
        """
        if not _is_idle(self.connection.pgconn):
            self.ahead = None

    @property
    def is_aborted(self) -> bool:
        """Say whether a statement has failed and was not undone: COMMIT would roll all back."""
        server = self.connection.pgconn
        return bool(server.transaction_status == TransactionStatus.INERROR)

    def _begin(self) -> str:
        level = self.isolation_level
        return f"BEGIN ISOLATION LEVEL {_LEVELS[int(level)]}" if level is not None else "BEGIN"

    def _run(self, statements: str) -> bytes | None:
        """Run statements, and return the last one's first value as text; raise Django's errors."""
        done = self.message(statements.encode())
        return done.get_value(0, 0) if done.ntuples else None

    def message(self, statements: bytes) -> PGresult:
        """Send statements as one message of libpq itself, and return what the last one answers.

        A cursor for a short statement costs more than the statement. Raise Django's errors.
        """
        with self.wrap_database_errors:
            server = self.connection.pgconn
            if self.ahead is not None:
                statements = self.ahead + b"; " + statements
            elif not self.connection.autocommit and _is_idle(server):
                statements = f"{self._begin()}; ".encode() + statements  # psycopg puts it off
            done: PGresult = server.exec_(statements)
            self.has_sent()
            if server.status == ConnStatus.BAD:  # it went: there is no SQLSTATE to say so
                raise OperationalError(server.get_error_message())
            if done.status not in (ExecStatus.TUPLES_OK, ExecStatus.COMMAND_OK):
                raise errors.error_from_result(done)
            return done


def _is_idle(server: Any) -> bool:
    return bool(server.transaction_status == TransactionStatus.IDLE)


class CursorBehind(_Cursor):
    """Django's cursor, whose statements take along what its connection has ahead of them."""

    ours: StatementAtBegin | None = None  # None: a cursor that psycopg made for itself

    def execute(self, *args: Any, **kwargs: Any) -> Any:
        """Execute a statement; what it answers is the answer, whatever was sent ahead of it."""
        ours = self.ours
        if ours is None or ours.ahead is None:
            return super().execute(*args, **kwargs)
        try:
            return super().execute(*args, **kwargs)
        finally:
            ours.has_sent()

    def _execute_send(self, query: Any, **kwargs: Any) -> None:
        # Here, not in `execute`: psycopg remembers texts of statements, and each of these is another.
        if self.ours is not None and self.ours.ahead is not None:
            query.query = self.ours.ahead + b"; " + query.query
        super()._execute_send(query, **kwargs)

    def _set_results(self, results: list[PGresult]) -> None:
        if self.ours is not None and self.ours.ahead is not None:  # `execute` forgets it later
            results = results[_RESULTS_AHEAD:]
        super()._set_results(results)

    def executemany(self, *args: Any, **kwargs: Any) -> Any:
        self._send_ahead()
        return super().executemany(*args, **kwargs)

    def copy(self, *args: Any, **kwargs: Any) -> Any:
        self._send_ahead()
        return super().copy(*args, **kwargs)

    def stream(self, *args: Any, **kwargs: Any) -> Any:
        self._send_ahead()
        return super().stream(*args, **kwargs)

    def _send_ahead(self) -> None:  # of a statement that is not alone in its message
        if self.ours is not None:
            self.ours.send_ahead()
