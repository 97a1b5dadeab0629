"""A connection whose session is gone is found out; one that answered just now is not asked again."""

from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import OperationalError, connection, connections

from config.postgres import asked_once, base

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


def test_a_session_that_takes_backslashes_for_escapes_is_refused() -> None:
    """As behind a pooler, which drops what we ask for."""
    own: Any = connections["default"]
    parameters = own.get_connection_params()
    asked = f"{parameters['options']} -c standard_conforming_strings=off"

    with pytest.raises(ImproperlyConfigured, match="takes backslashes in texts for escapes"):
        base.DatabaseWrapper(own.settings_dict).get_new_connection(parameters | {"options": asked})
