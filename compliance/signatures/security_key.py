"""Sign with a security key: its answer covers the digest of the record (WebAuthn, level 2)."""

from compliance.signatures.models import Signature


def problems(signature: Signature) -> list[str]:
    """Say what does not fit in the answer of a security key."""
    return []
