"""Say every refusal as one RFC 9457 problem document."""

import logging
import traceback
from collections.abc import Iterator
from typing import Any

from django.core.exceptions import BadRequest, PermissionDenied, SuspiciousOperation
from django.core.exceptions import ValidationError as ModelInvalid
from django.db import DataError, InternalError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse, UnreadablePostError
from django.http.multipartparser import MultiPartParserError
from django.shortcuts import get_object_or_404
from django.utils.encoding import escape_uri_path
from rest_framework import exceptions
from rest_framework.response import Response

from compliance.api_contract import correlation
from compliance.refusals import Refused, Unavailable

log = logging.getLogger(__name__)
# The catalogue is a page of the product itself, so a type is the same everywhere and resolves.
TYPE = "/problems/"
MEDIA_TYPE = "application/problem+json"
RETRY_AFTER_S = "2"
_LONGEST = 80  # of what was asked for, when it is said back
# What passes, though the driver calls it internal: the server only reads (a standby, until another
# one takes over), or it ended a transaction that took too long.
_PASSING = {"25006", "25P03", "25P04"}


def problem(
    *, code: str, title: str, status_code: int, detail: str = "",
    errors: list[dict[str, str]] | None = None, instance: str = "", **more: str,
) -> dict[str, Any]:  # fmt: skip
    """Return the members of one problem; `type` is stable, `errors` point into the body."""
    return {
        "type": TYPE + code,
        "title": title,
        "status": status_code,
        "detail": detail or title,
        "instance": escape_uri_path(instance),  # a path is decoded, an URI reference is not
        "errors": errors or [],
        "correlation_id": correlation.current.get(),
        **more,
    }


def answer(request: HttpRequest, *, code: str, status_code: int, detail: str = "") -> HttpResponse:
    """Return a problem where no view of the API is in charge: middleware and Django's own pages."""
    body = problem(
        code=code,
        title=code.replace("-", " ").capitalize(),
        status_code=status_code,
        detail=detail,
        instance=request.path,
    )
    return JsonResponse(body, status=status_code, content_type=MEDIA_TYPE)


def translated(error: Exception, *, instance: str) -> Response | None:
    """Return the answer to what a view raised; None for what nobody expected (500, logged)."""
    said = _said(error)
    if said is None:
        return None
    headers = {}
    if said["status_code"] == 503:
        headers["Retry-After"] = RETRY_AFTER_S
    if (wait := getattr(error, "wait", None)) is not None:
        headers["Retry-After"] = str(max(1, int(wait)))
    if challenge := getattr(error, "auth_header", None):
        headers["WWW-Authenticate"] = challenge
    body = problem(**said, instance=instance)
    made = Response(body, status=body["status"], headers=headers)
    made.content_type = MEDIA_TYPE
    return made


def _said(error: Exception) -> dict[str, Any] | None:  # noqa: PLR0911 -- one case a kind
    match error:
        case Refused():
            return {
                "code": error.code,
                "title": error.code.replace("-", " ").capitalize(),
                "status_code": error.status,
                "detail": str(error),
                "errors": error.errors,
                **getattr(error, "members", {}),
            }
        case Unavailable():
            return _short(error.code, "Unavailable", 503, str(error))
        case OperationalError():
            return _unreachable(error)
        case InternalError() if getattr(error.__cause__, "sqlstate", "") in _PASSING:
            return _unreachable(error)
        case DataError():  # too long for its column, too large a number, NUL in an address
            log.warning("what was asked cannot be stored or compared: %s", error)
            long = (
                "a value is too long, too large, or has a NUL: it is neither stored nor looked for"
            )
            return {**_invalid(long), "code": "not-storable"}
        case BadRequest() | MultiPartParserError() | SuspiciousOperation():
            return _short("malformed", "Malformed", 400, f"the request cannot be read: {error}")
        case UnreadablePostError():
            return _short("parse-error", "Parse error", 400, "the body did not arrive whole")
        case Http404():
            return _short("not-found", "Not found", 404, _missing(error))
        case PermissionDenied():
            return _short("not-permitted", "Not permitted", 403, str(error))
        case exceptions.ValidationError():
            errors = list(_pointers(error.detail, ""))
            first = errors[0]["detail"] if errors else ""
            return {**_invalid(first), "errors": errors}
        case ModelInvalid():
            return _invalid(" ".join(error.messages))
        case exceptions.APIException():
            code = str(getattr(error.detail, "code", error.default_code)).replace("_", "-")
            return _short(
                code, code.replace("-", " ").capitalize(), error.status_code, str(error.detail)
            )
    return None


def _missing(error: Http404) -> str:
    """Say which record there is not; `get_object_or_404` itself names a class, and no record.

    What was looked for is in the frame that raised: a path may name several records, and a body others.
    """
    for frame, _ in traceback.walk_tb(error.__traceback__):
        if frame.f_code is get_object_or_404.__code__:
            model = getattr(frame.f_locals.get("queryset"), "model", None)
            if model is None:
                break
            named = model._meta.verbose_name
            # Not a state or a person that was looked for beside it.
            values = frame.f_locals.get("kwargs", {}).values()
            asked = [one for one in values if type(one) in (str, int)]
            return " ".join([f"there is no {named}", *(str(one)[:_LONGEST] for one in asked)])
    return str(error)


def _unreachable(error: Exception) -> dict[str, Any]:
    log.warning("the database is not reachable: %s", error)
    again = "the database is not reachable now; send the same request again"
    return _short("database-unavailable", "Unavailable", 503, again)


def _short(code: str, title: str, status_code: int, detail: str) -> dict[str, Any]:
    return {"code": code, "title": title, "status_code": status_code, "detail": detail}


def _invalid(detail: str) -> dict[str, Any]:
    return _short("invalid", "The request does not say what it must", 422, detail)


def _pointers(detail: Any, path: str) -> Iterator[dict[str, str]]:
    """Yield one error a message, with its JSON pointer (RFC 6901)."""
    if isinstance(detail, dict):
        for key, value in detail.items():
            name = str(key).replace("~", "~0").replace("/", "~1")
            yield from _pointers(value, path if key == "non_field_errors" else f"{path}/{name}")
    elif isinstance(detail, list):
        for index, value in enumerate(detail):
            nested = isinstance(value, dict | list)
            yield from _pointers(value, f"{path}/{index}" if nested else path)
    else:
        yield {
            "pointer": path,  # "" is the whole body
            "code": str(getattr(detail, "code", "invalid")),
            "detail": str(detail),
        }
