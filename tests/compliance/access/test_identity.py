"""Nobody signs before somebody else has established who they are (21 CFR 11.100(b))."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction

from compliance.access import identity
from compliance.access.authority import NotPermitted
from compliance.access.duties import Role
from compliance.access.models import IdentityProof, ProofMethod, User
from compliance.trail import recording
from tests import factories
from tests.factories import NOON

pytestmark = [pytest.mark.django_db, pytest.mark.requirement("P11-100b")]
LATER = NOON + timedelta(hours=1)


def prove(person: User, by: User, **said: Any) -> IdentityProof:
    given = {"method": ProofMethod.IN_PERSON, "document": "passport, personnel file HR-0042"}
    return identity.prove(person, **{**given, "proven_at": NOON, **said}, actor=by, at=LATER)


def test_a_person_is_proven_by_a_colleague_of_quality() -> None:
    operator = factories.person(Role.OPERATOR, is_proven=False)
    quality = factories.person(Role.QUALITY_ASSURANCE)

    proof = prove(operator, quality)

    assert identity.proof_of(operator, at=LATER) == proof
    assert proof.proven_by == quality
    assert proof.proven_by_name == quality.full_name
    identity.demand_proven(operator, at=LATER)


def test_without_proof_the_demand_is_refused_and_says_what_to_do() -> None:
    operator = factories.person(Role.OPERATOR, is_proven=False)

    with pytest.raises(identity.IdentityNotProven, match="quality assurance records") as refused:
        identity.demand_proven(operator, at=LATER)

    assert refused.value.code == "identity-not-proven"
    assert operator in identity.unproven(at=LATER)


def test_a_proof_does_not_reach_back_before_its_record() -> None:
    operator = factories.person(Role.OPERATOR, is_proven=False)
    prove(operator, factories.person(Role.QUALITY_ASSURANCE))

    assert not identity.is_proven(operator, at=NOON)


def test_a_withdrawn_proof_counts_no_more_and_stays_on_record() -> None:
    operator = factories.person(Role.OPERATOR, is_proven=False)
    quality = factories.person(Role.QUALITY_ASSURANCE)
    proof = prove(operator, quality)

    identity.withdraw(proof, actor=quality, at=LATER, reason="the passport was somebody else's")

    assert not identity.is_proven(operator, at=LATER)
    assert IdentityProof.objects.filter(pk=proof.pk).exists()
    with pytest.raises(identity.ProofWithdrawn):
        identity.withdraw(proof, actor=quality, at=LATER, reason="once more, the same passport")


def test_nobody_proves_their_own_identity() -> None:
    quality = factories.person(Role.QUALITY_ASSURANCE, is_proven=False)

    with pytest.raises(identity.OwnIdentity):
        prove(quality, quality)


@pytest.mark.parametrize("role", [Role.OPERATOR, Role.SYSTEM_ADMINISTRATOR, Role.AUDITOR])
def test_only_quality_proves_identities(role: Role) -> None:
    operator = factories.person(Role.OPERATOR, is_proven=False)

    with pytest.raises(NotPermitted):
        prove(operator, factories.person(role))


@pytest.mark.parametrize("said", [{"document": " x "}, {"proven_at": LATER + timedelta(seconds=1)}])
def test_a_proof_says_what_was_seen_and_not_in_the_future(said: dict[str, Any]) -> None:
    operator = factories.person(Role.OPERATOR, is_proven=False)

    with pytest.raises(identity.IdentityProofInvalid):
        prove(operator, factories.person(Role.QUALITY_ASSURANCE), **said)


def row(person: User, prover: User) -> IdentityProof:
    return IdentityProof(
        person=person, method="in-person", document="x", proven_by=prover, proven_by_name="x",
        proven_at=NOON, recorded_at=NOON,
    )  # fmt: skip


def test_the_database_refuses_a_prover_who_is_the_person() -> None:
    person = factories.person(Role.QUALITY_ASSURANCE, is_proven=False)
    actor = factories.person(Role.QUALITY_ASSURANCE)

    with pytest.raises(IntegrityError, match="identity_proven_by_another"):
        with recording.recording("test", actor=actor, at=NOON, reason="a forged proof"):
            row(person, person).save()


def test_the_database_refuses_an_act_of_the_person_that_names_another_prover() -> None:
    person = factories.person(Role.QUALITY_ASSURANCE, is_proven=False)
    other = factories.person(Role.QUALITY_ASSURANCE)

    with pytest.raises(DatabaseError, match="not written by the person it is about"):
        with recording.recording("test", actor=person, at=NOON, reason="a forged proof"):
            IdentityProof.objects.bulk_create([row(person, other)])


@pytest.mark.parametrize(
    "change",
    [
        "document = 'another passport'",
        "proven_by_id = NULL",
        "person_id = %(other)s",
        "proven_at = proven_at - interval '1 day'",
        "recorded_at = recorded_at - interval '1 day'",
    ],
)
def test_the_database_keeps_a_proof_as_recorded(change: str) -> None:
    operator = factories.person(Role.OPERATOR, is_proven=False)
    quality = factories.person(Role.QUALITY_ASSURANCE)
    proof = prove(operator, quality)

    with pytest.raises(DatabaseError, match="stays as it is recorded"), transaction.atomic():
        with recording.recording("test", actor=quality, at=LATER, reason="to alter a proof"):
            with connection.cursor() as cursor:
                cursor.execute(
                    f"UPDATE access_identityproof SET {change} WHERE id = %(id)s",
                    {"id": proof.pk, "other": quality.pk},
                )


def test_a_withdrawal_is_not_undone_in_the_database() -> None:
    operator = factories.person(Role.OPERATOR, is_proven=False)
    quality = factories.person(Role.QUALITY_ASSURANCE)
    proof = prove(operator, quality)
    identity.withdraw(proof, actor=quality, at=LATER, reason="the passport was somebody else's")

    with pytest.raises(DatabaseError, match="withdrawn_at of"):
        with recording.recording("test", actor=quality, at=LATER, reason="to undo it again"):
            IdentityProof.objects.filter(pk=proof.pk).update(withdrawn_at=None)


@pytest.mark.parametrize("is_proven", [True, False])
def test_triggers_of_other_rooms_can_ask_the_database(is_proven: bool) -> None:
    operator = factories.person(Role.OPERATOR, is_proven=is_proven)

    with connection.cursor() as cursor:
        cursor.execute("SELECT public.access_identity_proven(%s, %s)", [operator.pk, LATER])
        assert cursor.fetchone() == (is_proven,)


def test_only_an_erasure_of_personal_data_empties_the_document() -> None:
    operator = factories.person(Role.OPERATOR, is_proven=False)
    quality = factories.person(Role.QUALITY_ASSURANCE)
    proof = prove(operator, quality)
    mine = IdentityProof.objects.filter(pk=proof.pk)

    with pytest.raises(DatabaseError, match="document of"), transaction.atomic():
        with recording.recording("test", actor=quality, at=LATER, reason="to empty it quietly"):
            mine.update(document="")
    with recording.recording("trail.redacted", actor=quality, at=LATER, reason="GDPR article 17"):
        mine.update(document="")

    assert mine.get().document == ""
