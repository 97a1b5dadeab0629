"""Sign messages as Standard Webhooks says: HMAC-SHA256 (v1) or Ed25519 (v1a) over id, time and body."""

import base64
import hashlib
import hmac
import secrets

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

SECRET, PRIVATE, PUBLIC = "whsec_", "whsk_", "whpk_"


def new_secret() -> str:
    """Return a symmetric secret of 256 bits."""
    return SECRET + base64.b64encode(secrets.token_bytes(32)).decode()


def new_private_key() -> str:
    return PRIVATE + base64.b64encode(Ed25519PrivateKey.generate().private_bytes_raw()).decode()


def public_key(private_key: str) -> str:
    """Return what a receiver verifies with."""
    raw = _private(private_key).public_key().public_bytes_raw()
    return PUBLIC + base64.b64encode(raw).decode()


def sign(secret: str, *, message_id: str, timestamp: int, body: bytes) -> str:
    """Return one signature with its version; the kind of secret says which."""
    signed = f"{message_id}.{timestamp}.".encode() + body
    if secret.startswith(SECRET):
        key = base64.b64decode(secret.removeprefix(SECRET))
        return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    return "v1a," + base64.b64encode(_private(secret).sign(signed)).decode()


def _private(text: str) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(base64.b64decode(text.removeprefix(PRIVATE)))
