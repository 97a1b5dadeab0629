"""Each operation that a machine may call declares its scope, in one place; the schema says it."""

from typing import Any

from compliance.access.callers import PeopleAndDevicesRead
from compliance.access.scopes import MEANS, Scope
from compliance.api_contract.endpoint import WRITES
from config import api_urls
from tests.compliance.api_contract.conftest import Operation

# What only people do, of the views where devices read: the domain refuses a device (person-needed).
FOR_PEOPLE = {
    ("products", "post"), ("products/<str:code>", "put"), ("recipes", "post"),
    ("recipes/<str:product>/<int:version>/content", "put"), ("sources", "post"),
}  # fmt: skip


def views() -> list[tuple[str, Any]]:
    return [(str(one.pattern), one.callback.cls) for one in api_urls.urlpatterns]


def methods(view: Any) -> set[str]:
    return {one for one in ("get", *WRITES) if hasattr(view, one)}


def test_what_devices_reach_declares_the_scope_of_each_method() -> None:
    undeclared = {
        (route, method)
        for route, view in views()
        if PeopleAndDevicesRead in view.permission_classes
        for method in methods(view) - set(view.scopes)
    }

    assert undeclared == FOR_PEOPLE


def test_nothing_that_is_for_people_declares_a_scope() -> None:
    declared = [
        route
        for route, view in views()
        if view.scopes and PeopleAndDevicesRead not in view.permission_classes
    ]

    assert declared == []


def test_each_scope_is_asked_for_somewhere_and_means_something() -> None:
    asked = {scope for _, view in views() for scope in view.scopes.values()}

    assert asked == set(Scope)
    assert set(MEANS) == set(Scope)


def test_reading_takes_a_scope_to_read_and_writing_one_to_write() -> None:
    for route, view in views():
        for method, scope in view.scopes.items():
            assert scope.endswith(":read" if method == "get" else ":write"), route


def test_the_schema_says_the_scope_of_each_operation(
    schema: dict[str, Any], operations: list[Operation]
) -> None:
    said = {
        one.name: security["client"]
        for one in operations
        for security in one.said.get("security", [])
        if "client" in security
    }
    declared = {
        (f"/api/v1/{route}", method): [str(scope)]
        for route, view in views()
        for method, scope in view.scopes.items()
    }

    assert said["POST /api/v1/batches/{number}/events"] == ["events:write"]
    assert sorted(said.values()) == sorted(declared.values())
    scheme = schema["components"]["securitySchemes"]["client"]
    flow = scheme["flows"]["clientCredentials"]
    assert (scheme["type"], flow["tokenUrl"]) == ("oauth2", "/api/v1/oauth/token")
    assert set(flow["scopes"]) == set(Scope)


def test_the_token_endpoint_asks_for_no_other_proof(operations: list[Operation]) -> None:
    (one,) = [one for one in operations if one.route == "/api/v1/oauth/token"]

    assert one.said["security"] == [{}]  # of OpenAPI: with none
    assert one.media_types == ["application/x-www-form-urlencoded"]
