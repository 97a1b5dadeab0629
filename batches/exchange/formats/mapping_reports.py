"""Say what became of each part of a message: mapped, not mapped, changed, or in the way.

Parts that differ only in their position are one line with a count, so that a plate of 384 wells
says a page and not a book; what is in the way (a problem) is said one by one.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

MOST_LINES = 200
MOST_PROBLEMS = 100
MOST_TEXT = 300
_POSITION = re.compile(r"(?<=/)\d+(?=/|$)|\[\d+\]")
# What no JSON text and no text column holds.
_UNPRINTABLE = re.compile("[\0\ud800-\udfff]")


@dataclass(frozen=True)
class Problem:
    """One thing that keeps a message from being mapped: where, a stable code, and in words."""

    pointer: str
    code: str
    detail: str
    raw: str = ""


@dataclass
class Line:
    """Parts of a message that went one way: their common pointer, how many, and the first one."""

    pointer: str
    first: str
    note: str
    count: int = 1


@dataclass
class Report:
    """What was done with a message; pointers are XPaths, JSON pointers, or `/line/column`."""

    _mapped: dict[tuple[str, str], Line] = field(default_factory=dict)
    _unmapped: dict[tuple[str, str], Line] = field(default_factory=dict)
    _changed: dict[tuple[str, str], Line] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    counts: dict[str, int] = field(
        default_factory=lambda: {"mapped": 0, "unmapped": 0, "changed": 0, "problems": 0}
    )

    def mapped(self, pointer: str, to: str) -> None:
        self._count("mapped", self._mapped, pointer, to)

    def unmapped(self, pointer: str, note: str = "") -> None:
        self._count("unmapped", self._unmapped, pointer, note)

    def changed(self, pointer: str, *, before: str, after: str, rule: str) -> None:
        """Say that a value is stored otherwise than it was written, and by which rule."""
        self._count("changed", self._changed, pointer, f"{rule}: “{before}” -> “{after}”")

    def problem(self, pointer: str, code: str, detail: str, *, raw: str = "") -> None:
        self.counts["problems"] += 1
        if len(self.problems) < MOST_PROBLEMS:
            self.problems.append(Problem(*map(_plain, (pointer, code, detail, raw))))

    @property
    def is_clean(self) -> bool:
        return not self.counts["problems"]

    def problem_codes(self) -> set[str]:
        return {one.code for one in self.problems}

    def as_json(self) -> dict[str, object]:
        """Return the report as canonical JSON holds it; `counts` are of all, also of what is cut."""
        return {
            "counts": dict(self.counts),
            "mapped": _lines(self._mapped.values()),
            "unmapped": _lines(self._unmapped.values()),
            "changed": _lines(self._changed.values()),
            "problems": [vars(one) for one in self.problems],
        }

    def _count(
        self, kind: str, lines: dict[tuple[str, str], Line], pointer: str, note: str
    ) -> None:
        self.counts[kind] += 1
        common, text = _plain(_POSITION.sub(_star, pointer)), _plain(note)
        if (line := lines.get((common, text))) is not None:
            line.count += 1
        elif len(lines) < MOST_LINES:
            lines[common, text] = Line(common, _plain(pointer), text)


def _star(found: re.Match[str]) -> str:
    return "[*]" if found[0].startswith("[") else "*"


def _plain(text: str) -> str:
    return _UNPRINTABLE.sub("\ufffd", text)[:MOST_TEXT]


def _lines(lines: Iterable[Line]) -> list[Mapping[str, str | int]]:
    return [vars(line) for line in lines]
