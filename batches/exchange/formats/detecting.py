"""Say what kind of message bytes are, and compare it with what the sender declared."""

from batches.exchange.formats import b2mml, gates
from compliance.refusals import Refused

# Media type -> the kind of message that it declares.
DECLARED = {
    "application/xml": "xml",
    "text/xml": "xml",
    "application/json": "json",
    "application/vnd.allotrope.asm+json": "json",
    "application/x-ndjson": "ndjson",
    "text/csv": "csv",
    "application/octet-stream": "raw",
}
MEDIA_TYPES = {
    "xml": "application/xml", "json": "application/json", "ndjson": "application/x-ndjson",
    "csv": "text/csv", "raw": "application/octet-stream",
}  # fmt: skip
_BINARY = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0", b"%PDF", b"\x1f\x8b", b"\x89PNG", b"\x7fELF")


class TypeUnknown(Refused):
    code = "message-type-unknown"
    status = 415


class TypeDiffers(Refused):
    """The bytes are of another kind than their Content-Type says."""

    code = "content-type-mismatch"
    status = 415


def kind_of(data: bytes, *, media_type: str) -> str:
    """Return the kind of a message; raise `TypeUnknown` or `TypeDiffers`."""
    declared = DECLARED.get(media_type.partition(";")[0].strip().lower())
    if declared is None:
        raise TypeUnknown(f"send one of {', '.join(DECLARED)}, not “{media_type[:60]}”")
    found = detected(data)
    # A file of an instrument is whatever the instrument writes; one line of NDJSON is JSON.
    if declared in ("raw", found) or (declared, found) == ("ndjson", "json"):
        return declared
    raise TypeDiffers(f"the message is declared as {declared}, and looks like {found}")


def detected(data: bytes) -> str:
    """Return what bytes look like: xml, json, ndjson, csv or raw."""
    if not data.strip():
        raise gates.MessageMalformed("the message is empty")
    if data.startswith(_BINARY):
        return "raw"
    if b2mml.looks_like(data):
        return "xml"
    start = data.lstrip(b"\xef\xbb\xbf \t\r\n")
    if start[:1] in (b"{", b"["):
        lines = start.split(b"\n", 2)
        many = len(lines) > 1 and lines[0].rstrip().endswith(b"}") and lines[1].startswith(b"{")
        return "ndjson" if many else "json"
    return "csv"
