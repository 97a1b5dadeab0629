"""Whoever takes anything gets JSON; other wishes are read as they were said."""

from typing import Any

import pytest
from django.test import Client

from tests import factories

pytestmark = pytest.mark.django_db
PATH = "/api/v1/batches"


@pytest.fixture
def sender() -> dict[str, str]:
    _, token = factories.device_and_token()
    return {"Authorization": f"Bearer {token}"}


@pytest.mark.parametrize(
    ("accepted", "query", "status"),
    [
        (None, "", 200),
        ("*/*", "", 200),
        ("*/*", "?limit=1", 200),
        ("application/json", "", 200),
        ("text/html, */*;q=0.1", "", 200),
        ("text/html", "", 406),
        ("", "", 406),
        ("*/*", "?format=json", 200),
        ("*/*", "?format=xml", 404),
        (None, "?format=xml", 404),
    ],
)
def test_what_a_client_takes(
    sender: dict[str, str], accepted: str | None, query: str, status: int
) -> None:
    wish: Any = sender if accepted is None else {**sender, "Accept": accepted}

    answered = Client().get(PATH + query, headers=wish)

    assert answered.status_code == status
    kind = "application/json" if status == 200 else "application/problem+json"
    assert answered.headers["Content-Type"] == kind
