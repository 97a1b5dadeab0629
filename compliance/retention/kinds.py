"""Know the kinds of records that are kept: higher rooms register what each is made of."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from compliance.refusals import Refused
from compliance.retention.periods import Anchors

RecordKey = tuple[str, str]  # table and primary key
EVERYTHING = "everything"  # of a hold: every record of the site
RECORD = "record"  # of a hold: one record, named as "table key"


class UnknownKind(Refused):
    code = "unknown-record-kind"
    status = 422


class SubjectMissing(Refused):
    code = "record-missing"
    status = 404


@dataclass(frozen=True)
class Kind:
    """One kind of records, addressed by number.

    `anchors` gives the moments from which its terms count, None for one that is still to come;
    `records` names everything that belongs to it. Both raise nothing for a number that exists.
    """

    title: str
    exists: Callable[[str], bool]
    anchors: Callable[[str], Anchors]
    records: Callable[[str], Iterable[RecordKey]]


_kinds: dict[str, Kind] = {}


def register(name: str, kind: Kind) -> None:
    """Register a kind under a name that is stored with rules and holds, so it never changes."""
    if name in _kinds or name in (EVERYTHING, RECORD):
        raise ValueError(f"a kind of records named {name} is registered already")
    _kinds[name] = kind


def by_name(name: str) -> Kind:
    try:
        return _kinds[name]
    except KeyError as error:
        known = ", ".join(sorted(_kinds))
        raise UnknownKind(f"no kind of records is called {name!r}; there are: {known}") from error


def subject(name: str, number: str) -> Kind:
    """Return the kind, or raise `SubjectMissing` when there is no such record of it."""
    kind = by_name(name)
    if not kind.exists(number):
        raise SubjectMissing(f"there is no {kind.title.lower()} {number}")
    return kind


def names() -> list[tuple[str, str]]:
    """Return every kind as (name, title), for forms."""
    return [(name, kind.title) for name, kind in sorted(_kinds.items())]
