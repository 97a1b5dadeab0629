"""Bind the fields of a signature to each other, so that none can be moved to another row.

The same bytes are made by `signatures_binding` in the database, whose trigger compares them.
"""

import hashlib
from datetime import UTC

from compliance.signatures.models import Signature
from compliance.trail.tlog import canonical

_TAG = "gmp-signature/binding/v1"


def of(signature: Signature) -> str:
    """Return the SHA-256 over all fields of a signature, each with its length before it."""
    fields = (
        _TAG,
        signature.record,
        signature.record_id,
        signature.record_digest,
        canonical.dumps(signature.content_parts).decode(),
        str(signature.meaning),
        str(signature.signer_id),
        signature.printed_name,
        signature.username,
        signature.role,
        signature.comment,
        signature.signed_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        signature.zone,
        str(signature.means),
        signature.confirmation,
        str(signature.reauthentication_id or ""),
    )
    hashed = hashlib.sha256()
    for field in fields:
        octets = field.encode()
        hashed.update(f"{len(octets)}:".encode() + octets + b",")
    return hashed.hexdigest()


def holds(signature: Signature) -> bool:
    """Say whether the fields of a row are still those that were bound together."""
    return signature.binding == of(signature)
