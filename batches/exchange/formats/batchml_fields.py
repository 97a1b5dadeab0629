"""Write named values into the places that BatchML keeps for a vendor's own, and read them back.

A text that XML cannot hold as it is (a control character) is written as JSON, and says so.
"""

import json
import re
from collections.abc import Iterable
from typing import Any

from lxml import etree

from batches.exchange.formats.xml_reading import V0700, Reading

_UNSAFE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")


def add(parent: Any, name: str, text: str = "", **attributes: str) -> Any:
    """Append an element of V0700; what XML cannot hold is shown as U+FFFD."""
    child = etree.SubElement(parent, f"{{{V0700}}}{name}", attrib=attributes)
    if text:
        child.text = _UNSAFE.sub("\ufffd", text)
    return child


def is_safe(text: str) -> bool:
    return _UNSAFE.search(text) is None


def entry(parent: Any, name: str, *, entry_id: str, kind: str, at: str = "") -> Any:
    """Append one entry of a record, with the group of elements that all of them begin with."""
    made = add(parent, name)
    add(made, "EntryID", entry_id)
    add(made, "ObjectType", kind)
    if at:
        add(made, "TimeStamp", at)
    return made


def value(parent: Any, text: str, *, unit: str = "", key: str = "", name: str = "Value") -> Any:
    """Append a ValueType."""
    made = add(parent, name)
    _string(made, text)
    add(made, "DataType", "string")
    add(made, "UnitOfMeasure", unit)
    if key:
        add(made, "Key", key)
    return made


def batch_value(parent: Any, text: str, *, unit: str = "") -> None:
    """Append a BatchValueType."""
    made = add(parent, "Value")
    _string(made, text)
    add(made, "DataInterpretation", "Constant")
    add(made, "DataType", "string")
    add(made, "UnitOfMeasure", unit)


def user_attributes(parent: Any, fields: Iterable[tuple[str, str]]) -> None:
    for name, text in fields:
        if text:
            made = add(parent, "UserAttribute")
            add(made, "AttributeID", name)
            value(made, text)


def other_information(parent: Any, fields: Iterable[tuple[str, str]]) -> None:
    for name, text in fields:
        if text:
            made = add(parent, "OtherInformation")
            add(made, "ID", name)
            batch_value(made, text)


def parameter_fields(parent: Any, fields: Iterable[tuple[str, str]]) -> None:
    for name, text in fields:
        if text:
            made = add(parent, "Parameter")
            add(made, "ID", name)
            add(made, "ParameterType", "Other", OtherValue="field")
            batch_value(made, text)


def read_fields(reading: Reading, parent: Any, holder: str, *, to: str) -> dict[str, str]:
    """Return the named values under a parent: of UserAttribute, OtherInformation or Parameter."""
    found = {}
    for one in reading.children(parent, holder):
        name = reading.text(one, "AttributeID", "ID", to=f"{to} (name)")
        held = reading.child(one, "Value")
        if name and held is not None:
            found[name] = read_string(reading, held, to=f"{to}.{name}")
            for part in reading.children(held, "DataType", "DataInterpretation"):
                reading.taken(part, to="(data type of the value)")
            for kind in reading.children(one, "ParameterType"):
                reading.taken(kind, to="(type of the parameter)")
    return found


def read_string(reading: Reading, held: Any, *, to: str) -> str:
    """Return the ValueString of a value, with every character it was written with."""
    string = reading.child(held, "ValueString")
    if string is None:
        return ""
    text = reading.verbatim(string, to=to)
    if string.get("encodingCode") == "json":
        try:
            decoded = json.loads(text)
        except ValueError:
            decoded = None
        if isinstance(decoded, str):
            return decoded
        reading.report.problem(reading.xpath(string), "value-undecodable", "this is no JSON text")
    return text


def _string(parent: Any, text: str) -> None:
    if is_safe(text):
        add(parent, "ValueString", text)
    else:
        add(parent, "ValueString", json.dumps(text), encodingCode="json")
