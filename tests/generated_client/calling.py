"""Call the API by the generated functions alone: they make, send and read every request."""

import importlib
import inspect
import io
import re
import typing
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any, ClassVar

import yaml

from tests.journeys import site

PACKAGE = "gmp_twin_client"
_PARAMETER = re.compile(r"{(\w+)}")
_NO_VERSION = f'"{"0" * 64}"'  # its refusal says which record to read


@dataclass(frozen=True)
class Operation:
    """One generated function, and the addresses that it is for."""

    address: re.Pattern[str]
    send: Callable[..., Any]

    @property
    def parameters(self) -> set[str]:
        return set(inspect.signature(self.send).parameters)

    @property
    def form(self) -> Any:
        """The class of its body."""
        return typing.get_type_hints(self.send)["body"]


@dataclass(frozen=True)
class Operations:
    """All generated functions by method, the most exact addresses first."""

    by_method: dict[str, list[Operation]]

    @classmethod
    def of(cls, schema: Path) -> "Operations":
        paths = yaml.safe_load(schema.read_text())["paths"]
        found: dict[str, list[Operation]] = {}
        for path in sorted(paths, key=lambda one: len(_PARAMETER.findall(one))):
            address = re.compile(_PARAMETER.sub(r"(?P<\1>[^/]+)", path))
            for method, said in paths[path].items():
                tag = re.sub(r"\W", "_", said["tags"][0])
                module = importlib.import_module(f"{PACKAGE}.api.{tag}.{said['operationId']}")
                found.setdefault(method, []).append(Operation(address, module.sync_detailed))
        return cls(found)

    def find(self, method: str, path: str) -> tuple[Operation, dict[str, str]]:
        for operation in self.by_method[method.lower()]:
            if named := operation.address.fullmatch(path):
                return operation, named.groupdict()
        raise LookupError(f"{method} {path} is not in the schema")


class GeneratedCaller(site.Caller):
    """As `Caller`, by the generated client."""

    operations: ClassVar[Operations]
    used: ClassVar[set[tuple[str, str]]] = set()

    def __init__(self, url: str, **headers: str) -> None:
        made = importlib.import_module(PACKAGE)
        self._generated = made.Client(base_url=url, headers=headers, timeout=60)

    def close(self) -> None:
        self._generated.get_httpx_client().close()

    def get(self, path: str, **query: Any) -> Any:
        return _read(self._call("GET", f"/api/v1/{path}", query))

    def post(self, path: str, body: Any = None, *, file: Any = None) -> Any:
        return self._act("POST", f"/api/v1/{path}", body, file or {})

    def put(self, path: str, body: Any) -> Any:
        return self._act("PUT", f"/api/v1/{path}", body, {})

    def lines(self, path: str, rows: str, *, key: str) -> Any:
        """Post a line at a time: the generator knows no lines, and one of them is JSON."""
        answer = None
        for number, row in enumerate(rows.splitlines()):
            said = {"idempotency_key": f"{key}:{number}"}
            answer = _read(self._call("POST", f"/api/v1/{path}", said, yaml.safe_load(row)))
        return answer

    def _act(self, method: str, path: str, body: Any, file: dict[str, Any]) -> Any:
        """Act on the version of the record as it is now, where the act is on one."""
        said = {"idempotency_key": str(uuid.uuid4()), "if_match": _NO_VERSION}
        answer = self._call(method, path, said, body, file)
        if answer.status_code == 412:
            read = self._call("GET", answer.parsed.record, {})
            said["if_match"] = read.headers["ETag"]
            answer = self._call(method, path, said, body, file)
        return _read(answer)

    def _call(
        self, method: str, path: str, said: dict[str, Any], body: Any = None,
        file: dict[str, Any] | None = None,
    ) -> Any:  # fmt: skip
        operation, parts = self.operations.find(method, path)
        http = self._generated.get_httpx_client()
        if token := http.cookies.get("csrftoken"):
            http.headers["X-CSRFToken"] = token
        self.used.add((method, operation.address.pattern))
        given = {**parts, **said}
        for header in ("idempotency_key", "if_match"):
            if not _is_needed(operation.send, header):
                given.pop(header, None)
        if "body" in operation.parameters:
            given["body"] = _form(operation.form, body or {}, file or {})
        return operation.send(client=self._generated, **given)


class GeneratedPerson(site.Person, GeneratedCaller):
    """A person who calls by the generated client."""


def _is_needed(send: Callable[..., Any], name: str) -> bool:
    parameter = inspect.signature(send).parameters.get(name)
    return parameter is not None and parameter.default is inspect.Parameter.empty


def _form(form: Any, said: dict[str, Any], file: dict[str, Any]) -> Any:
    """Return the generated body that says this."""
    models = [one for one in typing.get_args(form) or (form,) if hasattr(one, "from_dict")]
    (model,) = models
    made = model.from_dict({**said, **{name: content for name, (_, content, _) in file.items()}})
    types = importlib.import_module(f"{PACKAGE}.types")
    for name, (file_name, content, media_type) in file.items():
        sent = types.File(payload=io.BytesIO(content), file_name=file_name, mime_type=media_type)
        setattr(made, name, sent)
    return made


def _read(answer: Any) -> Any:
    if not 200 <= answer.status_code < 300:
        raise site.Refusal(f"{answer.status_code} {answer.content.decode()[:800]}")
    return _plain(answer.parsed)


def _plain(parsed: Any) -> Any:
    if isinstance(parsed, list):
        return [_plain(one) for one in parsed]
    if isinstance(parsed, Enum):
        return parsed.value
    return parsed.to_dict() if hasattr(parsed, "to_dict") else parsed
