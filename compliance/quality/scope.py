"""Extend an investigation to what may share the discrepancy (21 CFR 211.192).

Quality knows no batch: higher rooms register rules that name neighbours of a deviation (same
material lot, equipment, product, period), and may do something when one turns out to be affected.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from compliance.access.authority import Principal
from compliance.access.models import User
from compliance.quality.actions import Action
from compliance.quality.models import Deviation, Effect, Neighbour
from compliance.quality.states import DEVIATION, OfDeviation
from compliance.refusals import Refused
from compliance.trail import recording


class NoSuchNeighbour(Refused):
    code = "no-such-neighbour"
    status = 404


class EffectNeeded(Refused):
    code = "effect-needed"
    status = 422


@dataclass(frozen=True)
class Suggestion:
    """One thing to consider: its kind and name in the words of the higher room, and why."""

    kind: str
    name: str
    because: str


LONGEST = 300  # of what is stored of the reasons
Rule = Callable[[Deviation], Iterable[Suggestion]]
Consequence = Callable[[Deviation, str, Principal, datetime, str], None]
_rules: dict[str, Rule] = {}
_consequences: dict[str, Consequence] = {}


def register(name: str) -> Callable[[Rule], Rule]:
    """Declare a rule that names neighbours of a deviation; the name is stored with each of them."""

    def declare(rule: Rule) -> Rule:
        if name in _rules:
            raise ValueError(f"the rule {name} is registered already")
        _rules[name] = rule
        return rule

    return declare


def on_affected(kind: str) -> Callable[[Consequence], Consequence]:
    """Declare what follows when a neighbour of a kind is affected, in the same act.

    Called with (deviation, name, actor, at, reason); a batch, for example, is linked.
    """

    def declare(consequence: Consequence) -> Consequence:
        if kind in _consequences:
            raise ValueError(f"what follows for {kind} is registered already")
        _consequences[kind] = consequence
        return consequence

    return declare


def suggested(deviation: Deviation) -> list[Suggestion]:
    """Return what the rules name now, each thing once with every reason, by kind and name."""
    return [one for _, one in sorted(_named(deviation), key=lambda found: _key(found[1]))]


def extend(deviation: Deviation, *, actor: User, at: datetime) -> list[Neighbour]:
    """Store what the rules name and is not stored yet; return all neighbours of the deviation."""
    DEVIATION.permit(actor, OfDeviation.EXTEND_SCOPE)
    with recording.recording(
        Action.SCOPE_EXTENDED, actor=actor, at=at, reason=f"neighbours of {deviation.number}"
    ):
        held = DEVIATION.take(deviation, OfDeviation.EXTEND_SCOPE)
        known = set(held.neighbours.values_list("kind", "name"))
        for rule, one in _named(held):
            if (one.kind, one.name) in known:
                continue
            _store(held, rule, one, at)
    return list(held.neighbours.order_by("kind", "name"))


def add(deviation: Deviation, *, suggestion: Suggestion, actor: User, at: datetime) -> Neighbour:
    """Store a neighbour that a person names, beside what the rules find."""
    DEVIATION.permit(actor, OfDeviation.EXTEND_SCOPE)
    because = recording.demand_reason(suggestion.because)
    with recording.recording(Action.SCOPE_EXTENDED, actor=actor, at=at, reason=because):
        held = DEVIATION.take(deviation, OfDeviation.EXTEND_SCOPE)
        if found := held.neighbours.filter(kind=suggestion.kind, name=suggestion.name).first():
            return found
        return _store(held, "person", suggestion, at)


def decide(
    neighbour: Neighbour, *, effect: Effect, reason: str, actor: User, at: datetime
) -> Neighbour:
    """Say whether a neighbour is affected, and why; it can be said anew until the closure."""
    DEVIATION.permit(actor, OfDeviation.DECIDE_NEIGHBOUR)
    text = recording.demand_reason(reason)
    if effect == Effect.PENDING:
        raise EffectNeeded(f"say of {neighbour.name} that it is affected, or not affected")
    with recording.recording(Action.NEIGHBOUR_DECIDED, actor=actor, at=at, reason=text):
        held = DEVIATION.take(neighbour.deviation, OfDeviation.DECIDE_NEIGHBOUR)
        stored = Neighbour.objects.select_for_update().get(pk=neighbour.pk)
        stored.effect = effect
        stored.reason = text
        stored.decided_by = actor
        stored.decided_at = at
        stored.save(update_fields=["effect", "reason", "decided_by", "decided_at"])
        if effect == Effect.AFFECTED and stored.kind in _consequences:
            _consequences[stored.kind](held, stored.name, actor, at, text)
    return stored


def _store(deviation: Deviation, rule: str, one: Suggestion, at: datetime) -> Neighbour:
    return Neighbour.objects.create(
        deviation=deviation,
        rule=rule[:60],
        kind=one.kind,
        name=one.name,
        because=_shortened(one.because),
        suggested_at=at,
    )


def _named(deviation: Deviation) -> list[tuple[str, Suggestion]]:
    """Return each thing once, with all rules that name it and all their reasons."""
    rules: dict[tuple[str, str], dict[str, None]] = {}
    reasons: dict[tuple[str, str], dict[str, None]] = {}
    for name, rule in sorted(_rules.items()):
        for one in rule(deviation):
            rules.setdefault(_key(one), {})[name] = None
            reasons.setdefault(_key(one), {})[one.because] = None
    return [
        (", ".join(rules[key]), Suggestion(*key, because="; ".join(because)))
        for key, because in reasons.items()
    ]


def _shortened(reasons: str) -> str:
    return reasons if len(reasons) <= LONGEST else f"{reasons[: LONGEST - 2]} …"


def _key(one: Suggestion) -> tuple[str, str]:
    return (one.kind, one.name)
