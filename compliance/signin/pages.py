"""The pages on which people give, enrol and remove their second factors."""

import json
from collections.abc import Callable
from typing import Any

import segno
from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.forms import Form
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters

from compliance.access import credentials
from compliance.access.models import User
from compliance.refusals import Refused
from compliance.signin import factors, half_open, security_keys, totp
from compliance.signin.actions import Action
from compliance.signin.forms import AppForm, GiveForm, KeyForm, PasswordForm
from compliance.signin.middleware import ATTRIBUTE
from compliance.signin.models import FactorKind
from compliance.trail import refusals

_ASKED = "security_key_asked"
_SECRET = "authenticator_app_secret"  # noqa: S105 -- where the session keeps it until it is tested


@never_cache
@sensitive_post_parameters()
def give(request: HttpRequest) -> HttpResponse:
    """Ask for the second factor after the password."""
    person = _person(request)
    if half_open.lacks(request.session, person) != half_open.Lacks.FACTOR:
        return HttpResponseRedirect(_next(request))
    form = GiveForm(request.POST or None)

    def act() -> HttpResponse:
        given: dict[str, Any] = {"address": _address(request), "at": timezone.now()}
        if form.cleaned_data["answer"]:
            state = request.session.pop(_ASKED, None)
            factor = factors.give_key(
                person, state=state, answer=form.cleaned_data["answer"], **given
            )
        else:
            factor = factors.give_code(person, code=form.cleaned_data["code"], **given)
        half_open.complete(request.session, factor)
        return HttpResponseRedirect(_next(request))

    answer = _tried(request, form, act, person)
    if answer is not None:
        return answer
    options = None
    if keys := factors.keys(person):
        options, request.session[_ASKED] = security_keys.ask(keys)
    has_app = any(one.kind != FactorKind.SECURITY_KEY for one in factors.active(person))
    context = {"options": options, "has_app": has_app, "next": _next(request)}
    return _page(request, "signin/give.html", form, "Second factor", context)


@never_cache
def own(request: HttpRequest) -> HttpResponse:
    """List one's own factors, with what can be added."""
    person = _person(request)
    context = {
        "factors": factors.active(person),
        "has_app": any(one.kind == FactorKind.TOTP for one in factors.active(person)),
        "is_needed": half_open.lacks(request.session, person) is not None,
    }
    return _page(request, "signin/own.html", None, "Second factors", context)


@never_cache
@sensitive_post_parameters()
def add_app(request: HttpRequest) -> HttpResponse:
    """Enrol an authenticator app."""
    person = _person(request)
    kept = request.session.get(_SECRET)
    secret = bytes.fromhex(kept) if kept else totp.new_secret()
    request.session[_SECRET] = secret.hex()
    form = AppForm(request.POST or None)

    def act() -> HttpResponse:
        _demand_password(request, person, form.cleaned_data["password"])
        factor = factors.enrol_app(
            person, secret=secret, code=form.cleaned_data["code"],
            name=form.cleaned_data["name"], at=timezone.now(),
        )  # fmt: skip
        del request.session[_SECRET]
        return _enrolled(request, factor)

    answer = _tried(request, form, act, person)
    if answer is not None:
        return answer
    address = totp.address(secret, username=person.username, site=settings.SITE_NAME)
    code = segno.make(address, error="m").svg_data_uri(scale=5, border=2, light="#fff")
    context = {"picture": code, "secret": totp.shown(secret)}
    return _page(request, "signin/app.html", form, "Add an authenticator app", context)


@never_cache
@sensitive_post_parameters()
def add_key(request: HttpRequest) -> HttpResponse:
    """Enrol a security key."""
    person = _person(request)
    form = KeyForm(request.POST or None)

    def act() -> HttpResponse:
        _demand_password(request, person, form.cleaned_data["password"])
        factor = factors.enrol_key(
            person, state=request.session.pop(_ASKED, {"challenge": ""}),
            answer=form.cleaned_data["answer"], name=form.cleaned_data["name"], at=timezone.now(),
        )  # fmt: skip
        return _enrolled(request, factor)

    answer = _tried(request, form, act, person)
    if answer is not None:
        return answer
    options, request.session[_ASKED] = security_keys.ask_to_enrol(person, factors.keys(person))
    return _page(request, "signin/key.html", form, "Add a security key", {"options": options})


@never_cache
@sensitive_post_parameters()
def new_codes(request: HttpRequest) -> HttpResponse:
    """Make recovery codes and show them, this once."""
    person = _person(request)
    form = PasswordForm(request.POST or None)

    def act() -> HttpResponse:
        _demand_password(request, person, form.cleaned_data["password"])
        codes = factors.make_codes(person, at=timezone.now())
        return _page(request, "signin/codes.html", None, "Recovery codes", {"codes": codes})

    answer = _tried(request, form, act, person)
    return answer or _page(request, "signin/codes.html", form, "Recovery codes", {})


def _enrolled(request: HttpRequest, factor: Any) -> HttpResponse:
    half_open.complete(request.session, factor)
    messages.success(request, f"{factor.get_kind_display()} “{factor.name}” is enrolled.")
    return HttpResponseRedirect(reverse("second-factors"))


def _tried(
    request: HttpRequest, form: Form, act: Callable[[], HttpResponse], person: User
) -> HttpResponse | None:
    """Do the act when the form was sent and is good; a refusal stands on the form."""
    if request.method != "POST" or not form.is_valid():
        return None
    try:
        return act()
    except Refused as refused:
        refusals.record(
            refused, action=Action.FACTOR_ENROLLED, actor=person, at=timezone.now(),
            subject=str(person),
        )  # fmt: skip
        form.add_error(None, str(refused))
        return None


def _page(
    request: HttpRequest, template: str, form: Form | None, title: str, context: dict[str, Any]
) -> HttpResponse:
    shown = {**admin.site.each_context(request), "title": title, "form": form, **context}
    if context.get("options"):
        shown["options"] = json.dumps(context["options"])
    status = 422 if form is not None and form.errors else 200
    return TemplateResponse(request, template, shown, status=status)


def _person(request: HttpRequest) -> User:
    person = getattr(request, ATTRIBUTE, request.user)
    if not isinstance(person, User) or not person.is_staff:
        raise PermissionDenied
    return person


def _demand_password(request: HttpRequest, person: User, password: str) -> None:
    credentials.check(
        username=person.username, password=password, purpose="session",
        address=_address(request), at=timezone.now(),
    )  # fmt: skip


def _address(request: HttpRequest) -> str:
    return str(request.META.get("REMOTE_ADDR", ""))


def _next(request: HttpRequest) -> str:
    from django.utils.http import url_has_allowed_host_and_scheme

    wanted = request.POST.get("next") or request.GET.get("next") or ""
    is_ours = url_has_allowed_host_and_scheme(wanted, allowed_hosts={request.get_host()})
    return wanted if is_ours else reverse("admin:index")


urlpatterns = [
    path("give", give, name="second-factor-give"),
    path("", own, name="second-factors"),
    path("app", add_app, name="second-factor-app"),
    path("key", add_key, name="second-factor-key"),
    path("codes", new_codes, name="second-factor-codes"),
]
