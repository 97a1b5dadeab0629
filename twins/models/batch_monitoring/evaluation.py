"""Measure a batch twin on batches, and on kinds of deviation, that it was not trained with."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from twins.models.batch_monitoring import anchors, calibration, combination, forecast, training
from twins.models.batch_monitoring.model import (
    Answer,
    Batch,
    Detector,
    Options,
    answer,
    prepare,
    train_answers,
    train_detector,
    weights_of,
)
from twins.models.batch_monitoring.samples import Floats

HIT_HORIZONS = (12, 24, 40)
Say = Callable[[str], None]


@dataclass(frozen=True)
class Share:
    """A counted share with its exact 95 % interval (Clopper and Pearson)."""

    hits: int
    of: int

    def __str__(self) -> str:
        low, high = interval(self.hits, self.of)
        share = self.hits / self.of if self.of else math.nan
        return f"{share:.3f} [{low:.3f}, {high:.3f}]  {self.hits}/{self.of}"


def interval(hits: int, of: int, *, confidence: float = 0.95) -> tuple[float, float]:
    """Return the Clopper-Pearson interval of a share."""
    if not of:
        return 0.0, 1.0
    tail = (1.0 - confidence) / 2.0

    def upper_tail(p: float) -> float:
        return sum(math.comb(of, k) * p**k * (1.0 - p) ** (of - k) for k in range(hits, of + 1))

    def lower_tail(p: float) -> float:
        return sum(math.comb(of, k) * p**k * (1.0 - p) ** (of - k) for k in range(hits + 1))

    low = 0.0 if hits == 0 else _bisect(lambda p: upper_tail(p) - tail)
    high = 1.0 if hits == of else _bisect(lambda p: tail - lower_tail(p))
    return low, high


def _bisect(rising: Callable[[float], float]) -> float:
    low, high = 0.0, 1.0
    for _ in range(60):
        middle = (low + high) / 2.0
        low, high = (middle, high) if rising(middle) < 0 else (low, middle)
    return (low + high) / 2.0


@dataclass(frozen=True)
class Judged:
    """One batch with what a twin, or an anchor, said of it."""

    batch: Batch
    alarm: np.ndarray
    answer: Answer | None = None


def first_alarm_h(one: Judged) -> float | None:
    """Return when the first alarm came."""
    at = np.flatnonzero(one.alarm)
    return float(one.batch.grid.time_h[at[0]]) if len(at) else None


def false_alarms(judged: list[Judged]) -> Share:
    """Count normal batches with an alarm."""
    normal = [one for one in judged if one.batch.is_normal]
    return Share(sum(bool(one.alarm.any()) for one in normal), len(normal))


def detected(judged: list[Judged], *, strictly: bool = False) -> Share:
    """Count deviating batches whose first alarm comes at or after the onset.

    `strictly`: and before the deviation ends.
    """
    deviating = [one for one in judged if not one.batch.is_normal]
    return Share(sum(_detected(one, strictly=strictly) for one in deviating), len(deviating))


def _detected(one: Judged, *, strictly: bool) -> bool:
    first = first_alarm_h(one)
    if first is None or one.batch.onset_h is None or one.batch.end_h is None:
        return False
    return first >= one.batch.onset_h - 1e-6 and (not strictly or first <= one.batch.end_h + 1e-6)


def before_the_product(judged: list[Judged]) -> Share:
    """Count product-hit batches alarmed, without an earlier false alarm, before the hit."""
    hit = [one for one in judged if one.batch.hit_h is not None]
    in_time = 0
    for one in hit:
        first = first_alarm_h(one)
        in_time += bool(
            _detected(one, strictly=False)
            and first is not None
            and one.batch.hit_h is not None
            and first <= one.batch.hit_h + 1e-6
        )
    return Share(in_time, len(hit))


def lead_h(judged: list[Judged]) -> list[float]:
    """Return the hours from alarm to product 5 % off, of product-hit batches alarmed in time."""
    found = []
    for one in judged:
        first, hit_h = first_alarm_h(one), one.batch.hit_h
        if first is not None and hit_h is not None and _detected(one, strictly=False):
            found.append(hit_h - first)
    return [one for one in found if one >= -1e-6]


def calibration_error(judged: list[Judged], *, deviating_share: float | None = None) -> float:
    """Return the calibration error of p, at the campaign's own or another share of deviations."""
    batches = [one.batch for one in judged]
    weights = (
        [1.0] * len(batches) if deviating_share is None else weights_of(batches, deviating_share)
    )
    p = np.concatenate([one.answer.p for one in judged if one.answer])
    y = np.concatenate([one.batch.active() for one in judged])
    w = np.concatenate(
        [np.full(len(one.grid.time_h), share) for one, share in zip(batches, weights, strict=True)]
    )
    return calibration.expected_calibration_error(p, y, w)


def coverage(
    judged: list[Judged], quantity: str, horizon_h: int, *, or_flagged: bool = False
) -> tuple[float, float, float]:
    """Return the share of forecasts within bounds, the root mean square error, the mean width.

    For deviating batches from the onset on.
    """
    inside, errors, width = [], [], []
    name = forecast.key(quantity, horizon_h)
    for one in judged:
        if one.answer is None:
            continue
        target = forecast.ahead(one.batch.targets[quantity], horizon_h)
        low, high = one.answer.bounds[name]
        told = np.isfinite(target)
        if one.batch.onset_h is not None:
            told &= one.batch.grid.time_h >= one.batch.onset_h - 1e-6
        held = (target >= low) & (target <= high)
        if or_flagged:
            held |= ~one.answer.in_domain
        inside.append(held[told])
        errors.append((target - one.answer.forecasts[name])[told])
        width.append((high - low)[told])
    if not sum(len(one) for one in inside):
        return math.nan, math.nan, math.nan
    off = np.concatenate(errors)
    return (
        float(np.concatenate(inside).mean()),
        float(np.sqrt((off**2).mean())),
        float(np.concatenate(width).mean()),
    )


def nested(
    batches: list[Batch], options: Options, say: Say
) -> tuple[list[Judged], dict[str, list[Judged]]]:
    """Judge every batch by a twin trained without its fold; and every anchor likewise."""
    judged: list[Judged] = []
    rivals: dict[str, list[Judged]] = {name: [] for name in _RIVALS}
    # The filter learns nothing from other batches: once is enough.
    innovations = {}
    for one in batches:
        innovations[one.number] = anchors.filtered(one.grid)
    say(f"ensemble filter: {len(batches)} batches followed")
    for fold, out in enumerate(_folds(batches, options.folds)):
        inside = [one for one, left in zip(batches, out, strict=True) if not left]
        outside = [one for one, left in zip(batches, out, strict=True) if left]
        normals = [one for one in inside if one.is_normal]
        detector, unseen = train_detector(normals, options)
        model = train_answers(prepare(inside, detector, unseen), detector, options)
        for one in outside:
            said = answer(model, one.grid)
            judged.append(Judged(one, said.alarm, said))
        for name, found in _anchors(normals, unseen, outside, detector, innovations):
            rivals[name] += found
        say(
            f"fold {fold + 1} of {options.folds}: {len(outside)} batches judged, "
            f"limit {detector.limit:.2f}"
        )
    return judged, rivals


def without_kind(batches: list[Batch], options: Options, say: Say) -> list[Judged]:
    """Judge the deviating batches of each kind by a twin that never saw this kind."""
    normals = [one for one in batches if one.is_normal]
    detector, unseen = train_detector(normals, options)
    judged = []
    prepared = prepare(batches, detector, unseen)
    for kind in sorted({one.kind for one in batches if one.kind is not None}):
        known = [one for one in prepared if one.batch.kind != kind]
        model = train_answers(known, detector, options)
        for one in batches:
            if one.kind == kind:
                said = answer(model, one.grid)
                judged.append(Judged(one, said.alarm, said))
        say(f"without {kind}: judged")
    return judged


def _folds(batches: list[Batch], folds: int) -> Iterator[np.ndarray]:
    """Deal normal and deviating batches out apart, so that each fold has its share."""
    place = np.zeros(len(batches), dtype=np.int64)
    for wanted in (True, False):
        at = [i for i, one in enumerate(batches) if one.is_normal is wanted]
        place[at] = np.arange(len(at)) % folds
    for fold in range(folds):
        yield place == fold


_RIVALS = ("golden envelope", "MPCA", "ARX + recipe", "filter + recipe")


def _anchors(
    normals: list[Batch],
    unseen: list[Floats],
    outside: list[Batch],
    detector: Detector,
    innovations: dict[int, Floats],
) -> Iterator[tuple[str, list[Judged]]]:
    """Set the limit of each anchor for 5 % of normal batches left out, then judge the others."""
    inner = training.folds_of(len(normals), 3)
    grids = [one.grid for one in normals]
    others = [one.grid for one in outside]
    profile = detector.fitted.profile
    for name, score in (("golden envelope", anchors.golden_envelope), ("MPCA", anchors.mpca)):
        most = []
        for out in inner:
            known = [g for g, left in zip(grids, out, strict=True) if not left]
            left_out = [g for g, left in zip(grids, out, strict=True) if left]
            most += [float(_steady(s).max()) for s in score(known, left_out, profile)]
        limit = combination.limit_of(np.array(most), false_alarm_share=0.05)
        found = score(grids, others, profile)
        yield name, [Judged(one, _steady(s) > limit) for one, s in zip(outside, found, strict=True)]
    times, times_out = [one.time_h for one in grids], [one.time_h for one in others]
    signed = [training.channels_of(one, detector.fitted) for one in others]
    yield (
        "ARX + recipe",
        _judged(
            outside,
            anchors.arx_and_recipe(unseen, times, detector.scales),
            anchors.arx_and_recipe(signed, times_out, detector.scales),
        ),
    )
    followed = [innovations[one.number] for one in normals]
    followed_out = [innovations[one.number] for one in outside]
    both = [anchors.with_recipe(a, b) for a, b in zip(followed, unseen, strict=True)]
    scales = combination.scales_of(times, both)
    yield (
        "filter + recipe",
        _judged(
            outside,
            anchors.filter_and_recipe(followed, unseen, times, scales),
            anchors.filter_and_recipe(followed_out, signed, times_out, scales),
        ),
    )


def _judged(outside: list[Batch], normal: list[Floats], found: list[Floats]) -> list[Judged]:
    """Alarm where a score is above what 5 % of normal batches exceed."""
    most = np.array([float(_steady(one).max()) for one in normal])
    limit = combination.limit_of(most, false_alarm_share=0.05)
    return [Judged(one, _steady(s) > limit) for one, s in zip(outside, found, strict=True)]


def _steady(score: Floats) -> Floats:
    return combination.steady(score)


def hold_error(judged: list[Judged]) -> float:
    """Return the error of taking the last laboratory result for the present penicillin."""
    off = []
    for one in judged:
        held = one.batch.grid.laboratory[:, 2]
        target = one.batch.targets["penicillin"]
        told = np.isfinite(held) & np.isfinite(target)
        off.append((held - target)[told])
    return float(np.sqrt((np.concatenate(off) ** 2).mean()))


def table(
    judged: list[Judged], rivals: dict[str, list[Judged]], unseen: list[Judged]
) -> Iterator[str]:
    """Yield the lines of the report."""
    yield "normal batches with a false alarm (at most .05)"
    yield f"  twin             {false_alarms(judged)}"
    for name, found in rivals.items():
        yield f"  {name:16} {false_alarms(found)}"
    yield "deviating batches detected, no earlier false alarm (at least .65)"
    yield f"  twin             {detected(judged)}"
    yield f"  twin, before end {detected(judged, strictly=True)}"
    for name, found in rivals.items():
        yield f"  {name:16} {detected(found)}"
    yield from _by_kind(judged)
    yield "the same for a kind left out of the training (at least .45)"
    yield f"  twin             {detected(unseen)}"
    yield from _by_kind(unseen)
    yield "product-hit batches alarmed before the product is 5 % off (at least .75)"
    yield f"  twin             {before_the_product(judged)}"
    for name, found in rivals.items():
        yield f"  {name:16} {before_the_product(found)}"
    yield f"  twin, kind unseen {before_the_product(unseen)}"
    if ahead_h := lead_h(judged):
        yield f"  hours ahead, half of those in time at least {float(np.median(ahead_h)):.1f}"
    yield "calibration error of p (at most .05)"
    yield f"  as in these batches   {calibration_error(judged):.4f}"
    yield f"  half of them deviating {calibration_error(judged, deviating_share=0.5):.4f}"
    error = calibration_error([*judged, *unseen], deviating_share=0.5)
    yield f"  half of them deviating, half of those of kinds unseen {error:.4f}"
    mixed = [one for one in judged if one.batch.is_normal] + unseen
    error = calibration_error(mixed, deviating_share=0.5)
    yield f"  half of them deviating, all of kinds unseen {error:.4f}"
    yield from _forecasts(judged, unseen)


def _by_kind(judged: list[Judged]) -> Iterator[str]:
    for kind in sorted({one.batch.kind for one in judged if one.batch.kind}):
        yield f"    {kind:14} {detected([one for one in judged if one.batch.kind == kind])}"


def _forecasts(judged: list[Judged], unseen: list[Judged]) -> Iterator[str]:
    normal = [one for one in judged if one.batch.is_normal]
    deviating = [one for one in judged if not one.batch.is_normal]
    yield f"hidden penicillin now, holding the last result: {hold_error(judged):.3f} g/l"
    yield "90 % intervals: coverage on normals (at least .88), under deviation, the same or flagged"
    yield "  (at least .85), the same for kinds unseen; then error and mean width on normals"
    for quantity in forecast.QUANTITIES:
        for horizon_h in forecast.HORIZONS_H:
            usual, error, width = coverage(normal, quantity, horizon_h)
            odd = coverage(deviating, quantity, horizon_h)
            flagged = coverage(deviating, quantity, horizon_h, or_flagged=True)
            new = coverage(unseen, quantity, horizon_h, or_flagged=True)
            yield (
                f"  {forecast.key(quantity, horizon_h):16} {usual:.3f}  {odd[0]:.3f}  "
                f"{flagged[0]:.3f}  {new[0]:.3f}  rmse {error:.3f} (deviating {odd[1]:.3f})  "
                f"width {width:.3f}"
            )
