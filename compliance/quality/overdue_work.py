"""List the work of quality that is late, whatever it is."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from compliance.quality import capas, changes, deviations, periodic_reviews, risks


@dataclass(frozen=True)
class Late:
    """One record with work whose date has passed."""

    record: str  # table
    number: str
    due_on: date
    what: str


def _deviations(on: date) -> list[Late]:
    return [
        Late("quality_deviation", one.number, one.due_on, "investigate and close")
        for one in deviations.overdue(on=on)
    ]


def _capas(on: date) -> list[Late]:
    return [Late("quality_capa", one.number, due, what) for one, due, what in capas.overdue(on=on)]


def _changes(on: date) -> list[Late]:
    return [
        Late("quality_change", one.number, due, what) for one, due, what in changes.overdue(on=on)
    ]


def _risks(on: date) -> list[Late]:
    return [
        Late("quality_risk", one.number, one.review_due_on, "review the risk")
        for one in risks.overdue(on=on)
        if one.review_due_on is not None
    ]


def _periodic_reviews(on: date) -> list[Late]:
    return [
        Late("quality_periodicreview", system, due, "review the system")
        for system, due in periodic_reviews.overdue(on=on)
    ]


_KINDS: tuple[Callable[[date], list[Late]], ...] = (
    _deviations, _capas, _changes, _risks, _periodic_reviews,
)  # fmt: skip


def everything(*, on: date) -> list[Late]:
    """Return all late work, the longest overdue first."""
    found = [late for kind in _KINDS for late in kind(on)]
    return sorted(found, key=lambda one: (one.due_on, one.record, one.number))
