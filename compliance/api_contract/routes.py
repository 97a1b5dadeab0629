"""Bring every view of the API under the contract, and find the record of each write.

A room writes plain views of the REST framework; here, where all routes come together, each becomes
an `Endpoint`. So nothing can be forgotten in a room, and no room knows how it is done.
"""

from collections.abc import Iterator
from typing import Any

from django.urls import URLPattern, URLResolver, path
from rest_framework.views import APIView

from compliance.api_contract import endpoint
from compliance.api_contract.endpoint import WRITES, Endpoint
from compliance.api_contract.versions import PART, Record

Patterns = list[URLPattern | URLResolver]
# What a view may say of itself: all that `Endpoint` knows but what is found out here.
_SAID = Endpoint.__annotations__.keys() - {"bound_to", "needs_version"}


class NotUnderContract(TypeError):
    """A route of the API leads to something else than a view of the REST framework."""


class RouteTaken(ValueError):
    """Two rooms offer the same address: one of them would never be reached."""


def held(patterns: Patterns) -> list[URLPattern]:
    """Return the same routes, flat, with every view held to the contract."""
    found: dict[str, URLPattern] = {}
    for route, pattern in _flat(patterns, ""):
        if route in found:
            raise RouteTaken(f"two rooms have the address {route}")
        found[route] = pattern
    return [
        path(route, _held(route, pattern, found), name=pattern.name)
        for route, pattern in found.items()
    ]


def _flat(patterns: Patterns, before: str) -> Iterator[tuple[str, URLPattern]]:
    for one in patterns:
        route = before + str(one.pattern)
        if isinstance(one, URLResolver):
            yield from _flat(one.url_patterns, route)
        else:
            yield route, one


def _held(route: str, pattern: URLPattern, all_routes: dict[str, URLPattern]) -> Any:
    view, options = _view(pattern)
    members: dict[str, Any] = {"__module__": view.__module__, "__doc__": view.__doc__}
    members |= {name: getattr(view, name) for name in _SAID if hasattr(view, name)}
    if hasattr(view, "get"):
        members["get"] = endpoint.reading(view.get)
    members["bound_to"], needs = {}, set()
    for method in WRITES:
        if not hasattr(view, method):
            continue
        members[method] = endpoint.writing(method, getattr(view, method))
        if record := _record(route, view, method, all_routes):
            members["bound_to"][method] = record
            if _needs_version(view, method):
                needs.add(method)
    members["needs_version"] = frozenset(needs)
    return type(view.__name__, (Endpoint, view), members).as_view(**options)  # type: ignore[attr-defined]


def _needs_version(view: Any, method: str) -> bool:
    """An act on a record needs its version; a POST to a list adds to it, and needs none."""
    if getattr(view, "version_of", "") or method != "post":
        return True
    return not (getattr(view, "adds", False) or hasattr(view, "get"))


def _record(route: str, view: Any, method: str, all_routes: dict[str, URLPattern]) -> Record | None:
    wanted = getattr(view, "version_of", "")
    if wanted:
        return _readable(wanted, all_routes[wanted])
    if method != "post" and hasattr(view, "get"):
        return _readable(route, all_routes[route])
    steps = route.split("/")
    for end in range(len(steps) - 1, 0, -1):
        above = "/".join(steps[:end])
        if steps[end - 1].endswith(">") and above in all_routes:
            record = _readable(above, all_routes[above])
            if record is not None:
                return record
    return None


def _readable(route: str, pattern: URLPattern) -> Record | None:
    view, options = _view(pattern)
    if not hasattr(view, "get"):
        return None
    return Record(view, options, route, tuple(PART.findall(route)))


def _view(pattern: URLPattern) -> tuple[type[APIView], dict[str, Any]]:
    view = getattr(pattern.callback, "cls", None)
    if not (isinstance(view, type) and issubclass(view, APIView)):
        raise NotUnderContract(f"{pattern.pattern} is no view of the REST framework")
    return view, getattr(pattern.callback, "initkwargs", {})
