"""The database refuses a signature that is not what it says, however it is written."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction

from compliance.access import people
from compliance.access.duties import LABELS, Role
from compliance.access.models import User
from compliance.signatures import binding, contents
from compliance.signatures.models import Meaning, Signature
from compliance.trail import capture, capture_check, recording
from tests import factories, trail_log
from tests.factories import NOON

pytestmark = pytest.mark.django_db


@pytest.fixture
def signer() -> User:
    return factories.person(Role.QUALITY_ASSURANCE)


def written(
    signer: User, *, is_bound: bool = True, actor: User | None = None, **changed: Any
) -> Signature:
    """Write a signature as raw SQL would, around the domain function."""
    record = factories.deviation()
    parts = contents.parts(record)
    fields: dict[str, Any] = {
        "record": capture.record_of(type(record)),
        "record_id": str(record.pk),
        "record_digest": contents.digest(record),
        "content_parts": parts,
        "meaning": Meaning.REVIEWED,
        "signer": signer,
        "printed_name": signer.full_name,
        "username": signer.username,
        "role": "Quality assurance",
        "signed_at": NOON,
        "confirmation": "0" * 32,
    }
    signature = Signature(**(fields | changed))
    if is_bound:
        signature.binding = binding.of(signature)
    with recording.recording(
        trail_log.Action.TRIED, actor=actor or signer, at=NOON, reason="written around the function"
    ):
        Signature.objects.bulk_create([signature])
    return signature


def refused_with(sqlstate: str, write: Callable[[], Any]) -> None:
    with pytest.raises(DatabaseError) as refused, transaction.atomic():
        write()
    assert getattr(refused.value.__cause__, "sqlstate", "") == sqlstate, refused.value


def test_a_true_one_is_taken(signer: User) -> None:
    assert Signature.objects.filter(pk=written(signer).pk).exists()


@pytest.mark.requirement("P11-70")
@pytest.mark.parametrize(
    "changed",
    [
        {"record_id": "999999"},
        {"record_id": "no number"},
        {"record_id": "01"},
        {"record": "no_such_table"},
        {"record": "django_session"},  # a table, and no controlled one
        {"record": "pg_class"},
    ],
)
def test_a_record_that_does_not_exist_is_not_signed(signer: User, changed: dict[str, str]) -> None:
    refused_with("GM040", lambda: written(signer, **changed))


@pytest.mark.requirement("P11-50a")
@pytest.mark.parametrize(
    "changed",
    [
        {"printed_name": "Somebody Else"},
        {"username": "somebody.else"},
        {"role": "Qualified Person"},
        {"role": "no role"},
        {"role": ""},
    ],
)
def test_a_name_or_role_that_is_not_the_signer_s_is_refused(
    signer: User, changed: dict[str, str]
) -> None:
    refused_with("GM040", lambda: written(signer, **changed))


def test_a_deactivated_person_signs_nothing(signer: User) -> None:
    people.deactivate(signer, actor=factories.TEST, at=NOON, reason="left the company")

    refused_with("GM040", lambda: written(signer))


def test_a_signature_in_the_act_of_somebody_else_is_refused(signer: User) -> None:
    other = factories.person(Role.QUALITY_ASSURANCE)

    refused_with("GM040", lambda: written(signer, actor=other))


def test_fields_that_are_not_bound_to_each_other_are_refused(signer: User) -> None:
    refused_with("GM040", lambda: written(signer, is_bound=False))
    refused_with("GM040", lambda: written(signer, is_bound=False, binding="0" * 64))
    refused_with("GM040", lambda: written(signer, confirmation=""))


@pytest.mark.requirement("P11-j1")
def test_nobody_signs_before_acknowledging_the_statement() -> None:
    stranger = factories.person(Role.QUALITY_ASSURANCE, has_acknowledged=False)

    refused_with("GM041", lambda: written(stranger))


@pytest.mark.requirement("P11-100b")
def test_nobody_signs_before_the_identity_is_established() -> None:
    stranger = factories.person(Role.QUALITY_ASSURANCE, is_proven=False)

    refused_with("GM043", lambda: written(stranger))


@pytest.mark.requirement("P11-70")
def test_a_signature_is_not_moved_altered_or_removed(signer: User) -> None:
    signature = written(signer)
    other = factories.deviation()

    def moved() -> None:
        with trail_log.act("moved to another record"):
            Signature.objects.filter(pk=signature.pk).update(record_id=str(other.pk))

    def removed() -> None:
        with trail_log.act("removed from the record"), connection.cursor() as cursor:
            cursor.execute("DELETE FROM signatures_signature WHERE id = %s", [signature.pk])

    refused_with("GM002", moved)
    refused_with("GM002", removed)


def test_the_role_s_name_in_the_database_is_the_one_of_the_product() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT role, public.signatures_role_label(role) FROM unnest(%s::text[]) role",
            [[role.value for role in Role]],
        )
        known = dict(cursor.fetchall())

    assert known == {role.value: LABELS[role] for role in Role}


def test_both_ways_to_bind_make_the_same_bytes(signer: User) -> None:
    signature = written(
        signer, comment="Zürich, 3 µL: “as written”\n\tand\\so on 🧪", zone="Asia/Tokyo"
    )

    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT public.signatures_binding(s) FROM signatures_signature s WHERE id = %s",
            [signature.pk],
        )
        assert cursor.fetchone() == (binding.of(signature),)


def test_the_guards_are_declared_and_always_on() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT tgname, tgenabled::text FROM pg_trigger WHERE tgname IN "
            "('keep_signature_true', 'keep_published') ORDER BY 1"
        )
        assert cursor.fetchall() == [("keep_published", "A"), ("keep_signature_true", "A")]
        control = capture.control_of(Signature)
        assert capture_check.problems(cursor, [control]) == {control.table: []}
