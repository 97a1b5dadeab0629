"""Compare the contents of two versions, line by line and field by field; pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

Content = Mapping[str, Any]
Change = Literal["added", "removed", "changed"]

# What tells two lines of a list apart.
KEYS: dict[str, tuple[str, ...]] = {
    "phases": ("unit_procedure", "name"),
    "parameters": ("tag",),
    "materials": ("line",),
    "yields": ("phase",),
    "sampling": ("name",),
    "equipment": ("name",),
    "labels": ("code",),
}


@dataclass(frozen=True)
class FieldChange:
    """One value before and after; None where there was or is none."""

    field: str
    before: Any
    after: Any


@dataclass(frozen=True)
class LineChange:
    """One line of a list: added and removed ones with all their fields."""

    part: str
    key: str
    change: Change
    fields: Sequence[FieldChange]


@dataclass(frozen=True)
class Difference:
    """Everything in which two versions differ."""

    header: Sequence[FieldChange]
    lines: Sequence[LineChange]

    @property
    def is_empty(self) -> bool:
        return not self.header and not self.lines

    def of(self, part: str) -> list[LineChange]:
        return [line for line in self.lines if line.part == part]


def between(before: Content, after: Content) -> Difference:
    """Return what has to be done to the first content to get the second one."""
    header = _fields(_header(before), _header(after))
    lines = [line for part in KEYS for line in _lines(part, before, after)]
    return Difference(header=header, lines=lines)


def key_of(part: str, line: Mapping[str, Any]) -> str:
    return "/".join(str(line[name]) for name in KEYS[part])


def _header(content: Content) -> dict[str, Any]:
    """Return what is not a list; the settings of the twin each by their name."""
    settings = content.get("twin_settings", {})
    return {
        **{name: one for name, one in content.items() if name not in {*KEYS, "twin_settings"}},
        **{f"twin_settings.{name}": one for name, one in settings.items()},
    }


def _lines(part: str, before: Content, after: Content) -> Iterator[LineChange]:
    old, new = _by_key(part, before), _by_key(part, after)
    for key in [*old, *(key for key in new if key not in old)]:
        fields = _fields(old.get(key, {}), new.get(key, {}))
        if fields:
            change: Change = "changed"
            if key not in new:
                change = "removed"
            elif key not in old:
                change = "added"
            yield LineChange(part=part, key=key, change=change, fields=fields)


def _by_key(part: str, content: Content) -> dict[str, Mapping[str, Any]]:
    return {key_of(part, line): line for line in content.get(part, ())}


def _fields(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[FieldChange]:
    return [
        FieldChange(name, old.get(name), new.get(name))
        for name in sorted({*old, *new})
        if old.get(name) != new.get(name)
    ]
