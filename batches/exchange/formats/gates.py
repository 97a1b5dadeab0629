"""Let in only bytes that can be read without harm: bounded in size, depth and number of parts."""

import json
import re
import zlib
from typing import Any
from xml.parsers import expat

from lxml import etree

from compliance.api_contract import encodings
from compliance.refusals import Refused

PACKED = ("gzip",)  # as a Content-Encoding says it
MOST_DEPTH = 64
MOST_ELEMENTS = 200_000
MOST_ATTRIBUTES = 32  # of one element
MOST_PARTS = 1_000_000  # of JSON: what begins or follows a member
MOST_TEXT = 256 * 1024  # of one text or attribute
MOST_NAME = 200
MOST_DIGITS = 400
_CHUNK = 64 * 1024
_FORBIDDEN = re.compile("[\0\ud800-\udfff]")


class MessageTooLarge(Refused):
    code = "message-too-large"
    status = 413


class MessageMalformed(Refused):
    """The bytes are not of the format that they are sent as."""

    code = "message-malformed"
    status = 422


class MessageForbidden(Refused):
    """The message uses what no message of this plant needs, and attacks do: DTDs, entities."""

    code = "message-forbidden"
    status = 422


class TooComplex(Refused):
    """The message is nested too deep, or has too many parts."""

    code = "message-too-complex"
    status = 422


class Number(str):
    """A JSON number with the digits that were written."""

    __slots__ = ()


def inflated(data: bytes, *, encoding: str, most: int) -> bytes:
    """Return what a Content-Encoding packs; one that unpacks beyond the limit is refused."""
    encodings.demand(encoding, taken=PACKED)
    if encoding in encodings.PLAIN:
        return _bounded(data, most)
    unpacking = zlib.decompressobj(wbits=31)
    try:
        found = unpacking.decompress(_bounded(data, most), most + 1)
    except zlib.error as error:
        raise MessageMalformed(f"the body is not gzip: {error}") from error
    if len(found) > most:
        raise MessageTooLarge(f"a message has at most {most // 1024} KiB, also unpacked")
    if not unpacking.eof or unpacking.unused_data:
        raise MessageMalformed("the gzip body ends too early, or something follows it")
    return found


def _bounded(data: bytes, most: int) -> bytes:
    if len(data) > most:
        raise MessageTooLarge(f"a message has at most {most // 1024} KiB")
    if not data:
        raise MessageMalformed("the message is empty")
    return data


def xml(data: bytes) -> Any:
    """Return the root of a document that has no DTD, no entities and bounded parts.

    Expat walks it first, in pieces, and stops at the first excess; then lxml builds the tree.
    """
    _Walk().over(data)
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, dtd_validation=False,
        huge_tree=False, remove_comments=True, remove_pis=True,
    )  # fmt: skip
    try:
        root = etree.fromstring(data, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise MessageMalformed(f"not well-formed XML: {error}") from error
    if root is None:
        raise MessageMalformed("the XML has no root element")
    return root


class _Walk:
    """Count what a document holds while expat reads it."""

    def __init__(self) -> None:
        self.depth = self.elements = self.text = 0
        parser = expat.ParserCreate()
        parser.SetParamEntityParsing(expat.XML_PARAM_ENTITY_PARSING_NEVER)
        parser.buffer_text = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text
        parser.StartDoctypeDeclHandler = self._doctype
        parser.EntityDeclHandler = self._entity
        parser.UnparsedEntityDeclHandler = self._entity
        parser.ExternalEntityRefHandler = self._entity
        self._parser = parser

    def over(self, data: bytes) -> None:
        try:
            for start in range(0, len(data), _CHUNK):
                self._parser.Parse(data[start : start + _CHUNK], False)
            self._parser.Parse(b"", True)
        except expat.ExpatError as error:
            raise MessageMalformed(f"not well-formed XML: {error}") from error
        except (LookupError, ValueError, UnicodeError) as error:  # an encoding nobody knows
            raise MessageMalformed(f"not readable as XML: {error}") from error

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self.depth += 1
        self.elements += 1
        self.text = 0
        if self.depth > MOST_DEPTH:
            raise TooComplex(f"elements are nested deeper than {MOST_DEPTH}")
        if self.elements > MOST_ELEMENTS:
            raise TooComplex(f"there are more than {MOST_ELEMENTS} elements")
        if len(attributes) > MOST_ATTRIBUTES or len(name) > MOST_NAME:
            raise TooComplex(f"an element has at most {MOST_ATTRIBUTES} attributes")
        if any(len(one) > MOST_TEXT for one in attributes.values()):
            raise TooComplex("an attribute is too long")

    def _end(self, name: str) -> None:
        self.depth -= 1
        self.text = 0

    def _text(self, text: str) -> None:
        self.text += len(text)
        if self.text > MOST_TEXT:
            raise TooComplex(f"a text has more than {MOST_TEXT} characters")

    def _doctype(self, *_: object) -> None:
        raise MessageForbidden("a message has no DOCTYPE")

    def _entity(self, *_: object) -> int:
        raise MessageForbidden("a message declares and uses no entities")


def json_(data: bytes) -> Any:
    """Return the value of JSON in which each number is the text of its digits (`Number`)."""
    if data.count(b",") + data.count(b"[") + data.count(b"{") > MOST_PARTS:
        raise TooComplex(f"the JSON has more than {MOST_PARTS} parts")
    try:
        value = json.loads(
            data.decode("utf-8-sig"),
            object_pairs_hook=_unique,
            parse_constant=_constant,
            parse_int=_number,
            parse_float=_number,
        )
    except UnicodeDecodeError as error:
        raise MessageMalformed(f"byte {error.start} is not UTF-8") from error
    except json.JSONDecodeError as error:
        raise MessageMalformed(f"not JSON: {error}") from error
    except RecursionError as error:
        raise TooComplex(f"nested deeper than {MOST_DEPTH}") from error
    _check(value)
    return value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise MessageMalformed("an object holds a member twice: which one is meant?")
    return members


def _constant(name: str) -> Any:
    raise MessageMalformed(f"{name} is no JSON number")


def _number(digits: str) -> Number:
    if len(digits) > MOST_DIGITS:
        raise TooComplex(f"a number has more than {MOST_DIGITS} digits")
    return Number(digits)


def _check(value: Any) -> None:
    waiting, count = [(value, 0)], 0
    while waiting:
        one, depth = waiting.pop()
        count += 1
        if depth > MOST_DEPTH or count > 2 * MOST_PARTS:
            raise TooComplex(f"nested deeper than {MOST_DEPTH}, or too many parts")
        if isinstance(one, dict):
            waiting += [(name, depth) for name in one]
            waiting += [(member, depth + 1) for member in one.values()]
        elif isinstance(one, list):
            waiting += [(member, depth + 1) for member in one]
        elif isinstance(one, str):
            if len(one) > MOST_TEXT:
                raise TooComplex(f"a text has more than {MOST_TEXT} characters")
            if _FORBIDDEN.search(one):
                raise MessageMalformed("a text holds NUL or half of a surrogate pair")
