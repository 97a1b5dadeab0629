"""Sessions end when the installation says, and at the next request after a person lost a right."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from compliance.access import people, sessions
from compliance.access.authority import NotPermitted
from compliance.access.duties import Role
from compliance.access.middleware import SEEN
from compliance.access.models import PersonSession, SessionEnd, User
from compliance.trail import recording
from tests import factories
from tests.api_client import ApiClient
from tests.factories import NOON, PASSWORD, TEST

pytestmark = pytest.mark.django_db
API, PAGE = "/api/v1/session", "/admin/"


@pytest.fixture
def operator() -> User:
    return factories.person(Role.OPERATOR)


@pytest.fixture
def signed_in(client: Client, operator: User) -> Client:
    answer = client.post(
        API, {"username": operator.username, "password": PASSWORD}, content_type="application/json",
        headers={"user-agent": "a browser of the tests"},
    )  # fmt: skip
    assert answer.status_code == 201
    return client


def is_out(answer: HttpResponse) -> bool:
    to_sign_in = answer.status_code == 302 and answer["Location"].startswith("/admin/login/")
    return answer.status_code in {401, 403} or to_sign_in


def test_a_sign_in_opens_a_session_with_its_place_and_program(
    signed_in: Client, operator: User
) -> None:
    session = operator.sessions.get()

    assert (session.address, session.agent) == ("127.0.0.1", "a browser of the tests")
    assert list(sessions.standing(at=timezone.now())) == [session]
    signed_in.get(API)
    assert operator.sessions.count() == 1


def test_a_sign_in_on_the_pages_opens_one_too(client: Client, operator: User) -> None:
    client.post("/admin/login/", {"username": operator.username, "password": PASSWORD})

    assert operator.sessions.get().ended_at is None
    assert client.get(PAGE).status_code == 200
    assert operator.sessions.count() == 1


@pytest.mark.parametrize(
    "leave",
    [
        lambda client: client.post(f"{API}/end", content_type="application/json"),
        lambda client: client.post(reverse("admin:logout")),
    ],
)
def test_signing_out_ends_it(
    signed_in: Client, operator: User, leave: Callable[[Client], object]
) -> None:
    leave(signed_in)

    assert operator.sessions.get().ended_why == SessionEnd.SIGNED_OUT
    assert is_out(signed_in.get(API))


# --- Limits that no user changes


def seen_ago(client: Client, seconds: float) -> None:
    session = client.session
    session[SEEN] = timezone.now().timestamp() - seconds
    session.save()


@pytest.mark.requirement("A11D-11", "A11-12")
@pytest.mark.parametrize("page", [API, PAGE, "/api/v1/batches"])
def test_an_idle_session_is_out_at_its_next_request(
    signed_in: Client, operator: User, settings: Any, page: str
) -> None:
    seen_ago(signed_in, settings.SESSION_IDLE_SECONDS - 5)
    assert signed_in.get(page).status_code == 200
    seen_ago(signed_in, settings.SESSION_IDLE_SECONDS + 5)

    assert is_out(signed_in.get(page))
    assert operator.sessions.get().ended_why == SessionEnd.IDLE
    assert is_out(signed_in.get(page))


@pytest.mark.requirement("A11D-11")
def test_an_idle_write_changes_nothing(signed_in: Client, operator: User, settings: Any) -> None:
    seen_ago(signed_in, settings.SESSION_IDLE_SECONDS + 5)

    answer = signed_in.post(
        "/api/v1/session/password", {"current": PASSWORD, "new": "a-password-of-my-own"},
        content_type="application/json",
    )  # fmt: skip

    assert is_out(answer)
    operator.refresh_from_db()
    assert operator.check_password(PASSWORD)


@pytest.mark.requirement("A11D-11")
def test_no_request_of_a_person_changes_the_time_limits(signed_in: Client, settings: Any) -> None:
    before = (settings.SESSION_IDLE_SECONDS, settings.SESSION_LIMIT_SECONDS)
    for name in ("SESSION_IDLE_SECONDS", "idle", "session_idle_seconds", "remember_me"):
        signed_in.get(API, {name: "999999"})
        signed_in.cookies[name] = "999999"

    seen_ago(signed_in, settings.SESSION_IDLE_SECONDS + 5)
    answer = signed_in.get(API, headers={"x-session-idle": "999999"})

    assert is_out(answer)
    assert before == (settings.SESSION_IDLE_SECONDS, settings.SESSION_LIMIT_SECONDS)


@pytest.mark.requirement("A11D-11")
def test_a_busy_session_ends_after_its_limit(
    signed_in: Client, operator: User, settings: Any
) -> None:
    settings.SESSION_LIMIT_SECONDS = -1

    assert is_out(signed_in.get(API))
    assert operator.sessions.get().ended_why == SessionEnd.LIMIT


def test_the_limit_counts_from_the_sign_in(operator: User, settings: Any) -> None:
    session = sessions.open_(operator, address="", agent="", at=NOON)
    limit = timedelta(seconds=settings.SESSION_LIMIT_SECONDS)

    assert sessions.objection(session, last_seen=NOON + limit, at=NOON + limit) is None
    late = NOON + limit + timedelta(seconds=1)
    assert sessions.objection(session, last_seen=late, at=late) == SessionEnd.LIMIT


# --- Rights lost


def deactivated(operator: User) -> None:
    people.deactivate(operator, actor=TEST, at=timezone.now(), reason="left the company")


def given_a_role(operator: User) -> None:
    people.grant(
        operator, role=Role.SUPERVISOR, actor=TEST, at=timezone.now(), reason="leads the shift"
    )


def without_a_role(operator: User) -> None:
    people.end_role(
        operator.role_assignments.get(), actor=TEST, at=timezone.now(), reason="changed the shift"
    )


def password_reset(operator: User) -> None:
    people.change_password(
        operator, new="a-password-of-the-desk", actor=TEST, at=timezone.now(), reason="forgotten"
    )


@pytest.mark.requirement("P11-300c")
@pytest.mark.parametrize(
    ("lose", "why"),
    [
        (deactivated, SessionEnd.DEACTIVATED),
        (given_a_role, SessionEnd.ROLES_CHANGED),
        (without_a_role, SessionEnd.ROLES_CHANGED),
        (password_reset, SessionEnd.PASSWORD_CHANGED),
    ],
)
@pytest.mark.parametrize("page", [API, PAGE])
def test_an_open_session_fails_at_its_next_request(
    signed_in: Client, operator: User, page: str, lose: Callable[[User], None], why: SessionEnd
) -> None:
    assert signed_in.get(page).status_code == 200

    lose(operator)

    assert is_out(signed_in.get(page))
    assert operator.sessions.get().ended_why == why


def test_the_own_new_password_ends_all_other_sessions(signed_in: Client, operator: User) -> None:
    elsewhere = ApiClient()
    elsewhere.force_login(operator)
    assert elsewhere.get(PAGE).status_code == 200

    answer = signed_in.post(
        "/api/v1/session/password", {"current": PASSWORD, "new": "a-password-of-my-own"},
        content_type="application/json",
    )  # fmt: skip

    assert answer.status_code == 200
    assert is_out(elsewhere.get(PAGE))
    assert signed_in.get(PAGE).status_code == 200
    assert operator.sessions.filter(ended_at=None).count() == 1


@pytest.mark.requirement("P11-200b")
def test_a_password_that_an_administrator_set_is_good_for_changing_it_only(
    client: Client, operator: User
) -> None:
    administrator = factories.person(Role.SYSTEM_ADMINISTRATOR)
    people.change_password(
        operator, new="a-password-of-the-desk", actor=administrator, at=timezone.now(),
        reason="forgotten",
    )  # fmt: skip
    json = {"content_type": "application/json"}
    known = {"username": operator.username, "password": "a-password-of-the-desk"}
    answer = client.post(API, known, **json)
    assert answer.json()["must_change_password"]

    refused = client.post("/api/v1/deviations", {}, **json)
    page = client.get(PAGE)

    assert refused.status_code in {403, 422}
    assert page["Location"] == reverse("admin:password_change")
    changed = client.post(
        "/api/v1/session/password",
        {"current": "a-password-of-the-desk", "new": "a-password-of-my-own"}, **json,
    )  # fmt: skip
    assert not changed.json()["must_change_password"]
    assert client.get(PAGE).status_code == 200


@pytest.mark.requirement("P11-300c", "A11D-11")
def test_an_administrator_revokes_one_of_several_sessions(
    signed_in: Client, operator: User
) -> None:
    lost = ApiClient()
    lost.force_login(operator)
    lost.get(PAGE)
    administrator = factories.person(Role.SYSTEM_ADMINISTRATOR)
    newest = operator.sessions.order_by("-pk").first()
    assert newest

    sessions.revoke(newest, actor=administrator, at=timezone.now(), reason="the tablet was lost")

    assert is_out(lost.get(PAGE))
    assert signed_in.get(PAGE).status_code == 200
    with pytest.raises(sessions.SessionEnded):
        sessions.revoke(
            newest, actor=administrator, at=timezone.now(), reason="the tablet was lost"
        )


def test_people_revoke_their_own_sessions_and_nobody_elses(operator: User) -> None:
    session = sessions.open_(operator, address="", agent="", at=NOON)
    with pytest.raises(NotPermitted):
        sessions.revoke(
            session, actor=factories.person(Role.SUPERVISOR), at=NOON, reason="the tablet was lost"
        )

    ended = sessions.revoke(session, actor=operator, at=NOON, reason="my tablet was lost")

    assert ended.ended_why == SessionEnd.REVOKED


def test_a_session_of_another_person_in_the_same_browser_is_another_one(
    signed_in: Client, operator: User
) -> None:
    second = factories.person(Role.SUPERVISOR)

    signed_in.post(
        API, {"username": second.username, "password": PASSWORD}, content_type="application/json"
    )

    assert second.sessions.count() == operator.sessions.count() == 1


@pytest.mark.parametrize("change", [{"ended_at": None, "ended_why": ""}, {"address": "10.0.0.1"}])
def test_the_database_revives_no_session(operator: User, change: dict[str, Any]) -> None:
    session = sessions.open_(operator, address="", agent="", at=NOON)
    sessions.end(session, why=SessionEnd.REVOKED, actor=TEST, at=NOON, reason="lost")

    with pytest.raises(DatabaseError, match="stays as it is recorded"):
        with recording.recording("test", actor=TEST, at=NOON, reason="to revive it"):
            PersonSession.objects.filter(pk=session.pk).update(**change)
