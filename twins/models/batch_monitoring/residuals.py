"""Say what a signal should be from the others, its past and the set-points; keep the difference."""

from dataclasses import dataclass

import numpy as np

from twins.models.batch_monitoring.design import (
    BACK_STEPS,
    CARRIED,
    COLUMN,
    INDEX,
    PHASE_EDGES_H,
    SIGNALS,
    Design,
)
from twins.models.batch_monitoring.samples import Floats
from twins.models.batch_monitoring.signals import LABORATORY_NAMES, SET_POINTS

PHASES = len(PHASE_EDGES_H) + 1
# A batch that looks like a flow that the loop cannot exceed.
LOOPS = ("Fb", "Fc", "Fh")
ANSWERS = ("Fb", "Fc", "Fh", "DO2", "Wt", "pH", "T", "Q", "CO2outgas", "O2", "OUR", "CER")
DRIVES = (*SET_POINTS, "Fremoved")
_ONLINE = tuple(name for name in SIGNALS if name not in LABORATORY_NAMES)
# What is computed from a signal may not explain it.
_PARTS = {
    "Fg": ("carbon", "oxygen"),
    "CO2outgas": ("carbon",),
    "O2": ("oxygen",),
}


@dataclass(frozen=True)
class Relation:
    """One regression: a target column, the columns that explain it, and how strongly it shrinks."""

    name: str
    kind: str
    signal: str
    target: str
    regressors: tuple[str, ...]
    shrink: float
    needs_steps: int


def relations() -> tuple[Relation, ...]:
    """Return all regressions of the twin."""
    found = [_next(name) for name in ANSWERS]
    found += [_level(name) for name in ANSWERS]
    for back in BACK_STEPS:
        found += [_against_past(name, back) for name in ANSWERS]
        found += [_driven(name, back) for name in ANSWERS]
    return tuple(found)


def _others(name: str) -> tuple[str, ...]:
    return tuple(one for one in _ONLINE if one != name and one not in _PARTS.get(name, ()))


def _next(name: str) -> Relation:
    own = [f"{ago} ago {name}" for ago in (1, 2, 3)]
    others = [f"{when} {one}" for when in ("now", "1 ago") for one in _others(name)]
    columns = (*own, f"before {name}", *others, "age", "one")
    return Relation(f"next {name}", "next", name, f"now {name}", columns, 1e-4, 3)


def _level(name: str) -> Relation:
    columns = [f"short {one}" for one in _others(name)]
    columns += [f"now {one}" for one in LABORATORY_NAMES]
    return Relation(
        f"level {name}", "level", name, f"short {name}", (*columns, "age", "one"), 3e-3, 15
    )


def _against_past(name: str, back: str) -> Relation:
    when = "short" if back == "12" else "long"
    columns = [f"{back} ago {name}"]
    columns += [f"{tense} {one}" for tense in (when, f"{back} ago") for one in _others(name)]
    columns += [f"mean {back} {one}" for one in CARRIED if one != name]
    return Relation(
        f"past{back} {name}",
        f"past{back}",
        name,
        f"{when} {name}",
        (*columns, "age", "one"),
        1e-2,
        BACK_STEPS[back] + 5,
    )


def _driven(name: str, back: str) -> Relation:
    when = "short" if back == "12" else "long"
    columns = [f"{back} ago {one}" for one in _ONLINE]
    columns += [f"{when} {one}" for one in DRIVES]
    columns += [f"mean {back} {one}" for one in (*DRIVES,) if one in CARRIED]
    return Relation(
        f"driven{back} {name}",
        f"driven{back}",
        name,
        f"{when} {name}",
        (*columns, "age", "one"),
        1e-2,
        BACK_STEPS[back] + 5,
    )


def fit(relation: Relation, gram: Floats, counts: Floats) -> Floats:
    """Return the coefficients, one row a phase, from the summed products of all columns.

    Each phase is shrunk towards all phases together, in units of the spread over all of them: what a
    phase hardly ever saw move (a burst of heating, a discharge) keeps its effect elsewhere.
    """
    at = [COLUMN[name] for name in relation.regressors]
    target = COLUMN[relation.target]
    whole, total = gram.sum(axis=0), float(counts.sum())
    scale = np.sqrt(np.diag(whole)[at] / total)
    used = scale > 1e-9
    at, scale = [one for one, kept in zip(at, used, strict=True) if kept], scale[used]

    def solved(products: Floats, count: float, start: Floats) -> Floats:
        part = products[np.ix_(at, at)] / np.outer(scale, scale) / count
        right = products[at, target] / scale / count - part @ start
        change: Floats = np.linalg.solve(part + relation.shrink * np.eye(len(at)), right)
        return start + change

    everywhere = solved(whole, total, np.zeros(len(at)))
    found = np.zeros((PHASES, len(used)))
    for phase in range(PHASES):
        known = counts[phase] >= 5 * len(used)
        here = solved(gram[phase], float(counts[phase]), everywhere) if known else everywhere
        found[phase, used] = here / scale
    return found


def residual(relation: Relation, coefficients: Floats, design: Design, limits: Floats) -> Floats:
    """Return measured less expected, step by step; zero where it cannot be told.

    Products are added column after column, so that a step's bits do not depend on its neighbours.
    """
    weights = np.ascontiguousarray(coefficients.T)[:, design.phase]
    expected = np.zeros(len(design.slot))
    for place, name in enumerate(relation.regressors):
        expected = expected + weights[place] * design.columns[:, COLUMN[name]]
    own = INDEX[relation.signal]
    if relation.kind == "next" and relation.signal in LOOPS:
        # A pump cannot give less than nothing nor more than its most.
        usual = design.transformed[:, own] - design.signals[:, own]
        usual = np.nan_to_num(usual)
        low, high = limits[own]
        expected = np.clip(expected + usual, low, high) - usual
    found = design.columns[:, COLUMN[relation.target]] - expected
    steps = np.arange(len(found))
    silent = (steps < relation.needs_steps) | ~design.known[:, own]
    if relation.kind == "next":
        # After a hole the own past is not the past of three samples.
        silent |= ~design.whole[:, own]
    return np.where(silent, 0.0, found)
