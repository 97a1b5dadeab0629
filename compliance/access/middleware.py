"""Hold the sessions of people to the rules of the installation (Annex 11 draft 2025, 11)."""

from collections.abc import Callable
from datetime import UTC, datetime

from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from compliance.access import sessions
from compliance.access.models import PersonSession, SessionEnd, User

SEEN = "last_seen"
RECORD = "session_record"  # which PersonSession this is; kept by the server, not by the browser


class SessionLimits:
    """Sign a person out whose session was ended, is too old, or was idle for too long.

    What is recorded as ended bites here at the next request, whichever frame signed the person in.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.user.is_authenticated:
            self._hold(request)
        response = self.get_response(request)
        if request.user.is_authenticated and RECORD not in request.session:
            self._open(request)  # signed in by this very request
        return response

    def _hold(self, request: HttpRequest) -> None:
        at = timezone.now()
        session = self._recorded(request)
        if session is None:
            self._open(request)
        elif why := sessions.objection(session, last_seen=_seen(request), at=at):
            if session.ended_at is None:
                sessions.end(session, why=why, actor=sessions.ACCESS, at=at)
            logout(request)
            return
        request.session[SEEN] = at.timestamp()

    @staticmethod
    def _recorded(request: HttpRequest) -> PersonSession | None:
        number = request.session.get(RECORD)
        return number and PersonSession.objects.filter(pk=number, person=request.user.pk).first()

    @staticmethod
    def _open(request: HttpRequest) -> None:
        if isinstance(request.user, User):
            at = timezone.now()
            made = sessions.open_(
                request.user,
                address=str(request.META.get("REMOTE_ADDR", "")),
                agent=request.headers.get("User-Agent", ""),
                at=at,
            )
            request.session[RECORD] = made.pk
            request.session[SEEN] = at.timestamp()


def signed_out(request: HttpRequest) -> None:
    """Put the end of the request's own session on record; the caller signs out."""
    number = request.session.get(RECORD)
    session = number and PersonSession.objects.filter(pk=number, ended_at=None).first()
    if session:
        at = timezone.now()
        sessions.end(session, why=SessionEnd.SIGNED_OUT, actor=session.person, at=at)


def _seen(request: HttpRequest) -> datetime | None:
    seen = request.session.get(SEEN)
    return None if seen is None else datetime.fromtimestamp(float(seen), UTC)
