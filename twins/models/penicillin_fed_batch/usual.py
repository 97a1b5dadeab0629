"""What normal batches show: how their loops act, and how far each sign departs within some hours.

Measured on the 120 normal batches of a campaign simulated after Goldrick et al. (2015, 2019) by
`python -m tests.twins.models.penicillin_fed_batch.explained`; no deviating batch was looked at.
"""

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

SET_POINTS = {"pH": 6.5, "T": 298.0}
# A flow is these times: itself before, the deviation from the set-point now and the three before, 1.
LOOPS: dict[str, FloatArray] = {
    "Fb": np.array([0.9863, 34.6374, 202.052, 109.6363, -78.4591, 1.1483]),
    "Fc": np.array([0.8262, -52.1173, 311.9859, -203.4407, 17.952, 8.0715]),
}
ELAPSED_H: FloatArray = np.array([1.0, 3.0, 6.0, 12.0, 24.0, 48.0, 96.0])
# The departure that one normal window in twenty exceeds: a row an elapsed time, a column a sign.
SIZES: FloatArray = np.array(
    [
        [0.04913, 0.036, 0.01639, 0.0571, 0.06408, 0.188, 0.1812, 0.01922, 0.05609, 0.1077, 0.8368],
        [
            0.06368,
            0.04647,
            0.01869,
            0.07523,
            0.1091,
            0.2261,
            0.2321,
            0.0217,
            0.06994,
            0.1301,
            0.9222,
        ],
        [
            0.07673,
            0.05905,
            0.02051,
            0.1154,
            0.1256,
            0.2738,
            0.3205,
            0.02361,
            0.08161,
            0.1637,
            1.098,
        ],
        [0.09041, 0.06811, 0.02149, 0.1564, 0.1368, 0.3222, 0.3729, 0.02598, 0.0956, 0.198, 1.164],
        [0.0909, 0.0676, 0.0215, 0.1592, 0.1462, 0.3629, 0.4301, 0.0275, 0.1089, 0.2464, 1.267],
        [0.09153, 0.06897, 0.02141, 0.1626, 0.1473, 0.371, 0.4507, 0.0302, 0.1267, 0.3015, 1.381],
        [0.0939, 0.07074, 0.0208, 0.1736, 0.1341, 0.3808, 0.5248, 0.0347, 0.1369, 0.3116, 1.439],
    ]
)


def sizes(elapsed_h: float) -> FloatArray:
    """Return the usual size (signs,) of the largest departure within so many hours."""
    return np.array([np.interp(elapsed_h, ELAPSED_H, column) for column in SIZES.T])
