"""Say which entries of the trail a reviewer has to look at, and why: rules by risk (PI 041, 9.8)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings

VERSION = "2"
RANDOM = "random"
DRAWN_BEFORE = "drawn-before"  # by a review of the same entries that was not concluded
OUT_OF_HOURS = "out-of-hours"
LATE_AFTER = timedelta(hours=1)
_HAPPENED = ("occurred_at", "performed_at", "taken_at", "reported_at", "started_at", "received_at")
_ROUTINE = frozenset({"state", "audit_seq", "audit_head"})
_MACHINES = frozenset({"device", "system"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """One entry as the rules read it."""

    entry: int
    acted_at: datetime
    actor: str
    role: str
    action: str
    op: str
    record: str
    old: Mapping[str, Any]
    new: Mapping[str, Any]


Rule = Callable[[Fact], bool]
_rules: dict[str, Rule] = {}


def register(name: str) -> Callable[[Rule], Rule]:
    """Declare a rule; the name is stored with each entry that it draws, so it never changes."""

    def declare(rule: Rule) -> Rule:
        if name in _rules or name in (RANDOM, DRAWN_BEFORE):
            raise ValueError(f"the rule {name} is registered already")
        _rules[name] = rule
        return rule

    return declare


def reasons(fact: Fact) -> list[str]:
    """Return the names of the rules that draw an entry."""
    return [name for name, rule in sorted(_rules.items()) if rule(fact)]


def names() -> list[str]:
    return sorted(_rules)


@register("value-changed")
def value_changed(fact: Fact) -> bool:
    """A value that was there is another one now; a state that moves on is routine."""
    return fact.op == "update" and any(
        fact.old.get(name) not in (None, "", [], {})
        for name in fact.new
        if name not in _ROUTINE and fact.old.get(name) != fact.new[name]
    )


@register("deleted")
def deleted(fact: Fact) -> bool:
    return fact.op == "delete"


@register("late-entry")
def late_entry(fact: Fact) -> bool:
    """What was recorded more than an hour after it is said to have happened."""
    if fact.op != "insert":
        return False
    moments = [_moment(fact.new.get(name)) for name in _HAPPENED]
    return any(at is not None and fact.acted_at - at > LATE_AFTER for at in moments)


@register(OUT_OF_HOURS)
def out_of_hours(fact: Fact) -> bool:
    """What a person did outside of the working hours of one of their roles."""
    roles = [role.strip() for role in fact.role.split(",") if role.strip()]
    if set(roles) & _MACHINES:
        return False
    return not settings.WORKING_HOURS.cover(fact.acted_at, roles=roles, zone=settings.SITE_ZONE)


def hours() -> str:
    """Return the working hours that the rule goes by, as a review keeps them."""
    return f"{settings.WORKING_HOURS.text} ({settings.SITE_ZONE})"


@register("refused-act")
def refused_act(fact: Fact) -> bool:
    return fact.record == "trail_refusal"


@register("administration")
def administration(fact: Fact) -> bool:
    return "system-administrator" in fact.role.split(",")


@register("corrected")
def corrected(fact: Fact) -> bool:
    """A later version of a result or event takes the place of an earlier one."""
    version = str(fact.new.get("version", ""))
    is_later = version.isdigit() and int(version) > 1
    return fact.op == "insert" and (is_later or bool(fact.new.get("supersedes_id")))


@register("role-changed")
def role_changed(fact: Fact) -> bool:
    return fact.record == "access_roleassignment"


@register("credentials-refused")
def credentials_refused(fact: Fact) -> bool:
    return fact.record == "access_signin" and fact.new.get("outcome") in ("wrong", "locked")


def _moment(value: object) -> datetime | None:
    if not isinstance(value, str):
        return None
    try:
        at = datetime.fromisoformat(value)
    except ValueError:
        return None
    return at if at.tzinfo is not None else None
