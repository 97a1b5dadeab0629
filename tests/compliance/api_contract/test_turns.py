"""Writers of one record, and senders of one key, take turns; who waits too long is told so."""

import json
from typing import Any

import pytest
from django.db import connections
from django.test import Client

from batches.execution.models import Batch
from compliance.access.duties import Role
from compliance.api_contract import idempotency, turns
from compliance.api_contract.idempotency import Posted
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "WAIT", "50ms")


def taken(name: str) -> None:
    """Let another connection have the turn until the test ends."""
    with connections["outside"].cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [turns.number(name)])


def test_a_key_that_is_under_way_is_answered_with_409() -> None:
    device, token = factories.device_and_token()
    recipe = factories.recipe()
    taken(f"device:{device.pk}\nPOST\n/api/v1/batches\nk-1")

    answer = Client().post(
        "/api/v1/batches", {"number": "B-1", "product": recipe.product.code},
        content_type="application/json",
        headers={"authorization": f"Bearer {token}", "idempotency-key": "k-1"},
    )  # fmt: skip

    assert answer.status_code == 409
    assert answer.json()["type"] == "/problems/idempotency-key-in-flight"
    assert Batch.objects.count() == 0


def test_a_record_on_which_others_act_is_answered_with_503_and_when_to_come_again() -> None:
    product = factories.product()
    client = Client()
    client.force_login(factories.person(Role.PROCESS_ENGINEER))
    path = f"/api/v1/products/{product.code}"
    seen = client.get(path)["ETag"]
    taken(f"record\n{path}")
    body: dict[str, Any] = {
        "name": "x", "strength": "", "dosage_form": "", "shelf_life_months": 24, "markets": [],
        "reason": "shelf life extended by stability data",
    }  # fmt: skip

    answer = client.put(
        path, json.dumps(body), content_type="application/json",
        headers={"idempotency-key": "k-1", "if-match": seen},
    )  # fmt: skip

    assert (answer.status_code, answer["Retry-After"]) == (503, "2")
    assert answer.json()["type"] == "/problems/record-busy"


def test_an_act_whose_receipt_cannot_be_kept_did_not_happen(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Full:
        def find(self, posted: Posted) -> None:
            return None

        def keep(self, posted: Posted, **_: Any) -> Any:
            raise OSError("no space is left")

    monkeypatch.setattr(idempotency, "_keepers", [Full()])
    _, token = factories.device_and_token()
    recipe = factories.recipe()

    answer = Client(raise_request_exception=False).post(
        "/api/v1/batches", {"number": "B-1", "product": recipe.product.code},
        content_type="application/json",
        headers={"authorization": f"Bearer {token}", "idempotency-key": "k-1"},
    )  # fmt: skip

    assert answer.status_code == 500
    assert answer.json()["type"] == "/problems/broken"
    assert Batch.objects.count() == 0
