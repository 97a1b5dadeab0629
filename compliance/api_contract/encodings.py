"""Refuse a body that is packed in a way which is not unpacked here (RFC 9110 8.4)."""

from collections.abc import Collection, Mapping

from compliance.refusals import Refused

HEADER = "Content-Encoding"
PLAIN = frozenset({"", "identity"})


class EncodingUnknown(Refused):
    """The body is packed, and this endpoint does not unpack that; send it as it is."""

    code = "content-encoding-unsupported"
    status = 415


def said(headers: Mapping[str, str]) -> str:
    """Return how a body is packed, as its headers say; empty for not at all."""
    return headers.get(HEADER, "").strip().lower()


def demand(encoding: str, *, taken: Collection[str] = ()) -> None:
    """Pass what is not packed, or in one of the ways that are taken; else raise `EncodingUnknown`."""
    if encoding not in PLAIN and encoding not in taken:
        ways = " or ".join([*sorted(taken), "nothing"])
        raise EncodingUnknown(f"{HEADER} is {ways} here, not {encoding[:40]}: send the body so")
