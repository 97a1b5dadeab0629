"""Write and read base64 in its one canonical form."""

import base64


def to_base64(data: bytes) -> str:
    """Return standard base64 with padding (RFC 4648 section 4)."""
    return base64.b64encode(data).decode("ascii")


def from_base64(text: str) -> bytes:
    """Return the bytes, or raise `ValueError` for anything `to_base64` would not have written."""
    try:
        data = base64.b64decode(text)
    except ValueError as error:  # binascii.Error is one too
        raise ValueError(f"not base64: {error}") from error
    # The decoder skips foreign characters and the bits behind the last byte (RFC 4648 3.5):
    # each would be a second spelling of the same bytes.
    if to_base64(data) != text:
        raise ValueError("not base64 in canonical form")
    return data
