"""Let a session without its second factor do nothing but give or enrol it, however it was opened."""

from collections.abc import Callable

from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import Resolver404, resolve, reverse

from compliance.access.models import User
from compliance.api_contract import problems
from compliance.signin import half_open
from compliance.signin.half_open import Lacks

ATTRIBUTE = "half_signed_in"
_ALWAYS = frozenset({"admin:logout", "admin:login", "admin:jsi18n", "session", "session-end"})
_OPEN = {
    Lacks.FACTOR: _ALWAYS | {"second-factor-give", "session-second-factor", "sso-page"},
    Lacks.ENROLMENT: _ALWAYS
    | {"second-factors", "second-factor-app", "second-factor-key", "admin:password_change"}
    | {"session-second-factor", "session-second-factors"},
}
_PAGE = {Lacks.FACTOR: "second-factor-give", Lacks.ENROLMENT: "second-factors"}
_SAID = {
    Lacks.FACTOR: "give the second factor: POST /api/v1/session/second-factor",
    Lacks.ENROLMENT: "enrol a second factor: POST /api/v1/session/second-factors",
}


class SecondFactorGate:
    """Treat a person whose second factor is missing as nobody, everywhere but where it is given.

    It stands behind every way to sign in: what opens a session does not matter.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        person = request.user
        if not isinstance(person, User):
            return self.get_response(request)
        missing = half_open.lacks(request.session, person)
        if missing is None:
            return self.get_response(request)
        setattr(request, ATTRIBUTE, person)
        if _name(request) not in _OPEN[missing]:
            request.user = AnonymousUser()
            if request.path.startswith("/api/"):
                return problems.answer(
                    request, code=str(missing), status_code=403, detail=_SAID[missing]
                )
            if request.path.startswith("/admin/"):
                return HttpResponseRedirect(reverse(_PAGE[missing]))
        elif _name(request) in {"admin:login", "session"}:
            request.user = AnonymousUser()  # signing in anew is open to everybody
        return self.get_response(request)


def _name(request: HttpRequest) -> str:
    try:
        return resolve(request.path_info).view_name
    except Resolver404:
        return ""
