"""Say through which variables a probability left that of a nominal batch.

One by one the estimated shifts are taken back: of a parameter, to its nominal value; of a state, to
that of the recipe run open loop with nominal parameters. Only means are moved, the spread of the
ensemble stays, and all variants share the noise of the future. The change of the log-odds at each
step belongs to the variable taken back in it. As steps interact, they are made in the declared
order and in the reverse one, and averaged: the contributions sum to the whole change in both.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from twins.models import crossing, ensemble, feeding, observing, projection, sharing
from twins.models.cho_fed_batch import measuring, members, self_checks, simulation
from twins.models.cho_fed_batch.declared import FEED_RATE_TAG
from twins.models.cho_fed_batch.equations import (
    AMMONIUM,
    DEAD,
    GLUCOSE,
    GLUTAMINE,
    LACTATE,
    MAB,
    VIABLE,
    VOLUME,
)
from twins.models.crossing import Side
from twins.models.estimation import MEMBERS, Estimate
from twins.models.forecasts import Contribution
from twins.models.requests import ForecastRequest

FloatArray = NDArray[np.float64]

GROUPS: tuple[tuple[str, tuple[int, ...]], ...] = (
    ("feed_pump_efficiency", (measuring.PUMP,)),
    ("mu_max_factor", (measuring.MU_MAX,)),
    ("k_d_factor", (measuring.K_D,)),
    ("m_glc_factor", (measuring.M_GLC,)),
    ("y_lac_glc_factor", (measuring.Y_LAC,)),
    ("q_mab_factor", (measuring.Q_MAB,)),
    ("cells so far", (VIABLE, DEAD)),
    ("glucose so far", (GLUCOSE,)),
    ("lactate so far", (LACTATE,)),
    ("glutamine and ammonium so far", (GLUTAMINE, AMMONIUM)),
    ("antibody and volume so far", (MAB, VOLUME)),
)


def nominal_states(request: ForecastRequest, *, at_h: float) -> FloatArray:
    """Return the states that the recipe's batch would have now; raise `IntegrationInaccurate`."""
    ends_h = observing.grid(at_h)
    seen = observing.visible(request.observations, as_of_h=request.as_of_h)
    read = {
        end_h: one.value
        for end_h, group in observing.by_interval(seen, ends_h=ends_h).items()
        for one in group
        if one.tag == FEED_RATE_TAG
    }
    rates = [
        feeding.commanded(request.feed, read, start_h=start_h, end_h=end_h)
        for start_h, end_h in zip((0.0, *ends_h), ends_h, strict=False)
    ]
    constants = members.coefficients(
        np.concatenate([np.zeros((members.STATES, 1)), members.NOMINAL])
    )
    run = simulation.simulate(
        request.initial,
        ends_h=ends_h,
        rates_l_per_h=rates,
        feed_glucose_mmol_l=request.feed_glucose_mmol_l,
        feed_glutamine_mmol_l=request.feed_glutamine_mmol_l,
        coefficients=constants,
    )
    self_checks.require(
        run,
        rates_l_per_h=tuple(rates),
        feed_glucose_mmol_l=request.feed_glucose_mmol_l,
        feed_glutamine_mmol_l=request.feed_glutamine_mmol_l,
        y_lac_glc=float(np.max(constants.y_lac_glc)),
    )
    last: FloatArray = run.states[:, -1]
    return last


def of_process(
    request: ForecastRequest, estimate: Estimate, sides: Sequence[Side]
) -> list[tuple[float, float, tuple[Contribution, ...]]]:
    """Return for each side its log-odds, the nominal ones, and what lies between."""
    nominal = np.concatenate([nominal_states(request, at_h=estimate.at_h), members.NOMINAL[:, 0]])
    shift = ensemble.mean(estimate.rows) - nominal
    names = [name for name, _ in GROUPS]
    orders = [list(range(len(GROUPS))), list(reversed(range(len(GROUPS))))]
    variants = [estimate.rows]
    for order in orders:
        current = estimate.rows
        for group in order:
            current = _taken_back(current, GROUPS[group][1], shift)
            variants.append(current)
    paths = projection.project(request, np.concatenate(variants, axis=1))
    found = []
    for side in sides:
        values = paths.paths[side.limit.tag]
        odds = [
            crossing.log_odds(
                crossing.probability(
                    crossing.first_crossings(side, values[start : start + MEMBERS], paths.ends_h)
                )
            )
            for start in range(0, values.shape[0], MEMBERS)
        ]
        count = len(GROUPS)
        chains = [[odds[0], *odds[1 : count + 1]], [odds[0], *odds[count + 1 :]]]
        found.append(sharing.between(names, orders, chains))
    return found


def _taken_back(rows: FloatArray, group: tuple[int, ...], shift: FloatArray) -> FloatArray:
    changed = rows.copy()
    for row in group:
        changed[row] = rows[row] - shift[row]
        if row < members.STATES:
            changed[row] = np.maximum(changed[row], 0.0)
    return changed
