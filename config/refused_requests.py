"""Record what a request was refused, from wherever the refusal rises to the edge."""

from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied
from django.core.exceptions import ValidationError as ModelInvalid
from django.db import DatabaseError
from django.http import HttpRequest
from django.utils import timezone
from rest_framework import exceptions

from compliance.access import authentication
from compliance.access.callers import InsufficientScope
from compliance.refusals import Refused
from compliance.trail import recording, refusals
from compliance.trail.recording import Actor
from compliance.trail.refusals import Unidentified

_READING = {"GET", "HEAD", "OPTIONS"}
# Not a no to what was asked for: nobody said who asks, or how, or it comes too often.
_NO_ACT = (exceptions.NotAuthenticated, exceptions.MethodNotAllowed, exceptions.Throttled)
# Reading is no act; to be refused it for one's token is on record all the same.
_OF_CREDENTIALS = (exceptions.AuthenticationFailed, InsufficientScope)
_ASKED_BACK = 428  # nor is this: the caller is asked which version of the record is meant
_IDEMPOTENCY_KEY = "Idempotency-Key"


class RequestRefused(Refused):
    """What the frame refused before a rule of ours could: permissions, forms of the body, tokens."""

    def __init__(self, code: str, message: str) -> None:
        self.code = code
        super().__init__(message)


def record(error: BaseException, request: HttpRequest | Any, *, code: str, detail: str) -> None:
    """Record a refusal of an act, or of credentials; reading is no act."""
    refused = _refused(error, code, detail)
    if refused is None:
        return
    if request.method in _READING and not isinstance(error, _OF_CREDENTIALS):
        return
    refusals.record(
        refused,
        action=_action(request),
        actor=_actor(request),
        at=timezone.now(),
        subject=request.path,
        repeat=_repeat(request),
    )


def _refused(error: BaseException, code: str, detail: str) -> Refused | None:
    match error:
        case Refused():
            return None if error.status == _ASKED_BACK else error
        case DatabaseError():
            return refusals.of_database(error)
        case PermissionDenied() | ModelInvalid():
            return RequestRefused(code, detail or code)
        case exceptions.APIException() if not isinstance(error, _NO_ACT):
            return RequestRefused(code, detail or code) if error.status_code < 500 else None
    return None


def _actor(request: Any) -> Actor:
    user = getattr(request, "user", AnonymousUser())
    if hasattr(user, "trail_identity"):
        return user
    return authentication.shut_out(request) or Unidentified()


def _action(request: Any) -> str:
    match = getattr(request, "resolver_match", None)
    return f"{request.method} {match.route if match else request.path}"


def _repeat(request: Any) -> str:
    """Name the request by the key of a machine that repeats it, else by its correlation id."""
    return str(request.headers.get(_IDEMPOTENCY_KEY, "")) or recording.source.get()
