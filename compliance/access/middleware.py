"""End idle sessions, for everybody alike (Annex 11 draft 2025, 11)."""

from collections.abc import Callable

from django.conf import settings
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

SEEN = "last_seen"


class IdleTimeout:
    """Sign a person out whose last request is longer ago than the setting allows."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.user.is_authenticated and SEEN in request.session:
            idle = timezone.now().timestamp() - float(request.session[SEEN])
            if idle > settings.SESSION_IDLE_SECONDS:
                logout(request)
        if request.user.is_authenticated:
            request.session[SEEN] = timezone.now().timestamp()
        return self.get_response(request)
