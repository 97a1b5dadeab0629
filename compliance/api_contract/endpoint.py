"""Ask every request of the API the same questions in the same order.

who is it (401), how often (429), may they (403), is the query one that is read (400),
is there a key (400),
was it done before (the first answer again), what does the body say (400, 413, 415, 422),
which version of the record was seen (428, 412); and only then the view's own act, in one transaction
"""

from collections.abc import Callable, Collection, Mapping
from functools import wraps
from typing import Any, ClassVar

from django.http.response import HttpResponseBase
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from rest_framework import serializers
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from compliance.api_contract import bodies, encodings, idempotency, queries, rates, versions
from compliance.api_contract.bodies import Form
from compliance.api_contract.lifetimes import Lifetime
from compliance.api_contract.versions import Record

WRITES = ("post", "put", "patch")
Handler = Callable[..., HttpResponseBase]


_forms: dict[tuple[type, str], tuple[bool, Form | None]] = {}
_asked: list[Callable[[Request], object]] = []


def before_every_write(ask: Callable[[Request], object]) -> None:
    """Let a higher room ask whether a caller may write at all; what it raises is the answer."""
    _asked.append(ask)


_asked_first: list[Callable[[Request, Mapping[str, str]], object]] = []


def before_every_request(ask: Callable[[Request, Mapping[str, str]], object]) -> None:
    """Let a higher room ask whether a caller has the scope that a view declares."""
    _asked_first.append(ask)


class Endpoint(APIView):
    """A view of the API under the contract. What a view may say of itself:

    `without_key` why its writes take no Idempotency-Key; `answer_not_kept` what its answer is that a
    repeat does not get it again; `adds` that its POST adds beside the record, whose version does not
    matter then; `version_of` the route of the record, where it is not the nearest one; `lifetime`;
    `is_streamed` that it reads its body itself, line by line, and holds each line to its form.
    `encodings` in which ways its body may be packed (Content-Encoding), and is unpacked by the view;
    `is_query_free` that a standard wants unknown parameters of its query passed over;
    `scopes` which scope of a client each method takes: without one, no client of the API reaches it.
    """

    without_key: ClassVar[str] = ""
    answer_not_kept: ClassVar[str] = ""
    adds: ClassVar[bool] = False
    version_of: ClassVar[str] = ""
    is_streamed: ClassVar[bool] = False
    encodings: ClassVar[Collection[str]] = ()
    is_query_free: ClassVar[bool] = False
    lifetime: ClassVar[Lifetime | None] = None
    scopes: ClassVar[Mapping[str, str]] = {}
    # Set by `routes`: the record of each writing method, and whether its version must be named.
    bound_to: ClassVar[dict[str, Record]] = {}
    needs_version: ClassVar[frozenset[str]] = frozenset()

    def perform_content_negotiation(self, request: Request, force: bool = False) -> Any:
        """Answer whoever takes anything with the first form; the frame reads others' wishes."""
        if request.META.get("HTTP_ACCEPT", "*/*") == "*/*" and not request.META.get("QUERY_STRING"):
            first = self.get_renderers()[0]
            return first, first.media_type
        return super().perform_content_negotiation(request, force)

    def perform_authentication(self, request: Request) -> None:
        try:
            super().perform_authentication(request)
        except AuthenticationFailed:
            self._count(request, f"{rates.NOBODY}:{request.META.get('REMOTE_ADDR', '')}")
            raise
        identity = getattr(request.user, "trail_identity", None)
        address = f"{rates.NOBODY}:{request.META.get('REMOTE_ADDR', '')}"
        self._count(request, identity().id if identity else address)

    def check_permissions(self, request: Request) -> None:
        for ask in _asked_first:
            ask(request, self.scopes)
        super().check_permissions(request)

    def _count(self, request: Request, client: str) -> None:
        standing = rates.counted(client, at=timezone.now())
        self.headers.update(standing.headers())
        rates.demand(standing)

    def finalize_response(
        self, request: Request, response: Any, *args: Any, **kwargs: Any
    ) -> Response:
        if self.lifetime is not None:
            self.headers.update(self.lifetime.headers())
        return super().finalize_response(request, response, *args, **kwargs)


def reading(get: Handler) -> Handler:
    """Hold a GET to the contract: its answer says its version."""

    @wraps(get)
    def answer(view: Endpoint, request: Request, **parts: Any) -> HttpResponseBase:
        queries.demand_known(request, view, "get", get)
        found = get(view, request, **parts)
        if view.without_key:  # of a session, which is no record and has no version
            found.headers["Cache-Control"] = "no-store"
            return found
        return versions.tagged(request, found)

    return answer


def writing(method: str, write: Handler) -> Handler:
    """Hold a write to the contract: once, of a known form, and of the version that was seen."""

    @wraps(write)
    def answer(view: Endpoint, request: Request, **parts: Any) -> HttpResponseBase:
        def act() -> HttpResponseBase:
            if record := view.bound_to.get(method):
                needed = method in view.needs_version
                versions.demand(request, record, is_needed=needed, parts=parts)
            return write(view, request, **parts)

        def checked() -> None:
            encodings.demand(encodings.said(request.headers), taken=view.encodings)
            if view.is_streamed:
                return
            kind = type(view), method
            if kind not in _forms:  # of the class: the same at every write
                _forms[kind] = _form(view, method, write)
            said, form = _forms[kind]
            if said:
                bodies.demand_known(request, form)

        for ask in _asked:
            ask(request)
        if not view.is_query_free:
            queries.demand_known(request, view, method, write)
        if view.without_key:
            checked()
            return act()
        return idempotency.once(request, act, before=checked, not_kept=view.answer_not_kept)

    return answer


def _form(view: Endpoint, method: str, write: Handler) -> tuple[bool, Form | None]:
    """Return whether the schema says what this write takes, and that form; None takes nothing."""
    schema = getattr(write, "kwargs", {}).get("schema")
    if schema is None:
        return False, None
    described = schema()
    described.view, described.method = view, method.upper()
    form = described.get_request_serializer()
    if isinstance(form, dict):  # by media type; more than one has no form in common
        form = next(iter(form.values())) if len(form) == 1 else OpenApiTypes.BINARY
    is_form = isinstance(form, type) and issubclass(form, serializers.Serializer)
    return is_form or form is None, form if is_form else None
