"""Sign-in by SAML 2.0: a signed assertion to our own request, for linked people only."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.test import Client

from compliance.access.duties import Role
from compliance.access.models import User
from compliance.signin import links
from compliance.trail.models import Refusal
from config import identity_providers
from tests import factories
from tests.factories import NOON
from tests.saml_provider import ENTITY, SSO_URL, SamlProvider

pytest.importorskip("onelogin.saml2")
pytestmark = pytest.mark.django_db
LOGIN = "/sso/saml/saml/login/"


@pytest.fixture
def provider(settings: Any) -> SamlProvider:
    made = SamlProvider()
    settings.ALLOWED_HOSTS = ["gmp.plant.example"]
    settings.SOCIALACCOUNT_PROVIDERS = {
        "saml": identity_providers.saml(
            ENTITY, name="Plant SAML", sso_url=SSO_URL, certificate=made.certificate
        )
    }
    return made


@pytest.fixture
def client() -> Client:
    return Client(headers={"host": "gmp.plant.example"})


def linked(subject: str = "saml-subject-1") -> User:
    person = factories.person(Role.QUALITY_ASSURANCE)
    links.link(
        person, provider="saml", subject=subject,
        actor=factories.person(Role.SYSTEM_ADMINISTRATOR), at=NOON,
        reason="badge seen, identity confirmed",
    )  # fmt: skip
    return person


def signed_in(
    client: Client, provider: SamlProvider, spoil: Callable[[dict[str, str]], None] | None = None
) -> Any:
    away = client.get(LOGIN)["Location"]
    assert away.startswith(SSO_URL)
    address, body = provider.answer(away)
    if spoil:
        spoil(body)
    finish = client.post(urlsplit(address).path, body)["Location"]
    return client.get(finish)


@pytest.mark.requirement("A11D-11")
def test_a_linked_person_signs_in(client: Client, provider: SamlProvider) -> None:
    person = linked()

    answer = signed_in(client, provider)

    assert answer["Location"] == "/admin/"
    assert client.get("/api/v1/session").json()["username"] == person.username


def test_nobody_is_signed_up(client: Client, provider: SamlProvider) -> None:
    assert signed_in(client, provider).status_code == 403
    assert not User.objects.filter(username__contains="saml").exists()


def test_an_assertion_without_signature_signs_nobody_in(
    client: Client, provider: SamlProvider
) -> None:
    linked()
    provider.is_signed = False

    assert signed_in(client, provider).status_code == 403
    failed = Refusal.objects.using("outside").filter(code="single-sign-on-failed")
    assert failed.count() == 1


def test_an_assertion_signed_by_another_key_signs_nobody_in(
    client: Client, provider: SamlProvider
) -> None:
    linked()

    assert signed_in(client, SamlProvider()).status_code == 403


def test_an_assertion_for_another_site_signs_nobody_in(
    client: Client, provider: SamlProvider
) -> None:
    linked()
    provider.audience = "https://another.example"

    assert signed_in(client, provider).status_code == 403


def test_an_assertion_that_was_altered_signs_nobody_in(
    client: Client, provider: SamlProvider
) -> None:
    import base64

    linked("saml-subject-2")

    def other_subject(body: dict[str, str]) -> None:
        response = base64.b64decode(body["SAMLResponse"])
        altered = response.replace(b"saml-subject-1", b"saml-subject-2")
        body["SAMLResponse"] = base64.b64encode(altered).decode()

    assert signed_in(client, provider, other_subject).status_code == 403


def test_an_assertion_is_taken_once(client: Client, provider: SamlProvider) -> None:
    linked()
    away = client.get(LOGIN)["Location"]
    address, body = provider.answer(away)
    path = urlsplit(address).path
    client.get(client.post(path, body)["Location"])
    client.post("/admin/logout/")

    again = client.get(client.post(path, body)["Location"])

    assert again.status_code == 403
    assert client.get("/api/v1/session").status_code in {401, 403}
