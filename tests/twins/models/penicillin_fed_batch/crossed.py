"""Measure how often a limit is crossed that the live penicillin twin warned of, on a known campaign.

The campaign has no limits. For each value and moment they are what one odd normal batch in ten goes
beyond in the next 40 h, to either side. A side that the batch is beyond already, as the twin estimates
it, is not counted.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from tests.twins.models.penicillin_fed_batch import foretold, made_batch
from tests.twins.models.penicillin_fed_batch.foretold import HORIZON_H, TRUE, Batch
from twins.models import foretelling
from twins.models.declarations import Limit
from twins.models.penicillin_fed_batch import deviation_forecast, projecting
from twins.models.penicillin_fed_batch.holding import LOOPS

TAGS = (*projecting.VALUES, *(one.tag for one in LOOPS))
ONE_IN, ALERT, BINS = 10, 0.8, 10
Band = tuple[float, float]


@dataclass(frozen=True)
class Asked:
    """Probability and lead that were stated of one side of a limit, and when it was crossed."""

    tag: str
    probability: float
    lead_h: float | None
    crossed_h: float | None


def ahead(batch: Batch, tag: str, moment_h: float) -> np.ndarray:
    """Return the true values of the samples to the horizon; the first is that of now."""
    first = round(moment_h * 5) - 1
    return batch[4][TRUE.get(tag, f"true_{tag}")][first : first + round(HORIZON_H * 5) + 1]


def bands(folder: Path) -> dict[tuple[str, float], Band]:
    """Return low and high limits of each value and moment, from the odd normal batches."""
    lowest, highest = defaultdict(list), defaultdict(list)
    for one in foretold.tables(folder, "fit"):
        for moment_h in foretold.moments(one):
            for tag in TAGS:
                values = ahead(one, tag, moment_h)[1:]
                lowest[tag, moment_h].append(values.min())
                highest[tag, moment_h].append(values.max())
    return {
        key: (
            float(np.quantile(lowest[key], 1 / ONE_IN)),
            float(np.quantile(highest[key], 1 - 1 / ONE_IN)),
        )
        for key in lowest
    }


def asked(one: Batch, limits: Mapping[tuple[str, float], Band]) -> list[Asked]:
    """Return what a batch was told of every side that it was not beyond."""
    planned, found = foretold.plan(), []
    units = deviation_forecast.units_of({})
    for moment_h in foretold.moments(one):
        wanted = tuple(
            Limit(tag, *limits[tag, moment_h], units[tag], "CPP", 0.0, None) for tag in TAGS
        )
        request = made_batch.asked(
            one[3], planned, as_of_h=moment_h, horizon_h=HORIZON_H, limits=wanted
        )
        forecast = foretelling.run(deviation_forecast, request)
        now = {path.tag: path.q50[0] for path in forecast.trajectories}
        for said in forecast.limits:
            sign = 1.0 if said.side == "high" else -1.0
            if said.probability is None or sign * (now[said.tag] - said.bound) > 0.0:
                continue
            beyond = sign * (ahead(one, said.tag, moment_h) - said.bound) > 0.0
            when = float(np.argmax(beyond)) / 5 if beyond.any() else None
            found.append(Asked(said.tag, said.probability, said.lead_h_median, when))
    return found


def reliability(asked_of: Sequence[Asked], usual: float) -> list[str]:
    """Return the lines of a report: reliability, scores against a usual share, warnings."""
    p = np.array([one.probability for one in asked_of])
    came = np.array([one.crossed_h is not None for one in asked_of])
    places = np.minimum((p * BINS).astype(int), BINS - 1)
    lines, off = [], 0.0
    for place in range(BINS):
        inside = places == place
        if inside.any():
            off += inside.mean() * abs(p[inside].mean() - came[inside].mean())
            lines.append(
                f"  {place / BINS:.1f} to {(place + 1) / BINS:.1f}: said {p[inside].mean():.3f}, "
                f"crossed {came[inside].mean():.3f} of {inside.sum()}"
            )
    brier, plain = np.mean((p - came) ** 2), np.mean((usual - came) ** 2)
    warned = p >= ALERT
    hit = [one for one in asked_of if one.probability >= ALERT and one.crossed_h is not None]
    leads = np.array([one.crossed_h for one in hit] or [np.nan])
    wrong = np.array([abs((one.lead_h or 0.0) - (one.crossed_h or 0.0)) for one in hit] or [np.nan])
    lines.append(
        f"  {len(p)} sides, crossed {came.mean():.3f}, said {p.mean():.3f}; Brier {brier:.4f}, "
        f"of the usual share {plain:.4f}; ECE {off:.3f}; warned {warned.sum()}, "
        f"precision {came[warned].mean() if warned.any() else np.nan:.3f}, "
        f"recall {warned[came].mean() if came.any() else np.nan:.3f}; crossed after "
        f"{np.quantile(leads, 0.1):.1f}, {np.median(leads):.1f}, {np.quantile(leads, 0.9):.1f} h, "
        f"off the stated lead by {np.median(wrong):.1f} h in the median"
    )
    return lines


def main(kind: str, folder: str) -> None:
    """Print the reliability of a part of the campaign, whole and for every value."""
    deviation_forecast.EXPLAINED_FROM = (
        2.0  # nothing is explained: it costs 21 runs of the ensemble
    )
    limits = bands(Path(folder))
    rows: list[Asked] = []
    with ProcessPoolExecutor(2) as pool:
        for found in pool.map(partial(asked, limits=limits), foretold.tables(Path(folder), kind)):
            rows += found
    print("\n".join(["all", *reliability(rows, 1 / ONE_IN)]))
    for tag in TAGS:
        of_tag = [one for one in rows if one.tag == tag]
        print(tag, reliability(of_tag, 1 / ONE_IN)[-1].strip())
