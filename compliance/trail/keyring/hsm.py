"""Sign with an Ed25519 key that never leaves its PKCS#11 token (an HSM, a smart card, SoftHSM)."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from compliance.trail.keyring.failure import KeyUnusable
from compliance.trail.tlog import keys, schemes
from compliance.trail.tlog.keys import Verifier

CURVE = bytes.fromhex("06032b6570")  # OID 1.3.101.112, Ed25519, as CKA_EC_PARAMS (RFC 8410)
# Tokens give CKA_EC_POINT raw (PKCS#11 3.x) or in a DER OCTET STRING (2.40, SoftHSM).
_OCTET_STRING = bytes([0x04, 32])


@dataclass(frozen=True, kw_only=True)
class Token:
    """Where the key is: the vendor's library, the token in it, the label of the keys."""

    module: str
    label: str
    pin: str = field(repr=False)
    key_label: str = "gmp-trail"


@dataclass(frozen=True)
class TokenKey:
    """A key in a token (`tlog.keys.Signer`)."""

    verifier: Verifier
    _private: Any
    _mechanism: Any

    @property
    def name(self) -> str:
        return self.verifier.name

    @property
    def algorithm(self) -> int:
        return self.verifier.algorithm

    def sign(self, text: str, *, at: int | None = None) -> bytes:
        """Sign a text in the token."""
        scheme = schemes.of(self.algorithm)
        signature = scheme.sign(self._sign, name=self.name, text=text, at=at)
        # A token that signs wrongly must not make a checkpoint that no verifier accepts.
        self.verifier.verify(text, signature)
        return signature

    def _sign(self, message: bytes) -> bytes:
        with _errors():
            return bytes(self._private.sign(message, mechanism=self._mechanism))


def generate(token: Token, *, name: str) -> TokenKey:
    """Make a key in the token that cannot be read out of it."""
    pkcs11 = _client()
    attribute = pkcs11.Attribute
    with _errors():
        session = _session(token)
        curve = session.create_domain_parameters(
            pkcs11.KeyType.EC_EDWARDS, {attribute.EC_PARAMS: CURVE}, local=True
        )
        public, private = curve.generate_keypair(
            mechanism=pkcs11.Mechanism.EC_EDWARDS_KEY_PAIR_GEN,
            store=True,
            label=token.key_label,
            id=secrets.token_bytes(8),
            private_template={attribute.SENSITIVE: True, attribute.EXTRACTABLE: False},
        )
        verifier = Verifier(name, keys.ED25519, _point(public[attribute.EC_POINT]))
    return TokenKey(verifier, private, pkcs11.Mechanism.EDDSA)


def find(token: Token, verifier: Verifier) -> TokenKey:
    """Return the private key of a public one, or raise `KeyUnusable`."""
    pkcs11 = _client()
    attribute, kinds = pkcs11.Attribute, pkcs11.ObjectClass
    with _errors():
        session = _session(token)
        for public in session.get_objects(
            {attribute.CLASS: kinds.PUBLIC_KEY, attribute.LABEL: token.key_label}
        ):
            if public.key_type != pkcs11.KeyType.EC_EDWARDS:
                continue
            if _point(public[attribute.EC_POINT]) == verifier.public_key:
                private = session.get_key(object_class=kinds.PRIVATE_KEY, id=public[attribute.ID])
                return TokenKey(verifier, private, pkcs11.Mechanism.EDDSA)
    raise KeyUnusable(
        f"token {token.label} has no key {verifier.key_id.hex()} labelled {token.key_label}"
    )


# One session for each process and token: closing one would end those of all others of the login.
_sessions: dict[tuple[int, Token], Any] = {}


def _session(token: Token) -> Any:
    place = os.getpid(), token
    if place not in _sessions:
        library = _client().lib(token.module)
        # rw: keys are made with the session that also signs
        _sessions[place] = library.get_token(token_label=token.label).open(
            user_pin=token.pin, rw=True
        )
    return _sessions[place]


def _point(value: bytes) -> bytes:
    return value[2:] if len(value) == 34 and value[:2] == _OCTET_STRING else value


def _client() -> Any:
    try:
        import pkcs11  # an extra: most installations have no token
    except ImportError as error:
        raise KeyUnusable(
            "GMP_PKCS11_MODULE is set and the PKCS#11 client is not installed: "
            "pip install 'gmp-twin[pkcs11]'"
        ) from error
    return pkcs11


@contextmanager
def _errors() -> Iterator[None]:
    try:
        yield
    except RuntimeError as error:  # PKCS11Error is one
        raise KeyUnusable(f"the PKCS#11 token: {str(error) or type(error).__name__}") from error
