"""Give each request a correlation id that its entries in the trail carry."""

import re
import uuid
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from compliance.trail import recording
from config import refused_requests

HEADER = "X-Correlation-Id"
_ACCEPTED = re.compile(r"[A-Za-z0-9._-]{1,64}")


class Correlation:
    """Take the caller's id when it is plain, else make one; answer with it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        given = request.headers.get(HEADER, "")
        correlation = given if _ACCEPTED.fullmatch(given) else str(uuid.uuid4())
        way = "api" if request.path.startswith("/api/") else "admin"
        token = recording.source.set(f"{way}:{correlation}")
        try:
            response = self.get_response(request)
        finally:
            recording.source.reset(token)
        response[HEADER] = correlation
        return response

    def process_exception(self, request: HttpRequest, error: Exception) -> None:
        """Record what rose out of a view: Django answers it, and the record stays."""
        refused_requests.record(error, request, code="not-permitted", detail=str(error))
