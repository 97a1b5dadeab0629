"""A query is read whole: what an endpoint does not know is refused and not passed over."""

from collections.abc import Sequence
from typing import Any

import pytest
from django.http import QueryDict
from django.test import Client
from rest_framework.request import Request

from compliance.access.duties import Role
from tests import factories
from tests.compliance.api_contract.conftest import Operation

pytestmark = pytest.mark.django_db
# RFC 6749 3.2: a token endpoint passes over what it does not know.
QUERY_FREE = "POST /api/v1/oauth/token"


@pytest.fixture
def known(settings: Any) -> Sequence[Client]:
    settings.API_RATES = {**settings.API_RATES, "user": 100_000, "nobody": 100_000}
    clients = []
    for role in (Role.QUALITY_ASSURANCE, Role.SYSTEM_ADMINISTRATOR):
        client = Client()
        client.force_login(factories.person(role))
        clients.append(client)
    return clients


def answered(clients: Sequence[Client], one: Operation, query: str) -> Any:
    """Return the first answer of somebody whom the view lets in."""
    for client in clients:
        answer = client.generic(
            one.method, f"{one.path}?{query}", b"", "application/json",
            headers={"idempotency-key": "k-1"},
        )  # fmt: skip
        if answer.status_code not in {401, 403}:
            return answer
    return answer


def names(one: Operation) -> set[str]:
    """Return the query parameters that the schema names."""
    return {said["name"] for said in one.said.get("parameters", []) if said.get("in") == "query"}


def test_a_parameter_that_no_endpoint_knows_is_refused_by_each_with_those_it_knows(
    operations: Sequence[Operation], known: Sequence[Client]
) -> None:
    passed_over = []
    for one in operations:
        answer = answered(known, one, "batchh=X&limit=1" if "limit" in names(one) else "batchh=X")
        said = answer.json()
        is_refused = (
            (answer.status_code, said.get("type")) == (400, "/problems/query-parameter-unknown")
            and [error["pointer"] for error in said["errors"]] == ["/batchh"]
            and (", ".join(sorted(names(one))) or "none") in said["detail"]
        )
        if not is_refused:
            passed_over.append(f"{one.name}: {answer.status_code} {said}")

    assert [one.partition(":")[0] for one in passed_over] == [QUERY_FREE], passed_over


def test_what_a_view_reads_of_a_query_is_in_its_schema(
    operations: Sequence[Operation], known: Sequence[Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else it would be refused: the schema is where parameters are declared, and nowhere else."""
    read: set[str] = set()

    class Noted(QueryDict):
        def __getitem__(self, name: Any) -> Any:
            read.add(name)
            return super().__getitem__(name)

        def __contains__(self, name: object) -> bool:
            read.add(str(name))
            return super().__contains__(name)

    monkeypatch.setattr(
        Request, "query_params", property(lambda asked: Noted(asked._request.META["QUERY_STRING"]))
    )
    undeclared = {}
    for one in operations:
        read.clear()
        answered(known, one, "")
        if more := read - names(one) - {"format"}:
            undeclared[one.name] = sorted(more)

    assert undeclared == {}


@pytest.mark.parametrize("query", ["page=2", "Limit=1", "limit=1&=x"])
def test_a_client_that_pages_by_another_name_is_told_so(query: str) -> None:
    client = Client()
    client.force_login(factories.person(Role.QUALITY_ASSURANCE))

    answer = client.get(f"/api/v1/batches?{query}")

    assert answer.status_code == 400, answer.content
    assert answer.json()["detail"].endswith("this endpoint takes limit, offset, state")


def test_a_parameter_that_is_there_twice_is_refused_where_one_value_is_read() -> None:
    client = Client()
    client.force_login(factories.person(Role.QUALITY_ASSURANCE))

    twice = client.get("/api/v1/batches?state=running&state=completed")
    once = client.get("/api/v1/batches?state=running&limit=10&format=json")

    assert (twice.status_code, twice.json()["type"]) == (400, "/problems/query-parameter-repeated")
    assert once.status_code == 200


def test_a_write_with_a_query_that_nobody_reads_stores_nothing() -> None:
    batch = factories.running_batch()
    _, token = factories.device_and_token()
    before = batch.events.count()
    event = {"kind": "observation", "occurred_at": "2026-03-02T12:00:00+01:00", "text": "foam"}

    answer = Client().post(
        f"/api/v1/batches/{batch.number}/events?dry_run=true", event,
        content_type="application/json",
        headers={"authorization": f"Bearer {token}", "idempotency-key": "k-1"},
    )  # fmt: skip

    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (400, "/dry_run")
    assert batch.events.count() == before


def test_a_filter_refuses_what_no_row_can_have(
    operations: Sequence[Operation], known: Sequence[Client]
) -> None:
    """A list of nothing would look like the answer to a state or a batch that there is not."""
    passed_over = []
    for one in operations:
        for name in names(one) & {"state", "batch", "product", "judgement", "calibration", "open"}:
            answer = answered(known, one, f"{name}=nosuch")
            if answer.status_code not in {404, 422}:
                passed_over.append((one.method, one.path, name, answer.status_code))

    assert passed_over == []


def test_a_series_of_a_tag_that_there_is_not_is_none(client: Client) -> None:
    batch = factories.running_batch()
    client.force_login(factories.person(Role.AUDITOR))
    address = f"/api/v1/batches/{batch.number}/readings"
    period = {"from": "2026-03-02T00:00:00Z", "to": "2026-03-01T00:00:00Z"}

    unknown = client.get(address, {"tag": "temperatur_c"})
    turned = client.get(address, {"tag": "temperature_c", **period})

    assert (unknown.status_code, turned.status_code) == (422, 422)
    assert "temperature_c" in unknown.json()["detail"]
    assert "before “from”" in turned.json()["detail"]
