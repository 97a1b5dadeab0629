"""Whoever may not is refused every operation on a record, and changes nothing (21 CFR 11.10(d), (g)).

The operations come from the schema, their records from the factories, their bodies from their forms.
"""

import json
from collections import Counter
from collections.abc import Sequence
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from compliance.access import access_tokens, clients, people
from compliance.access.duties import Role
from compliance.access.models import PersonSession
from compliance.access.scopes import Scope
from tests import factories
from tests.compliance.api_contract.conftest import PREFIX, Operation
from tests.factories import NOON, TEST

pytestmark = [pytest.mark.django_db, pytest.mark.requirement("P11-d1", "P11-g1")]
REFUSED = {401, 403, 404}
# What stays on record of a refusal itself.
OF_REFUSALS = ("trail.act-refused", "access.alarm-raised", "access.session-opened")
_CHANGES = "SELECT count(*) FROM audit.entry_view WHERE action <> ALL(%s)"
# Some acts look at the values, the form or the record before they ask whether this person may.
REFUSED_FOR_VALUES = {409, 415, 422}


@pytest.fixture(autouse=True)
def _as_often_as_it_takes(settings: Any) -> None:
    settings.API_RATES = dict.fromkeys(settings.API_RATES, 1_000_000)


@pytest.fixture
def records() -> dict[str, dict[str, str]]:
    """Return the names of real records, by the first steps of their address."""
    batch = factories.running_batch()
    sample = factories.sample(batch)
    result = factories.result(sample)
    run = factories.run()
    device, made = factories.device(), factories.registered_equipment()
    client, _ = clients.register(
        factories.device(), wanted=[Scope.EVENTS_READ], actor=TEST, at=NOON, reason="for a test"
    )
    recipe = batch.recipe
    # Somebody else's: everybody may end a session of their own.
    other = Client()
    other.force_login(factories.person(Role.QUALITY_ASSURANCE))
    other.get(f"{PREFIX}session")
    session = PersonSession.objects.latest("pk")
    return {
        "batches": {"number": batch.number, "order": "1", "sample": sample.number},
        "results": {"id": str(result.pk)},
        "runs": {"number": run.number},
        "recipes": {"product": recipe.product.code, "version": str(recipe.version)},
        "products": {"code": recipe.product.code},
        "deviations": {"number": factories.deviation().number},
        "capas": {"number": factories.capa().number},
        "changes": {"number": factories.change().number},
        "equipment": {"code": made.code},
        "material-lots": {"number": factories.received_lot().number},
        "access/people": {"username": factories.person(Role.OPERATOR).username},
        "access/procedures": {"code": factories.procedure().code},
        "access/devices": {"name": device.name},
        "access/sessions": {"number": str(session.pk)},
        "access/clients": {"client_id": client.client_id, "secret": "1"},
    }


def addressed(
    operations: Sequence[Operation], records: dict[str, dict[str, str]]
) -> list[tuple[Operation, str]]:
    """Return the operations with an id in their path, and each with the path of a real record."""
    found = []
    for one in operations:
        if "{" not in one.route:
            continue
        rest = one.route.removeprefix(PREFIX)
        known = next((names for step, names in records.items() if rest.startswith(step + "/")), {})
        path = one.route
        for part in one.said["parameters"]:
            if part.get("in") == "path":
                sample = {"integer": "1", "string": "x"}[part["schema"]["type"]]
                path = path.replace(f"{{{part['name']}}}", known.get(part["name"], sample))
        found.append((one, path))
    return found


def filled(form: dict[str, Any], schema: dict[str, Any], name: str = "") -> Any:
    """Return a value that fits a form as far as the form itself says."""
    if ref := form.get("$ref"):
        return filled(schema["components"]["schemas"][ref.rpartition("/")[2]], schema, name)
    for several in ("allOf", "oneOf", "anyOf"):
        if several in form:
            return filled(form[several][0], schema, name)
    kind = form.get("type")
    kind = kind[0] if isinstance(kind, list) else kind
    if values := form.get("enum"):
        return values[0]
    if kind == "object":
        return {
            one: filled(said, schema, one)
            for one, said in form.get("properties", {}).items()
            if one in form.get("required", [])
        }
    if kind == "array":
        return [filled(form["items"], schema, name)]
    if kind in {"integer", "number"}:
        return max(1, form.get("minimum", 1))
    if kind == "boolean":
        return True
    if form.get("format") == "date-time":
        return NOON.isoformat()
    if form.get("format") == "date":
        return NOON.date().isoformat()
    return "1" if form.get("format") == "decimal" else "as the protocol of today says"


def body(one: Operation, schema: dict[str, Any]) -> dict[str, Any]:
    content = one.said.get("requestBody", {}).get("content", {})
    return filled(content["application/json"]["schema"], schema) if content.get(
        "application/json"
    ) else {}  # fmt: skip


def changes() -> int:
    with connection.cursor() as cursor:
        cursor.execute(_CHANGES, [list(OF_REFUSALS)])
        return int(cursor.fetchone()[0])


def walked(
    client: Client,
    operations: Sequence[tuple[Operation, str]],
    schema: dict[str, Any],
    **headers: str,
) -> dict[str, int]:
    """Send each operation, a write with a body of its form and the version of its record.

    Return the status of each answer, when no record was changed by any.
    """
    reader = Client()
    reader.force_login(factories.person(Role.QUALITY_ASSURANCE))
    answers = {}
    before = changes()
    for number, (one, path) in enumerate(operations):
        said = {**headers, "idempotency-key": f"k-{number}"}
        content = body(one, schema) if one.is_write else None
        answer = client.generic(one.method, path, _json(content), "application/json", headers=said)
        if answer.status_code == 428:
            tag = reader.get(answer.json()["record"]).get("ETag", '"none"')
            said["if-match"] = tag
            answer = client.generic(
                one.method, path, _json(content), "application/json", headers=said
            )
        answers[one.name] = answer.status_code
    assert changes() == before
    return answers


def _json(content: Any) -> bytes:
    return b"" if content is None else json.dumps(content).encode()


def beyond(answers: dict[str, int], allowed: set[int] = REFUSED) -> dict[str, int]:
    return {name: status for name, status in answers.items() if status not in allowed}


def token(*scopes: str) -> str:
    at = timezone.now()
    made, secret = clients.register(
        factories.device(at=at), wanted=list(scopes), actor=TEST, at=at, reason="for a test"
    )
    _, text = access_tokens.issue(
        client_id=made.client_id, secret=secret, wanted=[], address="", at=at
    )
    return text


def test_the_walk_finds_the_records(
    operations: list[Operation], records: dict[str, dict[str, str]]
) -> None:
    found = addressed(operations, records)

    reader = Client()
    reader.force_login(factories.person(Role.QUALITY_ASSURANCE))
    read = Counter(reader.get(path).status_code for one, path in found if one.method == "GET")
    assert len(found) > 240
    assert read[200] > 40


def test_a_deactivated_person_is_refused_all_of_it(
    operations: list[Operation], records: dict[str, dict[str, str]], schema: dict[str, Any]
) -> None:
    client, leaver = Client(), factories.person(Role.QUALITY_ASSURANCE)
    client.force_login(leaver)
    people.deactivate(leaver, actor=TEST, at=timezone.now(), reason="left the company")
    found = addressed(operations, records)

    answers = walked(client, found, schema)

    assert beyond(answers, {401, 403}) == {}


def test_a_client_without_the_scope_is_refused_all_of_it(
    operations: list[Operation], records: dict[str, dict[str, str]], schema: dict[str, Any]
) -> None:
    bearer = f"Bearer {token(Scope.CHANGES_READ)}"
    found = addressed(operations, records)

    answers = walked(Client(), found, schema, authorization=bearer)

    own_words = {
        name for name, status in answers.items() if status == 401
    }  # people's sessions only
    assert beyond(answers, {403} | ({401} if own_words else set())) == {}
    assert all("/session" in name for name in own_words)


def test_a_client_of_another_site_is_refused_all_of_it(
    operations: list[Operation], records: dict[str, dict[str, str]], schema: dict[str, Any],
    settings: Any,
) -> None:  # fmt: skip
    bearer = f"Bearer {token(*Scope)}"
    found = addressed(operations, records)
    settings.LOG_ORIGIN = "gmp-twin.local/demo/site/2"

    answers = walked(Client(), found, schema, authorization=bearer)

    assert beyond(answers, {401, 403}) == {}


def test_a_device_that_is_not_qualified_writes_nothing_and_reads_what_devices_read(
    operations: list[Operation], records: dict[str, dict[str, str]], schema: dict[str, Any]
) -> None:
    _, text = factories.device_and_token(is_qualified=False)
    found = addressed(operations, records)

    answers = walked(Client(), found, schema, authorization=f"Bearer {text}")

    open_to_devices = {one.name for one, _ in found if one.method == "GET" and _is_for_clients(one)}
    assert {name for name, status in answers.items() if status == 200} <= open_to_devices
    assert beyond({k: v for k, v in answers.items() if k not in open_to_devices}) == {}


def test_a_person_without_a_role_is_refused_all_of_it(
    operations: list[Operation], records: dict[str, dict[str, str]], schema: dict[str, Any]
) -> None:
    client = Client()
    client.force_login(factories.person())
    found = addressed(operations, records)

    answers = walked(client, found, schema)

    reads = {one.name for one, _ in found if not one.is_write}
    assert beyond({k: v for k, v in answers.items() if k in reads}) == {}
    assert beyond(answers, REFUSED | REFUSED_FOR_VALUES) == {}
    assert Counter(answers.values())[403] > len(answers) / 2


def test_an_auditor_reads_and_writes_nothing(
    operations: list[Operation], records: dict[str, dict[str, str]], schema: dict[str, Any]
) -> None:
    client = Client()
    client.force_login(factories.person(Role.AUDITOR))
    found = addressed(operations, records)

    answers = walked(client, found, schema)

    writes = {one.name for one, _ in found if one.is_write}
    answers = {name: status for name, status in answers.items() if name in writes}
    assert beyond(answers, REFUSED | REFUSED_FOR_VALUES) == {}
    assert len(beyond(answers)) < len(answers) / 4


def _is_for_clients(one: Operation) -> bool:
    return any("client" in security for security in one.said.get("security", []))
