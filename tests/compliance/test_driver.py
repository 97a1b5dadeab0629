"""What goes to the database by the driver itself is part of the same transactions, and as refused."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.db import (
    DatabaseError,
    DataError,
    OperationalError,
    connection,
    connections,
    transaction,
)
from django.db.transaction import TransactionManagementError

from compliance import driver
from tests.factories import NOON

pytestmark = pytest.mark.django_db(transaction=True)
_SET = "SELECT set_config('driver.said', %s, true)"
_SAID = "SELECT coalesce(current_setting('driver.said', true), '')"


@pytest.fixture(autouse=True)
def _own_connection() -> Any:
    connection.close()
    yield
    connection.close()


def _is_in_transaction() -> bool:
    connection.ensure_connection()
    return bool(connections["default"].connection.info.transaction_status)


@pytest.mark.parametrize(
    "value",
    ["text", "it's \\ 100 % of %s", "Ä", "", 7, -(2**40), True, None, Decimal("1.50"), NOON,
     date(2026, 3, 1), [1, 2], b"\x00\xff"],
)  # fmt: skip
def test_a_value_goes_and_comes_as_by_a_cursor(value: object) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT %s", [value])
        expected = cursor.fetchone()

    assert driver.ask("SELECT %s", [value]) == expected


def test_the_first_row_is_answered_or_none() -> None:
    assert driver.ask("SELECT * FROM generate_series(3, 5)") == (3,)
    assert driver.ask("SELECT 1 WHERE false") is None
    assert driver.ask(_SET, ["no rows are asked for"], after="SELECT 1") is not None


def test_where_a_row_has_to_be_answered_none_is_an_error() -> None:
    assert driver.answer("SELECT 3") == (3,)
    with pytest.raises(DatabaseError, match="no row"):
        driver.answer("SELECT 1 WHERE false")


def test_outside_of_a_transaction_each_stands_alone() -> None:
    driver.ask(_SET, ["a"])

    assert driver.ask(_SAID) == ("",)
    assert not _is_in_transaction()


def test_the_first_statement_of_a_transaction_begins_it() -> None:
    with transaction.atomic():
        driver.ask(_SET, ["a"])

        assert driver.ask(_SAID) == ("a",)
        with connection.cursor() as cursor:
            cursor.execute(_SAID)
            assert cursor.fetchone() == ("a",)
    assert driver.ask(_SAID) == ("",)


def test_a_transaction_that_fails_at_its_first_statement_is_over() -> None:
    with pytest.raises(DataError, match="division by zero"), transaction.atomic():
        driver.ask("SELECT 1 / 0")

    assert not _is_in_transaction()
    assert driver.ask("SELECT 1") == (1,)


def test_what_cannot_be_read_fails_the_transaction_too() -> None:
    with pytest.raises(DatabaseError, match="syntax error"), transaction.atomic():
        driver.ask("SELECT FROM WHERE")

    assert driver.ask("SELECT 1") == (1,)


def test_a_savepoint_takes_back_what_was_said_in_it() -> None:
    with transaction.atomic():
        driver.ask(_SET, ["a"])
        with pytest.raises(DataError), transaction.atomic():
            driver.ask(_SET, ["b"])
            driver.ask("SELECT 1 / 0")

        assert driver.ask(_SAID) == ("a",)


def test_nothing_is_asked_of_a_transaction_that_is_broken() -> None:
    with transaction.atomic():
        transaction.set_rollback(True)
        with pytest.raises(TransactionManagementError):
            driver.ask("SELECT 1")


def test_a_text_with_a_nul_is_refused_and_never_cut_off() -> None:
    with pytest.raises(DataError, match="NUL"):
        driver.ask("SELECT %s", ["a\x00b"])


def test_a_session_that_is_gone_is_unavailable_once() -> None:
    (pid,) = driver.ask("SELECT pg_backend_pid()") or (0,)
    with connections["outside"].cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s)", [pid])

    with pytest.raises(OperationalError):
        driver.ask("SELECT 1")
    connection.close_if_unusable_or_obsolete()
    assert driver.ask("SELECT pg_backend_pid()") not in {(pid,), None}
