"""Read DER (X.690 10): definite shortest lengths, low tag numbers, nothing left over."""

from dataclasses import dataclass
from functools import cached_property

INTEGER, BITS, OCTETS, OID, SEQUENCE, SET = 0x02, 0x03, 0x04, 0x06, 0x30, 0x31
NULL = b"\x05\x00"


class NotDer(ValueError):
    """Bytes of another form; says at which offset."""


def context(number: int) -> int:
    """Return the tag of a constructed element that its context numbers."""
    return 0xA0 + number


@dataclass(frozen=True)
class Element:
    """One element of `source`: its content is at `start` to `end`, its tag and length before."""

    source: bytes
    at: int
    start: int
    end: int

    @property
    def tag(self) -> int:
        return self.source[self.at]

    @property
    def octets(self) -> bytes:
        """The element with its tag and length."""
        return self.source[self.at : self.end]

    @property
    def content(self) -> bytes:
        return self.source[self.start : self.end]

    @cached_property
    def members(self) -> list["Element"]:
        """What a constructed element is made of."""
        found, at = [], self.start
        while at < self.end:
            found.append(_element(self.source, at, self.end))
            at = found[-1].end
        return found


def whole(source: bytes) -> Element:
    """Return the element that these bytes are, or raise `NotDer`."""
    found = _element(source, 0, len(source))
    if found.end != len(source):
        raise NotDer(f"something stands behind it, at offset {found.end}")
    return found


def _element(source: bytes, at: int, limit: int) -> Element:
    start, size = at + 2, source[at + 1] if at + 2 <= limit else -1
    if size >= 0x80:
        start += size & 0x7F
        octets = source[at + 2 : start]
        size = int.from_bytes(octets, "big") if 1 <= len(octets) <= 4 and octets[0] else -1
        if size < 0x80:
            size = -1
    if size < 0 or source[at] & 0x1F == 0x1F or start + size > limit:
        raise NotDer(f"no element at offset {at}")
    return Element(source, at, start, start + size)


class Members:
    """Takes the members of an element in order; raises `NotDer` where another one stands."""

    def __init__(self, element: Element, tag: int = SEQUENCE) -> None:
        self.left = list(of(element, tag).members)

    def take(self, tag: int) -> Element:
        if not self.left:
            raise NotDer("a member is not there")
        return of(self.left.pop(0), tag)

    def optional(self, tag: int) -> Element | None:
        return self.left.pop(0) if self.left and self.left[0].tag == tag else None

    def done(self) -> None:
        if self.left:
            raise NotDer(f"a member too many, at offset {self.left[0].at}")


def of(element: Element, tag: int) -> Element:
    """Return an element that has this tag, or raise `NotDer`."""
    if element.tag != tag:
        raise NotDer(f"tag {element.tag:#x} and not {tag:#x}, at offset {element.at}")
    return element


def oid(element: Element) -> str:
    """Return an object identifier in dotted form."""
    arcs, arc = [], 0
    for octet in of(element, OID).content:
        arc = arc << 7 | octet & 0x7F
        if octet < 0x80:
            arcs.append(arc)
            arc = 0
    if not arcs:
        raise NotDer(f"no object identifier at offset {element.at}")
    first = min(arcs[0] // 40, 2)
    return ".".join(map(str, (first, arcs[0] - 40 * first, *arcs[1:])))
