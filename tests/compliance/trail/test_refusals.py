"""Whoever is told no is on record, whatever becomes of the transaction that tried."""

import re
import threading
from datetime import timedelta
from typing import Any

import pytest
from celery import shared_task
from django.db import DatabaseError, connection, connections, transaction
from django.test import Client

from compliance.access import credentials
from compliance.access.credentials import CredentialsWrong, Locked
from compliance.access.duties import Role
from compliance.access.models import SignIn, User
from compliance.quality import deviations
from compliance.quality.models import Deviation, DeviationNote
from compliance.refusals import Refused
from compliance.signatures import signing
from compliance.signatures.signing import NotOwnCredentials
from compliance.trail import recording, refusals
from compliance.trail.models import Entry, Refusal
from compliance.trail.recording import System
from tests import factories, trail_log
from tests.conftest import ROOT
from tests.factories import NOON, PASSWORD

NOTES = "/api/v1/deviations/{}/notes"
NOTE = {"text": "Seen again on the next day."}


def refused(code: str = "") -> list[Refusal]:
    found = Refusal.objects.order_by("pk")
    return list(found.filter(code=code) if code else found)


def said_no(message: str = "closed", **given: Any) -> Refusal | None:
    return refusals.record(
        deviations.DeviationClosed(message),
        **{"action": "test", "actor": System("tests"), "at": NOON, "subject": "DEV-1", **given},
    )


def posted(client: Client, path: str, body: Any, **headers: str) -> Any:
    return client.post(path, body, content_type="application/json", headers=headers)


# --- What a rollback does not reach


@pytest.mark.requirement("P11-f1", "P11-g1")
def test_a_refusal_outlives_the_rollback_of_what_was_refused(fresh_log: Any) -> None:
    with pytest.raises(RuntimeError), trail_log.act():
        said_no()
        raise RuntimeError

    (kept,) = refused()
    assert (kept.code, kept.subject) == ("deviation-closed", "DEV-1")
    entry = Entry.objects.get(record="trail_refusal", record_id=str(kept.pk))
    assert (entry.action, entry.reason) == ("trail.act-refused", "deviation-closed")


def test_wrong_passwords_count_although_their_requests_are_rolled_back(fresh_log: Any) -> None:
    quality = factories.person(Role.QUALITY_ASSURANCE)

    for _ in range(credentials.MAX_FAILURES):
        with pytest.raises(CredentialsWrong), transaction.atomic():
            signing.confirm(signer=quality, password="wrong", address="10.0.0.1", at=NOON)
    with pytest.raises(Locked), transaction.atomic():
        signing.confirm(signer=quality, password=PASSWORD, address="10.0.0.1", at=NOON)

    assert SignIn.objects.filter(username=quality.username).count() == 6
    assert [one.code for one in refused()] == ["credentials-wrong"] * 5 + ["locked"]
    assert {(one.actor, one.actor_id, one.subject) for one in refused()} == {
        (quality.username, "unidentified", "signature")
    }


def test_a_name_that_cannot_be_stored_is_refused_and_on_record(fresh_log: Any) -> None:
    with pytest.raises(CredentialsWrong):
        credentials.check(
            username="a\0b\ud800", password="wrong", purpose="session", address="", at=NOON
        )

    assert refused()[0].actor == "a\ufffdb?"


# --- Once for each request


def test_the_same_request_sent_again_is_one_refusal(fresh_log: Any) -> None:
    for _ in range(3):
        said_no(repeat="message-7")

    assert len(refused()) == 1
    assert Entry.objects.filter(record="trail_refusal").count() == 1


@pytest.mark.parametrize(
    "changed",
    [
        {"repeat": "message-8"},
        {"subject": "DEV-2"},
        {"message": "closed yesterday"},
        {"actor": System("another")},
        {"action": "another"},
        {"at": NOON + timedelta(hours=1)},
    ],
)
def test_another_request_is_another_refusal(fresh_log: Any, changed: dict[str, Any]) -> None:
    said_no(repeat="message-7")

    said_no(**{"repeat": "message-7", **changed})

    assert len(refused()) == 2


def test_without_a_correlation_each_attempt_counts(fresh_log: Any) -> None:
    said_no()
    said_no()

    assert len(refused()) == 2


def test_one_exception_on_its_way_up_is_one_refusal(fresh_log: Any) -> None:
    error = deviations.DeviationClosed("closed")

    made = [
        refusals.record(error, action=action, actor=System("tests"), at=NOON)
        for action in ("inner", "edge")
    ]

    assert made[0] is not None
    assert made[1] is None
    assert [one.action for one in refused()] == ["inner"]


def test_two_at_the_same_time_are_one_refusal(fresh_log: Any) -> None:
    start = threading.Barrier(4)

    def send() -> None:
        start.wait()
        try:
            said_no(repeat="message-7")
        finally:
            connections.close_all()

    threads = [threading.Thread(target=send) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(refused()) == 1


# --- The API

SENT_AGAIN = {"X-Correlation-Id": "one", "Idempotency-Key": "one"}


@pytest.mark.requirement("P11-f1")
def test_a_forbidden_state_is_refused_and_on_record(client: Client, fresh_log: Any) -> None:
    closed = factories.closed_deviation()
    quality = factories.person(Role.QUALITY_ASSURANCE)
    client.force_login(quality)

    answers = [posted(client, NOTES.format(closed.number), NOTE, **SENT_AGAIN) for _ in range(2)]

    assert [one.status_code for one in answers] == [409, 409]
    (kept,) = refused("deviation-closed")
    assert (kept.code, kept.actor, kept.role) == (
        "deviation-closed", quality.username, "quality-assurance",
    )  # fmt: skip
    assert kept.source == "api:one"
    assert kept.action == "POST api/v1/deviations/<str:number>/notes"
    assert kept.subject == NOTES.format(closed.number)


@pytest.mark.requirement("P11-g1")
def test_a_missing_duty_is_refused_and_on_record(client: Client, fresh_log: Any) -> None:
    opened = factories.deviation()
    auditor = factories.person(Role.AUDITOR)
    client.force_login(auditor)

    answer = posted(client, NOTES.format(opened.number), NOTE)

    assert answer.status_code == 403
    assert [(one.code, one.actor) for one in refused()] == [("not-permitted", auditor.username)]
    assert not DeviationNote.objects.exists()


def test_a_body_that_is_refused_is_on_record(client: Client, fresh_log: Any) -> None:
    opened = factories.deviation()
    client.force_login(factories.person(Role.QUALITY_ASSURANCE))

    assert posted(client, NOTES.format(opened.number), {"words": "x"}).status_code == 422
    assert client.post(
        NOTES.format(opened.number), b'{"text": 1.0e', content_type="application/json"
    ).status_code in (400, 422)

    assert len(refused()) == 2


def test_a_wrong_token_is_on_record_also_when_it_only_reads(client: Client, fresh_log: Any) -> None:
    answer = client.get("/api/v1/deviations", headers={"Authorization": "Bearer 1.wrong"})

    assert answer.status_code == 401
    assert [(one.code, one.actor) for one in refused()] == [
        ("authentication-failed", "unidentified")
    ]


def test_reading_what_is_not_there_is_no_refusal(client: Client, fresh_log: Any) -> None:
    client.force_login(factories.person(Role.QUALITY_ASSURANCE))

    assert client.get("/api/v1/deviations/none").status_code == 404
    assert refused() == []


@pytest.mark.parametrize(
    "expected",
    [("GM001", "no-act", 409), ("GM002", "append-only", 409), ("GM003", "reason-needed", 422)],
)
def test_what_the_database_refuses_is_answered_and_on_record(
    client: Client, fresh_log: Any, monkeypatch: pytest.MonkeyPatch, expected: tuple[str, str, int]
) -> None:
    sqlstate, code, status = expected
    opened = factories.deviation()
    client.force_login(factories.person(Role.QUALITY_ASSURANCE))

    def careless(deviation: Deviation, **_: Any) -> None:
        if sqlstate == "GM001":
            Deviation.objects.update(title="changed in no act")
        with trail_log.act("" if sqlstate == "GM003" else "without thinking"):
            if sqlstate == "GM002":
                deviation.delete()
            Deviation.objects.update(title="changed without a reason")

    monkeypatch.setattr(deviations, "note", careless)

    answer = posted(client, NOTES.format(opened.number), NOTE)

    assert (answer.status_code, answer.json()["type"].rsplit("/")[-1]) == (status, code)
    assert [one.code for one in refused()] == [code]
    opened.refresh_from_db()
    assert opened.title.startswith("Temperature")


@pytest.mark.parametrize(
    ("way", "expected"),
    [
        ("trigger", ("record-rule", 409, "is not classified")),
        ("check", ("value-rule", 422, "deviation category known")),
        ("unique", ("already-recorded", 409, "number")),
    ],
)
def test_a_rule_that_only_the_database_holds_is_answered_as_a_refusal_and_on_record(
    client: Client, fresh_log: Any, monkeypatch: pytest.MonkeyPatch, way: str,
    expected: tuple[str, int, str],
) -> None:  # fmt: skip
    code, status, said = expected
    opened = factories.deviation()
    quality = factories.person(Role.QUALITY_ASSURANCE)
    client.force_login(quality)

    def careless(deviation: Deviation, **_: Any) -> None:
        with trail_log.act("without thinking"):
            if way == "trigger":
                Deviation.objects.update(state="closed")
            elif way == "check":
                Deviation.objects.update(category="whatever")
            deviation.pk = None
            Deviation.objects.bulk_create([deviation])

    monkeypatch.setattr(deviations, "note", careless)

    answer = posted(client, NOTES.format(opened.number), NOTE)
    form = client.post(f"/admin/quality/deviation/{opened.pk}/acts/note/", NOTE)

    assert (answer.status_code, answer.json()["type"].rsplit("/")[-1]) == (status, code)
    assert said in answer.json()["detail"]
    assert form.status_code == status
    assert said in form.content.decode()
    assert [(one.code, one.actor) for one in refused()] == [(code, quality.username)] * 2
    assert Deviation.objects.get().state == "open"


def test_every_code_that_a_guard_raises_is_answered_as_a_refusal() -> None:
    raised = {
        {"check_violation": "23514"}.get(code, code)
        for room in ("batches", "compliance", "twins")
        for pattern in ("**/migrations/*.py", "**/sql/*.sql")
        for source in (ROOT / room).glob(pattern)
        for code in re.findall(r"['\"](GM\d{3}|23\w{3}|check_violation)['\"]", source.read_text())
    }

    assert {"23514", "GM001", "GM005", "GM006", "GM010"} < raised
    for code in raised:
        error = DatabaseError()
        error.__cause__ = Exception("said")
        error.__cause__.sqlstate = code  # type: ignore[attr-defined]
        answered = refusals.of_database(error)
        assert answered is not None, code
        assert answered.status in (403, 409, 422)
        assert answered.code != Refused.code


def test_two_rules_of_the_database_have_two_codes() -> None:
    codes = [code for code, _, _ in refusals._BY_SQLSTATE.values()]

    assert len(codes) == len(set(codes))


def test_an_unrecorded_refusal_is_not_answered_as_one(
    client: Client, fresh_log: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = factories.closed_deviation()
    client.force_login(factories.person(Role.QUALITY_ASSURANCE))
    outside = connections["outside"]
    outside.close()
    monkeypatch.setitem(outside.settings_dict, "NAME", "no_such_database")

    answer = posted(client, NOTES.format(closed.number), NOTE)

    assert answer.status_code == 503


# --- The admin and its sign-in


def test_an_act_without_the_duty_is_refused_and_on_record(client: Client, fresh_log: Any) -> None:
    opened = factories.deviation()
    auditor = factories.person(Role.AUDITOR)
    client.force_login(auditor)

    answer = client.post(f"/admin/quality/deviation/{opened.pk}/acts/investigate/", {})

    assert answer.status_code == 403
    assert [(one.code, one.actor) for one in refused()] == [("not-permitted", auditor.username)]
    assert refused()[0].source.startswith("admin:")


def test_roles_that_exclude_each_other_are_refused_and_on_record(
    client: Client, fresh_log: Any
) -> None:
    administrator = factories.person(Role.SYSTEM_ADMINISTRATOR)
    operator = factories.person(Role.OPERATOR)
    client.force_login(administrator)

    answer = client.post(
        f"/admin/access/user/{operator.pk}/acts/grant-role/",
        {"role": "auditor", "reason": "is to read the records"},
    )

    assert answer.status_code == 409, answer.content
    (kept,) = refused()
    assert (kept.code, kept.action) == ("roles-conflict", "user.grant-role")
    assert kept.subject == str(operator)


def test_a_failed_sign_in_is_on_record(client: Client, fresh_log: Any) -> None:
    quality = factories.person(Role.QUALITY_ASSURANCE)

    for path in ("/admin/login/", "/api/v1/session"):
        body = {"username": quality.username, "password": "wrong"}
        client.post(path, body, content_type="application/json") if "api" in path else client.post(
            path, body
        )

    assert [(one.code, one.subject) for one in refused()] == [("credentials-wrong", "session")] * 2


def test_a_sign_in_without_a_role_is_on_record(client: Client, fresh_log: Any) -> None:
    nobody = factories.person()

    client.post("/admin/login/", {"username": nobody.username, "password": PASSWORD})

    assert [(one.code, one.actor) for one in refused()] == [("role-needed", nobody.username)]


def test_refusals_are_shown_with_their_outcome(client: Client, fresh_log: Any) -> None:
    said_no()
    client.force_login(factories.person(Role.AUDITOR))

    page = client.get("/admin/trail/refusal/").content.decode()

    assert "deviation-closed" in page
    assert "DEV-1" in page


# --- Elsewhere


def test_a_signature_in_another_s_name_is_refused(fresh_log: Any) -> None:
    signer = factories.person(Role.QUALITY_ASSURANCE)
    with recording.recording(
        trail_log.Action.TRIED, actor=System("tests"), at=NOON, reason="set by somebody else"
    ):
        User.objects.filter(pk=signer.pk).update(must_change_password=True)

    with pytest.raises(NotOwnCredentials), transaction.atomic():
        signing.confirm(signer=signer, password=PASSWORD, address="", at=NOON)

    assert [one.code for one in refused()] == ["not-own-credentials"]


@shared_task
def refused_task() -> None:
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO trail_app_tag (name) VALUES ('in no act')")


def test_what_is_refused_to_a_task_is_on_record(fresh_log: Any) -> None:
    assert refused_task.apply().failed()

    (kept,) = refused()
    assert (kept.code, kept.role) == ("no-act", "system")
    assert kept.source.startswith("task:")


def test_another_error_of_the_database_is_no_refusal() -> None:
    error = DatabaseError("connection lost")

    assert refusals.of_database(error) is None
