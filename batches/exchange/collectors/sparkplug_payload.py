"""The wire form of Sparkplug B (Eclipse Sparkplug 3.0, 6.4), as far as values and births need it.

The numbers are those of the specification; data sets, templates and meta data stay unread.
"""

from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import DecodeError

_PACKAGE = "gmp.sparkplug"
_Field = descriptor_pb2.FieldDescriptorProto
_TYPES = {
    "uint32": _Field.TYPE_UINT32, "uint64": _Field.TYPE_UINT64, "float": _Field.TYPE_FLOAT,
    "double": _Field.TYPE_DOUBLE, "bool": _Field.TYPE_BOOL, "string": _Field.TYPE_STRING,
    "bytes": _Field.TYPE_BYTES,
}  # fmt: skip
# (number, type, name), with * for repeated and | for the members of the one `value`.
FIELDS: dict[str, tuple[tuple[int, str, str], ...]] = {
    "Payload": (
        (1, "uint64", "timestamp"), (2, "Metric", "*metrics"), (3, "uint64", "seq"),
        (4, "string", "uuid"), (5, "bytes", "body"),
    ),
    "Metric": (
        (1, "string", "name"), (2, "uint64", "alias"), (3, "uint64", "timestamp"),
        (4, "uint32", "datatype"), (5, "bool", "is_historical"), (6, "bool", "is_transient"),
        (7, "bool", "is_null"), (9, "PropertySet", "properties"),
        (10, "uint32", "|int_value"), (11, "uint64", "|long_value"), (12, "float", "|float_value"),
        (13, "double", "|double_value"), (14, "bool", "|boolean_value"),
        (15, "string", "|string_value"), (16, "bytes", "|bytes_value"),
    ),
    "PropertySet": ((1, "string", "*keys"), (2, "PropertyValue", "*values")),
    "PropertyValue": (
        (1, "uint32", "type"), (2, "bool", "is_null"),
        (3, "uint32", "|int_value"), (4, "uint64", "|long_value"), (5, "float", "|float_value"),
        (6, "double", "|double_value"), (7, "bool", "|boolean_value"),
        (8, "string", "|string_value"),
    ),
}  # fmt: skip


class PayloadInvalid(ValueError):
    """The bytes are no Sparkplug B payload."""


def _payload_class() -> Any:
    file = descriptor_pb2.FileDescriptorProto(
        name="gmp/sparkplug.proto", package=_PACKAGE, syntax="proto2"
    )
    for name, fields in FIELDS.items():
        message = file.message_type.add(name=name)
        if any(called.startswith("|") for _, _, called in fields):
            message.oneof_decl.add(name="value")
        for number, kind, called in fields:
            made = message.field.add(
                name=called.lstrip("*|"),
                number=number,
                label=_Field.LABEL_REPEATED if called.startswith("*") else _Field.LABEL_OPTIONAL,
                type=_TYPES.get(kind, _Field.TYPE_MESSAGE),
            )
            if kind not in _TYPES:
                made.type_name = f".{_PACKAGE}.{kind}"
            if called.startswith("|"):
                made.oneof_index = 0
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    found = pool.FindMessageTypeByName(f"{_PACKAGE}.Payload")
    return message_factory.GetMessageClass(found)


Payload: Any = _payload_class()


def read(data: bytes) -> Any:
    """Return the payload, or raise `PayloadInvalid`."""
    payload = Payload()
    try:
        payload.ParseFromString(data)
    except (DecodeError, UnicodeDecodeError) as error:
        raise PayloadInvalid(str(error)) from error
    return payload
