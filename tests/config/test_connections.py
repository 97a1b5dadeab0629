"""A connection whose session is gone is found out; one that answered just now is not asked again."""

from typing import Any

import pytest
from django.db import OperationalError, connection, connections

from config.postgres import asked_once

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _of_a_request() -> Any:
    """Open the connection as a request does: checked once in each."""
    ours: Any = connections["default"]
    ours.close()
    ours.ensure_connection()
    ours.health_check_enabled, ours._asked_at = True, 0.0
    yield
    ours.close()


def _next_request() -> int:
    """Return the server's process that answers the next request."""
    connection.close_if_unusable_or_obsolete()
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return int(cursor.fetchone()[0])


def _end(pid: int) -> None:
    """End a session of this role, as a failover does."""
    with connections["outside"].cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s)", [pid])
        assert cursor.fetchone() == (True,)


def test_a_connection_that_is_gone_is_replaced_before_anybody_notices(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(asked_once, "FRESH_S", 0.0)
    first = _next_request()
    _end(first)

    assert _next_request() != first


def test_one_that_goes_within_the_second_costs_one_request_and_no_more() -> None:
    first = _next_request()  # asked just now
    _next_request()
    _end(first)

    with pytest.raises(OperationalError):
        _next_request()
    assert _next_request() != first


def test_within_a_second_it_is_asked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[None] = []
    kind: Any = type(connections["default"])
    usable = kind.is_usable

    def counting(one: Any) -> bool:
        asked.append(None)
        return bool(usable(one))

    monkeypatch.setattr(kind, "is_usable", counting)
    pids = {_next_request() for _ in range(5)}

    assert (len(pids), len(asked)) == (1, 1)
