"""Compute until when something is kept: of all terms, the one that ends last (pure)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

Anchors = Mapping[str, date | None]


@dataclass(frozen=True, kw_only=True)
class Rule:
    """So many years after a moment in the life of a record, by which clause."""

    kind: str
    anchor: str
    years: int
    clause: str
    months: int = 0
    source_status: str = ""


@dataclass(frozen=True)
class Term:
    """A rule with its last day; None while nobody knows when it begins."""

    rule: Rule
    ends_on: date | None


@dataclass(frozen=True)
class Retention:
    """The terms of one record. `until` is the last day on which it must be there."""

    terms: tuple[Term, ...]

    @property
    def until(self) -> date | None:
        """The end of the longest term; None when no end is known: then it is kept."""
        ends = [term.ends_on for term in self.terms]
        known = [end for end in ends if end is not None]
        return max(known) if known and len(known) == len(ends) else None

    @property
    def holds(self) -> Term | None:
        """The term that ends last."""
        until = self.until
        return next((term for term in self.terms if until and term.ends_on == until), None)

    def is_over(self, *, on: date) -> bool:
        return self.until is not None and on > self.until


def of(rules: Iterable[Rule], anchors: Anchors) -> Retention:
    """Apply the rules whose anchor the record has; an anchor of None has not come yet."""
    return Retention(
        tuple(Term(rule, _end(rule, anchors)) for rule in rules if rule.anchor in anchors)
    )


def _end(rule: Rule, anchors: Anchors) -> date | None:
    start = anchors[rule.anchor]
    return None if start is None else later(start, years=rule.years, months=rule.months)


def later(start: date, *, years: int, months: int = 0) -> date:
    """Return the same day so much later; a 29, 30 or 31 that is not there becomes the next day."""
    count = start.month - 1 + months + 12 * years
    year, month = start.year + count // 12, count % 12 + 1
    try:
        return date(year, month, start.day)
    except ValueError:  # at least as long, never shorter
        return date(year + month // 12, month % 12 + 1, 1)
