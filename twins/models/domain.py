"""Where the twin may answer, and when it must say that it does not know."""

from collections import defaultdict
from collections.abc import Sequence

from twins.models import ensemble, feeding, observing
from twins.models.cho_fed_batch import declared
from twins.models.cho_fed_batch.equations import GLUCOSE, VIABLE
from twins.models.declarations import Range
from twins.models.estimation import Estimate
from twins.models.observing import Seen
from twins.models.requests import ForecastRequest

# How long an excursion of temperature, pH or oxygen makes the culture's response unknown.
LOOK_BACK_H = 24.0
# The least that an estimate needs: hourly means of each of these, the last one not older.
NEEDED = ("viable_cells_1e6_per_ml", "glucose_mmol_l")
NEEDED_MEANS = 12
NEEDED_WITHIN_H = 6.0
# An ensemble wider than this does not know where the batch is.
VIABLE_SPREAD_SHARE = 0.25
GLUCOSE_SPREAD_MMOL_L = 5.0


def means_by_tag(request: ForecastRequest) -> dict[str, list[Seen]]:
    """Return the hourly means of every tag that was visible, in order of time."""
    seen = observing.visible(request.observations, as_of_h=request.as_of_h)
    found: dict[str, list[Seen]] = defaultdict(list)
    for group in observing.by_interval(seen, ends_h=observing.grid(request.as_of_h)).values():
        for one in group:
            found[one.tag].append(one)
    return found


def outside(request: ForecastRequest, means: dict[str, list[Seen]]) -> tuple[str, ...]:
    """Return why the twin may not answer; empty inside its declared input space."""
    reasons = [
        *_out_of(declared.AS_OF_DOMAIN, request.as_of_h),
        *_out_of(declared.HORIZON_DOMAIN, request.horizon_h),
        *_out_of(declared.FEED_GLUCOSE_DOMAIN, request.feed_glucose_mmol_l),
        *_out_of(declared.FEED_GLUTAMINE_DOMAIN, request.feed_glutamine_mmol_l),
    ]
    for name, allowed in declared.INITIAL_DOMAIN.items():
        if name not in request.initial:
            reasons.append(f"{allowed.name} is not known")
        else:
            reasons.extend(_out_of(allowed, request.initial[name]))
    for tag, allowed in declared.LOOP_DOMAIN.items():
        recent = [one for one in means[tag] if one.at_h > request.as_of_h - LOOK_BACK_H]
        wrong = [one for one in recent if not allowed.holds(one.value)]
        if wrong:
            reasons.append(f"{_text(allowed, wrong[-1].value)} at {wrong[-1].at_h:.1f} h")
    for output in (*declared.ONLINE, *declared.LABORATORY):
        allowed = Range(output.tag, output.valid_low, output.valid_high, output.unit)
        for one in means[output.tag][-1:]:
            tolerated = 4.0 * output.sd(one.value)
            if not output.valid_low - tolerated <= one.value <= output.valid_high + tolerated:
                reasons.append(f"{_text(allowed, one.value)} at {one.at_h:.1f} h")
    if not reasons:
        reasons.extend(_feed_outside(request, means))
    return tuple(reasons)


def undecided(
    request: ForecastRequest, means: dict[str, list[Seen]], estimate: Estimate | None
) -> tuple[str, ...]:
    """Return why the data or the estimate are not enough for a probability."""
    reasons = []
    for tag in NEEDED:
        seen = means[tag]
        if len(seen) < NEEDED_MEANS:
            reasons.append(f"{tag}: {len(seen)} hourly means, {NEEDED_MEANS} are needed")
        elif seen[-1].at_h < request.as_of_h - NEEDED_WITHIN_H:
            reasons.append(f"{tag}: nothing since {seen[-1].at_h:.1f} h")
    if estimate is not None:
        spreads = ensemble.spread(estimate.rows)
        viable = float(spreads[VIABLE]) / max(float(ensemble.mean(estimate.rows)[VIABLE]), 0.1)
        if not viable <= VIABLE_SPREAD_SHARE:
            reasons.append(f"viable cells are known to {100.0 * viable:.0f} % only")
        if not float(spreads[GLUCOSE]) <= GLUCOSE_SPREAD_MMOL_L:
            reasons.append(f"glucose is known to {float(spreads[GLUCOSE]):.1f} mmol/L only")
    return tuple(reasons)


def _feed_outside(request: ForecastRequest, means: dict[str, list[Seen]]) -> list[str]:
    read = {one.at_h: one.value for one in means[declared.FEED_RATE_TAG]}
    until_h = request.as_of_h + request.horizon_h
    days = [float(start) for start in range(0, int(until_h) + 1, 24)]
    rates = [feeding.mean_rate(request.feed, start_h=day, end_h=day + 24.0) for day in days]
    rates.extend(_daily_means(read, days))
    volume_l = request.initial["volume_l"]
    shares = [24.0 * rate / volume_l for rate in rates]
    return _out_of(declared.FEED_DAILY_DOMAIN, max(shares, default=0.0))


def _daily_means(read: dict[float, float], days: Sequence[float]) -> list[float]:
    found = []
    for day in days:
        values = [value for at_h, value in sorted(read.items()) if day < at_h <= day + 24.0]
        if len(values) == 24:
            found.append(sum(values) / 24.0)
    return found


def _out_of(allowed: Range, value: float) -> list[str]:
    return [] if allowed.holds(value) else [_text(allowed, value)]


def _text(allowed: Range, value: float) -> str:
    return f"{value:g} is outside the declared {allowed}"
