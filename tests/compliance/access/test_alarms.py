"""Misuse raises an alarm at once, and somebody not concerned acknowledges it (21 CFR 11.300(d))."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError, transaction

from compliance.access import alarms, credentials
from compliance.access.authority import NotPermitted
from compliance.access.duties import DUTIES, Duty, Role
from compliance.access.models import AlarmKind, SecurityAlarm, User
from compliance.trail import recording, refusals
from compliance.trail.models import Entry
from tests import factories
from tests.factories import NOON, PASSWORD, TEST

pytestmark = [pytest.mark.django_db, pytest.mark.requirement("P11-300d", "A11D-8")]
COMMENT = "called the person, the password was forgotten"


def attempt(person: User, purpose: str, *, password: str = "wrong", minute: int = 0) -> None:
    with pytest.raises((credentials.CredentialsWrong, credentials.Locked)):
        credentials.check(
            username=person.username, password=password, purpose=purpose, address="10.0.0.7",
            at=NOON + timedelta(minutes=minute),
        )  # fmt: skip


def outside() -> list[SecurityAlarm]:
    return list(SecurityAlarm.objects.using(refusals.ALIAS).order_by("pk"))


def test_five_wrong_passwords_lock_the_name_and_raise_one_alarm() -> None:
    person = factories.person(Role.OPERATOR)
    for minute in range(4):
        attempt(person, "signature", minute=minute)
    assert outside() == []

    attempt(person, "signature", minute=4)

    (alarm,) = outside()
    assert (alarm.kind, alarm.about_id) == (AlarmKind.LOCKED, f"user:{person.pk}")
    assert alarm.address == "10.0.0.7"
    attempt(person, "signature", password=PASSWORD, minute=5)
    assert len(outside()) == 1


def test_signing_in_and_signing_share_the_counter() -> None:
    person = factories.person(Role.OPERATOR)
    for minute, purpose in enumerate(["session", "signature", "session", "signature", "session"]):
        attempt(person, purpose, minute=minute)

    attempt(person, "signature", password=PASSWORD, minute=5)

    assert [one.kind for one in outside()] == [AlarmKind.LOCKED]


def test_an_alarm_stays_when_the_act_that_raised_it_is_rolled_back() -> None:
    person = factories.person(Role.OPERATOR)

    with pytest.raises(RuntimeError), transaction.atomic():
        alarms.raise_(AlarmKind.LOCKED, "five wrong passwords", about=person, at=NOON)
        raise RuntimeError("what asked for it fails")

    assert len(outside()) == 1


def test_the_same_happening_is_the_same_alarm() -> None:
    first, again, later = (
        alarms.raise_(AlarmKind.CLOCK, "set back", about=TEST, at=NOON, once=once)
        for once in ("at 10", "at 10", "at 11")
    )

    assert first.pk == again.pk != later.pk


def test_an_alarm_is_an_entry_of_the_trail() -> None:
    alarm = factories.alarm()

    entries = Entry.objects.of_record("access_securityalarm", alarm.pk)
    assert [one.action for one in entries] == ["access.alarm-raised"]


def test_text_that_cannot_be_stored_raises_the_alarm_nevertheless() -> None:
    alarm = alarms.raise_(
        AlarmKind.UNKNOWN_TOKEN, "a name \0 with half \ud800 a sign", about=TEST, at=NOON
    )

    assert alarm.text == "a name \ufffd with half ? a sign"


# --- Acknowledgement


def test_somebody_not_concerned_acknowledges_with_a_comment() -> None:
    alarm = factories.alarm()
    quality = factories.person(Role.QUALITY_ASSURANCE)
    assert alarm in alarms.waiting_since(NOON + timedelta(hours=1))

    seen = alarms.acknowledge(alarm, comment=COMMENT, actor=quality, at=NOON)

    assert (seen.acknowledged_by, seen.acknowledged_role) == (quality, "Quality assurance")
    assert (seen.acknowledged_at, seen.comment) == (NOON, COMMENT)
    assert not alarms.waiting().exists()


@pytest.mark.parametrize("comment", ["", "ok", "........", "seen"])
def test_a_comment_that_says_nothing_is_refused(comment: str) -> None:
    alarm = factories.alarm()

    with pytest.raises(recording.ReasonNotMeaningful):
        alarms.acknowledge(
            alarm, comment=comment, actor=factories.person(Role.QUALITY_ASSURANCE), at=NOON
        )


def test_nobody_acknowledges_an_alarm_about_themselves_or_by_themselves() -> None:
    quality = factories.person(Role.QUALITY_ASSURANCE)
    administrator = factories.person(Role.SYSTEM_ADMINISTRATOR)
    made = alarms.raise_(
        AlarmKind.ADMINISTRATOR_MADE, "an administrator was made", about=quality,
        caused_by=administrator, at=NOON, using="default",
    )  # fmt: skip

    for concerned in (quality, administrator):
        with pytest.raises(alarms.OwnAlarm):
            alarms.acknowledge(made, comment=COMMENT, actor=concerned, at=NOON)


def test_an_alarm_is_acknowledged_once() -> None:
    alarm = factories.alarm()
    quality = factories.person(Role.QUALITY_ASSURANCE)
    alarms.acknowledge(alarm, comment=COMMENT, actor=quality, at=NOON)

    with pytest.raises(alarms.AlarmAcknowledged):
        alarms.acknowledge(alarm, comment=COMMENT, actor=quality, at=NOON)


@pytest.mark.parametrize("role", list(Role))
def test_acknowledging_takes_its_duty(role: Role) -> None:
    alarm, actor = factories.alarm(), factories.person(role)

    if Duty.ACKNOWLEDGE_ALARM in DUTIES[role]:
        alarms.acknowledge(alarm, comment=COMMENT, actor=actor, at=NOON)
    else:
        with pytest.raises(NotPermitted):
            alarms.acknowledge(alarm, comment=COMMENT, actor=actor, at=NOON)


# --- In the database


def altered(actor: Any = TEST) -> Any:
    return recording.recording("test", actor=actor, at=NOON, reason="an attempt of a test")


@pytest.mark.parametrize(
    "change",
    [{"text": "nothing"}, {"about_id": "user:0"}, {"raised_at": NOON}, {"kind": "clock"},
     {"caused_by_id": "user:0"}, {"key": "0"}],
)  # fmt: skip
def test_the_database_keeps_an_alarm_as_raised(change: dict[str, Any]) -> None:
    alarm = factories.alarm(at=NOON - timedelta(days=1))

    with pytest.raises(DatabaseError, match="stays as it is recorded"), altered():
        SecurityAlarm.objects.filter(pk=alarm.pk).update(**change)


def test_the_database_deletes_no_alarm() -> None:
    alarm = factories.alarm()

    with pytest.raises(DatabaseError, match="nothing regulated is deleted"), altered():
        SecurityAlarm.objects.filter(pk=alarm.pk).delete()


def test_the_database_takes_no_acknowledgement_back() -> None:
    alarm = alarms.acknowledge(
        factories.alarm(), comment=COMMENT, actor=factories.person(Role.QUALITY_ASSURANCE), at=NOON
    )

    with pytest.raises(DatabaseError, match="stays as it is recorded"), altered():
        SecurityAlarm.objects.filter(pk=alarm.pk).update(
            acknowledged_at=None, acknowledged_by=None, acknowledged_role="", comment=""
        )


@pytest.mark.parametrize("change", [{"comment": ""}, {"comment": "ok"}, {"acknowledged_role": ""}])
def test_the_database_demands_a_comment(change: dict[str, Any]) -> None:
    alarm, quality = factories.alarm(), factories.person(Role.QUALITY_ASSURANCE)
    whole = {
        "acknowledged_at": NOON, "acknowledged_by": quality, "acknowledged_role": "QA",
        "comment": COMMENT,
    }  # fmt: skip

    with pytest.raises(IntegrityError, match="alarm_acknowledged_by_whom"), altered():
        SecurityAlarm.objects.filter(pk=alarm.pk).update(**{**whole, **change})


def test_the_database_refuses_an_acknowledgement_by_the_concerned() -> None:
    quality = factories.person(Role.QUALITY_ASSURANCE)
    alarm = factories.alarm(quality)
    whole = {
        "acknowledged_at": NOON, "acknowledged_by": quality, "acknowledged_role": "QA",
        "comment": COMMENT,
    }  # fmt: skip

    with pytest.raises(DatabaseError, match="about themselves"), altered():
        SecurityAlarm.objects.filter(pk=alarm.pk).update(**whole)
