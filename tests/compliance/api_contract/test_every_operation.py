"""Every operation of the API keeps the contract: a walk over its own schema."""

import gzip
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from django.test import Client
from drf_spectacular.types import OpenApiTypes
from rest_framework import serializers
from rest_framework.views import APIView

from compliance.access.duties import Role
from compliance.api_contract import problems
from compliance.api_contract.endpoint import WRITES, Endpoint
from compliance.wire import In
from config import api_urls
from tests import factories
from tests.compliance.api_contract.conftest import Operation

pytestmark = pytest.mark.django_db
# Who is asked in turn: no one role reads everything.
ROLES = (Role.QUALITY_ASSURANCE, Role.SYSTEM_ADMINISTRATOR)
WITHOUT_KEY = {
    "POST /api/v1/oauth/token",
    "POST /api/v1/session",
    "POST /api/v1/session/end",
    "POST /api/v1/session/second-factor",
    "POST /api/v1/session/second-factors",
    "POST /api/v1/sources/{code}/records",  # each line has an id and a version of its own
}
# A message of another system is kept as it came, and judged by its own reader.
KEPT_AS_IT_CAME = "POST /api/v1/messages"
TO_SIGN_IN = {"POST /api/v1/session", "POST /api/v1/oauth/token"}
# Whoever asks for a token shows who they are in the request itself: no session counts there.
IN_ITS_OWN_WORDS = "/api/v1/oauth/token"
Send = Callable[..., Any]


@pytest.fixture
def known(settings: Any) -> Sequence[Client]:
    settings.API_RATES = {**settings.API_RATES, "user": 100_000, "nobody": 100_000}
    clients = []
    for role in ROLES:
        client = Client()
        client.force_login(factories.person(role))
        clients.append(client)
    return clients


def permitted(clients: Sequence[Client], one: Operation, data: bytes, **headers: str) -> Any:
    """Return the first answer of somebody whom the view lets in."""
    answer, media_type = None, headers.pop("type", "application/json")
    for client in clients:
        answer = client.generic(one.method, one.path, data, media_type, headers=headers)
        if answer.status_code not in {401, 403}:
            return answer
    return answer


def writes(
    operations: Sequence[Operation], media_type: str = "application/json"
) -> list[Operation]:
    """Return the writes that read JSON, or take no body at all."""
    return [
        one
        for one in operations
        if one.is_write
        and media_type in (one.media_types or [media_type])
        and one.name != KEPT_AS_IT_CAME
    ]


def code(answer: Any) -> str:
    """Return the code of a problem whose document is whole."""
    assert answer["Content-Type"] == problems.MEDIA_TYPE
    body = answer.json()
    assert {"type", "title", "status", "detail", "instance", "errors", "correlation_id"} <= set(
        body
    )
    assert body["status"] == answer.status_code
    assert body["instance"].startswith("/api/v1/")
    assert body["correlation_id"] == answer["X-Correlation-Id"]
    assert all(set(error) >= {"pointer", "detail"} for error in body["errors"])
    assert body["type"].startswith(problems.TYPE)
    return str(body["type"].removeprefix(problems.TYPE))


def but(operations: Sequence[Operation], check: Callable[[Operation], bool]) -> list[str]:
    """Return the names of the operations that do not pass."""
    return [one.name for one in operations if not check(one)]


def test_the_walk_finds_the_product(operations: list[Operation]) -> None:
    assert len(operations) > 330
    assert len([one for one in operations if one.is_write]) > 170
    assert {one.method for one in operations} == {"GET", "POST", "PUT"}


def test_every_route_is_under_the_contract() -> None:
    views = [pattern.callback.cls for pattern in api_urls.urlpatterns]

    assert len(views) > 200
    assert [view for view in views if not issubclass(view, Endpoint)] == []


def test_a_stranger_gets_a_problem(operations: list[Operation], settings: Any) -> None:
    settings.API_RATES = {**settings.API_RATES, "nobody": 100_000}
    stranger = Client()

    def is_refused(one: Operation) -> bool:
        answer = stranger.generic(one.method, one.path, b"{}", "application/json")
        return answer.status_code in {401, 403} and bool(code(answer))

    assert set(but(operations, is_refused)) == TO_SIGN_IN


def test_a_write_without_a_key_is_refused(
    operations: list[Operation], known: Sequence[Client]
) -> None:
    def is_refused(one: Operation) -> bool:
        answer = permitted(known, one, b"{}")
        return answer.status_code == 400 and code(answer) == "idempotency-key-missing"

    asked = [one for one in operations if one.is_write]
    assert set(but(asked, is_refused)) == WITHOUT_KEY
    assert {one.name for one in asked if not one.takes("IdempotencyKey")} == WITHOUT_KEY


def test_a_body_that_is_not_json_is_refused(
    operations: list[Operation], known: Sequence[Client]
) -> None:
    def is_refused(one: Operation) -> bool:
        answer = permitted(known, one, b'{"a":', **{"idempotency-key": "k-1"})
        return answer.status_code == 400 and code(answer) == "parse-error"

    assert but(writes(operations), is_refused) == []


def test_a_body_of_another_kind_is_refused(
    operations: list[Operation], known: Sequence[Client]
) -> None:
    def is_refused(one: Operation) -> bool:
        answer = permitted(known, one, b"a: 1", type="text/yaml", **{"idempotency-key": "k-1"})
        return answer.status_code == 415 and code(answer) == "unsupported-media-type"

    asked = [one for one in operations if one.is_write and one.name != KEPT_AS_IT_CAME]
    assert but(asked, is_refused) == []


def test_a_body_that_is_packed_is_refused_as_packed(
    operations: list[Operation], known: Sequence[Client]
) -> None:
    def is_refused(one: Operation) -> bool:
        packing = {"idempotency-key": "k-1", "content-encoding": "gzip"}
        answer = permitted(known, one, gzip.compress(b"{}"), **packing)
        return answer.status_code == 415 and code(answer) == "content-encoding-unsupported"

    def is_read(one: Operation) -> bool:
        plain = {"idempotency-key": "k-1", "content-encoding": "identity"}
        return code(permitted(known, one, b'{"a":', **plain)) == "parse-error"

    asked = [one for one in operations if one.is_write and one.name != KEPT_AS_IT_CAME]
    assert but(asked, is_refused) == []
    assert but(writes(operations), is_read) == []


def test_an_unknown_member_is_refused_and_pointed_at(
    operations: list[Operation], known: Sequence[Client]
) -> None:
    def is_refused(one: Operation) -> bool:
        answer = permitted(known, one, b'{"no_such": 1}', **{"idempotency-key": "k-1"})
        pointers = [error["pointer"] for error in answer.json()["errors"]]
        return answer.status_code == 422 and code(answer) == "invalid" and pointers == ["/no_such"]

    assert but(writes(operations), is_refused) == []


def test_nothing_is_deleted(operations: list[Operation], known: Sequence[Client]) -> None:
    def is_refused(one: Operation) -> bool:
        answer = known[0].delete(one.path)
        own = {other.method for other in operations if other.path == one.path}
        return (
            answer.status_code == 405
            and code(answer) == "method-not-allowed"
            and own <= set(answer["Allow"].split(", "))
            and "DELETE" not in answer["Allow"]
        )

    assert but(operations, is_refused) == []


def test_every_answer_says_what_is_left_and_which_request_it_was(
    operations: list[Operation], known: Sequence[Client]
) -> None:
    def says_so(one: Operation) -> bool:
        policy = "nobody" if one.route == IN_ITS_OWN_WORDS else "user"
        answer = known[0].generic(
            one.method, one.path, b"{}", "application/json", headers={"x-correlation-id": "mine-7"}
        )
        return (
            answer["X-Correlation-Id"] == "mine-7"
            and answer["RateLimit-Policy"] == f'"{policy}";q=100000;w=60'
            and answer["RateLimit"].startswith(f'"{policy}";r=')
        )

    assert but(operations, says_so) == []


def test_every_read_that_succeeds_has_a_version(
    operations: list[Operation], known: Sequence[Client]
) -> None:
    read = 0
    for one in operations:
        if one.method != "GET" or one.route.startswith("/api/v1/session"):
            continue
        answer = permitted(known, one, b"")
        if answer.status_code != 200:
            continue
        read += 1
        again = permitted(known, one, b"", **{"if-none-match": answer["ETag"]})
        assert (again.status_code, again.content) == (304, b""), one.name

    assert read > 40


def test_every_form_that_is_read_refuses_what_it_does_not_know() -> None:
    forms = [form for form in _forms() if form not in (None, OpenApiTypes.BINARY)]

    plain = [form for form in forms if isinstance(form, dict)]  # of RFC 6749, which wants it so
    assert [set(form["properties"]) for form in plain] == [
        {"grant_type", "scope", "client_id", "client_secret"}
    ]
    forms = [form for form in forms if not isinstance(form, dict)]
    assert len(forms) > 90
    assert [form for form in forms if not issubclass(form, In)] == []
    parts = [part for form in forms for part in _parts(form())]
    assert [part for part in parts if not isinstance(part, In)] == []


def test_every_moment_that_is_read_has_its_zone() -> None:
    forms = [form for form in _forms() if isinstance(form, type)]
    fields = [field for form in forms for field in _fields(form())]

    assert len(fields) > 300
    assert [field for field in fields if isinstance(field, serializers.DateTimeField)] == []


def test_the_schema_says_the_contract(schema: dict[str, Any], operations: list[Operation]) -> None:
    assert schema["openapi"].startswith("3.1")
    assert schema["components"]["schemas"]["Problem"]["required"]
    for one in operations:
        for status in ("401", "403", "429", "503"):
            said = one.said["responses"][status]
            if "content" in said:  # in words of RFC 6749, or as a problem
                assert one.route == "/api/v1/oauth/token"
                said = said["content"][problems.MEDIA_TYPE]["schema"]
                assert said == {"$ref": "#/components/schemas/Problem"}
            else:
                assert said == {"$ref": f"#/components/responses/Problem{status}"}, one.name
        if one.takes("IfMatch"):
            assert {"412", "428"} <= set(one.said["responses"]), one.name


def _forms() -> list[Any]:
    """Return what each write reads, as its schema says."""
    found = []
    for pattern in api_urls.urlpatterns:
        view: APIView = pattern.callback.cls(**pattern.callback.initkwargs)
        view.request, view.kwargs = None, {}  # type: ignore[assignment]
        for method in WRITES:
            if handler := getattr(view, method, None):
                schema = handler.kwargs["schema"]()
                schema.view, schema.method = view, method.upper()
                form = schema.get_request_serializer()
                found.append(next(iter(form.values())) if isinstance(form, dict) else form)
    return found


def _parts(form: Any) -> list[Any]:
    """Return the serializers within a serializer, at every depth."""
    inner = [getattr(field, "child", field) for field in form.fields.values()]
    parts = [one for one in inner if isinstance(one, serializers.Serializer)]
    return parts + [part for one in parts for part in _parts(one)]


def _fields(form: Any) -> list[Any]:
    return [field for part in (form, *_parts(form)) for field in part.fields.values()]


def test_a_filter_with_a_value_that_it_does_not_know_is_refused_and_not_passed_over(
    operations: Sequence[Operation], known: Sequence[Client]
) -> None:
    passed_over = []
    for one in operations:
        names = [
            said["name"]
            for said in one.said.get("parameters", [])
            if said.get("in") == "query" and "enum" in said.get("schema", {})
        ]
        if one.method != "GET" or "{" in one.route:
            continue
        for name in names:
            for client in known:
                answer = client.get(one.path, {name: "AAA"})
                if answer.status_code != 403:
                    break
            if answer.status_code != 422:
                passed_over.append(f"{one.name}?{name}=AAA: {answer.status_code}")
    assert passed_over == []
