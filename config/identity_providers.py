"""Read from the environment where people may sign in beside here: OpenID Connect and SAML."""

from importlib.util import find_spec
from typing import Any

from django.core.exceptions import ImproperlyConfigured

from config import env

OIDC, SAML = "oidc", "saml"
APPS = [
    "allauth",
    "allauth.account",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    *(["allauth.socialaccount.providers.saml"] if find_spec("onelogin") else []),
]


def read() -> dict[str, Any]:
    """Return what django-allauth wants to know; nothing when no provider is configured."""
    found: dict[str, Any] = {}
    if issuer := env.text("GMP_OIDC_ISSUER", ""):
        found["openid_connect"] = openid_connect(
            issuer,
            name=env.text("GMP_OIDC_NAME", "Single sign-on"),
            client_id=_needed("GMP_OIDC_CLIENT_ID"),
            secret=env.secret("GMP_OIDC_CLIENT_SECRET") or "",
        )
    if entity := env.text("GMP_SAML_ENTITY_ID", ""):
        if not find_spec("onelogin"):
            raise ImproperlyConfigured("GMP_SAML_ENTITY_ID needs the extra: pip install .[saml]")
        found["saml"] = saml(
            entity,
            name=env.text("GMP_SAML_NAME", "Single sign-on"),
            sso_url=_needed("GMP_SAML_SSO_URL"),
            certificate=_needed("GMP_SAML_CERTIFICATE"),
        )
    return found


def openid_connect(issuer: str, *, name: str, client_id: str, secret: str) -> dict[str, Any]:
    app = {
        "provider_id": OIDC,
        "name": name,
        "client_id": client_id,
        "secret": secret,
        # The ID token alone says who it is: a second answer could name somebody else.
        "settings": {"server_url": issuer, "fetch_userinfo": False, "scope": ["openid"]},
    }
    return {"APPS": [app], "OAUTH_PKCE_ENABLED": True}


def saml(entity: str, *, name: str, sso_url: str, certificate: str) -> dict[str, Any]:
    app = {
        "provider_id": SAML,
        "name": name,
        "client_id": SAML,
        "settings": {
            "idp": {"entity_id": entity, "sso_url": sso_url, "x509cert": certificate},
            "attribute_mapping": {},  # the NameID says who it is
            "advanced": {
                "want_assertion_signed": True,
                "want_attribute_statement": False,
                "want_name_id": True,
                "reject_idp_initiated_sso": True,
                "name_id_format": "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent",
            },
        },
    }
    return {"APPS": [app]}


def _needed(name: str) -> str:
    found = env.secret(name)
    if not found:
        raise ImproperlyConfigured(f"{name} is needed beside the provider's address")
    return found
