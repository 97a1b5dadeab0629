"""Sign with a security key: its answer covers the digest of the record (WebAuthn level 2)."""

import base64
import hashlib
import json
import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from cryptography.exceptions import InvalidSignature
from django.conf import settings
from django.core import signing as tokens
from django.db import models

from compliance.access.models import User
from compliance.refusals import Refused
from compliance.signatures import contents, reauthentication
from compliance.signatures.models import Meaning, Means, Reauthentication, Signature
from compliance.signin import factors, security_keys
from compliance.signin.models import SecondFactor
from compliance.trail import capture
from compliance.trail.tlog import canonical

_TAG = b"gmp-signature/challenge/v1\0"
_SALT = "compliance.signatures.security_key"
ANSWER_WITHIN = timedelta(seconds=120)
_PRESENT, _VERIFIED = 0x01, 0x04


class NoSecurityKey(Refused):
    code = "no-security-key"
    status = 422


class QuestionNotGood(Refused):
    """The security key answered to no question that is still open."""

    code = "signing-question-not-good"
    status = 403


def challenge(asked: Reauthentication, username: str) -> bytes:
    """Return what a key signs: record, version, meaning, signer and time in one digest."""
    document: dict[str, canonical.Value] = {
        "record": asked.record,
        "record_id": asked.record_id,
        "record_digest": asked.record_digest,
        "meaning": str(asked.meaning),
        "signer_id": str(asked.person_id),
        "signer": username,
        "asked_at": asked.asked_at.isoformat() if asked.asked_at else "",
        "nonce": asked.nonce,
    }
    return hashlib.sha256(_TAG + canonical.dumps(document)).digest()


def ask(
    person: User, record: models.Model, *, meaning: Meaning, at: datetime
) -> tuple[str, dict[str, Any]]:
    """Return the question about a record as it is stored now, and what a browser asks the key."""
    contents.demand_meaning(type(record), meaning)
    keys = factors.keys(person)
    if not keys:
        raise NoSecurityKey("you have no security key; add one under Second factors")
    stored = type(record)._default_manager.get(pk=record.pk)
    asked = Reauthentication(
        person=person,
        record=capture.record_of(type(record)),
        record_id=str(record.pk),
        record_digest=contents.digest(stored),
        meaning=Meaning(meaning),
        asked_at=at,
        nonce=secrets.token_hex(16),
    )
    options, _ = security_keys.ask(keys, challenge=challenge(asked, person.username))
    names = ("person_id", "record", "record_id", "record_digest", "meaning", "nonce")
    question = {name: getattr(asked, name) for name in names} | {"asked_at": at.isoformat()}
    return tokens.dumps(question, salt=_SALT), options


def confirm(
    person: User, *, question: str, answer: Mapping[str, Any], address: str, at: datetime
) -> str:
    """Keep a key's answer; return the code that signs this version once, in the password's place."""
    made = _asked(person, question, at)
    expected = challenge(made, person.username)
    state = {"challenge": _websafe(expected), "user_verification": "required"}
    found = factors.take_key(
        person, state=state, answer=answer, address=address, at=at, purpose="signature"
    )
    made.means = Means.SECURITY_KEY
    made.address = address[:64]
    made.domain = settings.SITE_DOMAIN
    made.credential_id = found.factor.credential_id
    made.public_key = found.factor.public_key
    made.authenticator_data = found.authenticator_data
    made.client_data = found.client_data
    made.answer = found.signature
    return reauthentication.keep(made, at=at, reason=f"security key over {made.record_digest}")


def problems(signature: Signature) -> list[str]:
    """Say what does not fit in the key's answer, from the stored row alone; nothing when it fits."""
    given = signature.reauthentication
    if given is None:
        return ["its security key's answer is missing"]
    found = []
    if (given.record, given.record_id, given.record_digest, given.meaning, given.person_id) != (
        signature.record, signature.record_id, signature.record_digest, signature.meaning,
        signature.signer_id,
    ):  # fmt: skip
        found.append("its security key answered for another record, version, meaning or signer")
    if not _is_answer(given, signature.username):
        found.append("its security key's answer does not verify")
    own = SecondFactor.objects.filter(
        person=given.person_id, credential_id=given.credential_id, public_key=given.public_key
    )
    if not own.exists():
        found.append("its security key was never the signer's")
    return found


def _is_answer(given: Reauthentication, username: str) -> bool:
    """Verify an answer against the question that the row describes (WebAuthn 7.2)."""
    try:
        client, data = bytes.fromhex(given.client_data), bytes.fromhex(given.authenticator_data)
        said = json.loads(client)
        host = urlsplit(said["origin"]).hostname or ""
        is_asked = (
            said["type"] == "webauthn.get"
            and said["challenge"] == _websafe(challenge(given, username))
            and (host == given.domain or host.endswith(f".{given.domain}"))
            and data[:32] == hashlib.sha256(given.domain.encode()).digest()
            and data[32] & (_PRESENT | _VERIFIED) == _PRESENT | _VERIFIED
        )
        key = security_keys.public_key(given.public_key)
        key.verify(data + hashlib.sha256(client).digest(), bytes.fromhex(given.answer))
    except (ValueError, KeyError, TypeError, IndexError, InvalidSignature):
        return False
    return is_asked


def _asked(person: User, question: str, at: datetime) -> Reauthentication:
    """Return the question of a token; raise `QuestionNotGood` for one of another person or time."""
    try:
        read = tokens.loads(question, salt=_SALT)
    except tokens.BadSignature as error:
        raise QuestionNotGood("this question was not asked here") from error
    asked_at = datetime.fromisoformat(read.pop("asked_at"))
    if read["person_id"] != person.pk or not asked_at <= at <= asked_at + ANSWER_WITHIN:
        raise QuestionNotGood("this question is another person's, or too old; ask again")
    return Reauthentication(**read | {"person": person, "asked_at": asked_at})


def _websafe(octets: bytes) -> str:
    return base64.urlsafe_b64encode(octets).decode().rstrip("=")
