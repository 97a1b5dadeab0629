"""Let people in whom an identity provider has authenticated, when an administrator linked them."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialApp, SocialLogin
from django.contrib import admin, auth
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.views.decorators.http import require_POST

from compliance.access import credentials
from compliance.access.models import SignInOutcome, User
from compliance.refusals import Refused
from compliance.signin import factors, half_open, links
from compliance.signin.actions import Action
from compliance.trail import refusals
from compliance.trail.refusals import Unidentified

_BACKEND = "compliance.access.backends.RoleBackend"
_ANEW = "signing_in_anew"
ANEW_WITHIN = timedelta(minutes=5)
_CLOCKS_APART = timedelta(seconds=5)


class IdentityUnknown(Refused):
    """Nobody is signed up by an identity provider."""

    code = "identity-not-linked"
    status = 403


class NotAnew(Refused):
    """A signature takes a new authentication, not the session at the provider."""

    code = "not-signed-in-anew"
    status = 403


class SignInFailed(Refused):
    code = "single-sign-on-failed"
    status = 403


# What a new authentication is for: (request, person, provider, subject) -> answer. The room of
# signatures registers itself here.
Confirm = Callable[[HttpRequest, User, str, str], HttpResponse]
_confirms: list[Confirm] = []


def confirms(confirm: Confirm) -> Confirm:
    _confirms.append(confirm)
    return confirm


def names() -> dict[str, str]:
    """Return the configured providers with the names that people see."""
    apps = LinkedPeopleOnly().list_apps(None)
    return {str(one.provider_id): str(one.name) for one in apps}


def addresses() -> list[tuple[str, str]]:
    """Return (name, address) of each way to sign in elsewhere."""
    routes = {"oidc": "openid_connect_login", "saml": "saml_login"}
    return [(name, reverse(routes[one], args=[one])) for one, name in names().items()]


class LinkedPeopleOnly(DefaultSocialAccountAdapter):  # type: ignore[misc]
    """What django-allauth asks: who is let in, and what is answered. It stores nothing itself."""

    def list_apps(
        self, request: HttpRequest | None, provider: str | None = None, client_id: str | None = None
    ) -> list[SocialApp]:
        """Know the providers of the settings only: a row in a table must not add one."""
        found = super().list_apps(request, provider=provider, client_id=client_id)
        return [one for one in found if one.pk is None]

    def is_open_for_signup(self, request: HttpRequest, sociallogin: SocialLogin) -> bool:
        return False

    def pre_social_login(self, request: HttpRequest, sociallogin: SocialLogin) -> None:
        """Answer always: what django-allauth would do after this is never reached."""
        provider, subject = str(sociallogin.account.provider), str(sociallogin.account.uid)
        extra = sociallogin.account.extra_data
        claims = extra.get("id_token", {}) if isinstance(extra, dict) else {}
        try:
            answer = _answer(
                request, provider, subject, claims, sociallogin.get_redirect_url(request)
            )
        except Refused as refused:
            answer = _refused(request, refused, f"{subject} at {provider}")
        raise ImmediateHttpResponse(answer)

    def on_authentication_error(
        self, request: HttpRequest, provider: Any, error: Any = None, exception: Any = None,
        extra_context: Any = None,
    ) -> None:  # fmt: skip
        refused = SignInFailed("the identity provider did not sign you in; try again")
        raise ImmediateHttpResponse(_refused(request, refused, str(provider)))


def _answer(
    request: HttpRequest, provider: str, subject: str, claims: dict[str, Any], wanted: str | None
) -> HttpResponse:
    person = links.person_of(provider=provider, subject=subject)
    if person is None:
        raise IdentityUnknown(
            "no person of this system is linked to this identity; ask an administrator"
        )
    at, address = timezone.now(), str(request.META.get("REMOTE_ADDR", ""))
    credentials.demand_unlocked(person.username, purpose="session", address=address, at=at)
    if begun := request.session.pop(_ANEW, None):
        _demand_anew(person, begun, claims, at)
        return _confirms[0](request, person, provider, subject)
    if not person.is_staff:
        raise IdentityUnknown("you hold no role yet; ask an administrator to give you one")
    return _sign_in(request, person, address, at, wanted)


def _sign_in(
    request: HttpRequest, person: User, address: str, at: datetime, wanted: str | None
) -> HttpResponse:
    from django.conf import settings

    is_whole = settings.PROVIDER_GIVES_SECOND_FACTOR or not factors.is_asked(person)
    credentials.attempted(
        person, purpose="session" if is_whole else credentials.HALF,
        outcome=SignInOutcome.ACCEPTED, address=address, at=at,
    )  # fmt: skip
    auth.login(request, person, backend=_BACKEND)
    if settings.PROVIDER_GIVES_SECOND_FACTOR:
        half_open.complete(request.session, None)
    return HttpResponseRedirect(wanted or reverse("admin:index"))


def _demand_anew(person: User, begun: Any, claims: dict[str, Any], at: datetime) -> None:
    """Pass when the provider authenticated this very person after the question was asked."""
    asked = datetime.fromtimestamp(float(begun["at"]), UTC)
    if begun["person"] != person.pk or at > asked + ANEW_WITHIN:
        raise NotAnew("this is another person's identity, or it took too long; try again")
    given = claims.get("auth_time")
    if not isinstance(given, int) or datetime.fromtimestamp(given, UTC) < asked - _CLOCKS_APART:
        raise NotAnew("the identity provider did not ask you to sign in anew; it must for this")


@require_POST
def anew(request: HttpRequest, provider: str) -> HttpResponse:
    """Lead a signed-in person to the provider, to be authenticated anew for one signature.

    By a link: the answer to a form may not lead elsewhere (Content-Security-Policy, form-action).
    """
    person = request.user
    if not isinstance(person, User):
        raise PermissionDenied
    if provider != "oidc" or provider not in names():
        # SAML providers do not say when they authenticated: there is the password, or a key
        raise Http404("people are not authenticated anew at this provider")
    request.session[_ANEW] = {"person": person.pk, "at": timezone.now().timestamp()}
    asked = urlencode({"auth_params": urlencode({"prompt": "login", "max_age": "0"})})
    address = f"{reverse('openid_connect_login', args=[provider])}?{asked}"
    context = {**admin.site.each_context(request), "title": "Authenticate anew", "address": address}
    return TemplateResponse(request, "signin/anew.html", context)


def _refused(request: HttpRequest, refused: Refused, name: str) -> HttpResponse:
    """Record a refusal and show it."""
    user = request.user
    refusals.record(
        refused,
        action=Action.SIGNED_IN,
        actor=user if isinstance(user, User) else Unidentified(name),
        at=timezone.now(),
        subject="session",
        repeat="",
    )
    context = {**admin.site.each_context(request), "title": "Not signed in", "said": str(refused)}
    return TemplateResponse(request, "signin/refused.html", context, status=refused.status).render()
