"""The operations of the API as its own schema describes them."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from drf_spectacular.generators import SchemaGenerator

PREFIX = "/api/v1/"
_SAMPLES = {"integer": "1", "string": "x"}


@dataclass(frozen=True)
class Operation:
    """One operation: where it is, with samples in its path, and what the schema says of it."""

    method: str
    route: str
    path: str
    said: dict[str, Any]

    @property
    def name(self) -> str:
        return f"{self.method} {self.route}"

    @property
    def is_write(self) -> bool:
        return self.method in {"POST", "PUT", "PATCH"}

    @property
    def media_types(self) -> list[str]:
        return list(self.said.get("requestBody", {}).get("content", {}))

    def takes(self, parameter: str) -> bool:
        ref = {"$ref": f"#/components/parameters/{parameter}"}
        return ref in self.said.get("parameters", [])


@pytest.fixture(scope="session")
def schema() -> dict[str, Any]:
    return dict(SchemaGenerator().get_schema(request=None, public=True))


@pytest.fixture(scope="session")
def operations(schema: dict[str, Any]) -> list[Operation]:
    found = [one for one in _all(schema) if one.route.startswith(PREFIX)]
    return sorted(found, key=lambda one: one.route.endswith("/session/end"))  # it ends the walk


def _all(schema: dict[str, Any]) -> Iterator[Operation]:
    for route, methods in schema["paths"].items():
        for method, said in methods.items():
            path = route
            for one in said.get("parameters", []):
                if one.get("in") == "path":
                    sample = _SAMPLES[one["schema"]["type"]]
                    path = path.replace(f"{{{one['name']}}}", sample)
            yield Operation(method.upper(), route, path, said)
