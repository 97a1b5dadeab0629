"""A signature is given by one person, once authenticated again, under one version of one record."""

import time
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from compliance.access import credentials, people
from compliance.access.credentials import CredentialsWrong, Locked
from compliance.access.duties import Role
from compliance.access.identity import IdentityNotProven
from compliance.quality.models import Deviation
from compliance.signatures import manifestations, signing, verdicts
from compliance.signatures.models import Meaning, Means
from compliance.signatures.signing import (
    ConfirmationSpent,
    Confirmed,
    MeaningNotAllowed,
    NoRole,
    NotOwnCredentials,
)
from compliance.trail.models import Refusal
from tests import factories
from tests.factories import NOON, PASSWORD

pytestmark = pytest.mark.django_db


@pytest.fixture
def deviation() -> Deviation:
    return factories.deviation()


def signed(record: Deviation, confirmed: Confirmed, meaning: Meaning = Meaning.REVIEWED) -> Any:
    return signing.sign(record, meaning=meaning, confirmed=confirmed)


def test_name_role_and_zone_are_frozen_at_signing(deviation: Deviation, settings: Any) -> None:
    settings.SITE_ZONE = "Europe/Zurich"
    signer = factories.person(Role.QUALITY_ASSURANCE)

    signature = signed(deviation, factories.confirmed(signer))

    assert signature.printed_name == signer.full_name
    assert (signature.username, signature.role) == (signer.username, "Quality assurance")
    assert signing.local_time(signature).isoformat() == "2026-03-02T13:00:00+01:00"


@pytest.mark.requirement("A11D-13")
def test_a_role_that_ends_later_stays_in_the_signature(deviation: Deviation) -> None:
    signer = factories.person(Role.QUALITY_ASSURANCE, Role.QUALIFIED_PERSON)
    signature = signed(deviation, factories.confirmed(signer))
    held = signer.role_assignments.get(role=Role.QUALITY_ASSURANCE)

    people.end_role(held, actor=factories.TEST, at=NOON, reason="moved to another site")

    signature.refresh_from_db()
    assert signature.role == "Qualified Person, Quality assurance"
    assert signing.verify(signature).is_valid


def test_the_role_is_the_one_held_at_signing_not_the_one_remembered(deviation: Deviation) -> None:
    signer = factories.person(Role.QUALITY_ASSURANCE, Role.QUALIFIED_PERSON)
    confirmed = factories.confirmed(signer)
    assert len(signer.roles) == 2  # remembered by this copy of the person from now on
    held = signer.role_assignments.get(role=Role.QUALITY_ASSURANCE)
    people.end_role(held, actor=factories.TEST, at=NOON, reason="moved to another site")

    assert signed(deviation, confirmed).role == "Qualified Person"


def test_somebody_without_a_role_signs_nothing(deviation: Deviation) -> None:
    signer = factories.person(Role.OPERATOR)
    people.end_role(
        signer.role_assignments.get(), actor=factories.TEST, at=NOON, reason="left the department"
    )

    with pytest.raises(NoRole):
        signed(deviation, factories.confirmed(signer))


# --- One confirmation, one signature


@pytest.mark.requirement("P11-200a")
def test_one_confirmation_does_not_sign_two_records(deviation: Deviation) -> None:
    confirmed = factories.confirmed(factories.person(Role.QUALITY_ASSURANCE))
    signed(deviation, confirmed)

    with pytest.raises(ConfirmationSpent, match="each record is signed by itself"):
        signed(factories.deviation(), confirmed)


def test_a_copy_of_a_confirmation_is_spent_too(deviation: Deviation) -> None:
    confirmed = factories.confirmed(factories.person(Role.QUALITY_ASSURANCE))
    signed(deviation, confirmed)
    copied = replace(confirmed, _uses=[])

    with pytest.raises(ConfirmationSpent, match="has given a signature already"):
        signed(factories.deviation(), copied)


@pytest.mark.requirement("P11-200a")
def test_a_confirmation_is_good_for_a_minute(deviation: Deviation) -> None:
    signer = factories.person(Role.QUALITY_ASSURANCE)
    stale = Confirmed(signer=signer, at=NOON, born=time.monotonic() - 61)

    with pytest.raises(ConfirmationSpent, match="older than 60 seconds"):
        signed(deviation, stale)


@pytest.mark.requirement("P11-200a")
def test_five_wrong_passwords_at_signing_lock_the_sign_in_too() -> None:
    signer = factories.person(Role.QUALITY_ASSURANCE)
    for _ in range(credentials.MAX_FAILURES):
        with pytest.raises(CredentialsWrong):
            signing.confirm(signer=signer, password="wrong", address="", at=NOON)

    with pytest.raises(Locked):
        credentials.check(
            username=signer.username, password=PASSWORD, purpose="session", address="", at=NOON
        )


@pytest.mark.requirement("P11-200a")
def test_another_s_password_confirms_nobody() -> None:
    signer, other = factories.person(Role.QUALITY_ASSURANCE), factories.person(Role.OPERATOR)
    people.change_password(
        other, new="quite-another-horse", actor=other, at=NOON, reason="own choice"
    )

    with pytest.raises(CredentialsWrong):
        signing.confirm(signer=signer, password="quite-another-horse", address="", at=NOON)

    assert Refusal.objects.using("outside").filter(code="credentials-wrong").count() == 1


@pytest.mark.requirement("P11-200b")
def test_a_password_that_an_administrator_set_does_not_sign() -> None:
    signer = factories.person(Role.QUALITY_ASSURANCE)
    administrator = factories.person(Role.SYSTEM_ADMINISTRATOR)
    people.change_password(
        signer, new="given-by-somebody", actor=administrator, at=NOON, reason="forgotten password"
    )

    with pytest.raises(NotOwnCredentials, match="password of your own"):
        signing.confirm(signer=signer, password="given-by-somebody", address="", at=NOON)


@pytest.mark.requirement("P11-200b")
def test_a_signature_after_an_administrator_s_reset_says_so(deviation: Deviation) -> None:
    signer = factories.person(Role.QUALITY_ASSURANCE)
    administrator = factories.person(Role.SYSTEM_ADMINISTRATOR)
    before = signed(deviation, factories.confirmed(signer))
    later = NOON + timedelta(hours=1)
    people.change_password(
        signer, new="given-by-somebody", actor=administrator, at=later, reason="forgotten password"
    )
    people.change_password(
        signer, new="chosen-by-oneself", actor=signer, at=later, reason="own choice"
    )
    after = signed(deviation, factories.confirmed(signer, at=later))

    one, other = verdicts.of_record(deviation)

    assert (one.signature, one.reset) == (before, None)
    assert (other.signature, other.is_valid) == (after, True)
    assert f"reset by {administrator.username} before" in other.confirmed_by
    assert manifestations.judged(other).means.endswith("at 2026-03-02 13:00:00 UTC")


@pytest.mark.requirement("P11-100b")
def test_nobody_confirms_or_signs_before_the_identity_is_established(deviation: Deviation) -> None:
    stranger = factories.person(Role.QUALITY_ASSURANCE, is_proven=False)

    with pytest.raises(IdentityNotProven):
        signing.confirm(signer=stranger, password=PASSWORD, address="", at=NOON)
    with pytest.raises(IdentityNotProven):
        signed(deviation, factories.confirmed(stranger))


# --- Meanings


@pytest.mark.requirement("P11-50a")
def test_a_meaning_that_the_kind_of_record_does_not_have_is_refused() -> None:
    signer = factories.person(Role.QUALITY_ASSURANCE)
    statement = factories.statement()

    with pytest.raises(MeaningNotAllowed, match="approval, acknowledgement"):
        signing.sign(statement, meaning=Meaning.RELEASED, confirmed=factories.confirmed(signer))


def test_a_confirmation_by_password_says_so(deviation: Deviation) -> None:
    signer = factories.person(Role.QUALITY_ASSURANCE)
    at = NOON + timedelta(hours=1)

    signature = signed(
        deviation, signing.confirm(signer=signer, password=PASSWORD, address="", at=at)
    )

    assert (signature.means, signature.signed_at) == (Means.PASSWORD, at)
    assert len(signature.confirmation) == 32
