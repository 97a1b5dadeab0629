"""Stand between server and views: correlation ids for the trail, and what holds for every page."""

from collections.abc import Callable

from csp.constants import HEADER
from csp.middleware import CSPMiddleware
from csp.utils import build_policy
from django.contrib.messages.middleware import MessageMiddleware
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from compliance.api_contract import correlation, problems
from compliance.trail import recording
from config import refused_requests


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


class LengthSaid:
    """Refuse a body in chunks: Django takes one without a length for none, and does without it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if "Transfer-Encoding" not in request.headers or request.META.get("CONTENT_LENGTH"):
            return self.get_response(request)
        said = "say how long the body is (Content-Length); a body in chunks is not read here"
        return problems.answer(request, code="length-required", status_code=411, detail=said)


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
