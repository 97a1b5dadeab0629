"""Say through which variables a probability left that of a batch that goes by the recipe.

One by one what departs is taken back: an input to its plan, a loop to its usual level, a constant to its
nominal value, a state to that of the recipe run open loop with nominal constants. Only means are moved,
the spread stays, and all variants share the noise of the future (`sharing`). What settles at once, say
dissolved oxygen and sugar, has no share: the rest puts it where it is.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from twins.models import crossing, sharing
from twins.models.crossing import Side
from twins.models.describing import Explanation
from twins.models.penicillin_fed_batch import layout as at
from twins.models.penicillin_fed_batch import measuring, projecting
from twins.models.penicillin_fed_batch.projecting import Course
from twins.models.penicillin_fed_batch.replaying import FloatArray

# A limit that is further away than this is not explained: it costs 21 runs of the ensemble.
EXPLAINED_FROM = 0.2
_BIOMASS = (at.A0, at.A1, at.A3, at.A4, at.AGE, *range(at.N0, at.PHI0 + 1), at.VIS)
_INPUTS: Mapping[str, tuple[str, ...]] = {
    "sugar feed": ("Fs",),
    "aeration, pressure and agitator": ("Fg", "pressure", "RPM"),
    "other feeds": ("Fw", "Fpaa", "Foil", "Fb"),
}
_LOOPS = "temperature and pH"
_ROWS: Mapping[str, tuple[str, ...] | tuple[int, ...]] = {
    "growth and production": ("mu_x", "mu_p"),
    "oxygen transfer": ("alpha_kla", "o2_in"),
    "strength of feeds": ("c_s", "c_paa", "n_paa", "c_acid_base", "t_coolant"),
    "biomass so far": _BIOMASS,
    "penicillin so far": (at.P,),
    "precursor and nitrogen so far": (at.PAA, at.NH3),
    "volume and weight so far": (at.V, at.W),
}
GROUPS: tuple[str, ...] = (*_INPUTS, _LOOPS, *_ROWS)
Project = Callable[[Course], Mapping[str, FloatArray]]


def explain(
    course: Course,
    nominal: Course,
    sides: Sequence[tuple[Side, str]],
    ends_h: Sequence[float],
    *,
    seed: int,
) -> dict[Side, Explanation]:
    """Explain sides of limits, each with its signal; raise `IntegrationInaccurate`.

    `nominal` has the mean state and constants of the recipe's batch in one row, and its loops.
    """
    orders = [list(range(len(GROUPS))), list(reversed(range(len(GROUPS))))]
    chains = [[course], [course]]
    for order, chain in zip(orders, chains, strict=True):
        for group in order:
            chain.append(_taken_back(chain[-1], GROUPS[group], course, nominal))
    known: dict[int, Mapping[str, FloatArray]] = {}

    def paths(one: Course) -> Mapping[str, FloatArray]:
        if id(one) not in known:
            known[id(one)] = projecting.project(one, seed=seed).paths
        return known[id(one)]

    run = [[paths(one) for one in chain] for chain in chains]
    return {
        side: sharing.between(
            list(GROUPS), orders, [[_odds(side, one[signal], ends_h) for one in row] for row in run]
        )
        for side, signal in sides
    }


def _odds(side: Side, paths: FloatArray, ends_h: Sequence[float]) -> float:
    return crossing.log_odds(crossing.probability(crossing.first_crossings(side, paths, ends_h)))


def _taken_back(now: Course, group: str, course: Course, nominal: Course) -> Course:
    if group in _INPUTS:
        places = [measuring.INPUT_TAGS.index(tag) for tag in _INPUTS[group]]
        plan = now.plan.copy()
        plan[:, places] = nominal.plan[:, places]
        return replace(now, plan=plan)
    if group == _LOOPS:
        return replace(now, temperature_k=nominal.temperature_k, ph=nominal.ph)
    places = [
        one if isinstance(one, int) else measuring.ROW_NAMES.index(one) for one in _ROWS[group]
    ]
    rows = now.rows.copy()
    rows[:, places] += nominal.rows[0, places] - course.rows[:, places].mean(axis=0)
    states = [one for one in places if one < at.STATES]
    rows[:, states] = np.maximum(rows[:, states], 0.0)
    return replace(now, rows=rows)
