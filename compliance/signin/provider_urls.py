"""The addresses to which people are sent, and come back, for single sign-on."""

from importlib.util import find_spec

from django.urls import include, path

from compliance.signin import providers

urlpatterns = [
    path("", include("allauth.socialaccount.providers.openid_connect.urls")),
    path("<str:provider>/anew", providers.anew, name="sso-anew"),
]
if find_spec("onelogin"):
    urlpatterns.append(path("", include("allauth.socialaccount.providers.saml.urls")))
