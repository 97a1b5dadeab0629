"""Turn values of a twin into JSON-able documents without floats, and digest them."""

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

Json = None | bool | int | str | list["Json"] | dict[str, "Json"]


class NotADocument(TypeError):
    """A value has no form in a document."""

    code = "not-a-document"


def of(value: object) -> Json:
    """Return the document of a value: dataclasses become objects, floats their shortest decimal."""
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, float):
        # float(): NumPy's scalars write themselves differently.
        return repr(float(value))
    if isinstance(value, int):
        return value
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {name: of(getattr(value, name)) for name in _names(type(value))}
    if isinstance(value, Mapping):
        return {str(key): of(value[key]) for key in sorted(value)}
    if isinstance(value, (tuple, list)):
        return [of(one) for one in value]
    raise NotADocument(f"{type(value).__name__} has no form in a document")


@cache
def _names(kind: type[Any]) -> tuple[str, ...]:
    return tuple(one.name for one in dataclasses.fields(kind))


def digest(value: object) -> str:
    """Return the SHA-256 of the document of a value, as sorted JSON without spaces."""
    text = json.dumps(of(value), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


@cache
def code_digest() -> str:
    """Return the SHA-256 over name and bytes of every source file of the twins, by name."""
    room = Path(__file__).parent
    found = hashlib.sha256()
    for path in sorted(room.rglob("*.py"), key=lambda one: one.relative_to(room).as_posix()):
        source = path.read_bytes()
        name = path.relative_to(room).as_posix()
        found.update(f"{name}\n{len(source)}\n".encode())
        found.update(source)
    return found.hexdigest()
