"""A security key in software: makes credentials and answers as an authenticator does."""

import base64
import hashlib
import json
import os
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from fido2 import cbor
from fido2.cose import ES256

ORIGIN = "http://localhost"
UP, UV, AT = 0x01, 0x04, 0x40


@dataclass
class SecurityKey:
    """One key; it counts its answers, and verifies its owner unless told not to."""

    domain: str = "localhost"
    origin: str = ORIGIN
    flags: int = UP | UV
    counter: int = 0
    credential_id: bytes = field(default_factory=lambda: os.urandom(32))
    private: ec.EllipticCurvePrivateKey = field(
        default_factory=lambda: ec.generate_private_key(ec.SECP256R1())
    )

    def create(self, options: Any) -> dict[str, Any]:
        """Answer navigator.credentials.create()."""
        asked = options.get("publicKey", options)
        public = cbor.encode(dict(ES256.from_cryptography_key(self.private.public_key())))
        length = len(self.credential_id).to_bytes(2, "big")
        data = self._data(AT) + bytes(16) + length + self.credential_id + public
        attestation = cbor.encode({"fmt": "none", "attStmt": {}, "authData": data})
        client = self._client("webauthn.create", asked["challenge"])
        return self._answer({"clientDataJSON": b64(client), "attestationObject": b64(attestation)})

    def get(self, options: Any) -> dict[str, Any]:
        """Answer navigator.credentials.get()."""
        asked = options.get("publicKey", options)
        self.counter += 1
        data, client = self._data(), self._client("webauthn.get", asked["challenge"])
        signed = self.private.sign(
            data + hashlib.sha256(client).digest(), ec.ECDSA(hashes.SHA256())
        )
        return self._answer(
            {
                "clientDataJSON": b64(client),
                "authenticatorData": b64(data),
                "signature": b64(signed),
            }
        )

    def _data(self, more: int = 0) -> bytes:
        domain = hashlib.sha256(self.domain.encode()).digest()
        return domain + bytes([self.flags | more]) + self.counter.to_bytes(4, "big")

    def _client(self, kind: str, challenge: str) -> bytes:
        said = {"type": kind, "challenge": challenge, "origin": self.origin, "crossOrigin": False}
        return json.dumps(said).encode()

    def _answer(self, response: dict[str, str]) -> dict[str, Any]:
        name = b64(self.credential_id)
        return {"id": name, "rawId": name, "type": "public-key", "response": response}


def b64(octets: bytes) -> str:
    return base64.urlsafe_b64encode(octets).decode().rstrip("=")
