"""The addresses to which people are sent, and come back, for single sign-on; closed without one."""

from collections.abc import Callable
from functools import wraps
from importlib.util import find_spec
from typing import Any

from allauth.socialaccount.providers.openid_connect import views as openid_connect
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.urls import path

from compliance.signin import providers

View = Callable[..., HttpResponse]


def configured(view: View) -> View:
    """Open an address for the providers of the settings only."""

    @wraps(view)  # with what the view says of its own protection against forged requests
    def guarded(request: HttpRequest, **named: Any) -> HttpResponse:
        if not set(named.values()) <= set(providers.names()):
            raise PermissionDenied("there is no such identity provider here")
        return view(request, **named)

    return guarded


def _open(route: str, view: View, name: str) -> Any:
    return path(route, configured(view), name=name)


urlpatterns = [
    path("<str:provider>/anew", providers.anew, name="sso-anew"),
    _open("oidc/<str:provider_id>/login/", openid_connect.login, "openid_connect_login"),
    _open(
        "oidc/<str:provider_id>/login/callback/", openid_connect.callback, "openid_connect_callback"
    ),
]
if find_spec("onelogin"):
    from allauth.socialaccount.providers.saml import views as saml

    _SAML = "saml/<str:organization_slug>/"
    urlpatterns += [
        _open(f"{_SAML}login/", saml.login, "saml_login"),
        _open(f"{_SAML}acs/", saml.acs, "saml_acs"),
        _open(f"{_SAML}acs/finish/", saml.finish_acs, "saml_finish_acs"),
        _open(f"{_SAML}sls/", saml.sls, "saml_sls"),
        _open(f"{_SAML}metadata/", saml.metadata, "saml_metadata"),
    ]
