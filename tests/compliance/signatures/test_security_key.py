"""A security key signs the digest of the record: the stronger form, verified from the row alone."""

import base64
import hashlib
import json
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from django.db import DatabaseError, transaction
from django.test import Client
from django.utils import timezone
from fido2 import cbor

from compliance.access.duties import Role
from compliance.access.models import User
from compliance.quality import deviations
from compliance.quality.models import Deviation
from compliance.signatures import security_key, signing
from compliance.signatures.models import Meaning, Means, Reauthentication, Signature
from compliance.signatures.reauthentication import CodeNotGood
from compliance.signatures.security_key import NoSecurityKey, QuestionNotGood
from compliance.signatures.signing import ConfirmedForAnother
from compliance.signatures.verdicts import Standing
from compliance.signin import factors, security_keys
from compliance.signin.factors import FactorWrong
from compliance.trail.tlog import canonical
from tests import factories
from tests.factories import NOON
from tests.security_key import UP, SecurityKey


def holder(key: SecurityKey, *roles: Role, at: Any = NOON) -> User:
    person = factories.person(*(roles or (Role.QUALITY_ASSURANCE,)))
    options, state = security_keys.ask_to_enrol(person, [])
    factors.enrol_key(person, state=state, answer=key.create(options), name="Key", at=at)
    return person


def code_of(
    person: User, key: SecurityKey, record: Deviation, meaning: Meaning = Meaning.REVIEWED
) -> str:
    question, options = security_key.ask(person, record, meaning=meaning, at=NOON)
    return security_key.confirm(
        person, question=question, answer=key.get(options), address="10.0.0.1", at=NOON
    )


def signed(
    person: User, code: str, record: Deviation, meaning: Meaning = Meaning.REVIEWED
) -> Signature:
    confirmed = signing.confirm(signer=person, password=code, address="10.0.0.1", at=NOON)
    return signing.sign(record, meaning=meaning, confirmed=confirmed)


@pytest.fixture
def key() -> SecurityKey:
    return SecurityKey()


@pytest.mark.django_db
@pytest.mark.requirement("P11-70", "P11-200a")
def test_the_key_s_answer_is_kept_with_the_signature_and_verifies(key: SecurityKey) -> None:
    person, record = holder(key), factories.deviation()

    signature = signed(person, code_of(person, key, record), record)

    assert signature.means == Means.SECURITY_KEY
    assert signing.verify(signature).standing == Standing.INTACT


@pytest.mark.django_db
@pytest.mark.requirement("P11-70")
def test_an_outsider_verifies_the_answer_from_the_row_alone(key: SecurityKey) -> None:
    """Nothing of the product but the row; the public key is known from its enrolment."""
    person, record = holder(key), factories.deviation()
    signature = signed(person, code_of(person, key, record), record)
    row: Any = Reauthentication.objects.filter(pk=signature.reauthentication_id).values().get()

    question = {
        "record": row["record"], "record_id": row["record_id"],
        "record_digest": row["record_digest"], "meaning": row["meaning"],
        "signer_id": str(row["person_id"]), "signer": signature.username,
        "asked_at": row["asked_at"].isoformat(), "nonce": row["nonce"],
    }  # fmt: skip
    text = json.dumps(question, sort_keys=True, separators=(",", ":")).encode()
    assert text == canonical.dumps(question)
    challenge = hashlib.sha256(b"gmp-signature/challenge/v1\0" + text).digest()
    client = bytes.fromhex(row["client_data"])
    asked = json.loads(client)["challenge"]
    assert base64.urlsafe_b64decode(asked + "=" * (-len(asked) % 4)) == challenge
    cose: Any = cbor.decode(bytes.fromhex(row["public_key"]))
    numbers = ec.EllipticCurvePublicNumbers(
        int.from_bytes(cose[-2], "big"), int.from_bytes(cose[-3], "big"), ec.SECP256R1()
    )
    numbers.public_key().verify(
        bytes.fromhex(row["answer"]),
        bytes.fromhex(row["authenticator_data"]) + hashlib.sha256(client).digest(),
        ec.ECDSA(hashes.SHA256()),
    )
    assert row["record_digest"] == signature.record_digest


@pytest.mark.django_db
@pytest.mark.requirement("P11-70")
def test_an_answer_for_one_version_does_not_sign_the_next(key: SecurityKey) -> None:
    person, record = holder(key), factories.deviation()
    code = code_of(person, key, record)
    deviations.investigate(
        record, findings=factories.FINDINGS, actor=factories.person(Role.PROCESS_ENGINEER),
        at=NOON, reason="investigated meanwhile",
    )  # fmt: skip

    with pytest.raises(ConfirmedForAnother):
        signed(person, code, record)


@pytest.mark.django_db
@pytest.mark.requirement("P11-200a")
def test_an_answer_signs_one_record_with_one_meaning_once(key: SecurityKey) -> None:
    person, record = holder(key), factories.deviation()
    code = code_of(person, key, record)

    with pytest.raises(ConfirmedForAnother):
        signed(person, code, factories.deviation())
    with pytest.raises(ConfirmedForAnother):
        signed(person, code, record, Meaning.APPROVED)
    signed(person, code, record)
    with pytest.raises(CodeNotGood, match="used"):
        signed(person, code, record)


@pytest.mark.django_db
@pytest.mark.requirement("P11-200a")
def test_a_code_is_its_person_s_and_short_lived(key: SecurityKey) -> None:
    person, record = holder(key), factories.deviation()
    code = code_of(person, key, record)
    later = NOON + timedelta(seconds=121)

    with pytest.raises(CodeNotGood, match="not yours"):
        signed(factories.person(Role.QUALITY_ASSURANCE), code, record)
    with pytest.raises(CodeNotGood, match="120 seconds"):
        signing.confirm(signer=person, password=code, address="", at=later)
    with pytest.raises(CodeNotGood):
        signing.confirm(signer=person, password="gmp-once-guessed", address="", at=NOON)


@pytest.mark.django_db
@pytest.mark.requirement("P11-200a", "P11-300e")
def test_a_key_that_is_not_enrolled_or_not_in_its_owner_s_hand_confirms_nothing(
    key: SecurityKey,
) -> None:
    person, record = holder(key), factories.deviation()
    question, options = security_key.ask(person, record, meaning=Meaning.REVIEWED, at=NOON)
    touched = SecurityKey(flags=UP, private=key.private, credential_id=key.credential_id)

    for other in (SecurityKey(), touched):
        with pytest.raises(FactorWrong):
            security_key.confirm(
                person, question=question, answer=other.get(options), address="", at=NOON
            )
    with pytest.raises(NoSecurityKey):
        stranger = factories.person(Role.QUALITY_ASSURANCE)
        security_key.ask(stranger, record, meaning=Meaning.REVIEWED, at=NOON)


@pytest.mark.django_db
def test_a_question_is_its_person_s_and_short_lived(key: SecurityKey) -> None:
    person, record = holder(key), factories.deviation()
    question, options = security_key.ask(person, record, meaning=Meaning.REVIEWED, at=NOON)
    other = factories.person(Role.QUALITY_ASSURANCE)
    late = NOON + timedelta(seconds=121)

    for whom, asked, at in (
        (other, question, NOON), (person, question, late), (person, question + "x", NOON),
    ):  # fmt: skip
        with pytest.raises(QuestionNotGood):
            security_key.confirm(whom, question=asked, answer=key.get(options), address="", at=at)


@pytest.mark.django_db
def test_one_answer_makes_one_code(key: SecurityKey) -> None:
    person, record = holder(key), factories.deviation()
    question, options = security_key.ask(person, record, meaning=Meaning.REVIEWED, at=NOON)
    given = {"question": question, "answer": key.get(options), "address": "", "at": NOON}
    security_key.confirm(person, **given)

    with pytest.raises(FactorWrong):
        security_key.confirm(person, **given)


@pytest.mark.django_db
def test_the_database_takes_the_answer_of_an_enrolled_key_only(key: SecurityKey) -> None:
    person, record = holder(key), factories.deviation()
    factors.remove(factors.keys(person)[0], actor=person, at=NOON, reason="the key is lost")
    made = Reauthentication(
        person=person, means=Means.SECURITY_KEY, code_digest="0" * 64, made_at=NOON,
        record="quality_deviation", record_id=str(record.pk), record_digest="0" * 64,
        meaning=Meaning.REVIEWED, asked_at=NOON, nonce="0", credential_id=key.credential_id.hex(),
        answer="00",
    )  # fmt: skip

    with pytest.raises(DatabaseError, match="not one that the signer has enrolled"):
        with transaction.atomic():
            from compliance.signatures import reauthentication

            reauthentication.keep(made, at=NOON, reason="written around the function")


@pytest.mark.requirement("P11-70")
@pytest.mark.parametrize(
    ("assignment", "reason"),
    [
        ("answer = replace(answer, '3', '4')", "does not verify"),
        ("record_digest = repeat('0', 64)", "another record"),
        ("nonce = 'another'", "does not verify"),
        ("client_data = replace(client_data, '3a', '3b')", "does not verify"),
        ("authenticator_data = repeat('00', 37)", "does not verify"),
        ("domain = 'evil.example'", "does not verify"),
        ("asked_at = asked_at + interval '1 hour'", "does not verify"),
        ("public_key = '00'", "never the signer's"),
    ],
)
def test_an_answer_that_a_superuser_altered_does_not_verify(
    fresh_log: Any, as_superuser: psycopg.Connection[Any], key: SecurityKey, assignment: str,
    reason: str,
) -> None:  # fmt: skip
    person, record = holder(key), factories.deviation()
    signature = signed(person, code_of(person, key, record), record)
    as_superuser.execute("ALTER TABLE signatures_reauthentication DISABLE TRIGGER ALL")
    as_superuser.execute(f"UPDATE signatures_reauthentication SET {assignment}")
    as_superuser.commit()

    verdict = signing.verify(Signature.objects.get(pk=signature.pk))

    assert verdict.standing == Standing.COPIED
    assert any(reason in one for one in verdict.reasons), verdict.reasons


@pytest.mark.django_db
@pytest.mark.requirement("P11-200a")
def test_a_deviation_is_signed_with_a_security_key_over_the_api(
    client: Client, key: SecurityKey
) -> None:
    engineer = holder(key, Role.PROCESS_ENGINEER, at=timezone.now())
    record = factories.deviation()
    deviations.investigate(
        record, findings=factories.FINDINGS, actor=engineer, at=NOON, reason="first findings"
    )
    client.force_login(engineer)

    def posted(path: str, body: Any) -> Any:
        return client.post(f"/api/v1/{path}", body, content_type="application/json")

    options = client.get("/api/v1/session/second-factor").json()["options"]
    posted("session/second-factor", {"answer": key.get(options)})
    asked = {"record": "quality_deviation", "record_id": str(record.pk), "meaning": "investigated"}
    question = posted("signatures/questions", asked).json()
    answer = key.get(question["options"])
    confirmed = posted(
        "signatures/confirmations", {"question": question["question"], "answer": answer}
    )
    given = {"meaning": "investigated", "password": confirmed.json()["code"]}
    done = posted(f"deviations/{record.number}/signatures", given)

    assert (confirmed.status_code, done.status_code) == (201, 201)
    shown = client.get("/api/v1/signatures", {"record": "quality_deviation"}).json()["results"]
    assert [(one["means"], one["standing"]) for one in shown] == [("security-key", "intact")]
    page = client.get(f"/admin/quality/deviation/{record.pk}/change/").content.decode()
    assert "Confirmed by: Security key" in page
    assert posted("signatures/questions", {**asked, "record_id": "0"}).status_code == 404
    assert posted("signatures/questions", {**asked, "record": "pg_class"}).status_code == 404
