"""Second factors: tested when enrolled, used once an answer, removed once, and locked with all else."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError, transaction

from compliance.access import credentials, people
from compliance.access.authority import NotPermitted
from compliance.access.credentials import Locked
from compliance.access.duties import Role
from compliance.access.models import SecurityAlarm, SignIn, User
from compliance.signatures import signing
from compliance.signin import factors, security_keys, totp
from compliance.signin.factors import (
    FactorKnown,
    FactorNotTested,
    FactorRemoved,
    FactorWrong,
)
from compliance.signin.models import FactorKind, FactorUse, SecondFactor
from compliance.signin.security_keys import KeyAnswerWrong
from compliance.trail.models import Entry
from tests import factories, trail_log
from tests.factories import NOON, PASSWORD
from tests.security_key import UP, SecurityKey

pytestmark = pytest.mark.django_db
SECRET = b"12345678901234567890"


@pytest.fixture
def person() -> User:
    return factories.person(Role.QUALITY_ASSURANCE)


def app_of(person: User) -> SecondFactor:
    code = totp.code(SECRET, totp.step_at(NOON))
    return factors.enrol_app(person, secret=SECRET, code=code, name="Telephone", at=NOON)


def key_of(person: User, key: SecurityKey) -> SecondFactor:
    options, state = security_keys.ask_to_enrol(person, [])
    return factors.enrol_key(
        person, state=state, answer=key.create(options), name="Blue key", at=NOON
    )


def given_code(person: User, at: Any, secret: bytes = SECRET) -> SecondFactor:
    code = totp.code(secret, totp.step_at(at))
    return factors.give_code(person, code=code, address="10.0.0.1", at=at)


@pytest.mark.parametrize(
    ("seconds", "code"),
    [(59, "287082"), (1111111109, "081804"), (1234567890, "005924"), (2000000000, "279037")],
)
def test_codes_are_those_of_rfc_6238(seconds: int, code: str) -> None:
    assert totp.code(SECRET, seconds // 30) == code


@pytest.mark.requirement("P11-300e")
def test_an_app_is_enrolled_by_its_first_right_code_only(person: User) -> None:
    with pytest.raises(FactorNotTested):
        factors.enrol_app(person, secret=SECRET, code="000000", name="Telephone", at=NOON)

    factor = app_of(person)

    assert (factor.kind, factor.enrolled_at, factor.tested_at) == (FactorKind.TOTP, NOON, NOON)
    assert factors.is_asked(person)
    with pytest.raises(FactorKnown):
        app_of(person)


@pytest.mark.requirement("P11-300e")
def test_enrolment_test_and_removal_are_in_the_trail_without_the_secret(person: User) -> None:
    factor = app_of(person)
    factors.remove(factor, actor=person, at=NOON, reason="a new telephone")

    entries = list(Entry.objects.of_record("signin_secondfactor", factor.pk))
    assert [one.action for one in entries] == ["signin.factor-enrolled", "signin.factor-removed"]
    bodies = "".join(one.body for one in entries)
    assert "Telephone" in bodies
    assert factor.secret not in bodies
    assert SECRET.decode() not in bodies + factor.secret


@pytest.mark.requirement("A11D-11")
def test_a_code_signs_in_once(person: User) -> None:
    app_of(person)
    later = NOON + timedelta(minutes=2)

    assert given_code(person, later).kind == FactorKind.TOTP
    with pytest.raises(FactorWrong, match="used before"):
        given_code(person, later)


@pytest.mark.requirement("P11-300e")
def test_a_code_of_an_app_that_is_not_enrolled_is_refused(person: User) -> None:
    app_of(person)

    with pytest.raises(FactorWrong):
        given_code(person, NOON, secret=b"another secret entirely")


@pytest.mark.requirement("P11-300e")
def test_a_removed_app_is_refused(person: User) -> None:
    factor = app_of(person)
    factors.remove(factor, actor=person, at=NOON, reason="a new telephone")

    with pytest.raises(FactorWrong):
        given_code(person, NOON + timedelta(minutes=2))
    with pytest.raises(FactorRemoved):
        factors.remove(factor, actor=person, at=NOON, reason="a new telephone")
    assert not factors.is_asked(person)


@pytest.mark.requirement("P11-300d", "A11D-11")
def test_wrong_codes_lock_the_name_although_the_password_is_right_between(person: User) -> None:
    app_of(person)
    for _ in range(credentials.MAX_FAILURES):
        credentials.check(
            username=person.username, password=PASSWORD, purpose="session", address="", at=NOON
        )
        with pytest.raises(FactorWrong):
            factors.give_code(person, code="000000", address="", at=NOON)

    with pytest.raises(Locked):
        given_code(person, NOON)
    with pytest.raises(Locked):
        credentials.check(
            username=person.username, password=PASSWORD, purpose="session", address="", at=NOON
        )
    assert SecurityAlarm.objects.using("outside").filter(about=person.username).count() == 1
    attempts = SignIn.objects.using("outside").filter(username=person.username)
    assert attempts.filter(purpose="second-factor", outcome="wrong").count() == 5


def test_a_right_code_ends_a_row_of_wrong_ones(person: User) -> None:
    app_of(person)
    for _ in range(credentials.MAX_FAILURES - 1):
        with pytest.raises(FactorWrong):
            factors.give_code(person, code="000000", address="", at=NOON)

    given_code(person, NOON + timedelta(minutes=1))
    with pytest.raises(FactorWrong):
        factors.give_code(person, code="000000", address="", at=NOON + timedelta(minutes=1))

    assert not credentials.is_locked(person.username, at=NOON + timedelta(minutes=1))


def test_each_recovery_code_is_good_once_and_new_ones_end_the_earlier(person: User) -> None:
    app_of(person)
    first = factors.make_codes(person, at=NOON)
    assert factors.give_code(person, code=first[0].upper(), address="", at=NOON)
    with pytest.raises(FactorWrong):
        factors.give_code(person, code=first[0], address="", at=NOON)

    second = factors.make_codes(person, at=NOON)

    with pytest.raises(FactorWrong):
        factors.give_code(person, code=first[1], address="", at=NOON)
    assert factors.give_code(person, code=second[9], address="", at=NOON)


# --- Security keys


@pytest.mark.requirement("P11-300e")
def test_a_security_key_is_enrolled_and_signs_in(person: User) -> None:
    key = SecurityKey()
    factor = key_of(person, key)
    options, state = security_keys.ask(factors.keys(person))

    given = factors.give_key(
        person, state=state, answer=key.get(options), address="10.0.0.1", at=NOON
    )

    assert given == factor
    assert FactorUse.objects.get(factor=factor, counter=1).address == "10.0.0.1"


@pytest.mark.requirement("P11-300e")
@pytest.mark.parametrize(
    "key",
    [
        SecurityKey(),  # never enrolled
        SecurityKey(domain="evil.example"),
        SecurityKey(origin="https://localhost.evil.example"),
        SecurityKey(flags=UP),  # touched by anybody: nobody verified
        SecurityKey(flags=0),
    ],
)
def test_a_key_that_is_not_the_enrolled_one_in_its_owner_s_hand_is_refused(
    person: User, key: SecurityKey
) -> None:
    known = SecurityKey()
    key_of(person, known)
    if key.domain != "localhost" or key.origin != "http://localhost" or key.flags != 5:
        key.private, key.credential_id = known.private, known.credential_id
    options, state = security_keys.ask(factors.keys(person))

    with pytest.raises(FactorWrong):
        factors.give_key(person, state=state, answer=key.get(options), address="", at=NOON)


def test_an_answer_to_another_question_is_refused(person: User) -> None:
    key = SecurityKey()
    key_of(person, key)
    earlier, _ = security_keys.ask(factors.keys(person))
    _, state = security_keys.ask(factors.keys(person))

    for asked in (state, None, {}):
        with pytest.raises(FactorWrong):
            factors.give_key(person, state=asked, answer=key.get(earlier), address="", at=NOON)


def test_a_key_that_counts_back_may_be_a_copy_and_is_refused(person: User) -> None:
    key = SecurityKey(counter=7)
    key_of(person, key)
    options, state = security_keys.ask(factors.keys(person))
    factors.give_key(person, state=state, answer=key.get(options), address="", at=NOON)
    key.counter = 3
    options, state = security_keys.ask(factors.keys(person))

    with pytest.raises(FactorWrong, match="copy"):
        factors.give_key(person, state=state, answer=key.get(options), address="", at=NOON)


def test_the_key_of_one_person_is_not_enrolled_by_another(person: User) -> None:
    key = SecurityKey()
    key_of(person, key)

    with pytest.raises(FactorKnown):
        key_of(factories.person(Role.OPERATOR), key)


def test_what_is_no_answer_at_all_enrols_nothing(person: User) -> None:
    _, state = security_keys.ask_to_enrol(person, [])

    for answer in ({}, {"id": "x"}, {"response": {}}, {"rawId": "!!", "response": {"a": 1}}):
        with pytest.raises(KeyAnswerWrong):
            factors.enrol_key(person, state=state, answer=answer, name="Key", at=NOON)


# --- Who removes what, and what the database keeps


def test_an_administrator_removes_a_lost_factor_and_nobody_else_does(person: User) -> None:
    factor = app_of(person)

    with pytest.raises(NotPermitted):
        factors.remove(
            factor, actor=factories.person(Role.QUALITY_ASSURANCE), at=NOON, reason="not mine"
        )
    removed = factors.remove(
        factor, actor=factories.person(Role.SYSTEM_ADMINISTRATOR), at=NOON,
        reason="the telephone is lost",
    )  # fmt: skip
    assert removed.removed_by.startswith("system-administrator")


@pytest.mark.parametrize(
    "change",
    [{"secret": "another"}, {"public_key": "00"}, {"name": "x"}, {"removed_at": None}],
)
@pytest.mark.requirement("P11-300e")
def test_the_database_keeps_a_factor_as_it_was_enrolled(
    person: User, change: dict[str, str | None]
) -> None:
    factor = factors.remove(app_of(person), actor=person, at=NOON, reason="a new telephone")

    with pytest.raises(DatabaseError), transaction.atomic(), trail_log.act("altered afterwards"):
        SecondFactor.objects.filter(pk=factor.pk).update(**change)


def test_the_database_takes_no_use_of_a_removed_factor(person: User) -> None:
    factor = factors.remove(app_of(person), actor=person, at=NOON, reason="a new telephone")

    with pytest.raises(DatabaseError, match="not enrolled"), transaction.atomic():
        with trail_log.act("used afterwards"):
            FactorUse.objects.bulk_create([FactorUse(factor=factor, answer="later", used_at=NOON)])


@pytest.mark.requirement("P11-300d")
def test_a_right_password_does_not_end_a_row_of_wrong_codes(person: User) -> None:
    """A colleague who knows the password could witness with it, and guess four codes in between."""
    app_of(person)
    for attempt in range(credentials.MAX_FAILURES):
        with pytest.raises(FactorWrong):
            factors.give_code(person, code="000000", address="10.0.0.1", at=NOON)
        if attempt < credentials.MAX_FAILURES - 1:
            signing.confirm(signer=person, password=PASSWORD, address="10.0.0.1", at=NOON)

    with pytest.raises(Locked):
        given_code(person, NOON + timedelta(minutes=1))
    with pytest.raises(Locked):
        signing.confirm(signer=person, password=PASSWORD, address="10.0.0.1", at=NOON)
    assert SecurityAlarm.objects.using("outside").filter(about=person.username).exists()


@pytest.mark.requirement("P11-300e")
def test_whoever_reset_a_password_enrols_no_factor_with_it(person: User) -> None:
    """The factor would stay when the person has chosen a password again."""
    people.change_password(
        person, new="another-horse-battery", actor=factories.TEST, at=NOON, reason="forgotten"
    )

    with pytest.raises(factors.PasswordNotOwn):
        app_of(person)
    with pytest.raises(factors.PasswordNotOwn):
        factors.make_codes(person, at=NOON)
