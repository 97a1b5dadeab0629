"""Weigh a bank of explanations of what a batch shows: a fault of process or probe, or none of these.

A hypothesis says of each sign whether it moves (and to which side), may move, or stays as in a normal
batch. Its likelihood is the product over signs; the weight is prior times likelihood, and the weights
add up to one. Signs are taken as independent; how often normal batches are then taken for faulty ones is
measured in `docs/penicillin.md`.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from twins.models.penicillin_fed_batch.signatures import NAMES, FloatArray

Kind = Literal["normal", "process", "probe", "none"]
KINDS: tuple[Kind, ...] = ("normal", "process", "probe", "none")

# A normal sign is a Student t of four degrees whose 95 % point is the usual size (1).
_DEGREES, _POINT = 4, 2.776445
# The size of a moved sign is half a Cauchy: half of all faults move theirs beyond this.
_MOVED = 3.0
# Of the signs that may move, these do; of all signs, when none of the bank is true.
_MAY_SHARE, _ANY_SHARE = 0.3, 0.5
DECIDED_FROM = 0.9
# The prior of each kind, shared equally among its hypotheses.
PRIOR_OF_KIND: Mapping[Kind, float] = {"normal": 0.2, "process": 0.45, "probe": 0.3, "none": 0.05}


@dataclass(frozen=True)
class Hypothesis:
    """One explanation; `moves` gives each sign that it moves a side (0: either), `may` those it may."""

    name: str
    title: str
    kind: Kind
    moves: Mapping[str, int]
    may: tuple[str, ...] = ()


_ANSWERS = (
    "base-loop", "ph", "coolant-loop", "temperature", "transfer", "strength", "carbon",
)  # fmt: skip
_CULTURE = ("transfer", "strength", "carbon")

BANK: tuple[Hypothesis, ...] = (
    Hypothesis("normal", "nothing but chance", "normal", {}),
    Hypothesis("sugar-less", "sugar feed delivers less", "process", {"sugar": -1}, _ANSWERS),
    Hypothesis("sugar-more", "sugar feed delivers more", "process", {"sugar": 1}, _ANSWERS),
    Hypothesis("aeration-less", "aeration too low", "process", {"aeration": -1}, _ANSWERS),
    Hypothesis("aeration-more", "aeration too high", "process", {"aeration": 1}, _ANSWERS),
    Hypothesis("pressure-less", "back pressure too low", "process", {"pressure": -1}, _ANSWERS),
    Hypothesis("pressure-more", "back pressure too high", "process", {"pressure": 1}, _ANSWERS),
    Hypothesis("base-less", "base flow too low", "process", {"base-loop": -1, "ph": -1}, _CULTURE),
    Hypothesis("base-more", "base flow too high", "process", {"base-loop": 1, "ph": 1}, _CULTURE),
    Hypothesis(
        "coolant-less",
        "coolant too low",
        "process",
        {"coolant-loop": -1},
        ("temperature", *_CULTURE),
    ),
    Hypothesis(
        "coolant-more",
        "coolant too high",
        "process",
        {"coolant-loop": 1},
        ("temperature", *_CULTURE),
    ),
    Hypothesis("transfer", "oxygen transfer changed", "process", {"transfer": 0}),
    Hypothesis("strength", "sugar of another strength", "process", {"strength": 0, "carbon": 0}),
    Hypothesis("temperature-probe", "temperature probe drifts", "probe", {"heat": 0}, _CULTURE),
    Hypothesis("oxygen-probe", "dissolved-oxygen probe is off", "probe", {"transfer": 0}),
    Hypothesis("ph-probe", "pH probe drifts", "probe", {}),
    Hypothesis("none", "none of these", "none", dict.fromkeys(NAMES, 2)),
)


@dataclass(frozen=True)
class Weighed:
    """Weights (hypotheses of `BANK`,) that add up to one, with what can be concluded from them.

    `undecided` names the likeliest hypotheses that hold 90 % of the weight, and those with the same
    signature as one of them; it is empty when the first holds as much alone and no other looks alike.
    """

    weights: FloatArray
    of_kind: Mapping[Kind, float]
    likeliest: str
    undecided: tuple[str, ...]
    alike: tuple[tuple[str, ...], ...]

    @property
    def verdict(self) -> Kind | Literal["undecided"]:
        """Return whose sum of weights is at least 90 %, process, probe, normal or none of these."""
        return next((k for k in KINDS if self.of_kind[k] >= DECIDED_FROM), "undecided")


def priors(bank: Sequence[Hypothesis] = BANK) -> FloatArray:
    """Return the prior weight of each hypothesis; they add up to one."""
    count = {kind: sum(one.kind == kind for one in bank) for kind in KINDS}
    found = np.array([PRIOR_OF_KIND[one.kind] / count[one.kind] for one in bank])
    return found / _total(found)


def weigh(size: FloatArray, bank: Sequence[Hypothesis] = BANK) -> Weighed:
    """Return the weights of the bank given every sign in usual sizes (signs,)."""
    logs = [
        math.log(prior) + log_likelihood(one, size)
        for one, prior in zip(bank, priors(bank).tolist(), strict=True)
    ]
    most = max(logs)
    raw = np.array([math.exp(one - most) for one in logs])
    weights: FloatArray = raw / _total(raw)
    of_kind: dict[Kind, float] = {
        kind: _total(weights[[one.kind == kind for one in bank]]) for kind in KINDS
    }
    order = ranked(weights)
    likeliest = bank[order[0]]
    held, group = 0.0, []
    for place in order:
        if held >= DECIDED_FROM:
            break
        group.append(bank[place])
        held += float(weights[place])
    group += [one for one in bank if one not in group and any(_alike(one, each) for each in group)]
    names = tuple(one.name for one in group) if len(group) > 1 else ()
    return Weighed(weights, of_kind, likeliest.name, names, alike(bank))


def ranked(weights: FloatArray) -> list[int]:
    """Return the places of hypotheses, the likeliest first."""
    return sorted(range(len(weights)), key=lambda place: (-weights[place], place))


def log_likelihood(hypothesis: Hypothesis, size: FloatArray) -> float:
    """Return the logarithm of the density of all signs under a hypothesis."""
    total = 0.0
    for name, z in zip(NAMES, size.tolist(), strict=True):
        normal, moved = _normal(z), _moved(z)
        side = hypothesis.moves.get(name)
        if side == 2:
            density = (1.0 - _ANY_SHARE) * normal + _ANY_SHARE * moved
        elif side is not None:
            # A sign that should move to one side and is on the other is chance at best.
            density = moved if side == 0 else 2.0 * moved if side * z > 0.0 else 1e-3 * normal
        elif name in hypothesis.may:
            density = (1.0 - _MAY_SHARE) * normal + _MAY_SHARE * moved
        else:
            density = normal
        total += math.log(density)
    return total


def alike(bank: Sequence[Hypothesis] = BANK) -> tuple[tuple[str, ...], ...]:
    """Return the groups of hypotheses that no batch can tell apart with these signs."""
    groups: list[list[Hypothesis]] = []
    for one in bank:
        known = next((group for group in groups if _alike(group[0], one)), None)
        if known is None:
            groups.append([one])
        else:
            known.append(one)
    return tuple(tuple(one.name for one in group) for group in groups if len(group) > 1)


def _alike(one: Hypothesis, other: Hypothesis) -> bool:
    return dict(one.moves) == dict(other.moves) and set(one.may) == set(other.may)


def _normal(z: float) -> float:
    t = _POINT * z
    return _POINT * 0.375 * float((1.0 + t * t / _DEGREES) ** -2.5)


def _moved(z: float) -> float:
    return 1.0 / (math.pi * _MOVED * (1.0 + (z / _MOVED) ** 2))


def _total(values: FloatArray) -> float:
    return math.fsum(values.tolist())
