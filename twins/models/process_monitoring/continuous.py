"""Watch a continuous process sample by sample: dynamic PCA, surprise and slow drift.

Three views of the standardised signals, each with statistics that fall apart by signal:

- *plane*: T2 and SPE of a PCA of the samples with their predecessors (Ku, Storer and Georgakis,
  Chemom. Intell. Lab. Syst. 30:179, 1995): relations between signals, in value and in time;
- *surprise*: what each signal is beside what an autoregression on the past of all signals expects
  (ARX), judged with the covariance of such residuals: what is new now;
- *slow*: the same residuals, and the signals themselves, exponentially weighted over the past (Lowry
  et al., Technometrics 34:46, 1992): small things that last, also where a loop has hidden them.

A sample is judged by itself and those before it; sums are added in a fixed order.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from twins.models.process_monitoring import limits, planes, reasons, summing
from twins.models.process_monitoring.limits import Limits
from twins.models.process_monitoring.planes import Plane
from twins.models.process_monitoring.reasons import Reason
from twins.models.process_monitoring.summing import Bools, Floats

PLANES = ("plane", "surprise", "slow surprise", "slow level")
STATISTICS = ("T2", "SPE", *PLANES[1:])
IN_A_ROW = 3
UNDECIDED_FROM = 0.9
LAGS = 2
_MEMORY = 0.1
_SLOWER = 0.05
_SHRINK_ARX = 0.05
# Variances below this share of the usual one are noise of the estimate.
_SHRINK_SPREAD = 0.1
_BLOCKS = 5
LEAST_SAMPLES = 100
# After so many silent samples a signal is not known.
HOLD = 10
# So many whole ranges of the reference beyond it, and a value is of another process.
FAR = 1.0


@dataclass(frozen=True)
class Fitted:
    """What the normal process looks like; `expected` are the coefficients of the autoregression."""

    centre: Floats
    size: Floats
    expected: Floats
    planes: Mapping[str, Plane]


@dataclass(frozen=True)
class Monitor:
    """All that is needed to judge a sample; `low` and `high` are the signals' reference range."""

    signals: tuple[str, ...]
    fitted: Fitted
    limits: Limits
    low: Floats
    high: Floats


@dataclass(frozen=True)
class Watched:
    """What the monitor says, a row a sample; `score` held for three samples, in units of the limit.

    `parts` has for each statistic the part of every signal; they add up to it.
    """

    values: Floats
    parts: dict[str, Floats]
    away: Floats
    score: Floats
    alarm: Bools
    known: Bools
    near: Bools


def held(values: Floats) -> tuple[Floats, Bools]:
    """Return the last known value of each signal, and whether it is fresh enough to be used."""
    steps = np.arange(len(values))[:, None]
    seen_at = np.maximum.accumulate(np.where(np.isfinite(values), steps, -1), axis=0)
    found = np.take_along_axis(values, np.maximum(seen_at, 0), axis=0)
    known = (seen_at >= 0) & (steps - seen_at <= HOLD)
    return np.where(seen_at >= 0, found, np.nan), known


def lagged(z: Floats) -> Floats:
    """Return each row beside its predecessors; the first ones stand before the beginning."""
    found = [z]
    for lag in range(1, LAGS + 1):
        found.append(np.concatenate([np.repeat(z[:1], lag, axis=0), z])[: len(z)])
    return np.concatenate(found, axis=1)


def smoothed(x: Floats, *, memory: float) -> Floats:
    """Return the exponentially weighted mean of each column, from nothing."""
    found = np.empty_like(x)
    now = np.zeros(x.shape[1])
    for place in range(len(x)):
        now = now + memory * (x[place] - now)
        found[place] = now
    return found


def _surprises(z: Floats, expected: Floats) -> Floats:
    found: Floats = z - summing.product(lagged(z)[:, z.shape[1] :], expected)
    return found


def _expected(z: Floats) -> Floats:
    """Return ridge coefficients of every signal on the past of all."""
    past = lagged(z)[:, z.shape[1] :]
    gram: Floats = past.T @ past / len(past) + _SHRINK_ARX * np.eye(past.shape[1])
    right: Floats = past.T @ z / len(past)
    return np.asarray(np.linalg.solve(gram, right), dtype=np.float64)


def _all_directions(x: Floats) -> Plane:
    """Return the plane of all directions, with the spread of each raised by a part of their mean."""
    turned = planes.principal(x, count=x.shape[1])
    if not len(turned.spread):
        return turned
    usual = float(turned.spread.mean())
    return Plane(turned.weights, turned.loadings, turned.spread + _SHRINK_SPREAD * usual)


def fit(values: Floats) -> Fitted:
    """Fit to samples of the normal process, in their order and without holes."""
    centre = values.mean(axis=0)
    spread = values.std(axis=0, ddof=1)
    size = np.where(spread > 0.0, spread, np.maximum(0.01 * np.abs(centre), 1e-9))
    z = (values - centre) / size
    # Residuals of models that had not seen the samples: one's own are too small.
    unseen = np.empty_like(z)
    for rows in limits.blocks_of(len(z), _BLOCKS):
        others = np.delete(z, rows, axis=0)
        unseen[rows] = _surprises(z[rows], _expected(others))
    wide = lagged(z)
    found = {
        "plane": planes.principal(wide - wide.mean(axis=0)),
        "surprise": _all_directions(unseen),
        "slow surprise": _all_directions(smoothed(unseen, memory=_MEMORY)),
        "slow level": _all_directions(smoothed(z, memory=_SLOWER)),
    }
    return Fitted(centre, size, _expected(z), found)


def parts(values: Floats, fitted: Fitted) -> dict[str, Floats]:
    """Return for each statistic the part of every signal, one row a sample."""
    z = (values - fitted.centre) / fitted.size
    wide = lagged(z)
    surprise = _surprises(z, fitted.expected)
    rows = {
        "surprise": surprise,
        "slow surprise": smoothed(surprise, memory=_MEMORY),
        "slow level": smoothed(z, memory=_SLOWER),
    }
    found = {
        "T2": _by_signal(planes.t2_parts(wide, fitted.planes["plane"])),
        "SPE": _by_signal(planes.spe_parts(wide, fitted.planes["plane"])),
    }
    return found | {name: planes.t2_parts(x, fitted.planes[name]) for name, x in rows.items()}


def _by_signal(found: Floats) -> Floats:
    """Return what a signal and its predecessors give together."""
    return summing.total(np.moveaxis(found.reshape(len(found), LAGS + 1, -1), 1, 2))


def statistics(by_signal: dict[str, Floats]) -> Floats:
    """Return the statistics that the parts add up to, one column each."""
    return np.column_stack([summing.total(by_signal[name]) for name in STATISTICS])


def steady(found: Floats) -> Floats:
    """Return what held for the last samples, statistic by statistic."""
    return np.column_stack([limits.least_of_last(one, count=IN_A_ROW) for one in found.T])


def train(signals: tuple[str, ...], values: Floats, *, false_alarm_rate: float) -> Monitor:
    """Train on samples of the normal process; raise `TooFewToPromise`."""
    limits.demand(len(values), rate=false_alarm_rate, least=LEAST_SAMPLES)
    whole, _ = held(values)
    left_out = np.empty((len(whole), len(STATISTICS)))
    for rows in limits.blocks_of(len(whole), _BLOCKS):
        # What is slow comes from the samples before, as it will when it watches.
        seen = parts(whole[: rows[-1] + 1], fit(np.delete(whole, rows, axis=0)))
        left_out[rows] = steady(statistics(seen))[rows]
    bounds = limits.together(STATISTICS, left_out, rate=false_alarm_rate)
    return Monitor(signals, fit(whole), bounds, whole.min(axis=0), whole.max(axis=0))


def watch(values: Floats, monitor: Monitor) -> Watched:
    """Judge samples in their order; what a sample gets depends on nothing that came later."""
    whole, known = held(values)
    whole = np.where(np.isfinite(whole), whole, monitor.fitted.centre)
    reach = FAR * (monitor.high - monitor.low)
    near = (whole >= monitor.low - reach) & (whole <= monitor.high + reach)
    by_signal = parts(whole, monitor.fitted)
    found = steady(statistics(by_signal))
    score = (found / monitor.limits.values).max(axis=1)
    return Watched(
        values=whole,
        parts=by_signal,
        away=(whole - monitor.fitted.centre) / monitor.fitted.size,
        score=score,
        alarm=score > 1.0,
        known=known,
        near=near,
    )


def verdicts(said: Watched) -> list[str]:
    """Return a verdict for each sample: normal, undecided, odd or out-of-domain.

    Out of domain is what lies a whole range beyond the reference; undecided what is near the limit
    or lacks a signal.
    """
    near, known = said.near.min(axis=1).tolist(), said.known.min(axis=1).tolist()
    return [
        "out-of-domain"
        if not is_near
        else "undecided"
        if not is_known or UNDECIDED_FROM <= score <= 1.0
        else ("odd" if score > 1.0 else "normal")
        for is_near, is_known, score in zip(near, known, said.score.tolist(), strict=True)
    ]


def episodes(alarm: Bools) -> list[tuple[int, int]]:
    """Return first and last sample of every alarm; short pauses belong to it."""
    at = np.flatnonzero(alarm)
    if not len(at):
        return []
    breaks = np.flatnonzero(np.diff(at) > HOLD)
    firsts, lasts = np.concatenate([at[:1], at[breaks + 1]]), np.concatenate([at[breaks], at[-1:]])
    return list(zip(firsts.tolist(), lasts.tolist(), strict=True))


def reasons_of(said: Watched, monitor: Monitor, first: int, last: int) -> list[Reason]:
    """Return the signals behind an alarm, by the statistic that was worst in it."""
    part = slice(first, last + 1)
    found = statistics({name: one[part] for name, one in said.parts.items()})
    worst = STATISTICS[int(np.argmax((found / monitor.limits.values).max(axis=0)))]
    return reasons.of(
        worst,
        said.parts[worst][part],
        away=said.away[part],
        found=said.values[part],
        usual=np.tile(monitor.fitted.centre, (last - first + 1, 1)),
        names=monitor.signals,
        when=lambda one, other: f"in rows {first + one + 1} to {first + other + 1}",
    )
