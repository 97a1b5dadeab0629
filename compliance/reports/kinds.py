"""Know the kinds of report: higher rooms register how each is written from the records."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from compliance.refusals import Refused
from compliance.reports.document import Document

RecordKey = tuple[str, str]  # table and primary key


class UnknownKind(Refused):
    """No report of this kind can be made."""

    code = "unknown-report-kind"
    status = 422


class SubjectMissing(Refused):
    """There is no such record to report on."""

    code = "report-subject-missing"
    status = 404


@dataclass(frozen=True)
class Facts:
    """What the sealing adds to a report: its number, the tree it reflects, who asked and when."""

    number: str
    tree_size: int
    requested_by: str
    site: str
    at: datetime


@dataclass(frozen=True)
class Kind:
    """How one kind of report is made.

    `records` names the records whose entries go into the evidence; `write` draws up the document;
    `exists` says whether there is such a subject.
    """

    title: str
    exists: Callable[[str], bool]
    records: Callable[[str], list[RecordKey]]
    write: Callable[[str, Facts], Document]


_kinds: dict[str, Kind] = {}


def register(name: str, kind: Kind) -> None:
    """Register a kind under a name that is stored with every report, so it never changes."""
    if name in _kinds:
        raise ValueError(f"a report kind named {name} is registered already")
    _kinds[name] = kind


def by_name(name: str) -> Kind:
    """Return a kind, or raise `UnknownKind` with those there are."""
    try:
        return _kinds[name]
    except KeyError as error:
        raise UnknownKind(
            f"no report is called {name!r}; there are: {', '.join(_kinds)}"
        ) from error


def names() -> list[tuple[str, str]]:
    """Return every kind as (name, title), for forms."""
    return [(name, kind.title) for name, kind in _kinds.items()]
