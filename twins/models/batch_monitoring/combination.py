"""Bring all channels to one scale with normal batches only, and add them up to one score."""

from dataclasses import dataclass

import numpy as np

from twins.models.batch_monitoring import windows
from twins.models.batch_monitoring.samples import Floats

# Ages in steps of so many hours; a bin looks at its neighbours, too.
BIN_H = 5.0
BINS = 56
_NEIGHBOURS = 1
_USUAL_SHARE = 0.95
# A rarer event than one batch in 10^12 is not told apart from it.
_MOST = 12.0
_TAIL_SHARE = 0.25
_PRIOR_TAIL, _PRIOR_WEIGHT, _LEAST_TAIL = 0.12, 8.0, 0.06
# The higher, the more the strongest channel decides alone.
POWER = 8
IN_A_ROW = 3
_FITTED_SHARE, _CENSORED_SHARE = 0.3, 0.1


@dataclass(frozen=True)
class Scales:
    """Per channel: centre and usual size at each age, and how rare an excess is in a batch."""

    centre: Floats
    size: Floats
    knee: Floats
    tail: Floats


def bins_of(time_h: Floats) -> np.ndarray:
    """Return the bin of each age."""
    return np.clip((time_h / BIN_H).astype(np.int64), 0, BINS - 1)


def scales_of(times: list[Floats], signed: list[Floats]) -> Scales:
    """Learn the scales from channels of normal batches that their models had not seen."""
    count = signed[0].shape[1]
    bins = [bins_of(one) for one in times]
    # Neighbouring samples tell the same: one an hour is enough for a quantile.
    all_bins = np.concatenate([one[::5] for one in bins])
    everything = np.concatenate([one[::5] for one in signed])
    centre = np.zeros((BINS, count))
    size = np.full((BINS, count), np.nan)
    for place in range(BINS):
        near = np.abs(all_bins - place) <= _NEIGHBOURS
        if near.sum() < 40:
            continue
        part = everything[near]
        size[place] = 0.0
        whole = np.isfinite(part).all(axis=0)
        some_told = np.isfinite(part).any(axis=0) & ~whole
        centre[place, whole] = np.median(part[:, whole], axis=0)
        centre[place, some_told] = np.nanmedian(part[:, some_told], axis=0)
        away = np.abs(part - centre[place])
        size[place, whole] = np.quantile(away[:, whole], _USUAL_SHARE, axis=0)
        size[place, some_told] = np.nanquantile(away[:, some_told], _USUAL_SHARE, axis=0)
    known = np.isfinite(size[:, 0])
    last = int(np.flatnonzero(known)[-1])
    centre[last + 1 :], size[last + 1 :] = centre[last], size[last]
    size = np.nan_to_num(size)
    positive = np.where(size > 0, size, np.nan)
    typical = np.ones(count)
    some = np.isfinite(positive).any(axis=0)
    typical[some] = np.nanmedian(positive[:, some], axis=0)
    size = np.maximum(size, 0.4 * typical)
    # What never moved in normal batches: one percent of a share, one unit otherwise.
    size[:, ~some] = 0.01
    plain = Scales(centre, size, np.ones(count), np.ones(count))
    most = np.array(
        [np.abs(sized(t, s, plain)).max(axis=0) for t, s in zip(times, signed, strict=True)]
    )
    knee, tail = np.ones(count), np.full(count, _PRIOR_TAIL)
    for place in range(count):
        ranked = np.sort(most[:, place])
        at = int(len(ranked) * (1.0 - _TAIL_SHARE))
        knee[place] = max(float(ranked[at - 1]), 1.0)
        above = np.log(np.maximum(ranked[at:] / knee[place], 1.0))
        tail[place] = (above.sum() + _PRIOR_WEIGHT * _PRIOR_TAIL) / (len(above) + _PRIOR_WEIGHT)
    return Scales(centre, size, knee, np.maximum(tail, _LEAST_TAIL))


def sized(time_h: Floats, signed: Floats, scales: Scales) -> Floats:
    """Return the channels in units of what is usual at that age."""
    place = bins_of(time_h)
    found: Floats = np.nan_to_num((signed - scales.centre[place]) / scales.size[place])
    return found


def rarity(time_h: Floats, signed: Floats, scales: Scales) -> Floats:
    """Return per channel minus log10 of the share of normal batches that ever get so far."""
    ratio = np.abs(sized(time_h, signed, scales)) / scales.knee
    start = -np.log10(_TAIL_SHARE)
    above = start + np.log10(np.maximum(ratio, 1.0)) / scales.tail
    found: Floats = np.minimum(np.where(ratio < 1.0, start * ratio, above), _MOST)
    return found


def score(rare: Floats, weight: Floats) -> Floats:
    """Return the power mean over channels, added in the order of the channels."""
    total = np.zeros(len(rare))
    for place in range(rare.shape[1]):
        total = total + np.power(weight[place] * rare[:, place], POWER)
    return np.power(total, 1.0 / POWER)


def shares(rare: Floats, weight: Floats, whole: Floats) -> Floats:
    """Return what each channel gives to the score; over the channels they add up to it."""
    found = np.power(weight * rare, POWER)
    return found / np.maximum(np.power(whole, POWER - 1), 1e-300)[:, None]


def steady(whole: Floats) -> Floats:
    """Return the score that held for the last samples: one odd sample is no alarm."""
    return windows.least_of_last(whole, count=IN_A_ROW)


def limit_of(most: Floats, *, false_alarm_share: float) -> float:
    """Return the limit that at most this share of further normal batches exceeds (conformal)."""
    ranked = np.sort(most)
    rank = (len(ranked) + 1) * (1.0 - false_alarm_share)
    return float(np.interp(rank, np.arange(1, len(ranked) + 1), ranked))


def smooth_limit_of(most: Floats, *, false_alarm_share: float) -> float:
    """Return the limit that this share of further normal batches exceeds, from a fitted tail.

    The score is a logarithm of rarity, so its tail is exponential. Of the highest three tenths the
    highest tenth counts only as "at least so far" (type II censoring): how odd the oddest normal
    batches are does not move the limit.
    """
    ranked = np.sort(most)
    count = len(ranked)
    above = max(int(count * _FITTED_SHARE), 2)
    told = above - int(above * _CENSORED_SHARE)
    start = ranked[count - above - 1]
    excess = ranked[count - above :] - start
    whole = float(np.minimum(excess, excess[told - 1]).sum())
    # The share expected of a further batch when the mean itself is known from `told` values only.
    odds = (above + 1) / (count + 1) / false_alarm_share
    return float(start + whole * (odds ** (1.0 / told) - 1.0))
