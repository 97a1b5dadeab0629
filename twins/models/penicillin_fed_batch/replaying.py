"""Estimate a running penicillin batch from observations that come late, twice, corrected or not at all.

An observation counts at the sample it belongs to; of several for one tag and sample the one that was
reported last counts, so a correction replaces what it corrects and a repeated message changes nothing.
Going on from an earlier estimate replays from the first sample that looks different now, and gives the
same bits as starting again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twins.models import integrate
from twins.models.penicillin_fed_batch import filtering, following, measuring
from twins.models.requests import Observation

FloatArray = NDArray[np.float64]

# The first member's step-halving error of penicillin, biomass, volume and weight.
TOLERANCE = 1e-2


@dataclass(frozen=True)
class Estimate:
    """The ensemble (samples, members, rows) with what it was estimated from."""

    seed: int
    steps: int
    inputs: FloatArray
    seen: FloatArray
    ensembles: FloatArray
    innovations: FloatArray
    errors: FloatArray
    replayed_from: int

    @property
    def error(self) -> float:
        """Return the worst error of a sample; zero without any."""
        return float(np.max(self.errors, initial=0.0))

    def now(self, name: str) -> tuple[float, float]:
        """Return mean and standard deviation of a state or constant at the last sample."""
        values = self.ensembles[-1, :, measuring.ROW_NAMES.index(name)]
        return float(values.mean()), float(values.std(ddof=1))


def samples(as_of_h: float) -> int:
    """Return how many samples are over at a moment."""
    return int(np.floor(as_of_h / following.SAMPLE_H + 1e-6))


def visible(observations: Sequence[Observation], *, as_of_h: float) -> dict[str, FloatArray]:
    """Return one value a tag and sample, as it was known at that moment."""
    count = samples(as_of_h)
    known: dict[tuple[str, int], tuple[float, float]] = {}
    for one in observations:
        sample = round(one.at_h / following.SAMPLE_H) - 1
        if one.reported_h <= as_of_h + 1e-9 and 0 <= sample < count:
            entry = (one.reported_h, one.value)
            known[one.tag, sample] = max(known.get((one.tag, sample), entry), entry)
    found = {tag: np.full(count, np.nan) for tag in (*measuring.INPUT_TAGS, *measuring.TAGS)}
    for (tag, sample), (_, value) in known.items():
        if tag in found:
            found[tag][sample] = value
    return found


def estimate(
    observations: Sequence[Observation],
    *,
    as_of_h: float,
    seed: int,
    before: Estimate | None = None,
) -> Estimate:
    """Return the estimate at `as_of_h`; raise `IntegrationInaccurate`."""
    found = of_arrays(visible(observations, as_of_h=as_of_h), seed=seed, before=before)
    integrate.require(found.error, tolerance=TOLERANCE)
    return found


def of_arrays(
    batch: Mapping[str, FloatArray], *, seed: int, steps: int = 1, before: Estimate | None = None
) -> Estimate:
    """Return the estimate from one array a tag, with its error; every sample in so many steps."""
    inputs = following.inputs_of(batch)
    count = inputs.shape[0]
    seen = following.measured_of(batch, count)
    ensembles = np.empty((count, following.MEMBERS, measuring.ROWS))
    found = np.full((*seen.shape, 2), np.nan)
    errors = np.zeros(count)
    first = 0
    rows = following.start_of(seed)
    if before is not None and (before.seed, before.steps) == (seed, steps):
        first = _shared(inputs, seen, before)
        ensembles[:first] = before.ensembles[:first]
        found[:first], errors[:first] = before.innovations[:first], before.errors[:first]
        rows = ensembles[first - 1].copy() if first else rows
    arrays = (
        *following.model(inputs, seen, following.drawn_of(seed, count), steps),
        *(ensembles, found, errors),
    )
    filtering.stretch(rows, first, count, *arrays)
    return Estimate(seed, steps, inputs, seen, ensembles, found, errors, first)


def _shared(inputs: FloatArray, seen: FloatArray, before: Estimate) -> int:
    """Return how many samples an earlier estimate was made from the very same bits."""
    count = min(inputs.shape[0], before.inputs.shape[0])
    same = np.ones(count, dtype=np.bool_)
    for now, then in ((inputs, before.inputs), (seen, before.seen)):
        # Bits: a hole is equal to a hole, and zero is not equal to minus zero.
        same &= np.all(now[:count].view(np.int64) == then[:count].view(np.int64), axis=1)
    return count if same.all() else int(np.argmin(same))
