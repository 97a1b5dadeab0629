"""Clients of the API get short-lived tokens, within their scopes, and lose them at once."""

import base64
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from compliance.access import access_tokens, clients, credentials, devices
from compliance.access.authority import NotPermitted
from compliance.access.duties import DUTIES, Duty, Role
from compliance.access.models import (
    AccessToken,
    AlarmKind,
    ApiClient,
    ClientSecret,
    Device,
    SecurityAlarm,
    SignIn,
)
from compliance.access.scopes import Scope, ScopeUnknown
from compliance.trail import capture, recording, refusals
from compliance.trail.models import Refusal
from tests import factories
from tests.factories import TEST

pytestmark = pytest.mark.django_db
TOKEN = "/api/v1/oauth/token"
REASON = "the historian of line 4"
EVENTS = "/api/v1/batches/B-1/events"
HOUR = timedelta(hours=1)


def registered(*scopes: str, device: Device | None = None) -> tuple[ApiClient, str]:
    return clients.register(
        device or factories.device(),
        wanted=list(scopes or [Scope.EVENTS_READ, Scope.EVENTS_WRITE]),
        actor=TEST,
        at=timezone.now(),
        reason=REASON,
    )


def asked(http: Client, client_id: str, secret: str, *, basic: bool = False, **more: str) -> Any:
    form = {"grant_type": "client_credentials", **more}
    headers = {}
    if basic:
        coded = base64.b64encode(f"{client_id}:{secret}".encode()).decode()
        headers["authorization"] = f"Basic {coded}"
    else:
        form |= {"client_id": client_id, "client_secret": secret}
    body = "&".join(f"{name}={value}" for name, value in form.items())
    return http.post(TOKEN, body, "application/x-www-form-urlencoded", headers=headers)


def token_of(http: Client, client: ApiClient, secret: str, **more: str) -> str:
    answer = asked(http, client.client_id, secret, **more)
    assert answer.status_code == 200, answer.content
    return str(answer.json()["access_token"])


def read(http: Client, token: str, path: str = EVENTS) -> Any:
    return http.get(path, headers={"authorization": f"Bearer {token}"})


def post(http: Client, token: str, path: str = EVENTS) -> Any:
    headers = {"authorization": f"Bearer {token}", "idempotency-key": "k-1"}
    return http.post(path, {}, content_type="application/json", headers=headers)


def alarms() -> list[tuple[str, str]]:
    found = SecurityAlarm.objects.using(refusals.ALIAS).order_by("pk")
    return [(one.kind, one.about_id) for one in found]


# --- The grant


@pytest.mark.parametrize("basic", [True, False])
def test_a_client_gets_a_token_by_its_secret_and_reads_and_posts_with_it(
    client: Client, basic: bool
) -> None:
    made, secret = registered()

    answer = asked(client, made.client_id, secret, basic=basic)

    said = answer.json()
    assert answer.status_code == 200
    assert answer["Content-Type"] == "application/json"
    assert (answer["Cache-Control"], answer["Pragma"]) == ("no-store", "no-cache")
    assert {**said, "access_token": ""} == {
        "access_token": "", "token_type": "Bearer", "expires_in": 900,
        "scope": "events:read events:write",
    }  # fmt: skip
    assert read(client, said["access_token"]).status_code == 404  # there is no such batch
    assert post(client, said["access_token"]).status_code in {404, 422}


def test_what_a_client_posts_is_posted_by_its_device(client: Client) -> None:
    device = factories.device()
    made, secret = registered(Scope.BATCHES_WRITE, device=device)
    token = token_of(client, made, secret)

    answer = client.post(
        "/api/v1/batches", {"number": "B-1", "product": "none"}, content_type="application/json",
        headers={"authorization": f"Bearer {token}", "idempotency-key": "k-1"},
    )  # fmt: skip

    assert answer.json()["type"].endswith("/recipe-not-effective")
    assert Refusal.objects.using(refusals.ALIAS).get().actor_id == f"device:{device.pk}"


def test_a_client_may_ask_for_less_than_it_has_and_not_for_more(client: Client) -> None:
    made, secret = registered()

    less = asked(client, made.client_id, secret, scope="events:read")
    more = asked(client, made.client_id, secret, scope="events:read results:write")

    assert less.json()["scope"] == "events:read"
    assert (more.status_code, more.json()["error"]) == (400, "invalid_scope")
    assert AccessToken.objects.count() == 1


def test_neither_secret_nor_token_is_stored_nor_in_the_trail(client: Client) -> None:
    made, secret = registered()
    token = token_of(client, made, secret)

    stored = str(list(ClientSecret.objects.values())) + str(list(AccessToken.objects.values()))

    assert token not in stored
    assert secret not in stored
    for model in (ClientSecret, AccessToken):
        control = capture.control_of(model)
        assert control is not None
        assert control.digest_only == ("digest",)


@pytest.mark.parametrize(
    ("body", "error", "status"),
    [
        ("", "invalid_client", 401),
        ("grant_type=password&client_id={id}&client_secret={secret}", "unsupported_grant_type", 400),
        ("client_id={id}&client_secret={secret}", "invalid_request", 400),
        ("grant_type=client_credentials&grant_type=client_credentials", "invalid_request", 400),
        ("grant_type=client_credentials&client_id={id}", "invalid_client", 401),
        ("grant_type=client_credentials&client_id={id}&client_secret=x", "invalid_client", 401),
        ("grant_type=client_credentials&client_id=%00&client_secret=x", "invalid_client", 401),
        ("grant_type=client_credentials&client_id=%ff&client_secret=%ff", "invalid_client", 401),
        ("grant_type=client_credentials&scope=" + "x" * 9000, "invalid_request", 400),
    ],
)  # fmt: skip
def test_a_request_for_a_token_that_is_wrong_is_answered_in_the_words_of_the_rfc(
    client: Client, body: str, error: str, status: int
) -> None:
    made, secret = registered()

    answer = client.post(
        TOKEN, body.format(id=made.client_id, secret=secret), "application/x-www-form-urlencoded"
    )

    assert (answer.status_code, answer.json()["error"]) == (status, error)
    assert set(answer.json()) == {"error", "error_description"}
    assert answer["Content-Type"] == "application/json"
    assert answer["Cache-Control"] == "no-store"
    assert ("WWW-Authenticate" in answer) == (status == 401)
    assert AccessToken.objects.count() == 0


@pytest.mark.parametrize(
    "authorization", ["Basic", "Basic !", "Basic YQ==", "Bearer x", "Basic //8="]
)
def test_credentials_that_cannot_be_read_are_refused(client: Client, authorization: str) -> None:
    answer = client.post(
        TOKEN, "grant_type=client_credentials", "application/x-www-form-urlencoded",
        headers={"authorization": authorization},
    )  # fmt: skip

    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")


def test_the_secret_is_shown_in_one_place_and_never_in_the_address(client: Client) -> None:
    made, secret = registered()

    twice = asked(client, made.client_id, secret, basic=True, client_secret=secret)
    in_address = client.post(
        f"{TOKEN}?client_id={made.client_id}&client_secret={secret}",
        "grant_type=client_credentials", "application/x-www-form-urlencoded",
    )  # fmt: skip

    for answer in (twice, in_address):
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


def test_what_the_rfc_lets_clients_add_is_ignored(client: Client) -> None:
    made, secret = registered()

    assert asked(client, made.client_id, secret, audience="x").status_code == 200


# --- Scopes


@pytest.mark.requirement("P11-g1")
def test_without_the_scope_a_token_is_refused_and_told_which_one_and_it_is_recorded(
    client: Client,
) -> None:
    made, secret = registered(Scope.EVENTS_READ)
    token = token_of(client, made, secret)

    answer = post(client, token)
    other = read(client, token, "/api/v1/batches/B-1/results")

    assert (answer.status_code, other.status_code) == (403, 403)
    assert answer.json()["type"] == "/problems/insufficient-scope"
    assert answer["WWW-Authenticate"] == (
        'Bearer realm="api", error="insufficient_scope", scope="events:write"'
    )
    assert 'scope="results:read"' in other["WWW-Authenticate"]
    kept = Refusal.objects.using(refusals.ALIAS).order_by("pk")
    assert [(one.code, one.actor_id) for one in kept] == [
        ("insufficient-scope", f"device:{made.device_id}")
    ] * 2


def test_a_scope_that_is_taken_away_is_lost_to_a_token_in_use(client: Client) -> None:
    made, secret = registered()
    token = token_of(client, made, secret)

    clients.set_scopes(
        made, wanted=[Scope.EVENTS_READ], actor=TEST, at=timezone.now(), reason="it reads only"
    )

    assert post(client, token).status_code == 403
    assert read(client, token).status_code == 404


def test_no_client_reaches_what_is_for_people(client: Client) -> None:
    made, secret = registered(*Scope)
    token = token_of(client, made, secret)

    for path in ("/api/v1/access/people", "/api/v1/access/clients", "/api/v1/deviations"):
        answer = read(client, token, path)
        assert answer.status_code == 403
        assert answer.json()["type"].endswith("/insufficient-scope")
        assert "scope=" not in answer["WWW-Authenticate"]


def test_a_scope_that_is_not_known_or_none_at_all_is_refused() -> None:
    for wanted in ([], ["everything"], ["events:read", "events:delete"]):
        with pytest.raises(ScopeUnknown):
            registered_with = clients.register(
                factories.device(), wanted=wanted, actor=TEST, at=timezone.now(), reason=REASON
            )
            assert not registered_with


# --- Rotation


def test_two_secrets_are_valid_during_the_overlap_and_then_one() -> None:
    made, first = registered()
    at = timezone.now()
    second = clients.rotate(made, overlap=HOUR, actor=TEST, at=at, reason="once a year")

    def opens(secret: str, when: Any) -> bool:
        try:
            access_tokens.issue(
                client_id=made.client_id, secret=secret, wanted=[], address="", at=when
            )
        except access_tokens.ClientWrong:
            return False
        return True

    assert (opens(first, at), opens(second, at)) == (True, True)
    later = at + HOUR
    assert (opens(second, later), opens(first, later)) == (True, False)
    assert alarms() == [(AlarmKind.REVOKED_TOKEN, f"device:{made.device_id}")]


def test_a_third_secret_waits_until_one_of_two_is_revoked() -> None:
    made, _ = registered()
    at = timezone.now()
    clients.rotate(made, overlap=HOUR, actor=TEST, at=at, reason="once a year")

    with pytest.raises(clients.TwoSecretsValid):
        clients.rotate(made, overlap=HOUR, actor=TEST, at=at, reason="once more a year")
    clients.revoke_secret(
        clients.valid_secrets(made, at=at)[0], actor=TEST, at=at, reason="all have the new one"
    )
    clients.rotate(made, overlap=HOUR, actor=TEST, at=at, reason="once more a year")

    assert len(clients.valid_secrets(made, at=at)) == 2
    assert len(clients.valid_secrets(made, at=at + HOUR)) == 1


def test_an_overlap_has_its_limit_and_none_ends_the_old_secret_at_once() -> None:
    made, _ = registered()
    at = timezone.now()
    for wrong in (-HOUR, clients.MOST_OVERLAP + HOUR):
        with pytest.raises(clients.OverlapTooLong):
            clients.rotate(made, overlap=wrong, actor=TEST, at=at, reason="once a year")

    clients.rotate(made, overlap=timedelta(), actor=TEST, at=at, reason="it was in a mail")

    assert len(clients.valid_secrets(made, at=at)) == 1


# --- Revocation

Undo = Callable[[ApiClient], object]


def _revoke_secret(made: ApiClient) -> None:
    (secret,) = clients.valid_secrets(made, at=timezone.now())
    clients.revoke_secret(secret, actor=TEST, at=timezone.now(), reason="it was in a mail")


def _disqualify(made: ApiClient) -> None:
    devices.disqualify(made.device, actor=TEST, at=timezone.now(), reason="firmware was changed")


def _disqualify_and_qualify_again(made: ApiClient) -> None:
    _disqualify(made)
    devices.qualify(made.device, actor=TEST, at=timezone.now(), reason="tested as IQ-0043")


@pytest.mark.requirement("P11-300c")
@pytest.mark.parametrize(
    "undo",
    [
        lambda made: clients.revoke(made, actor=TEST, at=timezone.now(), reason="line is sold"),
        _revoke_secret,
        lambda made: devices.revoke(
            made.device, actor=TEST, at=timezone.now(), reason="the line was sold"
        ),
        _disqualify,
        _disqualify_and_qualify_again,
    ],
)
def test_a_token_dies_at_the_next_request_with_all_that_it_hangs_on(
    client: Client, undo: Undo
) -> None:
    made, secret = registered()
    token = token_of(client, made, secret)
    assert read(client, token).status_code == 404

    undo(made)

    answer = read(client, token)
    assert answer.status_code == 401
    assert 'error="invalid_token"' in answer["WWW-Authenticate"]
    assert post(client, token).status_code == 401
    assert set(alarms()) == {(AlarmKind.REVOKED_TOKEN, f"device:{made.device_id}")}


@pytest.mark.requirement("P11-300c")
def test_a_revoked_client_gets_no_token_and_nothing_else_any_more(client: Client) -> None:
    made, secret = registered()
    at = timezone.now()
    clients.revoke(made, actor=TEST, at=at, reason="the line was sold")

    assert asked(client, made.client_id, secret).json()["error"] == "invalid_client"
    for act in (
        lambda: clients.revoke(made, actor=TEST, at=at, reason="the line was sold"),
        lambda: clients.rotate(made, overlap=HOUR, actor=TEST, at=at, reason="once a year"),
        lambda: clients.set_scopes(
            made, wanted=[Scope.EVENTS_READ], actor=TEST, at=at, reason="it reads only"
        ),
    ):
        with pytest.raises(clients.ClientRevoked):
            act()


@pytest.mark.requirement("P11-h1")
def test_a_device_that_is_not_qualified_gets_no_token(client: Client) -> None:
    device, _ = factories.device_and_token(is_qualified=False)
    made, secret = registered(device=device)

    answer = asked(client, made.client_id, secret)

    assert (answer.status_code, answer.json()["error"]) == (400, "unauthorized_client")
    assert alarms() == [(AlarmKind.DEVICE_NOT_QUALIFIED, f"device:{device.pk}")]


def test_a_token_runs_out_without_an_alarm() -> None:
    made, secret = registered()
    at = timezone.now()
    token, text = access_tokens.issue(
        client_id=made.client_id, secret=secret, wanted=[], address="", at=at
    )

    access_tokens.report(text, address="", at=token.expires_at)

    assert access_tokens.by_token(text, at=token.expires_at - timedelta(seconds=1)) == token
    assert access_tokens.by_token(text, at=token.expires_at) is None
    assert alarms() == []


@pytest.mark.requirement("P11-300d")
def test_a_token_that_was_never_issued_is_refused_and_alarmed(client: Client) -> None:
    answer = read(client, "at_guessed")

    assert answer.status_code == 401
    assert [kind for kind, _ in alarms()] == [AlarmKind.UNKNOWN_TOKEN]


def test_a_client_of_another_site_opens_nothing(client: Client, settings: Any) -> None:
    made, secret = registered()
    token = token_of(client, made, secret)

    settings.LOG_ORIGIN = "gmp-twin.local/demo/site/2"

    assert read(client, token).status_code == 401
    assert asked(client, made.client_id, secret).json()["error"] == "invalid_client"


# --- Wrong secrets


@pytest.mark.requirement("P11-300d")
def test_five_wrong_secrets_lock_the_client_and_raise_one_alarm(client: Client) -> None:
    made, secret = registered()
    token = token_of(client, made, secret)

    for _ in range(credentials.MAX_FAILURES):
        assert asked(client, made.client_id, "guessed").status_code == 401
    answer = asked(client, made.client_id, secret)

    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")
    assert "locked" in answer.json()["error_description"]
    assert alarms() == [(AlarmKind.LOCKED, f"device:{made.device_id}")]
    assert read(client, token).status_code == 404  # whoever guesses takes no token away
    later = timezone.now() + credentials.LOCK_FOR
    assert not credentials.is_locked(f"client:{made.client_id}", at=later)


def test_each_request_for_a_token_is_on_record_as_a_sign_in(client: Client) -> None:
    made, secret = registered()

    asked(client, made.client_id, "guessed")
    asked(client, made.client_id, secret)

    found = SignIn.objects.using(refusals.ALIAS).order_by("pk")
    assert [(one.username, one.purpose, one.outcome) for one in found] == [
        (f"client:{made.client_id}", "token", "wrong"),
        (f"client:{made.client_id}", "token", "accepted"),
    ]


# --- Who administers


@pytest.mark.requirement("P11-g1")
@pytest.mark.parametrize("role", list(Role))
def test_only_an_administrator_registers_clients(role: Role) -> None:
    actor = factories.person(role)
    device = factories.device()

    def register() -> Any:
        return clients.register(
            device, wanted=[Scope.EVENTS_READ], actor=actor, at=timezone.now(), reason=REASON
        )

    if Duty.ADMINISTER_ACCESS in DUTIES[role]:
        assert register()
    else:
        with pytest.raises(NotPermitted):
            register()


def test_a_client_is_administered_over_the_api(client: Client) -> None:
    client.force_login(factories.person(Role.SYSTEM_ADMINISTRATOR))
    device = factories.device()

    def act(path: str, status: int, **said: Any) -> dict[str, Any]:
        answer = client.post(
            f"/api/v1/access/clients{path}", {**said, "reason": REASON},
            content_type="application/json",
        )  # fmt: skip
        assert answer.status_code == status, answer.content
        return dict(answer.json())

    made = act("", 201, device=device.name, scopes=["events:read"])
    one = f"/{made['client_id']}"
    rotated = act(f"{one}/secrets", 201, overlap_minutes=60)
    widened = act(f"{one}/scopes", 200, scopes=["events:read", "events:write"])
    first, second = widened["secrets"]
    act(f"{one}/secrets/{first['id']}/revocation", 200)
    assert asked(client, made["client_id"], rotated["client_secret"]).status_code == 200
    assert asked(client, made["client_id"], made["client_secret"]).status_code == 401
    revoked = act(f"{one}/revocation", 200)

    assert widened["scopes"] == ["events:read", "events:write"]
    assert (first["ends_at"] is None, second["ends_at"]) == (False, None)
    assert revoked["revoked_at"]
    shown = client.get(f"/api/v1/access/clients{one}").content.decode()
    assert made["client_secret"] not in shown
    assert "digest" not in shown


def test_a_client_is_administered_on_its_pages(client: Client) -> None:
    client.force_login(factories.person(Role.SYSTEM_ADMINISTRATOR))
    device = factories.device()
    pages = reverse("admin:access_apiclient_changelist")

    def act(where: str, name: str, **said: Any) -> str:
        address = f"{pages}{where}acts/{name}/"
        assert client.get(address).status_code == 200
        answer = client.post(address, {**said, "reason": REASON}, follow=True)
        return str(answer.content.decode())

    shown = act("", "register", device=device.pk, scopes=["events:read"])
    made = ApiClient.objects.get()
    one = f"{made.pk}/"
    assert made.client_id in shown
    act(one, "rotate", overlap_hours=24)
    act(one, "scopes", scopes=["events:read", "events:write"])
    first, second = clients.valid_secrets(made, at=timezone.now())
    act(one, "revoke-secret", secret=first.pk)
    assert clients.valid_secrets(made, at=timezone.now()) == [second]
    act(one, "revoke")

    made.refresh_from_db()
    page = client.get(f"{pages}{one}change/").content.decode()
    assert (made.scopes, made.revoked_at is None) == ("events:read events:write", False)
    assert "Revoked" in page
    assert second.digest not in page


def test_somebody_of_quality_reads_the_page_and_changes_nothing(client: Client) -> None:
    made, _ = registered()
    client.force_login(factories.person(Role.QUALITY_ASSURANCE))
    pages = reverse("admin:access_apiclient_changelist")

    assert client.get(f"{pages}{made.pk}/change/").status_code == 200
    answer = client.post(f"{pages}{made.pk}/acts/revoke/", {"reason": REASON})

    assert answer.status_code == 403
    made.refresh_from_db()
    assert made.revoked_at is None


# --- What the database holds


def _change(record: Any, **change: Any) -> None:
    with recording.recording("test", actor=TEST, at=timezone.now(), reason="to let it in again"):
        type(record).objects.filter(pk=record.pk).update(**change)


def test_the_database_keeps_clients_and_secrets_as_they_are_recorded() -> None:
    made, _ = registered()
    at = timezone.now()
    clients.rotate(made, overlap=HOUR, actor=TEST, at=at, reason="once a year")
    first, second = clients.valid_secrets(made, at=at)
    other = factories.device()
    clients.revoke(made, actor=TEST, at=at, reason="the line was sold")

    for record, change, says in (
        (made, {"revoked_at": None}, "stays as it is recorded"),
        (made, {"device": other}, "stays as it is recorded"),
        (made, {"site": "elsewhere"}, "stays as it is recorded"),
        (second, {"digest": "0" * 64}, "stays as it is recorded"),
        (first, {"ends_at": at + 2 * HOUR}, "is not prolonged"),
    ):
        with pytest.raises(DatabaseError, match=says):
            _change(record, **change)


def _insert(record: Any) -> None:
    with recording.recording("test", actor=TEST, at=timezone.now(), reason="past the functions"):
        type(record).objects.bulk_create([record])


def test_the_database_takes_no_third_secret_and_none_of_a_revoked_client() -> None:
    made, _ = registered()
    at = timezone.now()
    clients.rotate(made, overlap=HOUR, actor=TEST, at=at, reason="once a year")

    with pytest.raises(DatabaseError, match="two valid secrets at most"):
        _insert(ClientSecret(client=made, digest="0" * 64, created_at=at, ends_at=at + HOUR))
    clients.revoke(made, actor=TEST, at=at, reason="the line was sold")
    with pytest.raises(DatabaseError, match="revoked client gets no secret"):
        _insert(ClientSecret(client=made, digest="0" * 64, created_at=at, ends_at=at + HOUR))


@pytest.mark.requirement("P11-300c")
def test_the_database_takes_no_token_of_what_is_shut_out_or_beyond_the_scopes() -> None:
    made, _ = registered(Scope.EVENTS_READ)
    at = timezone.now()
    (secret,) = clients.valid_secrets(made, at=at)

    def token(**change: Any) -> AccessToken:
        said = {"secret": secret, "digest": "0" * 64, "scopes": "events:read", "issued_at": at}
        return AccessToken(**{**said, "expires_at": at + HOUR, **change})

    with pytest.raises(DatabaseError, match="may have no such token"):
        _insert(token(scopes="events:read results:write"))
    with pytest.raises(IntegrityError, match="token_is_short_lived"):
        _insert(token(expires_at=at + 2 * HOUR))
    clients.revoke_secret(secret, actor=TEST, at=at, reason="it was in a mail")
    with pytest.raises(DatabaseError, match="may have no such token"):
        _insert(token())
