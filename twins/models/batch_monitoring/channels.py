"""All that is watched: each channel is one signed number a step, near zero in a usual batch."""

from dataclasses import dataclass

import numpy as np

from twins.models.batch_monitoring import residuals, windows
from twins.models.batch_monitoring.design import COLUMN, INDEX, Design, fresh_for
from twins.models.batch_monitoring.samples import Floats, Grid
from twins.models.batch_monitoring.signals import (
    LABORATORY_NAMES,
    ONLINE_NAMES,
    SET_POINTS,
    WITHOUT_NOISE,
)

RELATIONS = residuals.relations()
_RECIPE = (*SET_POINTS, "Fremoved")
_NOISY = tuple(name for name in ONLINE_NAMES if name not in WITHOUT_NOISE)
_GOLDEN = ("Fb", "Fa", "Fc", "Fh", "DO2", "Wt", "pH", "T", "Q", "CO2outgas", "O2", "OUR", "CER")


# Where the recipe steps, an expectation may be wrong for some samples.
_OVER_H = {"level": 1.5, "past12": 1.5, "driven12": 1.5, "past48": 4.0, "driven48": 4.0}


@dataclass(frozen=True)
class Channel:
    """A watched number: which kind of check it is, and the signal it speaks of."""

    kind: str
    signal: str

    @property
    def name(self) -> str:
        """Return the name."""
        return f"{self.kind} {self.signal}"


def _all() -> tuple[Channel, ...]:
    found = []
    for relation in RELATIONS:
        if relation.kind == "next":
            found += [Channel(f"next-{over}", relation.signal) for over in ("1", "3", "12")]
        else:
            found.append(Channel(relation.kind, relation.signal))
    found += [Channel("recipe", name) for name in _RECIPE]
    found += [Channel("recipe-slow", name) for name in _RECIPE]
    found += [Channel("recipe-strict", name) for name in _RECIPE]
    found += [Channel("noise", name) for name in _NOISY]
    found += [Channel("loop", name) for name in ("Fb", "Fa", "Fh", "Fc")]
    found += [Channel("usual", name) for name in _GOLDEN]
    found += [Channel("laboratory", name) for name in LABORATORY_NAMES]
    found += [Channel("laboratory-slow", name) for name in LABORATORY_NAMES]
    return tuple(found)


CHANNELS = _all()
CHANNEL = {one.name: place for place, one in enumerate(CHANNELS)}


@dataclass(frozen=True)
class Fitted:
    """What the channels learn from normal batches."""

    profile: Floats
    last_slot: int
    aims: Floats
    relation: dict[str, Floats]
    limits: Floats
    laboratory: dict[str, Floats]


def signed(grid: Grid, design: Design, fitted: Fitted) -> Floats:
    """Return all channels of a batch, one column each."""
    raw: dict[str, tuple[Floats, float]] = {}
    for relation in RELATIONS:
        r = residuals.residual(relation, fitted.relation[relation.name], design, fitted.limits)
        if relation.kind == "next":
            for over, hours in (("1", 0.8), ("3", 3.0), ("12", 12.0)):
                raw[f"next-{over} {relation.signal}"] = (r, hours)
        else:
            raw[relation.name] = (r, _OVER_H[relation.kind])
    raw |= _loops(design, fitted)
    found = windows.smoothed_all(raw)
    _recipe(design, fitted, found)
    _noise(grid, found)
    for name in _GOLDEN:
        found[f"usual {name}"] = design.columns[:, COLUMN[f"short {name}"]]
    _laboratory(grid, design, fitted, found)
    every = np.column_stack([found[one.name] for one in CHANNELS])
    # Older than enough normal batches ever were, nothing is known to be unusual.
    return np.where((design.slot <= fitted.last_slot)[:, None], every, np.nan)


def _recipe(design: Design, fitted: Fitted, found: dict[str, Floats]) -> None:
    usual = fitted.profile[design.slot]
    shares = []
    for name in _RECIPE:
        at = INDEX[name]
        # As a share of what the recipe says; of next to nothing, of a small flow.
        floor = {"Fremoved": 400.0, "pressure": 0.2, "Fpaa": 2.0, "Fw": 50.0}.get(name, 5.0)
        shares.append(design.signals[:, at] / np.maximum(np.abs(usual[:, at]), floor))
    share = np.column_stack(shares)
    width = share.shape[1]
    every = windows.smoothed(
        np.column_stack([share] * 4),
        over_h=np.repeat([0.4, 1.5, 16.0, 4.0], width),
        start=np.zeros(4 * width),
    )
    fast, medium, slow, followed = np.split(every, 4, axis=1)
    # Some batches follow the recipe to the percent, others are led by an operator. Once any
    # set-point strayed early, or another one later, a set-point may.
    strayed = np.maximum.accumulate(np.abs(followed), axis=0)
    lately = windows.delayed(strayed, steps=5)
    early = strayed.copy()
    early[_EARLY_STEPS:] = strayed[min(_EARLY_STEPS, len(strayed)) - 1]
    for place, name in enumerate(_RECIPE):
        found[f"recipe {name}"] = fast[:, place]
        found[f"recipe-slow {name}"] = slow[:, place]
        others = np.delete(lately, place, axis=1).max(axis=1)
        strict = (others < _STRICT) & (early.max(axis=1) < _STRICT) & (design.slot > _EARLY_STEPS)
        found[f"recipe-strict {name}"] = np.where(strict, medium[:, place], 0.0)


_EARLY_STEPS, _STRICT = 150, 0.012


def _noise(grid: Grid, found: dict[str, Floats]) -> None:
    """Compare the roughness of each probe with its usual one: a stuck probe is too smooth."""
    x = grid.values[:, [ONLINE_NAMES.index(name) for name in _NOISY]]
    fresh = grid.fresh[:, [ONLINE_NAMES.index(name) for name in _NOISY]]
    rough = np.abs(x - 2.0 * windows.delayed(x, steps=1) + windows.delayed(x, steps=2))
    share = np.nan_to_num(rough / np.maximum(np.abs(x), 1e-3))
    # The logarithm first: one step of the recipe is one rough sample among many.
    # Held values are smooth, but not because the probe is stuck.
    told = fresh_for(fresh, 3)
    told[:2] = False
    # The mean over two hours is one of few samples at first.
    settled = np.add.accumulate(told.astype(np.int64), axis=0) >= _SETTLED_STEPS
    logarithm = np.log(np.minimum(share, 0.5) + 1e-6)
    smooth = windows.smoothed(logarithm, over_h=2.0, told=told)
    for place, name in enumerate(_NOISY):
        # A pump that stands still makes no noise.
        moves = np.abs(x[:, place]) > (0.05 if name in ("Fb", "Fc", "Fw", "Fpaa") else 0.0)
        found[f"noise {name}"] = np.where(
            told[:, place] & settled[:, place] & moves, smooth[:, place], np.nan
        )


_SETTLED_STEPS = 20


def _loops(design: Design, fitted: Fitted) -> dict[str, tuple[Floats, float]]:
    """Find a loop that leaves its signal off the set-point while its actuator has room left."""
    found: dict[str, tuple[Floats, float]] = {}
    for name, low_side, high_side in _LOOPS:
        at = INDEX[name]
        aim = fitted.aims[at]
        error = np.where(design.known[:, at], np.nan_to_num(design.transformed[:, at]) - aim, 0.0)
        for side, actuator in ((-1.0, low_side), (1.0, high_side)):
            moved = np.nan_to_num(design.transformed[:, INDEX[actuator]])
            room = moved < 0.93 * fitted.limits[INDEX[actuator], 1]
            one_sided = np.where(room, np.maximum(side * error, 0.0), 0.0)
            found[f"loop {actuator}"] = (one_sided, 2.5)
    return found


# The signal, what moves when it is too low, and what moves when it is too high.
_LOOPS = (("pH", "Fb", "Fa"), ("T", "Fh", "Fc"))


def _laboratory(grid: Grid, design: Design, fitted: Fitted, found: dict[str, Floats]) -> None:
    """Compare each result with what the signals said when its sample was taken."""
    for place, name in enumerate(LABORATORY_NAMES):
        coefficients = fitted.laboratory[name]
        fast = np.zeros(len(design.slot))
        slow = np.zeros(len(design.slot))
        now, mean = 0.0, 0.0
        at_once = np.flatnonzero(grid.laboratory_fresh[:, place])
        last = -1
        for step in range(len(fast)):
            if last + 1 < len(at_once) and at_once[last + 1] == step:
                last += 1
                if last >= 1:
                    row = laboratory_row(design, int(step), int(at_once[last - 1]))
                    expected = 0.0
                    for c, one in zip(coefficients[design.phase[step]].tolist(), row, strict=True):
                        expected += c * one
                    now = row_target(design, name, int(step)) - expected
                    mean = mean + 0.35 * (now - mean)
            fast[step], slow[step] = now, mean
        found[f"laboratory {name}"] = fast
        found[f"laboratory-slow {name}"] = slow


_LAB_SIGNALS = (
    "Fg", "Fs", "Fb", "Fw", "pressure", "Fpaa", "Foil", "DO2", "Wt", "Q", "CO2outgas", "O2",
    "OUR", "CER",
)  # fmt: skip
LAB_ROW = 2 * len(_LAB_SIGNALS) + len(LABORATORY_NAMES) + 2


def laboratory_row(design: Design, step: int, before: int) -> list[float]:
    """Return what explains a result: signals when the sample was taken, and the results before."""
    sampled = max(step - 20, 0)
    row = [float(design.columns[sampled, COLUMN[f"short {one}"]]) for one in _LAB_SIGNALS]
    row += [float(design.columns[sampled, COLUMN[f"12 ago {one}"]]) for one in _LAB_SIGNALS]
    row += [float(design.signals[before, INDEX[one]]) for one in LABORATORY_NAMES]
    return [*row, float(design.columns[step, COLUMN["age"]]), 1.0]


def row_target(design: Design, name: str, step: int) -> float:
    """Return the result, less what is usual at that age."""
    return float(design.signals[step, INDEX[name]])
