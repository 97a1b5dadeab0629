"""Time-based one-time passwords of authenticator apps (RFC 6238: SHA-1, six digits, 30 seconds)."""

import base64
import hmac
import secrets
from datetime import datetime
from urllib.parse import quote, urlencode

from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.hotp import HOTP

STEP_SECONDS = 30
DIGITS = 6
TOLERANCE = 1  # steps before and after: clocks of telephones, and slow fingers


def new_secret() -> bytes:
    return secrets.token_bytes(20)


def code(secret: bytes, step: int) -> str:
    """Return the code of a time step."""
    # RFC 6238 names SHA-1, and authenticator apps know no other; HMAC does not need collisions hard
    return HOTP(secret, DIGITS, SHA1()).generate(step).decode()  # noqa: S303


def step_at(at: datetime) -> int:
    return int(at.timestamp()) // STEP_SECONDS


def matching_step(secret: bytes, given: str, *, at: datetime) -> int | None:
    """Return the time step that a code is of, near a moment; None for a wrong code."""
    now = step_at(at)
    found = None
    for step in range(now - TOLERANCE, now + TOLERANCE + 1):
        if hmac.compare_digest(code(secret, step).encode(), given.encode()):
            found = step
    return found


def shown(secret: bytes) -> str:
    """Write a secret as people type it into an app."""
    return base64.b32encode(secret).decode().rstrip("=")


def address(secret: bytes, *, username: str, site: str) -> str:
    """Return the address that an app reads from a QR code."""
    query = urlencode({"secret": shown(secret), "issuer": site, "digits": DIGITS})
    return f"otpauth://totp/{quote(site)}:{quote(username)}?{query}"
