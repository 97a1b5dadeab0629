"""Write what a twin is asked and answers as canonical bytes, and read exactly the same again."""

from typing import Any

from compliance.trail.tlog import canonical
from twins.models import documents


def write(value: object) -> bytes:
    """Return the canonical bytes of a twin's value: every float is its shortest decimal.

    For a request these are the bytes whose digest the forecast itself names as its input.
    """
    return canonical.dumps(documents.of(value))


def document(data: bytes) -> Any:
    """Return the document that `write` wrote; raise `canonical.NotCanonical` for any other bytes."""
    return canonical.loads(data)
