"""What loops hold in a penicillin batch: temperature and pH, as they were and as they will be.

The equations do not have the controllers. A level and a fading trend stand for them, and around these
each member swings as normal batches do.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from twins.models import control_loops, ensemble
from twins.models.declarations import Output
from twins.models.observing import Seen
from twins.models.penicillin_fed_batch.following import MEMBERS, SAMPLE_H, SAMPLES_AN_HOUR
from twins.models.penicillin_fed_batch.replaying import FloatArray

_STREAM_SWING = 7
# The noise is that of the loop, not of the probe.
LOOPS: tuple[Output, ...] = (
    Output("T", "K", 0.15, 0.0, "online", 0.0, 285.0, 315.0),
    Output("pH", "[pH]", 0.035, 0.0, "online", 0.0, 4.0, 9.0),
)
# How far a loop swings around its level, from normal batches after their first day.
SWING: Mapping[str, float] = {"T": 0.13, "pH": 0.07}


def means(batch: Mapping[str, FloatArray], tag: str) -> list[Seen]:
    """Return the hourly means of a signal in order of time; an hour without a value has none."""
    column = batch[tag]
    found = []
    for first in range(0, len(column), SAMPLES_AN_HOUR):
        hour = column[first : first + SAMPLES_AN_HOUR]
        known = np.flatnonzero(~np.isnan(hour))
        if len(known):
            at_h = (first + float(known.mean()) + 1.0) * SAMPLE_H
            found.append(Seen(tag, at_h, float(hour[known].mean()), len(known)))
    return found


def paths(
    batch: Mapping[str, FloatArray], output: Output, ends_h: Sequence[float], *, seed: int
) -> dict[str, FloatArray]:
    """Return paths (members, times) as estimated, and with level or trend put back.

    At least six hours have to be known.
    """
    loop = control_loops.follow(output, means(batch, output.tag))
    if loop is None:
        raise LookupError(f"too little is known of {output.tag}")
    order = LOOPS.index(output)
    found = control_loops.project(loop, ends_h, seed=seed, order=order, members=MEMBERS)
    swing = (
        SWING[output.tag]
        * ensemble.standard_normals(
            seed=seed, stream=(_STREAM_SWING, order), shape=(len(ends_h), MEMBERS)
        ).T
    )
    return {name: one + swing for name, one in found.items()}


def usual(batch: Mapping[str, FloatArray], tag: str) -> float:
    """Return where a loop usually is: the median of its hours."""
    ordered = sorted(one.value for one in means(batch, tag))
    return ordered[len(ordered) // 2]


def sampled(hourly: FloatArray) -> FloatArray:
    """Return paths (members, samples) from hourly ones, whose hour 0 is now."""
    found: FloatArray = np.repeat(hourly[:, 1:], SAMPLES_AN_HOUR, axis=1)
    return found
