"""Where the penicillin twin may answer, and when it must say that it does not know."""

from collections.abc import Mapping

import numpy as np

from twins.models.declarations import Range
from twins.models.penicillin_fed_batch import holding, measuring, misfit
from twins.models.penicillin_fed_batch import layout as at
from twins.models.penicillin_fed_batch.asking import FermentationRequest
from twins.models.penicillin_fed_batch.declared import (
    DOMAIN,
    HORIZON_DOMAIN,
    TIME_DOMAIN,
    VOLUME_DOMAIN,
)
from twins.models.penicillin_fed_batch.following import SAMPLE_H
from twins.models.penicillin_fed_batch.replaying import Estimate, FloatArray

# How long an excursion of a set-point, of temperature or of pH makes the culture's response unknown.
LOOK_BACK_H = 24.0
# The estimate starts at inoculation.
LATEST_START_H = 1.0
NEEDED = ("Fs", "Fg", "DO2", "Wt", "CO2outgas", "pH", "T")
NEEDED_WITHIN_H, NEEDED_H, NEEDED_SHARE = 2.0, 12.0, 0.8
# An ensemble wider than this, as a share of the mean, does not know where the batch is.
SPREAD_SHARE = 0.25
_LITTLE_G_L = 1.0


def outside(request: FermentationRequest, batch: Mapping[str, FloatArray]) -> tuple[str, ...]:
    """Return why the twin may not answer; empty inside its declared input space."""
    reasons = [
        *_out_of(TIME_DOMAIN, request.as_of_h),
        *_out_of(HORIZON_DOMAIN, request.horizon_h),
    ]
    for tag, allowed in DOMAIN.items():
        hours = holding.means(batch, tag)
        recent = [one for one in hours if one.at_h > request.as_of_h - LOOK_BACK_H]
        wrong = [one for one in recent if not allowed.holds(one.value)]
        if wrong:
            reasons.append(f"{_text(allowed, wrong[-1].value)} at {wrong[-1].at_h:.1f} h")
    for output in measuring.OUTPUTS:
        known = batch[output.tag][~np.isnan(batch[output.tag])][-1:]
        allowed = Range(output.tag, output.valid_low, output.valid_high, output.unit)
        reasons += [
            f"{_text(allowed, value)}, its last value"
            for value in known.tolist()
            if not allowed.low - 4.0 * output.sd(value) <= value <= allowed.high
        ]
    for tag, steps in request.plan.items():
        until_h = request.as_of_h + request.horizon_h
        wrong_steps = [
            one for one in steps if one.start_h < until_h and not DOMAIN[tag].holds(one.value)
        ]
        if wrong_steps:
            one = wrong_steps[0]
            reasons.append(f"{_text(DOMAIN[tag], one.value)} in the plan at {one.start_h:g} h")
    return tuple(reasons)


def scarce(request: FermentationRequest, batch: Mapping[str, FloatArray]) -> tuple[str, ...]:
    """Return why the data are not enough for an estimate."""
    if request.as_of_h < NEEDED_H:
        return (f"{request.as_of_h:g} h since inoculation, {NEEDED_H:g} h are needed",)
    reasons = []
    for tag in NEEDED:
        known = np.flatnonzero(~np.isnan(batch[tag]))
        name = request.names.get(tag, tag)
        if not len(known):
            reasons.append(f"{name}: nothing was read")
            continue
        first_h, last_h = (float(one + 1) * SAMPLE_H for one in known[[0, -1]])
        share = len(known) / len(batch[tag])
        if first_h > LATEST_START_H:
            reasons.append(f"{name}: nothing before {first_h:.1f} h, the estimate needs the start")
        elif last_h < request.as_of_h - NEEDED_WITHIN_H:
            reasons.append(f"{name}: nothing since {last_h:.1f} h")
        elif share < NEEDED_SHARE:
            reasons.append(f"{name}: {100.0 * share:.0f} % of the samples are there")
    return tuple(reasons)


def wide(estimate: Estimate) -> tuple[str, ...]:
    """Return why the estimate is not enough for a probability."""
    rows = estimate.ensembles[-1]
    reasons = []
    for name, values in (
        ("penicillin", rows[:, at.P]),
        ("biomass", rows[:, at.A0] + rows[:, at.A1] + rows[:, at.A3] + rows[:, at.A4]),
    ):
        share = float(values.std(ddof=1)) / max(float(values.mean()), _LITTLE_G_L)
        if not share <= SPREAD_SHARE:
            reasons.append(f"{name} is known to {100.0 * share:.0f} % only")
    strange = misfit.of(estimate.innovations)
    if not strange < misfit.STRANGE:
        reasons.append(
            f"what is measured is {strange:.1f} times as one-sided about the estimate as in one normal "
            f"batch in twenty, {misfit.STRANGE:g} is the most: the equations do not describe this batch"
        )
    return (*reasons, *_out_of(VOLUME_DOMAIN, float(rows[:, at.V].mean())))


def _out_of(allowed: Range, value: float) -> list[str]:
    return [] if allowed.holds(value) else [_text(allowed, value)]


def _text(allowed: Range, value: float) -> str:
    return f"{value:g} is outside the declared {allowed}"
