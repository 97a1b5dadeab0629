"""Say the contract in the OpenAPI schema: described once, referred to by every operation."""

from typing import Any

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiParameter

from compliance.api_contract import correlation, idempotency, problems
from compliance.api_contract.endpoint import WRITES, Endpoint

_KEY = "3f1c2a7e-7c0e-4d52-9a57-1f8f0f2f7d11"
_TAG = '"9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"'


def _parameter(
    name: str, text: str, example: str, *, is_needed: bool, **form: str | int
) -> dict[str, Any]:
    return {
        "name": name,
        "in": "header",
        "required": is_needed,
        "description": text,
        "schema": {"type": "string", **form},
        "example": example,
    }


def _header(text: str, example: str) -> dict[str, Any]:
    return {"description": text, "schema": {"type": "string"}, "example": example}


PARAMETERS = {
    "IdempotencyKey": _parameter(
        idempotency.HEADER,
        "Names this write: 1 to 120 visible ASCII characters. Sent again, it gets the same answer.",
        _KEY,
        is_needed=True,
        pattern="^[!-~]{1,120}$",
    ),
    "IfMatch": _parameter(
        "If-Match",
        "The ETag of the record as it was read: the act is bound to that version.",
        _TAG,
        is_needed=True,
    ),
    "IfMatchOptional": _parameter(
        "If-Match", "The ETag of the record, to act only on that version.", _TAG, is_needed=False
    ),
    "IfNoneMatch": _parameter(
        "If-None-Match", "An ETag: 304 when it is still the current one.", _TAG, is_needed=False
    ),
    "CorrelationId": _parameter(
        correlation.HEADER,
        "The caller's own id of the request: letters, digits, `.`, `_`, `-`, at most 64.",
        _KEY,
        is_needed=False,
    ),
}
HEADERS = {
    "ETag": _header("The version of what is answered: the SHA-256 of its bytes.", _TAG),
    "CorrelationId": _header("The id of this request, in logs and in the trail.", _KEY),
    "IdempotencyReplayed": _header("`true`: this was done before, and is answered again.", "true"),
    "ReceiptAct": _header("The act in the trail that made the change.", _KEY),
    "RateLimit": _header("What is left, and for how many seconds.", '"device";r=29999;t=42'),
    "RateLimitPolicy": _header("Requests in a window of seconds.", '"device";q=30000;w=60'),
    "RetryAfter": _header("Seconds to wait before the same request is sent again.", "2"),
    "Deprecation": _header("Since when this is on its way out (RFC 9745).", "@1767225600"),
    "Sunset": _header("Until when it answers (RFC 8594).", "Thu, 31 Dec 2026 23:59:59 GMT"),
}
_EXAMPLE = {
    "type": "/problems/invalid",
    "title": "The request does not say what it must",
    "status": 422,
    "detail": "unknown member; known: number, product",
    "instance": "/api/v1/batches",
    "errors": [{"pointer": "/numbr", "code": "unknown", "detail": "unknown member"}],
    "correlation_id": _KEY,
}
PROBLEM = {
    "type": "object",
    "description": "Why a request was refused (RFC 9457).",
    "properties": {
        "type": {
            "type": "string",
            "format": "uri-reference",
            "description": "Stable; it leads to the catalogue of errors.",
        },
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "instance": {"type": "string", "format": "uri-reference"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "pointer": {"type": "string", "description": "JSON pointer into the body."},
                    "code": {"type": "string"},
                    "detail": {"type": "string"},
                },
                "required": ["pointer", "detail"],
            },
        },
        "correlation_id": {"type": "string"},
        "record": {
            "type": "string",
            "description": "The record whose version is meant (412, 428).",
        },
    },
    "required": ["type", "title", "status", "detail", "instance", "errors", "correlation_id"],
    "example": _EXAMPLE,
}
_ALWAYS = {"X-Correlation-Id": "CorrelationId"}
_RATED = {**_ALWAYS, "RateLimit": "RateLimit", "RateLimit-Policy": "RateLimitPolicy"}
_GIVEN_LATER = {"429": "Too many requests", "503": "Not reachable now"}
_READ = {
    "401": "Nobody is known",
    "403": "Not permitted",
    "404": "No such record",
    "406": "Not in a form that is answered here",
    "414": "The address is too long",
    "431": "The headers are too large",
} | _GIVEN_LATER
_ASKED = {"422": "The values break a rule"}  # also of an address and of a query
_WRITTEN = {
    "400": "Not JSON, or no Idempotency-Key",
    **_READ,
    "409": "The state forbids it, or the key is under way",
    "413": "Too large",
    "415": "Not in a form that is read here",
    **_ASKED,
}
_VERSIONED = {"412": "The record has changed", "428": "The version is not named"}
TEXTS = {**_WRITTEN, **_VERSIONED}


class Schema(AutoSchema):
    """An operation with what the contract adds to it."""

    def get_operation(self, *args: Any, **kwargs: Any) -> Any:
        operation = super().get_operation(*args, **kwargs)
        if operation:
            operation.setdefault("summary", _first_sentence(operation.get("description", "")))
        if operation and isinstance(self.view, Endpoint):
            self._add_parameters(operation, self.view, self.method.lower())
            self._add_answers(operation, self.view, self.method.lower())
        return operation

    def get_override_parameters(self) -> list[Any]:
        """Add the filters that a list names."""
        filters = getattr(self.view, "filters", ()) if self.method == "GET" else ()
        return [*super().get_override_parameters(), *map(OpenApiParameter, filters)]

    def is_deprecated(self) -> bool:
        lifetime = getattr(self.view, "lifetime", None)
        return lifetime is not None or bool(super().is_deprecated())

    @staticmethod
    def _add_parameters(operation: dict[str, Any], view: Endpoint, method: str) -> None:
        names = ["CorrelationId"]
        if method == "get":
            names.append("IfNoneMatch")
        elif not view.without_key:
            names.append("IdempotencyKey")
        if method in view.bound_to:
            names.append("IfMatch" if method in view.needs_version else "IfMatchOptional")
        refs = [{"$ref": f"#/components/parameters/{name}"} for name in names]
        operation["parameters"] = [*operation.get("parameters", []), *refs]

    @staticmethod
    def _add_answers(operation: dict[str, Any], view: Endpoint, method: str) -> None:
        said = dict(_RATED)
        if method == "get":
            said["ETag"] = "ETag"
        elif not view.without_key:
            said |= {"Idempotency-Replayed": "IdempotencyReplayed", "Receipt-Act": "ReceiptAct"}
        if view.lifetime is not None:
            said |= {"Deprecation": "Deprecation", "Sunset": "Sunset"}
        for answer in operation["responses"].values():
            answer.setdefault("headers", {}).update(_refs(said))
        refused = _WRITTEN if method in WRITES else _READ | _ASKED
        if method in view.bound_to:
            refused = refused | _VERSIONED
        for status in refused:
            if status in operation["responses"]:  # in words of the view's own, or as a problem
                own = operation["responses"][status]["content"]
                own[problems.MEDIA_TYPE] = {"schema": {"$ref": "#/components/schemas/Problem"}}
            else:
                said_here = {"$ref": f"#/components/responses/Problem{status}"}
                operation["responses"][status] = said_here
        if method == "get":
            operation["responses"]["304"] = {
                "description": "What you have is current.", "headers": _refs({"ETag": "ETag"}),
            }  # fmt: skip


def _first_sentence(text: str) -> str:
    return " ".join(text.split("\n\n", maxsplit=1)[0].split()).removesuffix(".")


def as_of_3_1(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Say null as OpenAPI 3.1 does, and no default that may not be sent (a hook)."""
    _mend(result.get("components", {}).get("schemas", {}))
    return result


def _mend(node: Any) -> None:
    if isinstance(node, list):
        for one in node:
            _mend(one)
    elif isinstance(node, dict):
        if node.get("nullable") is True and isinstance(node.get("type"), str):
            del node["nullable"]
            node["type"] = [node["type"], "null"]
        if node.get("default") == "" and node.get("minLength"):  # left out: nothing; sent: refused
            del node["default"]
        if {} in (node.get("oneOf") or ()):  # anything, and null: exactly one never holds for null
            del node["oneOf"]
        for one in node.values():
            _mend(one)


def described_once(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Add what every operation refers to (a hook of drf-spectacular)."""
    components = result.setdefault("components", {})
    components.setdefault("schemas", {})["Problem"] = PROBLEM
    components["parameters"] = PARAMETERS
    components["headers"] = HEADERS
    components["responses"] = {f"Problem{status}": _refusal(status) for status in TEXTS}
    operations = (one for path in result["paths"].values() for one in path.values())
    result["tags"] = [
        {"name": name} for name in sorted({name for one in operations for name in one["tags"]})
    ]
    return result


def _refusal(status: str) -> dict[str, Any]:
    said = {**_RATED, "Retry-After": "RetryAfter"} if status in _GIVEN_LATER else _RATED
    return {
        "description": TEXTS[status],
        "headers": _refs(said),
        "content": {problems.MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }


def _refs(names: dict[str, str]) -> dict[str, Any]:
    return {said: {"$ref": f"#/components/headers/{name}"} for said, name in names.items()}
