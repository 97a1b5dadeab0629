"""Say until when a record is kept: the law's minimum and the site's policy, whichever is longer."""

import tomllib
from functools import cache
from pathlib import Path

from compliance.retention import kinds, periods, policies
from compliance.retention.periods import Retention, Rule

FILE = Path(__file__).with_name("minimum.toml")


def until(kind: str, number: str) -> Retention:
    """Return the terms of a record; raise `UnknownKind` or `SubjectMissing`."""
    known = kinds.subject(kind, number)
    return periods.of(rules_for(kind), known.anchors(number))


def rules_for(kind: str) -> list[Rule]:
    """Return the minimum and, when a policy is effective, the site's rules for a kind."""
    found = [rule for rule in minimum() if rule.kind == kind]
    policy = policies.effective()
    if policy is None:
        return found
    return found + [
        Rule(
            kind=one.kind, anchor=one.anchor, years=one.years, months=one.months,
            clause=f"{policy}: {one.basis}",
        )
        for one in policy.rules.filter(kind=kind).order_by("pk")
    ]  # fmt: skip


@cache
def minimum() -> tuple[Rule, ...]:
    """Return the law's terms, which no policy shortens."""
    data = tomllib.loads(FILE.read_text(encoding="utf-8"))
    return tuple(Rule(**one) for one in data["rule"])
