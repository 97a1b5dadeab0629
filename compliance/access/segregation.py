"""Hold the rules of segregation of duties as data: what excludes what, where, and what enforces it."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

from compliance.access import duties
from compliance.access.duties import DUTIES, Duty, Role


@dataclass(frozen=True)
class Rule:
    """Whoever does the first is not the one that the second names (“who qualifies it”)."""

    first: str
    second: str
    scope: str
    clause: str
    held_by: str


# Rules between roles are made of `duties.conflict`; these are the ones between acts. A room that
# enforces another one adds it here with `add`.
_RULES: list[Rule] = [
    Rule("proves an identity", "whose identity it is", "every proof", "21 CFR 11.100(b)",
         "constraint identity_proven_by_another, trigger not_by_oneself"),
    Rule("trains or records it", "who is trained", "every training", "21 CFR 211.25",
         "constraint trained_by_another, trigger not_by_oneself"),
    Rule("gives or ends a role", "who holds it", "every role", "MHRA 2018 6.16",
         "trigger not_by_oneself"),
    Rule("sets a password", "who uses it", "every password", "21 CFR 11.200(a)(3)",
         "trigger password_own"),
    Rule("acknowledges an alarm", "whom it concerns", "every alarm", "21 CFR 11.300(d)",
         "trigger not_by_the_concerned"),
    Rule("decides about an account", "whose account it is", "every review", "21 CFR 11.300(b)",
         "constraint review_line_not_by_oneself, trigger not_by_oneself"),
    Rule("reviews access", "who administers it", "every review", "MHRA 2018 6.16",
         "trigger no_administrator"),
    Rule("enrols a device", "who qualifies it", "every device", "21 CFR 11.10(h)",
         "the roles exclude each other"),
]  # fmt: skip


@dataclass(frozen=True)
class Conflict:
    """Two roles that nobody holds together, and why."""

    first: Role
    second: Role
    why: str


def add(rule: Rule) -> None:
    """Add a rule that a higher room enforces; called in AppConfig.ready."""
    if rule in _RULES:
        raise ValueError(f"the rule {rule.first} / {rule.second} is on the list already")
    _RULES.append(rule)


def rules() -> Sequence[Rule]:
    return tuple(_RULES)


def conflicts() -> list[Conflict]:
    """Return every pair of roles that exclude each other."""
    found = []
    for first, second in combinations(Role, 2):
        if why := duties.conflict(frozenset({str(first), str(second)})):
            found.append(Conflict(first, second, why))
    return found


def holders(duty: Duty) -> list[str]:
    """Return the roles that include a duty; a device counts as one."""
    return [name for name, held in DUTIES.items() if duty in held]
