"""Refuse what a query asks and nobody reads: an unknown parameter, or one that is there twice.

A list that passed over `?batchh=B-1` would answer with everything, as if that were the answer.
"""

from collections.abc import Callable, Mapping
from typing import Any

from drf_spectacular.plumbing import ComponentRegistry
from rest_framework.request import Request
from rest_framework.settings import api_settings
from rest_framework.views import APIView

from compliance.refusals import Refused

_LONGEST = 80  # of a name, when it is said back
_of: dict[tuple[type, str], Mapping[str, bool]] = {}


class ParameterUnknown(Refused):
    """The query has a parameter that this endpoint does not read; `errors` says those it knows."""

    code = "query-parameter-unknown"
    status = 400


class ParameterRepeated(Refused):
    """The query says a parameter twice of which this endpoint reads one value; say it once."""

    code = "query-parameter-repeated"
    status = 400


def demand_known(request: Request, view: APIView, method: str, handler: Callable[..., Any]) -> None:
    """Pass when each parameter of the query is one that the schema of the operation has.

    Raise `ParameterUnknown` or `ParameterRepeated`. As for a body (`bodies`), it is asked before any
    record is looked up.
    """
    asked = request.query_params
    if not asked:
        return
    kind = type(view), method
    if kind not in _of:  # of the class: the same at every request
        _of[kind] = _taken(view, method, handler)
    known = _of[kind]
    if unknown := sorted(set(asked) - set(known)):
        names = ", ".join(sorted(known.keys() - {api_settings.URL_FORMAT_OVERRIDE}))
        raise ParameterUnknown(
            f"{_named(unknown)}: unknown query parameter; this endpoint takes {names or 'none'}",
            errors=_errors(unknown, f"unknown query parameter; known: {names or 'none'}"),
        )
    if twice := sorted(name for name in asked if not known[name] and len(asked.getlist(name)) > 1):
        raise ParameterRepeated(
            f"{_named(twice)}: this endpoint reads one value; say the parameter once",
            errors=_errors(twice, "this parameter is there twice"),
        )


def _taken(view: APIView, method: str, handler: Callable[..., Any]) -> dict[str, bool]:
    """Return the query parameters of an operation, and whether each may be there more than once.

    They are those of its schema, and `format`, which the frame reads at every endpoint.
    """
    kind: Any = getattr(handler, "kwargs", {}).get("schema") or type(view.schema)
    schema = kind()
    schema.view, schema.method = view, method.upper()
    schema.path, schema.registry = "", ComponentRegistry()
    said = {
        one["name"]: one["schema"].get("type") == "array"
        for one in schema._get_parameters()
        if one["in"] == "query"
    }
    return {str(api_settings.URL_FORMAT_OVERRIDE): False} | said


def _named(names: list[str]) -> str:
    return ", ".join(name[:_LONGEST] for name in names)


def _errors(names: list[str], detail: str) -> list[dict[str, str]]:
    return [
        {
            "pointer": f"/{name[:_LONGEST].replace('~', '~0').replace('/', '~1')}",
            "code": "unknown" if "unknown" in detail else "duplicate",
            "detail": detail,
        }
        for name in names
    ]
