"""Judge finished batches against normal ones: batch-wise unfolded MPCA or MPLS with T2 and SPE.

Nomikos and MacGregor, AIChE J. 40:1361 (1994) and Technometrics 37:41 (1995); contributions as in
Kourti and MacGregor, J. Qual. Technol. 28:409 (1996). A batch is one row: every signal at every
point of progress, less its mean over normal batches, in units of its spread at that point.
"""

from dataclasses import dataclass, field, replace

import numpy as np

from twins.models.process_monitoring import aligning, limits, planes, reasons, summing
from twins.models.process_monitoring.aligning import Alignment, CannotAlign, Run
from twins.models.process_monitoring.limits import Limits
from twins.models.process_monitoring.planes import Plane
from twins.models.process_monitoring.quality import COVERAGE, Forward
from twins.models.process_monitoring.reasons import Reason
from twins.models.process_monitoring.summing import Floats

STATISTICS = ("T2", "SPE")
UNDECIDED_FROM = 0.9
# A spread at a point is at least this share of the signal's usual one: set-points hardly move.
_LEAST_SPREAD = 0.2
# Log statistics so many robust spreads above the median: no batch of this population.
_FENCE = 3.5
_MOST_DROPPED = 0.3
_FOLDS = 10
_MOST_COMPONENTS = 5


class ReferenceMixed(ValueError):
    """The reference is not of one kind: too many of its batches are unlike the others."""

    code = "process-reference-mixed"


@dataclass(frozen=True)
class Options:
    """What a training is told; without `components` the broken stick or the left-out error says."""

    points: int = 100
    false_alarm_rate: float = 0.05
    components: int | None = None


@dataclass(frozen=True)
class Fitted:
    """What normal batches look like: mean and spread at each point, and the plane they vary in."""

    centre: Floats
    size: Floats
    plane: Plane
    quality: float = 0.0
    slopes: Floats = field(default_factory=lambda: np.zeros(0))

    @property
    def foresees(self) -> bool:
        """Tell whether the plane was turned towards a quality (MPLS)."""
        return len(self.slopes) > 0


@dataclass(frozen=True)
class Monitor:
    """All that is needed to judge a batch; `low` and `high` are the signals' reference range.

    `quality_width` is half the 90 % interval of a foreseen quality.
    """

    alignment: Alignment
    fitted: Fitted
    limits: Limits
    low: Floats
    high: Floats
    quality_width: float = np.nan


@dataclass(frozen=True)
class Judged:
    """What the monitor says of one batch; `score` is in units of the limit.

    `values` and the parts of T2 and SPE have a row a point of progress and a column a signal; the
    parts add up to their statistic.
    Where the batch is outside the domain, `outside` says why and nothing else is said.
    """

    name: str
    outside: str = ""
    t2: float = np.nan
    spe: float = np.nan
    score: float = np.nan
    quality: float = np.nan
    values: Floats | None = None
    parts: tuple[Floats, Floats] | None = None
    reasons: tuple[Reason, ...] = ()

    @property
    def verdict(self) -> str:
        """Return normal, undecided, odd or out-of-domain."""
        if self.outside:
            return "out-of-domain"
        if self.score > 1.0:
            return "odd"
        return "undecided" if self.score >= UNDECIDED_FROM else "normal"


def fit(x: Floats, options: Options, quality: Floats | None = None) -> Fitted:
    """Fit to aligned normal batches, of shape (batches, points, columns), and their quality if told."""
    centre = x.mean(axis=0)
    spread = x.std(axis=0, ddof=1)
    typical = np.sqrt((spread**2).mean(axis=0))
    # What never moved in normal batches: a percent of its size would be news.
    still = np.maximum(0.01 * np.abs(centre).max(axis=0), 1e-9)
    size = np.maximum(spread, _LEAST_SPREAD * np.where(typical > 0.0, typical, still))
    rows = ((x - centre) / size).reshape(len(x), -1)
    if quality is None:
        return Fitted(centre, size, planes.principal(rows, count=options.components))
    mean = float(quality.mean())
    plane, slopes = planes.towards(rows, quality - mean, count=options.components or 1)
    return Fitted(centre, size, plane, mean, slopes)


def foreseen(x: Floats, fitted: Fitted) -> Floats:
    """Return the quality that each aligned batch should have."""
    rows = ((x - fitted.centre) / fitted.size).reshape(len(x), -1)
    along = planes.scores(rows, fitted.plane) * fitted.slopes
    found: Floats = fitted.quality + summing.total(along)
    return found


def parts(x: Floats, fitted: Fitted) -> tuple[Floats, Floats]:
    """Return the parts of T2 and SPE of aligned batches, in the shape of the batches."""
    rows = ((x - fitted.centre) / fitted.size).reshape(len(x), -1)
    return (
        planes.t2_parts(rows, fitted.plane).reshape(x.shape),
        planes.spe_parts(rows, fitted.plane).reshape(x.shape),
    )


def statistics(x: Floats, fitted: Fitted) -> Floats:
    """Return T2 and SPE of aligned batches, one row a batch."""
    both = parts(x, fitted)
    return np.column_stack([summing.total(one.reshape(len(x), -1)) for one in both])


@dataclass(frozen=True)
class LeftOut:
    """T2, SPE and quality of each batch by a model that had not seen it, and those models."""

    statistics: Floats
    quality: Floats
    models: list[Fitted]


def left_out(x: Floats, options: Options, quality: Floats | None = None) -> LeftOut:
    """Judge each batch by a model of the others."""
    found, said = np.zeros((len(x), len(STATISTICS))), np.full(len(x), np.nan)
    models: dict[int, Fitted] = {}
    for out in limits.folds_of(len(x), min(_FOLDS, len(x))):
        fitted = fit(x[~out], options, None if quality is None else quality[~out])
        found[out] = statistics(x[out], fitted)
        if fitted.foresees:
            said[out] = foreseen(x[out], fitted)
        models |= dict.fromkeys(np.flatnonzero(out).tolist(), fitted)
    return LeftOut(found, said, [models[place] for place in range(len(x))])


def _best(x: Floats, options: Options, quality: Floats | None) -> Options:
    """Return the options with the number of components that foresaw left-out batches best."""
    if quality is None or options.components is not None:
        return options
    tried = [replace(options, components=count) for count in range(1, _MOST_COMPONENTS + 1)]
    errors = [float(((left_out(x, one, quality).quality - quality) ** 2).mean()) for one in tried]
    return tried[int(np.argmin(errors))]


@dataclass(frozen=True)
class Survey:
    """A monitor, and what it says of the very batches it was made from.

    Each was judged by a model that had not seen it. `dropped` are those that are so far from the
    others that they are no part of the reference. `foreseen` has the quality of each batch of the
    reference, foreseen from the others.
    """

    monitor: Monitor
    judged: tuple[Judged, ...]
    dropped: tuple[str, ...]
    foreseen: Forward | None = None


def survey(signals: tuple[str, ...], runs: list[Run], options: Options) -> Survey:
    """Train on batches that should be normal; raise `CannotAlign`, `ReferenceMixed`, `TooFewToPromise`.

    Batches that cannot be aligned and those beyond a robust fence are left out and told. When every
    run has a quality the plane is turned towards it (MPLS).
    """
    alignment = aligning.alignment_of(signals, runs, points=options.points)
    laid: dict[str, Floats] = {}
    judged: dict[str, Judged] = {}
    for run in runs:
        try:
            laid[run.name] = aligning.aligned(run, alignment)
        except CannotAlign as error:
            judged[run.name] = Judged(run.name, outside=str(error))
    told = {one.name: one.quality for one in runs if one.quality is not None}
    kept = list(laid)
    while True:
        limits.demand(len(kept), rate=options.false_alarm_rate)
        x = np.array([laid[name] for name in kept])
        quality = np.array([told[name] for name in kept]) if len(told) == len(runs) else None
        options = _best(x, options, quality)
        seen = left_out(x, options, quality)
        far = _beyond(seen.statistics)
        if not far.any():
            break
        kept = [name for name, is_far in zip(kept, far.tolist(), strict=True) if not is_far]
        if len(kept) < (1.0 - _MOST_DROPPED) * len(runs):
            raise ReferenceMixed(
                f"{len(runs) - len(kept)} of {len(runs)} batches are unlike the others; name a "
                "reference of one kind"
            )
    monitor = Monitor(
        alignment=aligning.limited(alignment, [one for one in runs if one.name in kept]),
        fitted=fit(x, options, quality),
        limits=limits.together(STATISTICS, seen.statistics, rate=options.false_alarm_rate),
        low=x[..., :-1].min(axis=(0, 1)),
        high=x[..., :-1].max(axis=(0, 1)),
    )
    found = None
    if quality is not None:
        width = limits.conformal(np.abs(quality - seen.quality), rate=1.0 - COVERAGE)
        monitor = replace(monitor, quality_width=width)
        others = (quality.sum() - quality) / (len(quality) - 1)
        found = Forward(
            rows=np.arange(len(quality), dtype=np.int64),
            actual=quality,
            said=seen.quality,
            trivial={"mean of the other batches": others},
            low=seen.quality - width,
            high=seen.quality + width,
        )
    by_name = {
        name: replace(monitor, fitted=one) for name, one in zip(kept, seen.models, strict=True)
    }
    for name, values in laid.items():
        judged[name] = judge_aligned(name, values, by_name.get(name, monitor))
    dropped = tuple(one.name for one in runs if one.name not in kept)
    return Survey(monitor, tuple(judged[one.name] for one in runs), dropped, found)


def _beyond(found: Floats) -> np.ndarray:
    """Tell which left-out statistics are no part of the population (median and MAD of logarithms)."""
    logs = np.log(np.maximum(found, 1e-300))
    middle = np.median(logs, axis=0)
    spread = 1.4826 * np.median(np.abs(logs - middle), axis=0)
    far: np.ndarray = ((logs - middle) > _FENCE * np.maximum(spread, 1e-9)).any(axis=1)
    return far


def judge(run: Run, monitor: Monitor) -> Judged:
    """Judge a finished batch."""
    try:
        return judge_aligned(run.name, aligning.aligned(run, monitor.alignment), monitor)
    except CannotAlign as error:
        return Judged(run.name, outside=str(error))


def judge_aligned(name: str, values: Floats, monitor: Monitor) -> Judged:
    """Judge a batch at the points of progress, with the reasons of the worse statistic first."""
    fitted = monitor.fitted
    both = [one[0] for one in parts(values[None], fitted)]
    t2, spe = (float(summing.total(one.reshape(-1))) for one in both)
    ratio = np.array([t2, spe]) / monitor.limits.values
    told: list[Reason] = []
    for place in np.argsort(-ratio, kind="stable").tolist():
        told += reasons.of(
            STATISTICS[place],
            both[place],
            away=(values - fitted.centre) / fitted.size,
            found=values,
            usual=fitted.centre,
            names=monitor.alignment.columns,
            when=lambda first, last: aligning.words(monitor.alignment, first, last),
        )
    return Judged(
        name=name,
        t2=t2,
        spe=spe,
        score=float(ratio.max()),
        quality=float(foreseen(values[None], fitted)[0]) if fitted.foresees else np.nan,
        values=values,
        parts=(both[0], both[1]),
        reasons=tuple(told),
    )
