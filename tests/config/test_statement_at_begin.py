"""What begins a transaction travels with its first statement, and is never left out or left over."""

from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.db import (
    DatabaseError,
    IntegrityError,
    OperationalError,
    connection,
    connections,
    transaction,
)  # fmt: skip
from django.db.backends.utils import CursorWrapper
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from psycopg.pq import TransactionStatus

from compliance import driver

pytestmark = pytest.mark.django_db(transaction=True)
INSERT = "INSERT INTO django_session VALUES (%s, '', now())"
SAID = "SELECT set_config('gmp.said', 'begun', true)"


@pytest.fixture(autouse=True)
def _without_rows() -> Any:
    Session.objects.all().delete()
    yield
    Session.objects.all().delete()


def _begin(statement: str = SAID) -> Any:
    """Let the next transaction begin with a statement."""
    ours: Any = connection
    ours.ensure_connection()
    ours.statement_at_begin = statement
    return transaction.atomic()


def _said(cursor: CursorWrapper) -> str:
    cursor.execute("SELECT coalesce(current_setting('gmp.said', true), '')")
    return str(cursor.fetchone()[0])


def _row(key: str) -> Session:
    """Return a row that is in no audit trail: it needs no act."""
    return Session(session_key=key, session_data="", expire_date=timezone.now())


def _status() -> TransactionStatus:
    return TransactionStatus(connection.connection.pgconn.transaction_status)


def test_it_travels_with_the_first_statement_which_answers_as_ever() -> None:
    with _begin(), connection.cursor() as cursor:
        assert _status() == TransactionStatus.IDLE
        cursor.execute("SELECT n AS number FROM generate_series(%s, 3) n", [1])
        assert [column.name for column in cursor.description] == ["number"]
        assert (cursor.rowcount, cursor.fetchall()) == (3, [(1,), (2,), (3,)])
        assert cursor.nextset() is None
        assert _said(cursor) == "begun"
        assert _status() == TransactionStatus.INTRANS
    with connection.cursor() as cursor:
        assert _said(cursor) == ""


def test_it_travels_with_a_statement_that_goes_by_the_driver_itself() -> None:
    with _begin():
        assert driver.ask("SELECT %s", [7]) == (7,)
        assert driver.ask("SELECT current_setting('gmp.said')") == ("begun",)
    with _begin():
        with pytest.raises(DatabaseError, match="syntax error"):
            driver.ask("SELEKT 1")
        assert driver.ask("SELECT current_setting('gmp.said')") == ("begun",)
    with pytest.raises(DatabaseError, match="division by zero"), _begin("SELECT 1 / 0"):
        driver.ask("SELECT 1")


def test_percent_signs_in_either_stay_as_they_are() -> None:
    with _begin("SELECT set_config('gmp.said', '100 %s', true)"), connection.cursor() as cursor:
        cursor.execute("SELECT %s || ' 5 %%'", ["not"])
        assert cursor.fetchone() == ("not 5 %",)
        assert _said(cursor) == "100 %s"


def test_a_change_tells_how_many_rows_it_changed() -> None:
    with _begin():
        Session.objects.bulk_create([_row(key) for key in "abc"])
    with _begin():
        assert Session.objects.exclude(pk="a").update(session_data="z") == 2
    with _begin():
        assert Session.objects.filter(session_data="z").delete()[0] == 2


@pytest.mark.parametrize("kind", ["copy", "many", "named", "savepoint"])
def test_statements_that_cannot_take_it_along_find_it_begun(kind: str) -> None:
    with _begin(), connection.cursor() as cursor:
        if kind == "copy":
            with cursor.copy("COPY django_session FROM STDIN") as copy:
                copy.write_row(["a", "", timezone.now()])
        elif kind == "many":
            cursor.executemany(INSERT, [["a"], ["b"]])
        elif kind == "named":
            assert list(Session.objects.iterator()) == []
        else:
            with transaction.atomic():
                _row("a").save(force_insert=True)
        assert _said(cursor) == "begun"
        transaction.set_rollback(True)
    assert not Session.objects.exists()


def test_a_cursor_that_was_there_before_takes_it_along_too() -> None:
    with connection.cursor() as cursor:
        assert _said(cursor) == ""
        with _begin():
            assert _said(cursor) == "begun"
        assert _said(cursor) == ""


def test_where_nothing_is_said_nothing_begins() -> None:
    with _begin():
        pass
    assert _status() == TransactionStatus.IDLE
    with transaction.atomic(), connection.cursor() as cursor:  # and it is not left over
        assert _said(cursor) == ""


def test_what_waited_for_the_commit_runs_outside_of_a_transaction_in_which_nothing_was_said() -> (
    None
):
    after: list[Any] = []

    def ask() -> None:
        with connection.cursor() as cursor:
            after.append(_said(cursor))
        after.append(_status())

    with _begin():
        transaction.on_commit(ask)

    assert after == ["", TransactionStatus.IDLE]


def test_rows_are_locked_and_read_in_parts() -> None:
    Session.objects.bulk_create([_row(key) for key in "abc"])
    with _begin():
        rows = Session.objects.order_by("pk").select_for_update().iterator(chunk_size=2)
        assert [row.pk for row in rows] == ["a", "b", "c"]


def test_it_begins_in_the_next_connection_where_this_one_is_gone() -> None:
    ours: Any = connection
    begun = _begin()
    ours.connection.close()
    ours.health_check_done, ours._asked_at = False, 0.0  # as a request begins, a second later
    with begun, connection.cursor() as cursor:
        assert _said(cursor) == "begun"


def test_when_it_fails_nothing_of_the_transaction_is_done() -> None:
    with pytest.raises(DatabaseError, match="division by zero"), _begin("SELECT 1 / 0"):
        _row("a").save(force_insert=True)
    assert not Session.objects.exists()


def test_when_the_first_statement_fails_nothing_goes_on_without_it() -> None:
    with pytest.raises(DatabaseError, match="aborted"), _begin(), connection.cursor() as cursor:
        with pytest.raises(DatabaseError, match="division by zero"):
            cursor.execute("SELECT 1 / 0")
        cursor.execute(INSERT, ["a"])
    assert not Session.objects.exists()


def test_a_message_that_the_server_cannot_read_does_not_lose_it() -> None:
    """It did not even begin the transaction: the next statement takes it along."""
    with _begin(), connection.cursor() as cursor:
        with pytest.raises(DatabaseError, match="syntax error"):
            cursor.execute("SELEKT 1")
        cursor.execute(INSERT, ["a"])
        assert _said(cursor) == "begun"
        transaction.set_rollback(True)
    assert not Session.objects.exists()


def test_a_value_that_cannot_be_sent_does_not_lose_it() -> None:
    with _begin(), connection.cursor() as cursor:
        with pytest.raises(DatabaseError, match="adapt"):
            cursor.execute("SELECT %s", [object()])
        assert _said(cursor) == "begun"


def test_where_the_server_goes_with_the_first_statement_nothing_was_done() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (pid,) = cursor.fetchone()
    with connections["outside"].cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s, 10000)", [pid])
    with pytest.raises(OperationalError), _begin():
        _row("a").save(force_insert=True)
    connection.close()

    assert not Session.objects.exists()
    with transaction.atomic(), connection.cursor() as cursor:
        assert _said(cursor) == ""


def test_a_commit_that_is_refused_is_told_and_leaves_nothing() -> None:
    deferred = (
        "CREATE TEMPORARY TABLE one (id int PRIMARY KEY) ON COMMIT DROP; CREATE TEMPORARY TABLE other "
        "(id int REFERENCES one DEFERRABLE INITIALLY DEFERRED) ON COMMIT DELETE ROWS; "
        "INSERT INTO other VALUES (7)"
    )
    with (
        pytest.raises(IntegrityError, match="foreign key"), _begin(), connection.cursor() as cursor
    ):  # fmt: skip
        cursor.execute(INSERT, ["a"])
        cursor.execute(deferred)

    assert _status() == TransactionStatus.IDLE
    assert not Session.objects.exists()
    with transaction.atomic(), connection.cursor() as cursor:
        assert _said(cursor) == ""


def test_where_the_server_goes_before_the_commit_it_is_told() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (pid,) = cursor.fetchone()
    with pytest.raises(OperationalError), _begin():
        _row("a").save(force_insert=True)
        with connections["outside"].cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(%s, 10000)", [pid])
    connection.close()

    assert not Session.objects.exists()


def test_a_commit_is_seen_by_whoever_looks_at_the_queries() -> None:
    with CaptureQueriesContext(connection) as seen, _begin():
        _row("a").save(force_insert=True)

    assert seen.captured_queries[-1]["sql"] == "COMMIT"
    assert Session.objects.exists()


def test_a_question_is_asked_at_once() -> None:
    ours: Any = connection
    ours.ensure_connection()
    ours.question_at_begin = "SELECT pg_try_advisory_xact_lock(7)"
    with transaction.atomic():
        assert ours.answer_at_begin == b"t"
    ours.question_at_begin = "SELECT 41 + 1"
    with transaction.atomic(), transaction.atomic():
        assert ours.answer_at_begin == b"42"


def test_a_transaction_whose_question_fails_is_over() -> None:
    ours: Any = connection
    ours.ensure_connection()
    ours.question_at_begin = "SELECT 1 / 0"
    with pytest.raises(DatabaseError, match="division by zero"), transaction.atomic():
        raise AssertionError("it was not begun")

    with connection.cursor() as cursor:
        assert _said(cursor) == ""


def test_where_statements_are_bound_by_the_server_it_is_sent_before_them() -> None:
    own: Any = connections["default"]
    settings = {**own.settings_dict, "OPTIONS": {**own.settings_dict["OPTIONS"]}}
    settings["OPTIONS"]["server_side_binding"] = True
    other = type(own)(settings, "default")
    try:
        other.ensure_connection()
        other.statement_at_begin = SAID
        other.set_autocommit(False, force_begin_transaction_with_broken_autocommit=True)
        with other.cursor() as cursor:
            assert _said(cursor) == "begun"
        other.rollback()
    finally:
        other.close()
