"""Run cultures as one ensemble, each from its own start and feed, with any constants."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twins.models import feeding, integrate
from twins.models.cho_fed_batch import equations, measuring, parameters
from twins.models.cho_fed_batch.equations import STATE_NAMES, Coefficients, Feed
from twins.models.declarations import Parameter
from twins.models.requests import FeedStep

FloatArray = NDArray[np.float64]

# A counter calls a share of living cells dead: no constant of the culture, but of how it is measured.
CEILING = Parameter("viability_ceiling", 1.0, "1", "measurement, not in the source", 0.9, 1.0)
# Beside the noise of the laboratory: what differs between cultures run alike.
_MODEL_SHARE = 0.05
_NOISE = {name: measuring.ASSIMILATED[f"lab_{name}"] for name in (
    "viable_cells_1e6_per_ml", "viability_pct", "glucose_mmol_l", "lactate_mmol_l",
    "ammonium_mmol_l", "mab_g_l",
)}  # fmt: skip
OBSERVED = tuple(_NOISE)
_INTERVAL_H = 2.0
_STEPS = 2


@dataclass(frozen=True)
class Culture:
    """One culture: how it started, what it was fed, and what was measured (not-a-number: nothing)."""

    name: str
    initial: Mapping[str, float]
    feed: tuple[FeedStep, ...]
    feed_glucose_mmol_l: float
    feed_glutamine_mmol_l: float
    times_h: FloatArray
    measured: Mapping[str, FloatArray]


def predict(
    cultures: Sequence[Culture], values: Mapping[str, float]
) -> tuple[list[dict[str, FloatArray]], float]:
    """Return what each culture's instruments would read at its times, and the step-halving error.

    Raise `IntegrationInaccurate`.
    """
    found, error = computed(cultures, [values], with_error=True)
    integrate.require(error, tolerance=1e-4)
    return found[0], error


def computed(
    cultures: Sequence[Culture], sets: Sequence[Mapping[str, float]], *, with_error: bool
) -> tuple[list[list[dict[str, FloatArray]]], float]:
    """Run every culture with every set of constants as one ensemble; members are sets x cultures."""
    known = {
        one.name: np.repeat([values.get(one.name, one.value) for values in sets], len(cultures))
        for one in (*parameters.PARAMETERS, CEILING)
    }
    coefficients = Coefficients(
        known["mu_max"], known["k_d"], known["m_glc"], known["y_lac_glc"], known["q_mab"]
    )
    start = np.array([[float(one.initial[name]) for one in cultures] for name in STATE_NAMES])
    glucose = np.tile([one.feed_glucose_mmol_l for one in cultures], len(sets))
    glutamine = np.tile([one.feed_glutamine_mmol_l for one in cultures], len(sets))
    last = max(float(one.times_h[-1]) for one in cultures)
    ends_h = _INTERVAL_H * np.arange(1, int(np.ceil(last / _INTERVAL_H - 1e-9)) + 1)
    state = np.tile(start, (1, len(sets)))
    solution, recorded, worst = integrate.begin(state), [state], 0.0
    for end_h in ends_h.tolist():
        rates = [
            feeding.mean_rate(one.feed, start_h=end_h - _INTERVAL_H, end_h=end_h)
            for one in cultures
        ]
        derivative = equations.derivative(
            coefficients, Feed(np.tile(rates, len(sets)), glucose, glutamine), known
        )
        if with_error:
            solution = integrate.advance(
                solution, derivative, duration_h=_INTERVAL_H, steps=2 * _STEPS
            )
            worst = max(worst, integrate.error(solution, scale=equations.SCALE))
            state = solution.fine
        else:
            state = integrate.rk4(derivative, state, duration_h=_INTERVAL_H, steps=_STEPS)
        recorded.append(state)
    path, grid = np.stack(recorded), np.concatenate([[0.0], ends_h])
    found: list[list[dict[str, FloatArray]]] = []
    for at in range(len(sets)):
        mine = []
        for place, culture in enumerate(cultures):
            member = at * len(cultures) + place
            rows = np.stack(
                [
                    np.interp(culture.times_h, grid, path[:, row, member])
                    for row in range(path.shape[1])
                ]
            )
            mine.append(_outputs(rows, culture, float(known[CEILING.name][member])))
        found.append(mine)
    return found, worst


def _outputs(rows: FloatArray, culture: Culture, ceiling: float) -> dict[str, FloatArray]:
    found = {tag: measuring.PROCESS_VALUES[tag](rows) for tag in culture.measured}
    if "viability_pct" in found:
        found["viability_pct"] = ceiling * found["viability_pct"]
    return found


def noise_sd(tag: str, value: FloatArray) -> FloatArray:
    output = _NOISE[tag]
    share = 0.0 if tag == "viability_pct" else _MODEL_SHARE
    found: FloatArray = output.noise_sd + (output.noise_relative + share) * np.abs(value)
    return found
