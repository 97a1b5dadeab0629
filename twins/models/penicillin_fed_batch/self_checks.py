"""Checks that a run of the penicillin fed-batch must pass before anyone looks at it.

They use what the equations promise but the integration does not enforce: volume, weight, precursor,
no negative amount, no more biomass and penicillin than the sugar and oil can give.
"""

import numpy as np
from numpy.typing import NDArray

from twins.models.penicillin_fed_batch import layout as at
from twins.models.penicillin_fed_batch import parameters as k
from twins.models.penicillin_fed_batch.simulation import Run
from twins.models.self_checking import SelfCheckFailed

FloatArray = NDArray[np.float64]

_NOT_NEGATIVE = [row for row in range(at.STATES) if row not in (at.Q, at.PH)]


def require(
    run: Run, inputs: FloatArray, *, constants: FloatArray | None = None, tolerance: float = 1e-3
) -> None:
    """Raise `SelfCheckFailed` with the first balance that does not close."""
    p = k.nominal() if constants is None else constants
    if not np.all(np.isfinite(run.states)):
        raise SelfCheckFailed("a state is not a number")
    low = run.states[:, _NOT_NEGATIVE] / np.maximum(
        np.ptp(run.states[:, _NOT_NEGATIVE], axis=0), 1e-12
    )
    if np.any(low < -1e-4):
        row = _NOT_NEGATIVE[int(np.argwhere(low < -1e-4)[0][1])]
        raise SelfCheckFailed(f"{at.STATE_NAMES[row]} becomes negative")
    hours = np.diff(run.ends_h)
    x = 0.5 * (run.states[1:] + run.states[:-1])
    biomass = x[:, [at.A0, at.A1, at.A3, at.A4]].sum(axis=1)
    warmth = (x[:, at.T] - p[k.T_0]) / (p[k.T_BOILING] - p[k.T_0])
    evaporated = x[:, at.V] * p[k.ALPHA_EVAPORATION] * (np.exp(2.5 * warmth) - 1.0)
    liquid = inputs[:, [at.FPAA, at.FS, at.FA, at.FB, at.FW]].sum(axis=1)
    out = inputs[:, at.DISCHARGE]
    density = 1.1 + 0.001 * (x[:, at.P] + biomass)
    first, last = run.states[0], run.states[-1]
    _close(
        "volume", last[at.V] - first[at.V],
        float(np.sum(hours * (liquid - evaporated + out / density))), tolerance * last[at.V],
    )  # fmt: skip
    syrup = 1.0 + (p[k.RHO_SUGAR] - p[k.RHO_WATER]) * p[k.C_S] * 1e-6
    fed = liquid + inputs[:, at.FS] * (syrup - 1.0) + inputs[:, at.FOIL] * p[k.RHO_OIL] / 1000.0
    _close(
        "weight", last[at.W] - first[at.W],
        float(np.sum(hours * (fed - evaporated + out))), tolerance * last[at.W],
    )  # fmt: skip
    # What left with the broth counts as there still.
    share = -out / density / x[:, at.V]
    kept = float(np.sum(hours * share * x[:, at.V] * (biomass + x[:, at.P])))
    made = kept + last[at.V] * (last[[at.A0, at.A1, at.A3, at.A4, at.P]].sum())
    made -= first[at.V] * first[[at.A0, at.A1, at.A3, at.A4, at.P]].sum()
    given = hours * (inputs[:, at.FS] * p[k.C_S] + inputs[:, at.FOIL] * p[k.C_OIL])
    given_g = float(np.sum(given)) + first[at.V] * first[at.S]
    if made > given_g / min(p[k.Y_SX], p[k.Y_SP]):
        raise SelfCheckFailed(
            f"{made / 1e3:.0f} kg of cells and product from {given_g / 1e3:.0f} kg"
        )


def _close(what: str, found: float, expected: float, tolerance: float) -> None:
    if abs(found - expected) > tolerance:
        raise SelfCheckFailed(f"the balance of {what} does not close: {found:g}, {expected:g}")
