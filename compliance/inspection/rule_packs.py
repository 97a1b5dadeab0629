"""Read a rule pack: what each check is called, how it is classed, and the clauses it rests on."""

import hashlib
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from compliance.inspection.models import FindingClass, Profile
from compliance.inspection.registry import Parameters

PACKS = Path(__file__).parent / "packs"
CURRENT = "core-2026.1"
SOURCE_STATUS = frozenset({"verified", "secondary", "to-check"})
ALCOA = frozenset(
    {"attributable", "legible", "contemporaneous", "original", "accurate"}
    | {"complete", "consistent", "enduring", "available", "traceable"}
)
SYSTEMS = frozenset(
    {
        "quality",
        "production",
        "laboratory",
        "materials",
        "packaging-labeling",
        "facilities-equipment",
    }
)


class PackFaulty(Exception):
    """The rule pack is not one: the product does not start with it."""


@dataclass(frozen=True)
class Clause:
    """One paragraph a rule rests on, with how well its text has been checked."""

    reference: str
    source_status: str


@dataclass(frozen=True)
class Rule:
    """What the pack says of one check."""

    id: str
    title: str
    base: FindingClass
    system: str
    population: tuple[str, str]
    alcoa: tuple[str, ...]
    clauses: Mapping[Profile, tuple[Clause, ...]]
    sentences: Mapping[Profile, str]
    question: str
    scope: str
    parameters: Parameters


@dataclass(frozen=True)
class Pack:
    """A versioned set of rules, with the thresholds of classification and grading."""

    name: str
    version: str
    digest: str
    rules: Mapping[str, Rule]
    classification: Mapping[str, int]
    grading: Mapping[str, int]

    @property
    def label(self) -> str:
        return f"{self.name} {self.version} sha256:{self.digest}"

    def demand_complete(self, registered: Iterable[str]) -> None:
        """Raise `PackFaulty` unless the pack and the registered checks name the same ids."""
        unknown = sorted(set(registered) - set(self.rules))
        missing = sorted(set(self.rules) - set(registered))
        if unknown or missing:
            raise PackFaulty(
                f"rule pack {self.name} {self.version}: "
                f"checks without a rule: {', '.join(unknown) or 'none'}; "
                f"rules without a check: {', '.join(missing) or 'none'}"
            )


@cache
def load(label: str = CURRENT) -> Pack:
    """Read a pack by name and version; raise `PackFaulty` where it contradicts itself."""
    path = PACKS / f"{label}.toml"
    if not path.is_file():
        raise PackFaulty(f"there is no rule pack {label}")
    return parse(path.read_bytes())


def parse(source: bytes) -> Pack:
    """Return the pack of a TOML source; its digest is over the very bytes."""
    try:
        found = tomllib.loads(source.decode())
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise PackFaulty(f"the rule pack is no TOML: {error}") from error
    rules: dict[str, Rule] = {}
    for one in found.get("check", []):
        rule = _rule(one)
        if rule.id in rules:
            raise PackFaulty(f"{rule.id} is described twice")
        rules[rule.id] = rule
    try:
        return Pack(
            name=found["name"],
            version=found["version"],
            digest=hashlib.sha256(source).hexdigest(),
            rules=rules,
            classification=found["classification"],
            grading=found["grading"],
        )
    except KeyError as error:
        raise PackFaulty(f"the rule pack lacks {error}") from error


def _rule(source: Mapping[str, Any]) -> Rule:
    name = source.get("id", "a check without an id")
    try:
        rule = Rule(
            id=source["id"],
            title=source["title"],
            base=FindingClass(source["base"]),
            system=source["system"],
            population=(source["population"][0], source["population"][1]),
            alcoa=tuple(source["alcoa"]),
            clauses={
                profile: tuple(Clause(*clause) for clause in source[profile.value])
                for profile in Profile
            },
            sentences={profile: source[f"{profile.value}_sentence"] for profile in Profile},
            question=source["question"],
            scope=source["scope"],
            parameters=source.get("parameters", {}),
        )
    except (KeyError, ValueError, TypeError, IndexError) as error:
        raise PackFaulty(f"{name} is not described as a check must be: {error!r}") from error
    _demand_known(rule)
    return rule


def _demand_known(rule: Rule) -> None:
    for profile, clauses in rule.clauses.items():
        if not clauses:
            raise PackFaulty(f"{rule.id} rests on no clause for {profile.value}")
        for clause in clauses:
            if clause.source_status not in SOURCE_STATUS:
                raise PackFaulty(f"{rule.id}: {clause.source_status} is no source status")
    if not rule.alcoa or not ALCOA.issuperset(rule.alcoa):
        raise PackFaulty(f"{rule.id} names no or unknown ALCOA++ attributes")
    if rule.system not in SYSTEMS:
        raise PackFaulty(f"{rule.id}: {rule.system} is none of the six systems")
