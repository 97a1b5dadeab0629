"""Answer what failed: refusals of views, on record first, and what Django itself refuses."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import DatabaseError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from django.views import defaults
from rest_framework import status
from rest_framework.response import Response

from compliance.api_contract import problems
from compliance.trail import refusals
from config import refused_requests

API = "/api/"


def handler(error: Exception, context: dict[str, Any]) -> Response | None:
    """Translate what a view raised; what is not expected rises on (500, logged).

    What was refused is on record before it is answered; when it cannot be, the answer is 503.
    """
    request = context["request"]
    answer = problems.translated(_kind(error), instance=request.path)
    if answer is None or answer.status_code >= status.HTTP_500_INTERNAL_SERVER_ERROR:
        return answer
    body: Any = answer.data
    try:
        refused_requests.record(
            error,
            request,
            code=body["type"].removeprefix(problems.TYPE),
            detail=body["detail"],
        )
    except OperationalError as unreachable:
        return problems.translated(unreachable, instance=request.path)
    return answer


def _kind(error: Exception) -> Exception:
    """Return a refusal in the place of the database's error that says the same."""
    return refusals.of_database(error) or error if isinstance(error, DatabaseError) else error


def malformed(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """400 as a problem below /api/, as a page elsewhere."""
    if request.path.startswith(API):
        return problems.answer(request, code="malformed", status_code=400)
    return defaults.bad_request(request, exception or Exception())


def not_permitted(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """403 as a problem below /api/, as a page elsewhere."""
    if request.path.startswith(API):
        return problems.answer(request, code="not-permitted", status_code=403)
    return defaults.permission_denied(request, exception or PermissionDenied())


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """404 as a problem below /api/, as a page elsewhere."""
    if request.path.startswith(API):
        said = "there is nothing at this address of the API"
        return problems.answer(request, code="not-found", status_code=404, detail=said)
    return defaults.page_not_found(request, exception or Http404())


def broken(request: HttpRequest) -> HttpResponse:
    """500 as a problem below /api/, without a traceback."""
    if request.path.startswith(API):
        said = "nothing was stored; it is logged under the correlation id of this answer"
        return problems.answer(request, code="broken", status_code=500, detail=said)
    return defaults.server_error(request)
