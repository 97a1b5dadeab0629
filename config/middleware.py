"""Stand between server and views: correlation ids for the trail, and what holds for every page."""

from collections.abc import Callable
from tempfile import SpooledTemporaryFile
from typing import cast

from csp.constants import HEADER
from csp.middleware import CSPMiddleware
from csp.utils import build_policy
from django.contrib.messages.middleware import MessageMiddleware
from django.core.handlers.wsgi import WSGIRequest
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.template import loader

from compliance.api_contract import correlation, problems, strict_json
from compliance.trail import recording
from config import refused_requests, whole_bodies


class Correlation:
    """Take the caller's id when it is plain, else make one; answer with it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        chosen = correlation.chosen(request.headers)
        way = "api" if request.path.startswith("/api/") else "admin"
        setattr(request, correlation.ATTRIBUTE, chosen)
        source = recording.source.set(f"{way}:{chosen}")
        current = correlation.current.set(chosen)
        try:
            response = self.get_response(request)
        finally:
            correlation.current.reset(current)
            recording.source.reset(source)
        response[correlation.HEADER] = chosen
        return response

    def process_exception(self, request: HttpRequest, error: Exception) -> None:
        """Record what rose out of a view: Django answers it, and the record stays."""
        refused_requests.record(error, request, code="not-permitted", detail=str(error))


class WithoutNul:
    """Refuse an address with a NUL: no name here has one, and the database looks for none."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        query = request.META.get("QUERY_STRING", "")
        if "\0" not in request.path_info and "%00" not in query and "\0" not in query:
            return self.get_response(request)
        reason = "the address has a NUL (%00), which no name and no value here has: leave it out"
        if request.path.startswith("/api/"):
            return problems.answer(request, code="malformed", status_code=400, detail=reason)
        page = loader.render_to_string("400.html", {"reason": f"T{reason[1:]}."})
        return HttpResponse(page, status=400)


class ChunksGathered:
    """Take in a body that comes in chunks before anybody asks how long it is."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not whole_bodies.comes_in_chunks(request.META):
            return self.get_response(request)
        with SpooledTemporaryFile(max_size=strict_json.MOST_BYTES_JSON) as body:
            try:
                whole_bodies.gather(
                    cast(WSGIRequest, request), body, most=strict_json.MOST_BYTES_NDJSON
                )
            except whole_bodies.TooLong as error:
                return _refused(request, "too-large", 413, error)
            except whole_bodies.CutOff as error:
                return _refused(request, "parse-error", 400, error)
            return self.get_response(request)


def _refused(request: HttpRequest, code: str, status: int, error: Exception) -> HttpResponse:
    return problems.answer(request, code=code, status_code=status, detail=str(error))


class MessagesOfPages(MessageMiddleware):
    """Django's messages, which a page shows; the API has none, and looks for none."""

    def process_request(self, request: HttpRequest) -> None:
        if not request.path.startswith("/api/"):
            super().process_request(request)


class ContentPolicy(CSPMiddleware):
    """The Content-Security-Policy of the settings, written once: no page has one of its own."""

    policy = build_policy()

    def process_response(
        self, request: HttpRequest, response: HttpResponseBase
    ) -> HttpResponseBase:  # fmt: skip
        response.headers.setdefault(HEADER, self.policy)
        return response
