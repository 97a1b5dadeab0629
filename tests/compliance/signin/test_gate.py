"""A session without its second factor does nothing, however it was opened."""

import base64
import json
import re
from typing import Any

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from compliance.access import people
from compliance.access.duties import Role
from compliance.access.models import User
from compliance.signin import factors, security_keys, totp
from tests import factories
from tests.factories import PASSWORD
from tests.security_key import SecurityKey

pytestmark = pytest.mark.django_db
SECRET = b"12345678901234567890"
GIVE = "/admin/second-factor/give"


@pytest.fixture
def person() -> User:
    """Somebody with an authenticator app, enrolled an hour ago."""
    made = factories.person(Role.QUALITY_ASSURANCE)
    at = timezone.now() - timezone.timedelta(hours=1)
    code = totp.code(SECRET, totp.step_at(at))
    factors.enrol_app(made, secret=SECRET, code=code, name="Telephone", at=at)
    return made


def code_now() -> str:
    return totp.code(SECRET, totp.step_at(timezone.now()))


def posted(client: Client, path: str, body: Any) -> Any:
    return client.post(f"/api/v1/{path}", body, content_type="application/json")


def signed_in_by_page(client: Client, person: User) -> None:
    client.post("/admin/login/", {"username": person.username, "password": PASSWORD})


def signed_in_by_api(client: Client, person: User) -> None:
    posted(client, "session", {"username": person.username, "password": PASSWORD})


def signed_in_by_anything(client: Client, person: User) -> None:
    client.force_login(person)


WAYS = [signed_in_by_page, signed_in_by_api, signed_in_by_anything]


@pytest.mark.requirement("A11D-11", "P11-300e")
@pytest.mark.parametrize("sign_in", WAYS)
def test_no_page_and_no_resource_opens_before_the_second_factor(
    client: Client, person: User, sign_in: Any
) -> None:
    sign_in(client, person)
    pages = [
        reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
        for model in admin.site._registry
    ]

    for page in ["/admin/", "/admin/password_change/", "/admin/second-factor/app", *pages]:
        assert client.get(page)["Location"] == GIVE
    for path in ("batches", "deviations", "signatures", "accountability", "session/password"):
        answer = client.get(f"/api/v1/{path}")
        assert answer.status_code == 403
        assert answer.json()["type"].endswith("/second-factor-needed")
    assert client.get("/api/schema/").status_code == 403
    assert posted(client, "session/second-factors", {}).status_code == 403


@pytest.mark.requirement("A11D-11")
@pytest.mark.parametrize("sign_in", WAYS)
def test_the_code_opens_the_session(client: Client, person: User, sign_in: Any) -> None:
    sign_in(client, person)

    answer = client.post(GIVE, {"code": code_now(), "next": "/admin/quality/deviation/"})

    assert answer["Location"] == "/admin/quality/deviation/"
    assert client.get("/admin/").status_code == 200
    assert client.get("/api/v1/deviations").status_code == 200


def test_a_wrong_code_opens_nothing(client: Client, person: User) -> None:
    signed_in_by_page(client, person)

    answer = client.post(GIVE, {"code": "000000"})

    assert answer.status_code == 422
    assert "this code is not right" in answer.content.decode()
    assert client.get("/admin/")["Location"] == GIVE


def test_an_address_elsewhere_is_not_gone_to(client: Client, person: User) -> None:
    signed_in_by_page(client, person)

    answer = client.post(GIVE, {"code": code_now(), "next": "https://evil.example/"})

    assert answer["Location"] == "/admin/"


@pytest.mark.requirement("A11D-11")
def test_the_code_opens_the_session_over_the_api(client: Client, person: User) -> None:
    signed_in_by_api(client, person)
    before = client.get("/api/v1/session/second-factor").json()

    wrong = posted(client, "session/second-factor", {"code": "000000"})
    right = posted(client, "session/second-factor", {"code": code_now()})

    assert before == {"lacks": "second-factor-needed", "kinds": ["totp"], "options": None}
    assert (wrong.status_code, wrong.json()["type"].rpartition("/")[2]) == (
        403, "second-factor-wrong",
    )  # fmt: skip
    assert (right.status_code, right.json()["lacks"]) == (201, None)
    assert client.get("/api/v1/deviations").status_code == 200


def test_a_security_key_opens_the_session_over_the_api(client: Client) -> None:
    person, key = factories.person(Role.QUALITY_ASSURANCE), SecurityKey()
    options, state = security_keys.ask_to_enrol(person, [])
    factors.enrol_key(
        person, state=state, answer=key.create(options), name="Key", at=timezone.now()
    )
    signed_in_by_api(client, person)
    asked = client.get("/api/v1/session/second-factor").json()["options"]
    answer = key.get(asked)

    right = posted(client, "session/second-factor", {"answer": answer})
    again = posted(client, "session/second-factor", {"answer": answer})

    assert right.status_code == 201
    assert again.status_code == 403  # each question takes one answer
    assert client.get("/api/v1/deviations").status_code == 200


def test_signing_in_again_does_not_need_the_earlier_session_s_factor(
    client: Client, person: User
) -> None:
    signed_in_by_page(client, person)

    other = factories.person(Role.AUDITOR)
    signed_in_by_api(client, other)

    assert client.get("/api/v1/session").json()["username"] == other.username


def test_another_person_in_the_same_browser_does_not_inherit_the_factor(
    client: Client, person: User
) -> None:
    signed_in_by_page(client, person)
    client.post(GIVE, {"code": code_now()})
    other = factories.person(Role.QUALITY_ASSURANCE)
    at = timezone.now() - timezone.timedelta(hours=1)
    factors.enrol_app(
        other, secret=SECRET, code=totp.code(SECRET, totp.step_at(at)), name="Telephone", at=at
    )

    signed_in_by_api(client, other)

    assert client.get("/admin/")["Location"] == GIVE


@pytest.mark.requirement("P11-300e")
def test_a_session_ends_to_be_good_when_its_factor_is_removed(client: Client) -> None:
    person = factories.person(Role.QUALITY_ASSURANCE)
    at = timezone.now() - timezone.timedelta(hours=1)
    app = factors.enrol_app(
        person, secret=SECRET, code=totp.code(SECRET, totp.step_at(at)), name="Telephone", at=at
    )
    key = SecurityKey()
    options, state = security_keys.ask_to_enrol(person, [])
    factors.enrol_key(person, state=state, answer=key.create(options), name="Key", at=at)
    signed_in_by_page(client, person)
    client.post(GIVE, {"code": code_now()})
    assert client.get("/admin/").status_code == 200

    factors.remove(app, actor=person, at=timezone.now(), reason="the telephone is lost")

    assert client.get("/admin/")["Location"] == GIVE


# --- Compulsory


@pytest.mark.requirement("A11D-11")
@pytest.mark.parametrize("sign_in", WAYS)
@pytest.mark.parametrize("role", [Role.SYSTEM_ADMINISTRATOR, Role.QUALITY_ASSURANCE, Role.OPERATOR])
def test_whoever_administers_or_signs_enrols_a_factor_first(
    client: Client, settings: Any, sign_in: Any, role: Role
) -> None:
    settings.SECOND_FACTOR_COMPULSORY = True
    sign_in(client, factories.person(role))

    assert client.get("/admin/")["Location"] == "/admin/second-factor/"
    answer = client.get("/api/v1/deviations")
    assert answer.json()["type"].endswith("/second-factor-enrolment-needed")


@pytest.mark.requirement("P11-300e")
def test_a_newcomer_chooses_a_password_and_enrols_then(client: Client, settings: Any) -> None:
    settings.SECOND_FACTOR_COMPULSORY = True
    newcomer = factories.person(Role.QUALITY_ASSURANCE)
    people.change_password(
        newcomer, new="another-horse-battery", actor=factories.TEST, at=timezone.now(),
        reason="the first one, by letter",
    )  # fmt: skip
    client.force_login(newcomer)

    assert client.get("/admin/")["Location"] == "/admin/password_change/"
    assert "session/password; then" in client.get("/api/v1/deviations").json()["detail"]
    answer = posted(
        client, "session/password",
        {"current": "another-horse-battery", "new": "my-own-horse-battery"},
    )  # fmt: skip
    assert answer.status_code == 200
    assert client.get("/admin/")["Location"] == "/admin/second-factor/"


def test_whoever_only_reads_needs_none(client: Client, settings: Any) -> None:
    settings.SECOND_FACTOR_COMPULSORY = True
    signed_in_by_page(client, factories.person(Role.AUDITOR))

    assert client.get("/admin/").status_code == 200


@pytest.mark.requirement("A11D-11", "P11-300e")
def test_the_enrolment_of_an_app_opens_the_session(client: Client, settings: Any) -> None:
    settings.SECOND_FACTOR_COMPULSORY = True
    signed_in_by_page(client, factories.person(Role.QUALITY_ASSURANCE))
    page = client.get("/admin/second-factor/app").content.decode()
    found = re.search(r'<code class="digest">([A-Z2-7]+)</code>', page)
    assert found
    secret = bytes.fromhex(client.session["authenticator_app_secret"])
    assert totp.shown(secret) == found[1]
    given = {"name": "Telephone", "code": totp.code(secret, totp.step_at(timezone.now()))}

    wrong = client.post("/admin/second-factor/app", {**given, "password": "wrong"})
    right = client.post("/admin/second-factor/app", {**given, "password": PASSWORD})

    assert wrong.status_code == 422
    assert right["Location"] == "/admin/second-factor/"
    assert client.get("/admin/").status_code == 200


def test_the_enrolment_of_an_app_over_the_api(client: Client, settings: Any) -> None:
    settings.SECOND_FACTOR_COMPULSORY = True
    signed_in_by_api(client, factories.person(Role.QUALITY_ASSURANCE))
    offered = client.get("/api/v1/session/second-factors").json()["secret"]
    secret = base64.b32decode(offered + "=" * (-len(offered) % 8))
    given = {
        "secret": offered, "code": totp.code(secret, totp.step_at(timezone.now())),
        "name": "Telephone", "password": PASSWORD,
    }  # fmt: skip

    answer = posted(client, "session/second-factors", given)

    assert answer.status_code == 201
    assert client.get("/api/v1/deviations").status_code == 200


def test_a_security_key_is_enrolled_on_its_page(client: Client) -> None:
    person, key = factories.person(Role.QUALITY_ASSURANCE), SecurityKey()
    signed_in_by_page(client, person)
    page = client.get("/admin/second-factor/key")
    options = json.loads(page.context["options"])
    given = {"name": "Key", "password": PASSWORD, "answer": json.dumps(key.create(options))}

    answer = client.post("/admin/second-factor/key", given)

    assert answer["Location"] == "/admin/second-factor/"
    assert [one.name for one in factors.keys(person)] == ["Key"]


def test_recovery_codes_are_shown_once(client: Client) -> None:
    person = factories.person(Role.QUALITY_ASSURANCE)
    signed_in_by_page(client, person)

    page = client.post("/admin/second-factor/codes", {"password": PASSWORD}).content.decode()
    codes = re.findall(r"[0-9a-f]{8}-[0-9a-f]{8}", page)

    assert len(codes) == factors.CODES
    assert "[0-9a-f]{8}-" not in client.get("/admin/second-factor/codes").content.decode()


def test_pages_of_sign_in_keep_the_strict_policy(client: Client, person: User) -> None:
    signed_in_by_page(client, person)
    for address in (GIVE,):
        policy = client.get(address)["Content-Security-Policy"]
        assert "script-src 'self'" in policy
        assert "unsafe" not in policy
