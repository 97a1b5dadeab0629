"""Compare the CHO twin with its paper and with real cultures, in one run.

`python -m tests.cho_fidelity FILE` prints it; FILE is vicell.parquet of 18 cultures of NISTCHO cells
(six feeds, A to F, three replicates): cell density, viability and hours. What was fed is not in the
file, nor is glucose, lactate or product: the feed of the demonstration recipe stands for all of them,
so feeds can differ by their constants only. See docs/cho.md.
"""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from twins.models.cho_fed_batch import culture_runs, fitting, parameters
from twins.models.cho_fed_batch.culture_runs import Culture
from twins.models.cho_fed_batch.fitting import Fit
from twins.plant import demo_recipe

FloatArray = NDArray[np.float64]

CELLS, VIABILITY = "viable_cells_1e6_per_ml", "viability_pct"
TAGS = (CELLS, VIABILITY)
DAY_SIX_H = 143.0
# 90 % of a normal distribution.
_WIDE = 1.6449
# Table 2 of the paper as it is printed (PMC5874891): value, and what one of its units is in ours.
TABLE_2: dict[str, tuple[float, float]] = {
    "mu_max": (0.039, 1.0),
    "k_d": (0.004, 1.0),
    "k_glc": (1.00, 1.0),
    "k_gln": (0.047, 1.0),
    "ki_lac": (43.00, 1.0),
    "ki_amm": (6.51, 1.0),
    "kd_lac": (45.8, 1.0),
    "kd_amm": (6.51, 1.0),
    "y_x_glc": (0.357, 1.0),
    "y_x_gln": (0.974, 1.0),
    "y_lac_glc": (0.70, 1.0),
    "y_amm_gln": (0.67, 1.0),
    "r_amm": (6.3e-12, 1e9),
    "m_glc": (69.2e-12, 1e9),
    "a1": (3.2e-12, 1e9),
    "a2": (2.1, 1.0),
    "q_mab": (1.51e-12, 1e9),
}


@dataclass(frozen=True)
class Prediction:
    """A feed that was left out: its measured values beside two predictions, with their spreads."""

    feed: str
    tag: str
    hours: FloatArray
    measured: FloatArray
    twin: FloatArray
    twin_sd: FloatArray
    trivial: FloatArray
    trivial_sd: FloatArray

    def error(self, of: FloatArray) -> float:
        """Return the median relative error."""
        return float(np.median(np.abs(of / self.measured - 1.0)))

    def bias(self, of: FloatArray) -> float:
        """Return the relative error of the last day."""
        last = self.hours > self.hours.max() - 12.0
        return float(np.median(of[last] / self.measured[last] - 1.0))

    def inside(self, of: FloatArray, sd: FloatArray) -> FloatArray:
        """Tell which measured values lie in the 90 % interval."""
        found: FloatArray = np.abs(self.measured - of) <= _WIDE * sd
        return found


def cultures(path: Path) -> list[Culture]:
    """Read the cultures; each starts with the mean of its feed, since one count is off by 20 %."""
    from pyarrow import parquet

    rows = parquet.read_table(path).to_pylist()
    found = []
    for feed in sorted({row["Condition"] for row in rows}):
        mine = [row for row in rows if row["Condition"] == feed]
        start = [row for row in mine if row["Hours"] < 1.0]
        viable = float(np.mean([row["Total_VCD"] for row in start]))
        share = float(np.mean([row["Viability"] for row in start])) / 100.0
        initial = demo_recipe.RECIPE_INITIAL | {
            CELLS: viable, "dead_cells_1e6_per_ml": viable * (1.0 / share - 1.0),
        }  # fmt: skip
        for replicate in sorted({row["Replicate"] for row in mine}):
            later = [r for r in mine if r["Replicate"] == replicate and r["Hours"] > 1.0]
            later.sort(key=lambda row: row["Hours"])
            found.append(
                Culture(
                    f"{feed}-{replicate}", initial, demo_recipe.RECIPE_FEED,
                    demo_recipe.RECIPE_FEED_GLUCOSE_MMOL_L, demo_recipe.RECIPE_FEED_GLUTAMINE_MMOL_L,
                    np.array([row["Hours"] for row in later]),
                    {
                        CELLS: np.array([row["Total_VCD"] for row in later]),
                        VIABILITY: np.array([row["Viability"] for row in later]),
                    },
                )
            )  # fmt: skip
    return found


def by_feed(found: Sequence[Culture]) -> dict[str, list[Culture]]:
    """Return the cultures of each feed."""
    feeds: dict[str, list[Culture]] = {}
    for one in found:
        feeds.setdefault(one.name[0], []).append(one)
    return feeds


def paper() -> list[tuple[str, float, float]]:
    """Return each constant of Table 2 with the twin's, in the twin's unit."""
    return [
        (name, printed * unit, parameters.VALUES[name]) for name, (printed, unit) in TABLE_2.items()
    ]


def left_out(
    found: Sequence[Culture], constants: Sequence[str], *, turns: int = 10
) -> list[Prediction]:
    """Predict each feed from its start by constants of the other feeds, beside their plain mean."""
    predictions = []
    for feed, mine in by_feed(found).items():
        others = [one for one in found if one.name[0] != feed]
        fit = fitting.fit(others, constants, turns=turns)
        computed, _ = culture_runs.predict(mine, fit.values)
        spreads = fitting.spread(mine, fit)
        for tag in TAGS:
            hours = np.concatenate([one.times_h for one in mine])
            mean, sd = _mean_of(others, tag, hours)
            predictions.append(
                Prediction(
                    feed, tag, hours,
                    np.concatenate([one.measured[tag] for one in mine]),
                    np.concatenate([one[tag] for one in computed]),
                    np.concatenate([one[tag] for one in spreads]),
                    mean, sd,
                )
            )  # fmt: skip
    return predictions


def _mean_of(
    others: Sequence[Culture], tag: str, hours: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return mean and standard deviation of what the other cultures had at these hours."""
    times = np.concatenate([one.times_h for one in others])
    values = np.concatenate([one.measured[tag] for one in others])
    means, sds = [], []
    for hour in hours.tolist():
        near = values[np.abs(times - hour) < 3.0]
        means.append(np.mean(near))
        sds.append(np.std(near, ddof=1) * np.sqrt(1.0 + 1.0 / len(near)))
    return np.array(means), np.array(sds)


def from_day_six(
    found: Sequence[Culture], constants: Sequence[str], *, turns: int = 10
) -> list[Prediction]:
    """Predict the rest of each feed's cultures once their first six days are known.

    The constants of the others are fitted anew to what was measured until then. Beside it the mean
    course of the others, moved by how far these cultures were from it on day six.
    """
    predictions = []
    for feed, mine in by_feed(found).items():
        others = [one for one in found if one.name[0] != feed]
        around = fitting.fit(others, constants, turns=turns)
        seen = [_part(one, one.times_h <= DAY_SIX_H) for one in mine]
        rest = [one for one in (_part(c, c.times_h > DAY_SIX_H) for c in mine) if len(one.times_h)]
        fit = fitting.fit(seen, constants, around=around.values, turns=turns)
        # Six days say little about what is left over: the others say more.
        fit = replace(fit, left=around.left)
        computed, _ = culture_runs.predict(rest, fit.values)
        spreads = fitting.spread(rest, fit)
        for tag in TAGS:
            hours = np.concatenate([one.times_h for one in rest])
            mean, sd = _mean_of(others, tag, hours)
            last = np.array([one.measured[tag][-1] for one in seen if one.times_h[-1] > 140.0])
            moved = float(np.mean(last)) / float(_mean_of(others, tag, np.array([DAY_SIX_H]))[0][0])
            predictions.append(
                Prediction(
                    feed, tag, hours,
                    np.concatenate([one.measured[tag] for one in rest]),
                    np.concatenate([one[tag] for one in computed]),
                    np.concatenate([one[tag] for one in spreads]),
                    mean * moved, sd * moved,
                )
            )  # fmt: skip
    return predictions


def _part(culture: Culture, rows: NDArray[np.bool_]) -> Culture:
    measured = {tag: values[rows] for tag, values in culture.measured.items()}
    return replace(culture, times_h=culture.times_h[rows], measured=measured)


def _print_fit(feed: str, fit: Fit) -> None:
    said = []
    for one in fit.constants:
        if one.is_known:
            said.append(f"{one.name} {one.value:.3g}±{one.sd:.1g}")
    left = ", ".join(f"{tag} {size:.2f}" for tag, size in fit.left.items())
    print(f"  {feed}: rms {fit.rms_before:5.2f} -> {fit.rms_after:5.2f} (nine in ten: {left})")
    print(f"     known: {', '.join(said) or '-'}")


def _print_table(predictions: Sequence[Prediction]) -> None:
    print(
        f"  {'feed':4} {'tag':24} {'n':>3} {'twin':>7} {'trivial':>8} {'last day':>9} {'trivial':>8}"
        f" {'in 90 %':>8} {'trivial':>8}"
    )
    for one in predictions:
        print(
            f"  {one.feed:4} {one.tag:24} {len(one.measured):3} {one.error(one.twin):7.1%}"
            f" {one.error(one.trivial):8.1%} {one.bias(one.twin):9.1%} {one.bias(one.trivial):8.1%}"
            f" {one.inside(one.twin, one.twin_sd).mean():8.0%}"
            f" {one.inside(one.trivial, one.trivial_sd).mean():8.0%}"
        )
    for tag in TAGS:
        mine = [one for one in predictions if one.tag == tag]
        print(f"  all  {tag:24} {sum(len(one.measured) for one in mine):3} {summary(mine)}")


def summary(mine: Sequence[Prediction]) -> str:
    """Return errors and coverage over all feeds."""
    twin, trivial = overall(mine, "twin"), overall(mine, "trivial")
    return (
        f"{twin['error']:7.1%} {trivial['error']:8.1%} {'':9} {'':8} {twin['inside']:8.0%}"
        f" {trivial['inside']:8.0%}"
    )


def overall(mine: Sequence[Prediction], who: str) -> Mapping[str, float]:
    """Return median relative error and coverage of one predictor over several feeds."""
    errors = [np.abs(getattr(one, who) / one.measured - 1.0) for one in mine]
    inside = [one.inside(getattr(one, who), getattr(one, f"{who}_sd")) for one in mine]
    return {
        "error": float(np.median(np.concatenate(errors))),
        "inside": float(np.mean(np.concatenate(inside))),
    }


def main() -> int:
    found = cultures(Path(sys.argv[1]))
    wrong = [one for one in paper() if not np.isclose(one[1], one[2], rtol=1e-12)]
    print(f"paper: {len(TABLE_2)} constants of Table 2, {len(wrong)} differ {wrong or ''}")

    told = fitting.identifiable(found, tuple(fitting.FITTABLE))
    print(
        f"identifiable from cells and viability: {', '.join(told.chosen)} (index {told.index:.1f})"
    )
    for name, index, other in told.collinear:
        print(f"  {name} counts as {other} does (index {index:.0f})")
    print(f"  not seen: {', '.join(told.unseen)}")

    seen = [one for one in fitting.FITTABLE if one not in told.unseen]
    print(f"fitted to each feed: {', '.join(seen)}; shown is what the data know of them")
    for feed, mine in by_feed(found).items():
        _print_fit(feed, fitting.fit(mine, seen))
    _print_fit("all", fitting.fit(found, seen))

    print("sum of squares of feed D with one constant held and the others fitted anew")
    clean = by_feed(found)["D"]
    own = fitting.fit(clean, seen).values
    for name in ("mu_max", "viability_ceiling", "kd_lac", "ki_amm"):
        others = [one for one in seen if one != name]
        shares = (0.98, 1.0, 1.02) if name == culture_runs.CEILING.name else (0.8, 1.0, 1.25)
        curve = fitting.profile(clean, name, others, at=own, shares=shares)
        print(f"  {name:18}", "  ".join(f"{value:.3g}: {rest:.1f}" for value, rest in curve))

    print("each feed predicted from its start by the constants of the others; 90 % intervals")
    _print_table(left_out(found, seen))
    print("the rest of each feed from its first six days and the constants of the others")
    _print_table(from_day_six(found, seen))
    return 0


if __name__ == "__main__":
    sys.exit(main())
