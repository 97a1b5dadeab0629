"""Answer every failed API request with RFC 9457 problem+json."""

import logging
from typing import Any

from django.core.exceptions import PermissionDenied
from django.core.exceptions import ValidationError as ModelInvalid
from django.db import DatabaseError, DataError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from rest_framework import exceptions, status
from rest_framework.response import Response

from compliance.refusals import Refused, Unavailable
from compliance.trail import refusals
from config import refused_requests

log = logging.getLogger(__name__)
TYPE = "https://gmp-twin.example/problems/"
MEDIA_TYPE = "application/problem+json"


def problem(
    *, code: str, title: str, status_code: int, detail: str = "",
    errors: list[dict[str, str]] | None = None,
) -> dict[str, Any]:  # fmt: skip
    """Return the members of one problem document; `type` is stable, `errors` point into the body."""
    body: dict[str, Any] = {"type": TYPE + code, "title": title, "status": status_code}
    if detail:
        body["detail"] = detail
    if errors:
        body["errors"] = errors
    return body


def handler(error: Exception, context: dict[str, Any]) -> Response | None:
    """Translate what a view raised; what is not expected rises on (500, logged).

    What was refused is on record before it is answered; when it cannot be, the answer is 503.
    """
    answer = _translated(_kind(error))
    if answer is None or answer.status_code >= status.HTTP_500_INTERNAL_SERVER_ERROR:
        return answer
    body: Any = answer.data
    try:
        refused_requests.record(
            error,
            context["request"],
            code=body["type"].removeprefix(TYPE),
            detail=body.get("detail", ""),
        )
    except OperationalError as unreachable:
        return _translated(unreachable)
    return answer


def _kind(error: Exception) -> Exception:
    """Return a refusal in the place of the database's error that says the same."""
    return refusals.of_database(error) or error if isinstance(error, DatabaseError) else error


def _translated(error: Exception) -> Response | None:
    headers = {}
    match error:
        case Refused():
            body = problem(
                code=error.code,
                title=error.code.replace("-", " ").capitalize(),
                status_code=error.status,
                detail=str(error),
                errors=error.errors,
            )
        case Unavailable():
            body = problem(code=error.code, title="Unavailable", status_code=503, detail=str(error))
            headers["Retry-After"] = "2"
        case OperationalError():
            log.warning("the database is not reachable: %s", error)
            body = problem(
                code="database-unavailable", title="Unavailable", status_code=503,
                detail="the database is not reachable now; send the same request again",
            )  # fmt: skip
            headers["Retry-After"] = "2"
        case DataError():  # too long for its column, too large a number, NUL in an address
            log.warning("what was asked cannot be stored or compared", exc_info=error)
            body = problem(
                code="not-storable", title="The request does not say what it must", status_code=422,
                detail="a value is too long, too large, or has a NUL: it can neither be stored nor "
                "looked for",
            )  # fmt: skip
        case Http404():
            body = problem(code="not-found", title="Not found", status_code=404, detail=str(error))
        case PermissionDenied():
            body = problem(code="not-permitted", title="Not permitted", status_code=403)
        case exceptions.ValidationError():
            errors = list(_pointers(error.detail, ""))
            body = problem(
                code="invalid", title="The request does not say what it must", status_code=422,
                detail=errors[0]["detail"] if errors else "", errors=errors,
            )  # fmt: skip
        case ModelInvalid():
            body = problem(
                code="invalid", title="The request does not say what it must", status_code=422,
                detail=" ".join(error.messages),
            )  # fmt: skip
        case exceptions.APIException():
            code = str(getattr(error.detail, "code", error.default_code)).replace("_", "-")
            body = problem(
                code=code,
                title=str(error.default_detail),
                status_code=error.status_code,
                detail=str(error.detail),
            )
            if wait := getattr(error, "wait", None):
                headers["Retry-After"] = str(int(wait))
            if challenge := getattr(error, "auth_header", None):
                headers["WWW-Authenticate"] = challenge
        case _:
            return None
    answer = Response(body, status=body["status"], headers=headers)
    answer.content_type = MEDIA_TYPE
    return answer


def _pointers(detail: Any, path: str) -> Any:
    """Yield one error a message, with its JSON pointer (RFC 6901)."""
    if isinstance(detail, dict):
        for key, value in detail.items():
            step = "" if key == "non_field_errors" else f"/{key}"
            yield from _pointers(value, path + step)
    elif isinstance(detail, list):
        for index, value in enumerate(detail):
            nested = isinstance(value, dict | list)
            yield from _pointers(value, f"{path}/{index}" if nested else path)
    else:
        yield {
            "pointer": path or "/",
            "code": str(getattr(detail, "code", "invalid")),
            "detail": str(detail),
        }


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """404 as a problem below /api/, as a page elsewhere."""
    if request.path.startswith("/api/"):
        body = problem(code="not-found", title="Not found", status_code=status.HTTP_404_NOT_FOUND)
        return JsonResponse(body, status=404, content_type=MEDIA_TYPE)
    from django.views import defaults

    return defaults.page_not_found(request, exception or Http404())


def broken(request: HttpRequest) -> HttpResponse:
    """500 as a problem below /api/, without a traceback."""
    if request.path.startswith("/api/"):
        body = problem(
            code="broken", title="An error on our side", status_code=500,
            detail="nothing was stored; it is logged under the correlation id of this answer",
        )  # fmt: skip
        return JsonResponse(body, status=500, content_type=MEDIA_TYPE)
    from django.views import defaults

    return defaults.server_error(request)
