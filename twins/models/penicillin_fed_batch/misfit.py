"""How far a batch is from what its estimate expects of it, and what that does to a forecast.

An innovation is a measurement minus what was expected of it, in units of the spread that it should have.
Where the balances hold, innovations go to both sides; where they do not (a threshold, a probe, a feed of
another strength), they stay on one side. Only what was seen by now counts.
"""

import math
from collections.abc import Mapping

import numpy as np

from twins.models.penicillin_fed_batch import measuring
from twins.models.penicillin_fed_batch.following import SAMPLES_AN_HOUR
from twins.models.penicillin_fed_batch.replaying import FloatArray

# What one normal batch in twenty exceeds, and the hours back that count: 60 normal batches.
USUAL: Mapping[str, tuple[int, float]] = {
    "pH": (24, 2.94),
    "T": (24, 8.63),
    "CO2outgas": (24, 2.10),
    "DO2": (24, 7.80),
    "lab_P": (48, 2.31),
    "lab_NH3": (48, 1.71),
    "lab_PAA": (48, 2.70),
    "lab_X": (48, 2.10),
}
# A misfit that one normal batch in five exceeds; from there on the spread of a forecast grows with it.
USUAL_MISFIT = 0.6
# From here on the equations do not describe the batch: of 292 forecasts of normal batches one.
STRANGE = 1.3


def of(innovations: FloatArray) -> float:
    """Return the root mean square of the one-sidedness of outputs, each over the usual one; 0 of none.

    `innovations` (samples, outputs, 2) have value and expected spread, not a number where nothing was
    measured.
    """
    standardised = innovations[:, :, 0] / innovations[:, :, 1]
    squares = []
    for tag, (back_h, usual) in USUAL.items():
        recent = standardised[-back_h * SAMPLES_AN_HOUR :, measuring.TAGS.index(tag)]
        known = recent[~np.isnan(recent)].tolist()
        if known:
            one_sided = abs(math.fsum(known)) / math.sqrt(len(known))
            squares.append((one_sided / usual) ** 2)
    return math.sqrt(math.fsum(squares) / len(squares)) if squares else 0.0


def widening(misfit: float) -> float:
    """Return by how much a forecast is wider than that of a usual batch."""
    return max(misfit / USUAL_MISFIT, 1.0)
