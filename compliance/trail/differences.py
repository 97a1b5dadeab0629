"""Show old and new values side by side, with what differs between them marked."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from enum import StrEnum
from typing import Any

from compliance.trail import entry_text, words
from compliance.trail.words import Piece

# Beyond this a comparison of words would keep a page waiting: the whole value is marked.
MOST_WORDS = 3_000
MOST_LINES = 500
FOLDED = 400
_ABSENT = object()


class Kind(StrEnum):
    """How a pair of values is shown."""

    VALUE = "value"
    TEXT = "text"
    DOCUMENT = "document"
    PROTECTED = "protected"


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One place in a document that differs: its path, and its value before and after."""

    path: str
    old: str | None
    new: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One field: the pieces of its old and new value; none stands for no value."""

    field: str
    kind: Kind
    old: tuple[Piece, ...] | None
    new: tuple[Piece, ...] | None
    lines: tuple[Line, ...] = ()
    remark: str = ""

    @property
    def is_long(self) -> bool:
        """Whether the values are folded on a page."""
        sizes = [sum(len(one.text) for one in side) for side in (self.old, self.new) if side]
        return bool(sizes) and max(sizes) > FOLDED

    @property
    def extract(self) -> "Difference":
        """What differs of long values, with a little around it."""
        old, new = (side and words.shortened(side) for side in (self.old, self.new))
        return replace(self, old=old, new=new)

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing in it, before and after."""
        return not self.old and not self.new


def of_body(body: str | None, *, opened: Mapping[str, str] | None = None) -> list[Difference]:
    """Return what an entry changed; `opened` has values behind commitments, by field.

    Raise `EntryUnreadable` when it is none.
    """
    if body is None:
        return []
    found = entry_text.members(body)
    op, old, new = found["op"], found["old"], found["new"]
    if op == "insert":  # all of it is new: nothing to mark
        return [
            _first(name, value, (opened or {}).get(name)) for name, value in sorted(new.items())
        ]
    return between(old, new if op != "delete" else {}, opened=opened)


def between(
    old: Mapping[str, Any],
    new: Mapping[str, Any],
    *,
    opened: Mapping[str, str] | None = None,
) -> list[Difference]:
    """Return how two versions differ, by field; a field that is equal in both is left out."""
    names = sorted(old.keys() | new.keys())
    return [
        of_field(
            name, old.get(name, _ABSENT), new.get(name, _ABSENT), opened=(opened or {}).get(name)
        )
        for name in names
        if old.get(name, _ABSENT) != new.get(name, _ABSENT)
    ]


def of_field(name: str, old: Any, new: Any, *, opened: str | None = None) -> Difference:
    """Return the difference of one field."""
    if is_commitment(old) or is_commitment(new):
        return _protected(name, old, new, opened)
    documents = _document(old), _document(new)
    if documents[0] is not None and documents[1] is not None:
        lines = tuple(_limited(_lines("", documents[0], documents[1])))
        whole = (shown(old), shown(new))
        return Difference(
            field=name, kind=Kind.DOCUMENT, old=words.whole(whole[0], "removed"),
            new=words.whole(whole[1], "added"), lines=lines,
        )  # fmt: skip
    if isinstance(old, str) and isinstance(new, str):
        before, after = words.marked(old, new, most=MOST_WORDS)
        remark = words.alike(before, after)
        return Difference(field=name, kind=Kind.TEXT, old=before, new=after, remark=remark)
    return Difference(
        field=name, kind=Kind.VALUE, old=_side(old, "removed"), new=_side(new, "added")
    )


def is_commitment(value: Any) -> bool:
    """Tell a committed value, {"c": …}, from others (docs/evidence-bundle.md, 9)."""
    return isinstance(value, dict) and value.keys() == {"c"}


def shown(value: Any) -> str:
    """Return a value as text: numbers and texts as typed, all else as canonical JSON."""
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False, sort_keys=True)


def _first(name: str, value: Any, opened: str | None) -> Difference:
    if is_commitment(value):
        return _protected(name, _ABSENT, value, opened)
    return Difference(field=name, kind=Kind.VALUE, old=None, new=_side(value, "same"))


def _side(value: Any, mark: words.Mark) -> tuple[Piece, ...] | None:
    return None if value is _ABSENT or value is None else words.whole(shown(value), mark)


def _protected(name: str, old: Any, new: Any, opened: str | None) -> Difference:
    """Show a committed value as protected; the one before is what the entry before committed to."""
    after = None
    if is_commitment(new):
        text = opened if opened is not None else "protected"
        after = words.whole(text, "added" if opened is not None else "same")
    before = words.whole("protected", "same") if is_commitment(old) else _side(old, "removed")
    if not is_commitment(new):
        after = _side(new, "added")
    digest = new["c"] if is_commitment(new) else None
    remark = f"commitment {digest}" if digest else ""
    return Difference(field=name, kind=Kind.PROTECTED, old=before, new=after, remark=remark)


def _document(value: Any) -> Any:
    """Return what a JSON document says, or None for what is none."""
    if not isinstance(value, str) or value[:1] not in ("{", "["):
        return None
    try:
        found = json.loads(value, parse_float=str)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict | list) else None


def _lines(path: str, old: Any, new: Any) -> Iterator[Line]:
    if isinstance(old, dict) and isinstance(new, dict):
        for name in sorted(old.keys() | new.keys()):
            yield from _lines(
                f"{path}.{name}" if path else name, old.get(name, _ABSENT), new.get(name, _ABSENT)
            )
    elif isinstance(old, list) and isinstance(new, list):
        yield from _items(path, old, new)
    elif old is _ABSENT or new is _ABSENT or old != new or type(old) is not type(new):
        yield Line(
            path=path,
            old=None if old is _ABSENT else shown(old),
            new=None if new is _ABSENT else shown(new),
        )


def _items(path: str, old: list[Any], new: list[Any]) -> Iterator[Line]:
    """Compare lists: what was put in or taken out does not make all that follows differ."""
    if len(old) + len(new) > MOST_WORDS:
        old, new = [old], [new]
    keys = [[json.dumps(one, sort_keys=True) for one in side] for side in (old, new)]
    matcher = SequenceMatcher(None, keys[0], keys[1], autojunk=False)
    for tag, old_from, old_to, new_from, new_to in matcher.get_opcodes():
        if tag == "equal":
            continue
        for n in range(max(old_to - old_from, new_to - new_from)):
            before, after = old_from + n, new_from + n
            yield from _lines(
                f"{path}[{after if after < new_to else before}]",
                old[before] if before < old_to else _ABSENT,
                new[after] if after < new_to else _ABSENT,
            )


def _limited(lines: Iterator[Line]) -> Iterator[Line]:
    try:
        for count, line in enumerate(lines):
            if count == MOST_LINES:
                yield Line(path="…", old="more lines differ", new="see the values themselves")
                return
            yield line
    except RecursionError:  # a document nested to kill readers: its values are shown, folded
        return


def plain(side: Sequence[Piece] | None) -> str | None:
    """Return the text of one side without its marks."""
    return None if side is None else "".join(one.text for one in side)
