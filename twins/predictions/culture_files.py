"""Read cultures of a plant from a file and estimate constants of the CHO twin from them."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from compliance.refusals import Refused
from twins.models.batch_monitoring.samples import Floats
from twins.models.cho_fed_batch import culture_runs, fitting
from twins.models.cho_fed_batch.culture_runs import Culture
from twins.models.cho_fed_batch.equations import STATE_NAMES
from twins.models.integrate import IntegrationInaccurate
from twins.models.requests import FeedStep
from twins.predictions import batch_files

FEED = ("feed_rate_l_per_h", "feed_glucose_mmol_l", "feed_glutamine_mmol_l")
_NEEDED = (*STATE_NAMES, *FEED)


class CulturesUnusable(Refused):
    """The file does not hold what a fit needs, or says nothing about the constants."""

    code = "cho-cultures-unusable"
    status = 422


def fit(data: Path, *, assumed: Mapping[str, float], constants: Sequence[str]) -> str:
    """Fit the constants that the cultures can tell apart and return the table that a person reads."""
    cultures, chosen = read(data, assumed), constants or tuple(fitting.FITTABLE)
    try:
        told = fitting.identifiable(cultures, chosen)
        seen = [one for one in chosen if one not in told.unseen]
        if not seen:
            raise CulturesUnusable("nothing in these cultures depends on any of the constants")
        found = fitting.fit(cultures, seen)
    except (fitting.NothingToFit, IntegrationInaccurate) as error:
        raise CulturesUnusable(str(error)) from error
    lines = [
        f"{len(cultures)} cultures; step-halving error {found.error:.1e}; residuals "
        f"{found.rms_before:.2f} -> {found.rms_after:.2f} in units of noise",
        *(f"assumed: {name} = {value:g}" for name, value in assumed.items()),
        f"{'constant':18} {'published':>10} {'estimate':>10} {'sd':>9}  unit",
    ]
    for one in found.constants:
        said = "" if one.is_known else "at its bound" if one.is_at_bound else "not known"
        lines.append(
            f"{one.name:18} {one.published:10.4g} {one.value:10.4g} {one.sd:9.1e}  {one.unit} {said}"
        )
    lines.append(
        f"told apart by these cultures: {', '.join(told.chosen)} (collinearity index "
        f"{told.index:.1f}, at most {fitting.COLLINEAR:g})"
    )
    lines += [f"{a} counts as {b} does (index {index:.0f})" for a, index, b in told.collinear]
    if told.unseen:
        lines.append(f"not seen: {', '.join(told.unseen)}")
    return "\n".join(line.rstrip() for line in lines)


def read(path: Path, assumed: Mapping[str, float]) -> list[Culture]:
    """Return the cultures of a file: a row a sample, `batch`, `time_h`, and what was measured.

    A culture starts at its row of hour 0. The states there and the feed are columns, or assumed by name;
    the feed rate of a row holds until the next.
    """
    strange = [name for name in assumed if name not in _NEEDED]
    if strange:
        raise CulturesUnusable(f"{', '.join(strange)} cannot be assumed; {', '.join(_NEEDED)} can")
    names = batch_files.column_names(path)
    needed = [name for name in _NEEDED if name not in assumed]
    # Dead cells are what viability leaves.
    derived = {"dead_cells_1e6_per_ml"} if "viability_pct" in names else set()
    observed = [name for name in culture_runs.OBSERVED if name in names]
    wanted = {*(one for one in needed if one not in derived or one in names), *observed}
    table = batch_files.read(path, required=("batch", "time_h", *sorted(wanted)))
    return [
        _culture(
            str(name),
            {one: column[rows] for one, column in table.columns.items()},
            assumed,
            observed,
        )
        for name, rows in table.rows_of().items()
    ]


def _culture(
    name: str, columns: dict[str, Floats], assumed: Mapping[str, float], observed: Sequence[str]
) -> Culture:
    times = columns["time_h"]
    if len(times) < 2 or times[0] != 0.0 or not np.all(np.diff(times) > 0.0):
        raise CulturesUnusable(f"culture {name} needs rows in order of time, the first at hour 0")

    def first(column: str) -> float:
        value = assumed.get(column, np.nan)
        if column in columns:
            value = float(columns[column][0])
        if not np.isfinite(value):
            raise CulturesUnusable(f"culture {name}: {column} is not known at hour 0")
        return float(value)

    initial = {one: first(one) for one in STATE_NAMES if one != "dead_cells_1e6_per_ml"}
    if "dead_cells_1e6_per_ml" in columns or "dead_cells_1e6_per_ml" in assumed:
        initial["dead_cells_1e6_per_ml"] = first("dead_cells_1e6_per_ml")
    else:
        share = first("viability_pct") / 100.0
        initial["dead_cells_1e6_per_ml"] = initial["viable_cells_1e6_per_ml"] * (1.0 / share - 1.0)
    rates = columns.get(FEED[0], np.full(len(times), assumed.get(FEED[0], np.nan)))
    if not np.all(np.isfinite(rates)):
        raise CulturesUnusable(f"culture {name}: the feed rate of a row is not known")
    feed = tuple(FeedStep(*one) for one in zip(times.tolist(), rates.tolist(), strict=True))
    later = {one: columns[one].copy() for one in observed}
    for values in later.values():
        # Where it starts is given, and no evidence.
        values[0] = np.nan
    return Culture(name, initial, feed, first(FEED[1]), first(FEED[2]), times, later)
