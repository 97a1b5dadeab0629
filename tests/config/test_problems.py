"""Bad input is answered as a problem, also where only the database sees that it is bad."""

import pytest
from django.db import connection
from django.test import Client

from compliance.access.duties import Role
from tests import factories
from tests.api_client import ApiClient

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    "path",
    [
        "batches/%00", "batches/B%00/timeline", "deviations/%00", "samples/%00/custody",
        "batches?state=%00", "deviations?search=%00", "receipts?id=a%00", "access/log?q=%00",
        "access/people/%00", "lots/%00", "retention/batch-record/%00", "runs/%00",
        "batches/99999999999999999999/exceptions/99999999999999999999999/assessment",
    ],
)  # fmt: skip
def test_an_address_that_the_database_cannot_look_for_is_no_error_of_ours(
    path: str, caplog: pytest.LogCaptureFixture
) -> None:
    client = Client()
    client.force_login(factories.person(Role.QUALITY_ASSURANCE))

    answer = client.get(f"/api/v1/{path}")

    assert answer.status_code == (400 if "%00" in path else 405)
    assert answer["Content-Type"] == "application/problem+json"
    assert ("has a NUL" in answer.json()["detail"]) is ("%00" in path)
    assert [one for one in caplog.records if one.exc_info] == []


def test_a_form_of_another_sign_in_is_refused_in_words() -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(factories.person(Role.QUALITY_ASSURANCE))

    answer = client.post("/admin/quality/deviation/acts/open/", {"title": "Spill"})

    assert answer.status_code == 403
    assert "Nothing was changed" in answer.content.decode()
    assert "DEBUG" not in answer.content.decode()


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("batches/NOPE", "there is no batch NOPE"),
        ("equipment/NOPE", "there is no equipment NOPE"),
        ("access/alarms/990099", "there is no security alarm 990099"),
        ("bulk-runs/NOPE", "there is no bulk run NOPE"),
        ("recipes/NOPE/7", "there is no master recipe NOPE 7"),
        (f"access/people/{'x' * 200}", f"there is no user {'x' * 80}"),
    ],
)
def test_what_is_not_there_is_named_in_words_and_by_what_was_asked_for(
    path: str, said: str
) -> None:
    details = []
    for role in (Role.QUALITY_ASSURANCE, Role.SYSTEM_ADMINISTRATOR):
        client = Client()
        client.force_login(factories.person(role))
        answer = client.get(f"/api/v1/{path}")
        if answer.status_code != 403:
            assert answer.status_code == 404
            details.append(answer.json()["detail"])

    assert set(details) == {said}


def test_what_a_body_names_and_is_not_there_is_named_too() -> None:
    client = ApiClient()
    client.force_login(factories.person(Role.SYSTEM_ADMINISTRATOR))

    answer = client.post(
        "/api/v1/sources",
        {"code": "S-1", "device": "nobody-1", "description": "a line", "reason": "a new line"},
        content_type="application/json",
    )

    assert (answer.status_code, answer.json()["detail"]) == (404, "there is no device nobody-1")


def test_a_form_without_a_boundary_is_no_error_of_ours() -> None:
    client = Client(enforce_csrf_checks=True)  # it looks for its token in the form
    client.force_login(factories.person(Role.QUALITY_ASSURANCE))
    client.cookies["csrftoken"] = token = "a" * 32
    answer = client.generic(
        "POST", "/api/v1/messages", b"\0", "multipart/form-data",
        headers={"Idempotency-Key": "without-a-boundary", "X-CSRFToken": token},
    )  # fmt: skip

    assert answer.status_code == 415
    assert answer["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize("path", ["/api/v1/batches", "/admin/", "/nowhere"])
def test_what_goes_to_another_host_is_refused_under_an_id_too(path: str) -> None:
    answer = Client().get(path, headers={"Host": "another.example", "X-Correlation-ID": "ours-1"})

    assert answer.status_code == 400
    assert answer["X-Correlation-ID"] == "ours-1"
    if path.startswith("/api/"):
        assert answer["Content-Type"] == "application/problem+json"
        assert answer.json()["correlation_id"] == "ours-1"


def test_a_server_that_only_reads_is_unreachable_for_now(client: ApiClient) -> None:
    """As a standby is, until another one takes over."""
    _, token = factories.device_and_token()
    batch = factories.running_batch()
    with connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION READ ONLY")

    answer = client.post(
        f"/api/v1/batches/{batch.number}/events",
        {"kind": "observation", "text": "seen", "occurred_at": factories.NOON.isoformat()},
        content_type="application/json", headers={"Authorization": f"Bearer {token}"},
    )  # fmt: skip

    assert (answer.status_code, answer["Retry-After"]) == (503, "2")
    assert answer.json()["type"] == "/problems/database-unavailable"
