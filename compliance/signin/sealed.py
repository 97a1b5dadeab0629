"""Keep the secrets of authenticator apps encrypted, under a key that is not in the database."""

import base64

from cryptography.fernet import Fernet, MultiFernet
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings


def close(secret: bytes) -> str:
    return _keys().encrypt(secret).decode()


def open_(closed: str) -> bytes:
    """Return the secret; raise `InvalidToken` when the installation's secret key was exchanged."""
    return _keys().decrypt(closed.encode())


def _keys() -> MultiFernet:
    """The first key closes; those of earlier secret keys open too."""
    return MultiFernet(
        [Fernet(_derived(one)) for one in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)]
    )


def _derived(secret: str) -> bytes:
    derived = HKDF(algorithm=hashes.SHA256(), length=32, salt=None, info=b"gmp second factor v1")
    return base64.urlsafe_b64encode(derived.derive(secret.encode()))
