"""Sign-in at a real OpenID provider: linked people only, and anew for each signature."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from django.db import DatabaseError, transaction
from django.test import Client
from django.utils import timezone

from compliance.access.authority import NotPermitted
from compliance.access.duties import Role
from compliance.access.models import SignIn, User
from compliance.quality import deviations
from compliance.signatures.models import Means, Signature
from compliance.signin import factors, links, totp
from compliance.signin.links import IdentityTaken, LinkEnded, OwnLink
from compliance.signin.models import IdentityLink
from compliance.trail.models import Refusal
from config import identity_providers
from tests import factories, openid_provider, trail_log
from tests.factories import NOON
from tests.openid_provider import CLIENT, SECRET, Provider

pytestmark = pytest.mark.django_db
LOGIN = "/sso/oidc/oidc/login/"


@pytest.fixture
def provider(settings: Any) -> Iterator[Provider]:
    with openid_provider.running() as running:
        settings.SOCIALACCOUNT_PROVIDERS = {
            "openid_connect": identity_providers.openid_connect(
                running.url, name="Plant sign-on", client_id=CLIENT, secret=SECRET
            )
        }
        yield running


def linked(person: User, subject: str = "subject-1") -> IdentityLink:
    return links.link(
        person, provider="oidc", subject=subject,
        actor=factories.person(Role.SYSTEM_ADMINISTRATOR), at=NOON,
        reason="badge seen, identity confirmed",
    )  # fmt: skip


def signed_in(client: Client, address: str = LOGIN) -> Any:
    """Go to the provider and come back, as a browser does; return the last answer."""
    away = client.get(address)["Location"]
    back = httpx.get(away, follow_redirects=False).headers["Location"]
    came = urlsplit(back)
    return client.get(f"{came.path}?{came.query}")


def refused(code: str) -> int:
    return Refusal.objects.using("outside").filter(code=code).count()


@pytest.mark.requirement("A11D-11")
def test_a_linked_person_signs_in(client: Client, provider: Provider) -> None:
    person = factories.person(Role.QUALITY_ASSURANCE)
    linked(person)

    answer = signed_in(client, f"{LOGIN}?next=/admin/quality/deviation/")

    assert answer["Location"] == "/admin/quality/deviation/"
    assert client.get("/api/v1/session").json()["username"] == person.username
    (attempt,) = SignIn.objects.using("outside").filter(username=person.username)
    assert (attempt.purpose, attempt.outcome) == ("session", "accepted")


@pytest.mark.requirement("A11D-11", "P11-100a")
def test_nobody_is_signed_up_by_the_provider(client: Client, provider: Provider) -> None:
    before = User.objects.count()

    answer = signed_in(client)

    assert answer.status_code == 403
    assert "no person of this system is linked" in answer.content.decode()
    assert User.objects.count() == before
    assert client.get("/api/v1/session").status_code in {401, 403}
    assert refused("identity-not-linked") == 1


@pytest.mark.parametrize("process", ["connect", "redirect", "login"])
def test_no_way_around_through_the_library(
    client: Client, provider: Provider, process: str
) -> None:
    person = factories.person(Role.QUALITY_ASSURANCE)
    client.force_login(person)

    answer = signed_in(client, f"{LOGIN}?process={process}")

    assert answer.status_code == 403
    from allauth.socialaccount.models import SocialAccount

    assert not SocialAccount.objects.exists()


def test_a_deactivated_person_and_an_ended_link_let_nobody_in(
    client: Client, provider: Provider
) -> None:
    person = factories.person(Role.QUALITY_ASSURANCE)
    link = linked(person)
    administrator = factories.person(Role.SYSTEM_ADMINISTRATOR)
    links.end(link, actor=administrator, at=NOON, reason="moved to another site")

    assert signed_in(client).status_code == 403
    with pytest.raises(LinkEnded):
        links.end(link, actor=administrator, at=NOON, reason="moved to another site")


@pytest.mark.requirement("A11D-11", "P11-300e")
def test_the_second_factor_is_asked_after_the_provider_too(
    client: Client, provider: Provider, settings: Any
) -> None:
    person, secret = factories.person(Role.QUALITY_ASSURANCE), b"12345678901234567890"
    linked(person)
    at = timezone.now() - timezone.timedelta(hours=1)
    code = totp.code(secret, totp.step_at(at))
    factors.enrol_app(person, secret=secret, code=code, name="Telephone", at=at)

    signed_in(client)
    assert client.get("/admin/")["Location"] == "/admin/second-factor/give"

    settings.PROVIDER_GIVES_SECOND_FACTOR = True
    signed_in(client)
    assert client.get("/admin/").status_code == 200


def test_an_id_token_for_another_client_signs_nobody_in(client: Client, provider: Provider) -> None:
    linked(factories.person(Role.QUALITY_ASSURANCE))
    provider.audience = "another-client"

    assert signed_in(client).status_code == 403
    assert refused("single-sign-on-failed") == 1


def test_a_state_that_was_not_begun_here_signs_nobody_in(
    client: Client, provider: Provider
) -> None:
    linked(factories.person(Role.QUALITY_ASSURANCE))
    away = client.get(LOGIN)["Location"]
    back = urlsplit(httpx.get(away).headers["Location"])

    answer = Client().get(f"{back.path}?{back.query}")

    assert answer.status_code == 403


def test_a_provider_that_nobody_configured_is_not_there(client: Client) -> None:
    assert client.get(LOGIN).status_code == 403
    assert "Plant sign-on" not in client.get("/admin/login/").content.decode()


def test_a_row_in_the_library_s_table_adds_no_provider(client: Client) -> None:
    from allauth.socialaccount.models import SocialApp

    SocialApp.objects.create(
        provider="openid_connect", provider_id="oidc", name="Rogue", client_id="x",
        settings={"server_url": "https://evil.example"},
    )  # fmt: skip

    assert client.get(LOGIN).status_code == 403


def test_the_sign_in_page_offers_the_provider(client: Client, provider: Provider) -> None:
    page = client.get("/admin/login/?next=/admin/quality/").content.decode()

    assert "Plant sign-on" in page
    assert f'href="{LOGIN}?next=/admin/quality/"' in page


# --- Links


@pytest.mark.requirement("P11-100a")
def test_an_identity_never_becomes_another_person_s() -> None:
    person, other = (factories.person(Role.OPERATOR) for _ in range(2))
    link = linked(person)
    links.end(
        link, actor=factories.person(Role.SYSTEM_ADMINISTRATOR), at=NOON, reason="left the company"
    )

    with pytest.raises(IdentityTaken):
        linked(other)
    with pytest.raises(DatabaseError, match="another person"), transaction.atomic():
        with trail_log.act("linked around the function"):
            IdentityLink.objects.create(
                person=other, provider="oidc", subject="subject-1", linked_at=NOON, linked_by="x"
            )
    assert linked(person).ended_at is None


def test_only_another_administrator_links() -> None:
    administrator = factories.person(Role.SYSTEM_ADMINISTRATOR)
    given = {"provider": "oidc", "subject": "s", "at": NOON, "reason": "badge was seen"}

    with pytest.raises(NotPermitted):
        links.link(administrator, actor=factories.person(Role.QUALITY_ASSURANCE), **given)
    with pytest.raises(OwnLink):
        links.link(administrator, actor=administrator, **given)


def test_an_administrator_links_on_the_person_s_page(client: Client, provider: Provider) -> None:
    person = factories.person(Role.OPERATOR)
    client.force_login(factories.person(Role.SYSTEM_ADMINISTRATOR))

    answer = client.post(
        f"/admin/access/user/{person.pk}/acts/link-identity/",
        {"provider": "oidc", "subject": "subject-1", "reason": "badge was seen"},
    )

    assert answer.status_code == 302
    assert links.person_of(provider="oidc", subject="subject-1") == person


@pytest.mark.parametrize("change", [{"subject": "s2"}, {"ended_at": None}, {"person": None}])
def test_the_database_keeps_a_link_as_it_was(change: dict[str, Any]) -> None:
    link, other = linked(factories.person(Role.OPERATOR)), factories.person(Role.OPERATOR)
    links.end(
        link, actor=factories.person(Role.SYSTEM_ADMINISTRATOR), at=NOON, reason="left the company"
    )
    changed = {"person": other} if "person" in change else change

    with pytest.raises(DatabaseError, match="never altered"), transaction.atomic():
        with trail_log.act("altered afterwards"):
            IdentityLink.objects.filter(pk=link.pk).update(**changed)


# --- Signing with an identity of the provider


def _engineer(client: Client) -> tuple[User, Any]:
    engineer = factories.person(Role.PROCESS_ENGINEER)
    linked(engineer)
    record = factories.deviation()
    deviations.investigate(
        record, findings=factories.FINDINGS, actor=engineer, at=NOON, reason="first findings"
    )
    signed_in(client)
    return engineer, record


def confirmed(client: Client) -> Any:
    return signed_in(client, client.post("/sso/oidc/anew").context["address"])


def code_in(page: Any) -> str:
    return str(page.content.decode().partition('<code class="digest">')[2].partition("<")[0])


@pytest.mark.requirement("P11-200a")
def test_a_new_authentication_at_the_provider_signs_once(
    client: Client, provider: Provider
) -> None:
    engineer, record = _engineer(client)

    act = f"/admin/quality/deviation/{record.pk}/acts/sign-investigation/"
    assert "Authenticate at the identity provider" in client.get(act).content.decode()
    code = code_in(confirmed(client))
    done = client.post(act, {"password": code})
    again = client.post(act, {"password": code})

    assert (done.status_code, again.status_code) == (302, 403)
    signature = Signature.objects.get(record="quality_deviation")
    assert (signature.signer, signature.means) == (engineer, Means.IDENTITY_PROVIDER)
    assert signature.reauthentication.subject == "subject-1"


@pytest.mark.requirement("P11-200a")
def test_the_provider_is_told_to_ask_anew(client: Client, provider: Provider) -> None:
    _engineer(client)

    address = client.post("/sso/oidc/anew").context["address"]
    asked = parse_qs(urlsplit(client.get(address)["Location"]).query)

    assert (asked["prompt"], asked["max_age"]) == (["login"], ["0"])


@pytest.mark.requirement("P11-200a")
def test_a_session_at_the_provider_alone_signs_nothing(client: Client, provider: Provider) -> None:
    _engineer(client)
    provider.asks_again = False

    answer = confirmed(client)

    assert answer.status_code == 403
    assert "did not ask you to sign in anew" in answer.content.decode()
    assert refused("not-signed-in-anew") == 1


@pytest.mark.requirement("P11-200a")
def test_somebody_else_at_the_keyboard_of_the_provider_signs_nothing(
    client: Client, provider: Provider
) -> None:
    engineer, _ = _engineer(client)
    linked(factories.person(Role.PROCESS_ENGINEER), subject="subject-2")
    provider.subject = "subject-2"

    answer = confirmed(client)

    assert answer.status_code == 403
    assert client.get("/api/v1/session").json()["username"] == engineer.username


def test_anew_is_for_signed_in_people_at_a_known_provider(
    client: Client, provider: Provider
) -> None:
    assert client.post("/sso/oidc/anew").status_code == 403
    client.force_login(factories.person(Role.OPERATOR))
    assert client.post("/sso/saml/anew").status_code == 404
    assert client.get("/sso/oidc/anew").status_code == 405
