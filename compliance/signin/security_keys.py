"""Ask security keys and check what they answer (WebAuthn level 2)."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from fido2 import cbor
from fido2.cose import CoseKey
from fido2.server import Fido2Server
from fido2.webauthn import (
    Aaguid,
    AttestedCredentialData,
    AuthenticationResponse,
    PublicKeyCredentialRpEntity,
    PublicKeyCredentialUserEntity,
    UserVerificationRequirement,
)

from compliance.access.models import User
from compliance.refusals import Refused
from compliance.signin.models import SecondFactor


class KeyAnswerWrong(Refused):
    """The security key's answer is not the one to this question."""

    code = "security-key-wrong"
    status = 403


@dataclass(frozen=True)
class Enrolment:
    credential_id: str
    public_key: str
    model_id: str


@dataclass(frozen=True)
class Answer:
    """A right answer of a security key, with what a later verification needs."""

    factor: SecondFactor
    counter: int
    authenticator_data: str
    client_data: str
    signature: str


def ask_to_enrol(person: User, known: Iterable[SecondFactor]) -> tuple[dict[str, Any], Any]:
    """Return what a browser asks a new key, and the state to check its answer with."""
    user = PublicKeyCredentialUserEntity(
        id=f"person:{person.pk}".encode(), name=person.username, display_name=person.full_name
    )
    options, state = _server().register_begin(
        user, [_credential(one) for one in known],
        user_verification=UserVerificationRequirement.REQUIRED,
    )  # fmt: skip
    return _plain(options), _plain(state)


def enrolled(state: Any, answer: Mapping[str, Any]) -> Enrolment:
    """Return what to keep of a new key; raise `KeyAnswerWrong`."""
    try:
        data = _server().register_complete(state, answer).credential_data
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise KeyAnswerWrong(f"the security key's answer is not good: {error}") from error
    if data is None:
        raise KeyAnswerWrong("the security key made no credential")
    return Enrolment(
        credential_id=data.credential_id.hex(),
        public_key=cbor.encode(dict(data.public_key)).hex(),
        model_id=str(data.aaguid),
    )


def ask(known: Iterable[SecondFactor], *, challenge: bytes | None = None) -> tuple[Any, Any]:
    """Return what a browser asks a person's keys, and the state to check the answer with."""
    options, state = _server().authenticate_begin(
        [_credential(one) for one in known],
        user_verification=UserVerificationRequirement.REQUIRED,
        challenge=challenge,
    )
    return _plain(options), _plain(state)


def answered(state: Any, known: Iterable[SecondFactor], answer: Mapping[str, Any]) -> Answer:
    """Return the key that answered rightly; raise `KeyAnswerWrong` for any other answer."""
    keys = {one.credential_id: one for one in known}
    try:
        given = AuthenticationResponse.from_dict(answer)
        found = _server().authenticate_complete(
            state, [_credential(one) for one in keys.values()], given
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise KeyAnswerWrong(f"the security key's answer is not good: {error}") from error
    data = given.response.authenticator_data
    return Answer(
        factor=keys[found.credential_id.hex()],
        counter=data.counter,
        authenticator_data=bytes(data).hex(),
        client_data=bytes(given.response.client_data).hex(),
        signature=given.response.signature.hex(),
    )


def _server() -> Fido2Server:
    return Fido2Server(
        PublicKeyCredentialRpEntity(id=settings.SITE_DOMAIN, name=settings.SITE_NAME)
    )


def _credential(factor: SecondFactor) -> AttestedCredentialData:
    return AttestedCredentialData.create(
        Aaguid(bytes(16)), bytes.fromhex(factor.credential_id), public_key(factor.public_key)
    )


def public_key(stored: str) -> CoseKey:
    """Return a key as it verifies answers; raise `ValueError` for what is none."""
    decoded: Any = cbor.decode(bytes.fromhex(stored))
    if not isinstance(decoded, Mapping):
        raise ValueError("not a COSE key")
    return CoseKey.parse(decoded)


def _plain(value: Any) -> Any:
    """Return what goes to a browser or into a session as plain JSON values."""
    return json.loads(json.dumps(dict(value)))
