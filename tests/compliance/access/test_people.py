"""Identities are unique and never reused, and nobody decides what they themselves may do."""

from datetime import timedelta
from itertools import combinations
from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError, transaction

from compliance.access import duties, passwords, people, segregation
from compliance.access.authority import NotPermitted
from compliance.access.duties import ADMINISTRATIVE, DUTIES, GMP, Duty, Role
from compliance.access.models import AlarmKind, RoleAssignment, SecurityAlarm, User
from compliance.trail import recording
from tests import factories
from tests.factories import NOON, PASSWORD, TEST

pytestmark = pytest.mark.django_db
unique = pytest.mark.requirement("P11-300a", "P11-100a")
apart = pytest.mark.requirement("P11-g1", "A11D-11", "MHRA")


def made(username: str, full_name: str = "", **said: Any) -> User:
    given: dict[str, Any] = {
        "username": username, "full_name": full_name or f"Somebody {username.encode().hex()}",
        "password": PASSWORD, "roles": frozenset({Role.OPERATOR}), "actor": TEST, "at": NOON,
        "reason": "a person for a test",
    }  # fmt: skip
    return people.create(**{**given, **said})


def altered(actor: Any = TEST) -> Any:
    return recording.recording("test", actor=actor, at=NOON, reason="an attempt of a test")


# --- Unique, never reused


@unique
@pytest.mark.parametrize("again", ["ann.miller", "ANN.MILLER", "Ann.Miller"])
def test_a_user_name_is_given_once_whatever_its_case(again: str) -> None:
    made("ann.miller")

    with pytest.raises(people.NameTaken):
        made(again)


@unique
@pytest.mark.parametrize(
    ("first", "look_alike"),
    [("ann.miller", "ann.mil1er"), ("bob", "b0b"), ("ann.miller", "ann_miller"),
     ("marion", "rnarion"), ("william", "vvilliam"), ("Ian", "lan"), ("otto.1", "0tt0-l")],
)  # fmt: skip
def test_a_user_name_that_reads_like_another_is_refused(first: str, look_alike: str) -> None:
    made(first)

    with pytest.raises(people.NameLooksAlike, match=first):
        made(look_alike)


@unique
@pytest.mark.parametrize(
    ("first", "look_alike"),
    [
        ("Ann Miller", "ann miller"),
        ("Ann Miller", "Ann  Miller"),
        ("Ann Miller", "Ann\u00a0Miller"),
        ("Ann Miller", "Аnn Мiller"),  # Cyrillic capitals
        ("Peter Pan", "Рetеr Раn"),
        ("Nina Otto", "Νina Οttο"),  # Greek
        ("Ann Miller", "Ａｎｎ Miller"),
    ],
)
def test_a_printed_name_that_reads_like_another_is_refused(first: str, look_alike: str) -> None:
    made("first.one", first)

    with pytest.raises(people.NameLooksAlike, match="middle name"):
        made("second.one", look_alike)


@unique
@pytest.mark.parametrize("name", ["Ann\u200bMiller", "Ann\u202eMiller", "Ann\u00adMiller"])
def test_a_printed_name_with_signs_that_nobody_sees_is_refused(name: str) -> None:
    with pytest.raises(people.NameNotPlain):
        made("ann.miller", name)


@unique
def test_the_name_of_a_deactivated_person_is_never_given_again() -> None:
    ann = made("ann.miller")
    people.deactivate(ann, actor=TEST, at=NOON, reason="left the company")

    with pytest.raises(people.NameTaken):
        made("ann.miller")


@unique
@pytest.mark.parametrize(
    ("username", "full_name", "constraint"),
    [
        ("ANN.MILLER", "Somebody Else", "username_unique_whatever_case|unlike_all_others"),
        ("ann-mi11er", "Somebody Else", "username_unlike_all_others"),
        ("sombody", "ANN M1LLER", "full_name_unlike_all_others"),
        ("аnn.miller", "Somebody Else", "username_is_plain"),
        ("somebody", "Somebody  Else", "full_name_in_single_spaces"),
    ],
)
def test_the_database_refuses_names_that_read_the_same(
    username: str, full_name: str, constraint: str
) -> None:
    made("ann.miller", "Ann Miller")

    with pytest.raises(IntegrityError, match=constraint), altered():
        User.objects.bulk_create(
            [User(username=username, full_name=full_name, created_at=NOON, password="x")]
        )


@unique
@pytest.mark.parametrize("change", [{"username": "ann.smith"}, {"created_at": NOON}])
def test_the_database_never_renames_a_person(change: dict[str, Any]) -> None:
    ann = made("ann.miller", at=NOON - timedelta(days=1))

    with pytest.raises(DatabaseError, match="is never changed"), altered():
        User.objects.filter(pk=ann.pk).update(**change)


# --- Roles


@apart
def test_nobody_changes_their_own_roles() -> None:
    administrator = factories.person(Role.SYSTEM_ADMINISTRATOR)
    held = administrator.role_assignments.get()

    with pytest.raises(people.OwnRoles):
        people.end_role(held, actor=administrator, at=NOON, reason="no longer my work")
    with pytest.raises(people.OwnRoles):
        people.grant(
            administrator, role=Role.OPERATOR, actor=administrator, at=NOON, reason="to help out"
        )


@apart
@pytest.mark.parametrize("role", [role for role in Role if role not in ADMINISTRATIVE])
def test_only_an_administrator_gives_roles(role: Role) -> None:
    with pytest.raises(NotPermitted):
        people.grant(
            factories.person(), role=Role.OPERATOR, actor=factories.person(role), at=NOON,
            reason="to help out in the shift",
        )  # fmt: skip


@apart
def test_a_role_is_given_with_a_reason() -> None:
    administrator = factories.person(Role.SYSTEM_ADMINISTRATOR)

    with pytest.raises(recording.ReasonNotMeaningful):
        people.grant(
            factories.person(), role=Role.OPERATOR, actor=administrator, at=NOON, reason="ok"
        )


@apart
def test_the_database_refuses_somebody_who_gives_themselves_a_role() -> None:
    quality = factories.person(Role.QUALITY_ASSURANCE)

    with pytest.raises(DatabaseError, match="not written by the person it is about"):
        with altered(quality):
            RoleAssignment.objects.create(user=quality, role=Role.QUALIFIED_PERSON, granted_at=NOON)


@apart
@pytest.mark.parametrize("change", [{"role": "supervisor"}, {"granted_at": NOON}])
def test_the_database_keeps_a_role_as_given(change: dict[str, Any]) -> None:
    operator = factories.person(Role.OPERATOR, at=NOON - timedelta(days=1))

    with pytest.raises(DatabaseError, match="stays as it is recorded"), altered():
        operator.role_assignments.update(**change)


@apart
def test_a_role_that_has_ended_is_not_revived() -> None:
    operator = factories.person(Role.OPERATOR)
    held = operator.role_assignments.get()
    people.end_role(held, actor=TEST, at=NOON, reason="changed to another shift")

    with pytest.raises(people.RoleEnded):
        people.end_role(held, actor=TEST, at=NOON, reason="changed to another shift")
    with pytest.raises(DatabaseError, match="ended_at of"), altered():
        operator.role_assignments.update(ended_at=None)


@apart
def test_a_second_administrator_is_told_of_each_administrator_made() -> None:
    first = factories.person(Role.SYSTEM_ADMINISTRATOR)
    newcomer = factories.person()

    people.grant(
        newcomer, role=Role.SYSTEM_ADMINISTRATOR, actor=first, at=NOON, reason="holiday cover"
    )

    alarm = SecurityAlarm.objects.get(kind=AlarmKind.ADMINISTRATOR_MADE)
    assert {alarm.about_id, alarm.caused_by_id} == {f"user:{newcomer.pk}", f"user:{first.pk}"}


@apart
@pytest.mark.parametrize(("one", "other"), list(combinations(Role, 2)))
def test_the_matrix_the_domain_and_the_database_agree_on_every_pair_of_roles(
    one: Role, other: Role
) -> None:
    excluded = {(conflict.first, conflict.second) for conflict in segregation.conflicts()}
    person = factories.person(one, is_proven=False)
    is_excluded = (one, other) in excluded

    try:
        people.grant(person, role=other, actor=TEST, at=NOON, reason="a pair of roles")
        is_granted = True
    except people.RolesConflict:
        is_granted = False
    assert is_granted != is_excluded
    if is_excluded:
        with pytest.raises(DatabaseError, match="segregation of duties"), altered():
            RoleAssignment.objects.create(user=person, role=other, granted_at=NOON)


@apart
def test_an_administrator_has_no_duty_of_gmp_work() -> None:
    of_administrators = set().union(*(DUTIES[role] for role in ADMINISTRATIVE))
    of_gmp = set().union(*(DUTIES[role] for role in GMP))

    assert of_administrators & of_gmp == {Duty.READ, Duty.ACKNOWLEDGE_ALARM}
    assert duties.conflict(frozenset({"system-administrator", "operator"}))
    assert not hasattr(User, "is_superuser")


def test_a_deactivated_person_gets_no_role_and_is_deactivated_once() -> None:
    ann = made("ann.miller")
    people.deactivate(ann, actor=TEST, at=NOON, reason="left the company")

    with pytest.raises(people.PersonInactive):
        people.grant(ann, role=Role.SUPERVISOR, actor=TEST, at=NOON, reason="she is back")
    with pytest.raises(people.PersonInactive):
        people.deactivate(ann, actor=TEST, at=NOON, reason="left the company")


@pytest.mark.requirement("A11D-11")
def test_a_leaver_who_is_still_active_is_found() -> None:
    ann, bob = made("ann.miller"), made("bob.smith")
    for person in (ann, bob):
        people.record_leaving(
            person, last_day=NOON.date(), actor=TEST, at=NOON, reason="contract ends"
        )
    people.deactivate(bob, actor=TEST, at=NOON, reason="contract ended")

    assert list(people.leavers_still_active(on=NOON.date())) == []
    assert list(people.leavers_still_active(on=NOON.date() + timedelta(days=1))) == [ann]


def test_a_leaving_is_recorded_by_who_administers_or_reviews_access() -> None:
    operator = factories.person(Role.OPERATOR)
    for role in (Role.SYSTEM_ADMINISTRATOR, Role.QUALITY_ASSURANCE):
        people.record_leaving(
            operator, last_day=NOON.date(), actor=factories.person(role), at=NOON,
            reason="contract ends",
        )  # fmt: skip

    with pytest.raises(NotPermitted):
        people.record_leaving(
            operator, last_day=None, actor=factories.person(Role.OPERATOR), at=NOON,
            reason="stays with us",
        )  # fmt: skip


# --- Passwords


own = pytest.mark.requirement("P11-200b")


@own
def test_where_a_password_came_from_is_on_record() -> None:
    administrator = factories.person(Role.SYSTEM_ADMINISTRATOR)
    ann = factories.person(Role.OPERATOR)
    assert not people.password_was_set_by_other(ann)

    people.change_password(
        ann, new="a-password-of-the-desk", actor=administrator, at=NOON, reason="forgotten"
    )

    assert people.password_was_set_by_other(ann)
    later = NOON + timedelta(hours=1)
    people.change_password(
        ann, new="a-password-of-my-own", actor=ann, at=later, reason="own choice"
    )
    assert not people.password_was_set_by_other(ann)
    source = passwords.source(ann, at=later)
    assert source
    assert source.is_own
    assert (source.last_reset_at, source.last_reset_by) == (NOON, administrator.username)
    assert len(passwords.resets(ann, since=NOON, until=later)) == 1


@own
def test_the_database_refuses_a_password_that_another_sets_and_may_go_on_using() -> None:
    administrator = factories.person(Role.SYSTEM_ADMINISTRATOR)
    ann = factories.person(Role.OPERATOR)
    mine = User.objects.filter(pk=ann.pk)

    with pytest.raises(DatabaseError, match="must be changed by its owner"), transaction.atomic():
        with altered(administrator):
            mine.update(password="md5$x$y")
    with altered(administrator):
        mine.update(password="md5$x$y", must_change_password=True)
    with pytest.raises(DatabaseError, match="must be changed by its owner"), transaction.atomic():
        with altered(administrator):
            mine.update(must_change_password=False)
    with pytest.raises(DatabaseError, match="first password"), altered(administrator):
        User.objects.create(
            username="new.one", full_name="New One", created_at=NOON, must_change_password=False
        )


@own
def test_nobody_but_the_person_and_an_administrator_sets_a_password() -> None:
    with pytest.raises(NotPermitted):
        people.change_password(
            factories.person(), new="a-password-of-the-desk", at=NOON, reason="forgotten",
            actor=factories.person(Role.QUALITY_ASSURANCE),
        )  # fmt: skip


@pytest.mark.requirement("P11-300b")
@pytest.mark.parametrize("weak", ["short", "password1234", "qwertyuiop12", "ann.miller.12"])
def test_a_weak_common_or_similar_password_is_refused(weak: str) -> None:
    with pytest.raises(people.PasswordTooWeak):
        made("ann.miller", password=weak)
