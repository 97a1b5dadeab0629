"""Follow a penicillin batch sample by sample as it was seen, with laboratory values that come late.

A laboratory value counts at the time of sampling: when it is reported, the ensemble goes back to
that sample, is corrected, and follows the on-line values again. Nothing is used before it was reported,
so what is returned for a sample is what could have been known then.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twins.models import ensemble
from twins.models.declarations import Uncertain
from twins.models.penicillin_fed_batch import filtering, measuring, parameters, stabilised
from twins.models.penicillin_fed_batch import layout as at

FloatArray = NDArray[np.float64]

MEMBERS = 40
SAMPLE_H = 0.2
SAMPLES_AN_HOUR = 5
STAGES = 20
_STREAM_START, _STREAM_WALK = 1, 2
TABLE = stabilised.coefficients(STAGES)
BOUNDS = np.array(
    [(0.0, np.inf)] * at.STATES + [(one.low, one.high) for one in measuring.UNCERTAIN]
)
BOUNDS[[at.Q], 0] = -np.inf


def kept(one: Uncertain) -> float:
    """Return what is kept of a departure in a sample; negative where the spread is renewed."""
    if one.name in measuring.RENEWED:
        return -1.0
    return float(np.exp(-SAMPLE_H / measuring.MEMORY_H)) if one.walk_per_sqrt_h > 0.0 else 1.0


_WALK = np.array(
    [
        (
            one.nominal,
            one.walk_per_sqrt_h,
            kept(one),
        )
        for one in measuring.UNCERTAIN
    ]
)


@dataclass(frozen=True)
class Features:
    """What the twin says of each sample, from what had been reported until then.

    `innovation` and `spread` have a column an output (`tags`): measured minus expected, and the
    standard deviation that it was expected to have; not a number where nothing was measured. A
    laboratory column has its value at the sample of its report. `mean` and `sd` have a column a row
    of the ensemble (`names`): the 33 states, then the estimated parameters.
    """

    tags: tuple[str, ...]
    innovation: FloatArray
    spread: FloatArray
    names: tuple[str, ...]
    mean: FloatArray
    sd: FloatArray
    error: FloatArray

    @property
    def normalised(self) -> FloatArray:
        """Return the innovations in units of their expected spread."""
        return self.innovation / self.spread

    def column(self, name: str) -> tuple[FloatArray, FloatArray]:
        """Return mean and standard deviation of one state or parameter."""
        place = self.names.index(name)
        return self.mean[:, place], self.sd[:, place]


def features(
    batch: Mapping[str, FloatArray], *, seed: int = 0, laboratory_delay_samples: int = 20
) -> Features:
    """Return residuals and estimates for each sample of a batch; the same bits every time.

    `batch` has one array a tag, one value a sample of 12 minutes from inoculation, not a number where
    there is none; a laboratory value stands at the sample at which it was reported.
    """
    return follow(batch, seed=seed, laboratory_delay_samples=laboratory_delay_samples)[0]


def follow(
    batch: Mapping[str, FloatArray],
    *,
    seed: int = 0,
    laboratory_delay_samples: int = 20,
    steps: int = 1,
) -> tuple[Features, FloatArray]:
    """Return the features, and the ensemble of each sample (samples, members, rows) as known at the end.

    The ensembles know the laboratory values of their sample that were reported up to the last one.
    """
    inputs = inputs_of(batch)
    count = inputs.shape[0]
    online = len(measuring.ONLINE)
    measured = measured_of(batch, count)
    reported = measured[:, online:]
    seen = measured.copy()
    seen[:, online:] = np.nan
    width = measuring.ROWS
    model_of = model(inputs, seen, drawn_of(seed, count), steps)
    ensembles = np.empty((count, MEMBERS, width))
    found = np.full((count, seen.shape[1], 2), np.nan)
    errors = np.zeros(count)
    kept = np.full_like(found, np.nan)
    mean, sd = np.empty((count, width)), np.empty((count, width))
    start = start_of(seed)

    def run(rows: FloatArray, first: int, last: int) -> None:
        arrays = (*model_of, ensembles, found, errors)
        filtering.stretch(rows, first, last, *arrays)

    for sample in range(count):
        sampled = sample - laboratory_delay_samples
        new = ~np.isnan(reported[sample])
        late = np.full((len(measuring.LABORATORY), 2), np.nan)
        if new.any() and sampled >= 0:
            seen[sampled, online:][new] = reported[sample][new]
            run(_before(ensembles, start, sampled), sampled, sample)
            late[new] = found[sampled, online:][new]
        run(_before(ensembles, start, sample), sample, sample + 1)
        kept[sample, :online] = found[sample, :online]
        kept[sample, online:] = late
        mean[sample] = ensembles[sample].mean(axis=0)
        sd[sample] = ensembles[sample].std(axis=0, ddof=1)
    found_features = Features(
        tags=measuring.TAGS,
        innovation=kept[:, :, 0],
        spread=kept[:, :, 1],
        names=measuring.ROW_NAMES,
        mean=mean,
        sd=sd,
        error=errors,
    )
    return found_features, ensembles


def drawn_of(seed: int, count: int) -> FloatArray:
    """Draw the noise of every sample from a stream of its own."""
    drawn = np.empty((count, MEMBERS, measuring.ROWS))
    for sample in range(count):
        drawn[sample] = ensemble.standard_normals(
            seed=seed, stream=(_STREAM_WALK, sample), shape=(measuring.ROWS, MEMBERS)
        ).T
    return drawn


def model(
    inputs: FloatArray, seen: FloatArray, drawn: FloatArray, steps: int = 1
) -> tuple[Any, ...]:
    """Return what a stretch of the filter needs besides where it begins and ends; steps a sample."""
    return (
        parameters.nominal(), measuring.PLACES, inputs, seen, drawn, measuring.SEES,
        measuring.CORRECTS, measuring.NOISE, measuring.PROCESS_NOISE, _WALK, BOUNDS, SAMPLE_H,
        TABLE, steps,
    )  # fmt: skip


def start_of(seed: int) -> FloatArray:
    """Draw the ensemble at inoculation."""
    drawn = ensemble.standard_normals(
        seed=seed, stream=(_STREAM_START, 0), shape=(measuring.ROWS, MEMBERS)
    ).T
    rows = np.empty((MEMBERS, measuring.ROWS))
    rows[:, : at.STATES] = measuring.INITIAL[:, 0] + measuring.INITIAL[:, 1] * drawn[:, : at.STATES]
    nominal = np.array([one.nominal for one in measuring.UNCERTAIN])
    prior = np.array([one.prior_sd for one in measuring.UNCERTAIN])
    rows[:, at.STATES :] = nominal + prior * drawn[:, at.STATES :]
    return rows


def _before(ensembles: FloatArray, start: FloatArray, sample: int) -> FloatArray:
    return (ensembles[sample - 1] if sample > 0 else start).copy()


def measured_of(batch: Mapping[str, FloatArray], count: int) -> FloatArray:
    """Return a column an output, not a number where there is no value."""
    return np.stack([_column(batch, tag, count) for tag in measuring.TAGS], axis=1)


def _column(batch: Mapping[str, FloatArray], tag: str, count: int) -> FloatArray:
    if tag not in batch:
        return np.full(count, np.nan)
    return np.asarray(batch[tag], dtype=np.float64)


def inputs_of(batch: Mapping[str, FloatArray]) -> FloatArray:
    """Return the inputs of each sample; where one is missing, the last one holds."""
    count = len(batch[measuring.INPUT_TAGS[0]])
    found = np.zeros((count, at.INPUTS))
    for place, tag in enumerate(measuring.INPUT_TAGS):
        column = _column(batch, tag, count)
        known = np.where(np.isnan(column), 0, np.arange(count))
        np.maximum.accumulate(known, out=known)
        found[:, place] = np.nan_to_num(column[known])
    flows = [at.FPAA, at.FS, at.FA, at.FB, at.FC, at.FOIL, at.FH, at.FW]
    found[:, flows] = np.maximum(found[:, flows], 0.0)
    found[:, at.FG] = np.maximum(found[:, at.FG], 1.0)
    found[:, at.RPM] = np.maximum(found[:, at.RPM], 1.0)
    return found
