"""Measure explanations of alarms on the campaign whose deviations are known.

`python -m tests.twins.models.penicillin_fed_batch.explained PART FOLDER`; FOLDER holds the parquet files
dev_measured and dev_labels. PART `usual` prints the numbers of `usual.py`, from normal batches alone;
`normal` weighs windows of normal batches by sizes of the other half of them; `deviating` weighs and
costs the batches with a deviation, at the alarm, 12 h later, and at the end.
"""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from twins.models import alarmed_batches
from twins.models.batch_monitoring import artefacts, samples
from twins.models.batch_monitoring.model import Model
from twins.models.batch_monitoring.samples import Grid
from twins.models.batch_monitoring.signals import LABORATORY_NAMES, ONLINE_NAMES, STEP_H
from twins.models.penicillin_fed_batch import (
    counterfactual,
    explaining,
    hypotheses,
    signatures,
    usual,
)

FloatArray = NDArray[np.float64]

TRUE = {
    "aeration": "aeration-less", "base_flow": "base-less", "coolant": "coolant-less",
    "pressure": "pressure-more", "sugar_feed": "sugar-less", "temp_sensor": "temperature-probe",
    "ph_sensor": "ph-probe",
}  # fmt: skip
KIND = {one.name: one.kind for one in hypotheses.BANK}
SHIPPED = Path(artefacts.__file__).parent / "trained" / "penicillin-batch@2.json"
_AFTER_SAMPLES, _WITHOUT_ALARM_SAMPLES = 60, 120
_FIRST, _EVERY, _WINDOW = 100, 37, 60


@dataclass(frozen=True)
class Labelled:
    """One batch with its label."""

    number: int
    label: dict[str, object]
    grid: Grid

    def hour(self, name: str) -> float:
        return float(str(self.label[name]))


def batches(folder: Path, *, normal: bool) -> Iterator[Labelled]:
    """Read the normal batches of the campaign, or the others."""
    from pyarrow import parquet

    table = parquet.read_table(folder / "dev_measured.parquet")
    columns = {name: table[name].to_numpy().astype(np.float64) for name in table.column_names}
    for label in parquet.read_table(folder / "dev_labels.parquet").to_pylist():
        mine = columns["batch"] == label["batch"]
        if (label["kind"] == "none") != normal or not mine.any():
            continue
        grid = samples.on_grid(
            columns["time_h"][mine],
            {name: columns[name][mine] for name in ONLINE_NAMES},
            {name: columns[name][mine] for name in LABORATORY_NAMES},
        )
        yield Labelled(label["batch"], label, grid)


def traces(model: Model, folder: Path) -> dict[int, FloatArray]:
    """Return the signs of every normal batch."""
    recipe = alarmed_batches.recipe_of(model)
    found = {}
    for one in batches(folder, normal=True):
        arrays = alarmed_batches.arrays_of(one.grid)
        found[one.number] = signatures.traces(arrays, recipe, explaining.followed(arrays)[0])
    return found


def loops(folder: Path) -> dict[str, FloatArray]:
    """Fit what the loops of normal batches do, by least squares."""
    found = {}
    for flow, held, side in (("Fb", "pH", -1.0), ("Fc", "T", 1.0)):
        rows, moved = [], []
        for one in batches(folder, normal=True):
            u = one.grid.values[:, ONLINE_NAMES.index(flow)]
            e = side * (one.grid.values[:, ONLINE_NAMES.index(held)] - usual.SET_POINTS[held])
            at = np.arange(130, len(u))
            at = at[(u[at] > 2.0) & (u[at - 1] > 2.0) & (u[at] < 220.0)]
            rows.append(
                np.stack([u[at - 1], *(e[at - back] for back in range(4)), np.ones(len(at))], 1)
            )
            moved.append(u[at])
        found[flow] = np.linalg.lstsq(np.concatenate(rows), np.concatenate(moved), rcond=None)[0]
    return found


def sizes(all_traces: list[FloatArray]) -> FloatArray:
    """Return the departure that one window in twenty exceeds, a row an elapsed time."""
    found = []
    for elapsed_h in usual.ELAPSED_H.tolist():
        steps = round(elapsed_h / STEP_H)
        moved = [
            signatures.shown(rows, onset=onset, now=onset + steps - 1).departure
            for rows in all_traces
            for onset in range(_FIRST, len(rows) - steps, _EVERY)
        ]
        found.append(np.quantile(np.abs(np.array(moved)), 0.95, axis=0))
    return np.array(found)


def print_usual(model: Model, folder: Path) -> None:
    """Print what `usual.py` holds."""
    for flow, gains in loops(folder).items():
        print(flow, gains.round(4).tolist())
    for row in sizes(list(traces(model, folder).values())):
        print([float(f"{one:.4g}") for one in row])


def print_normal(model: Model, folder: Path) -> None:
    """Weigh windows of 12 h of each half of the normal batches by the sizes of the other half."""
    known = traces(model, folder)
    verdicts: list[str] = []
    alone = 0
    batches_named: set[int] = set()
    for half in (0, 1):
        table = sizes([rows for number, rows in known.items() if number % 2 != half])
        twelve = table[usual.ELAPSED_H.tolist().index(_WINDOW * STEP_H)]
        for number, rows in known.items():
            if number % 2 != half:
                continue
            for onset in range(_FIRST, len(rows) - _WINDOW, _EVERY):
                shown = signatures.shown(rows, onset=onset, now=onset + _WINDOW - 1)
                weighed = hypotheses.weigh(shown.departure / twelve)
                verdicts.append(weighed.verdict)
                alone += not weighed.undecided
                if weighed.verdict != "undecided":
                    batches_named.add(number)
    print(f"{len(verdicts)} windows of {len(known)} batches")
    for verdict in sorted(set(verdicts)):
        print(
            f"  {verdict}: {verdicts.count(verdict)} ({verdicts.count(verdict) / len(verdicts):.4f})"
        )
    print(f"  one hypothesis alone named: {alone}; batches with a verdict: {len(batches_named)}")


def print_deviating(model: Model, folder: Path) -> None:
    """Weigh and cost every batch with a deviation."""
    recipe = alarmed_batches.recipe_of(model)
    for one in batches(folder, normal=False):
        true = TRUE[str(one.label["kind"])]
        alarm = next(iter(alarmed_batches.alarms_of(model, one.grid)), None)
        onset = round((alarm.rose_h if alarm else one.hour("onset_h")) / STEP_H) - 1
        first = round(alarm.since_h / STEP_H) - 1 if alarm else onset + _WITHOUT_ALARM_SAMPLES
        last = len(one.grid.time_h) - 1
        print(
            f"{one.number} {one.label['kind']} onset {one.hour('onset_h'):.1f}, "
            + (f"alarm {alarm.since_h:.1f} walked to {alarm.rose_h:.1f}" if alarm else "no alarm")
            + f", lost {one.hour('yield_loss_pct'):.2f} % of {one.hour('P_total_nofault_kg'):.0f}"
        )
        arrays = alarmed_batches.arrays_of(one.grid)
        for when, now in (("alarm", first), ("later", first + _AFTER_SAMPLES), ("end", last)):
            cut = {tag: column[: min(now, last) + 1] for tag, column in arrays.items()}
            print(f"  {when:5} {_said(cut, recipe, onset=onset, end=last, true=true)}", flush=True)


def _said(
    cut: dict[str, FloatArray], recipe: dict[str, FloatArray], *, onset: int, end: int, true: str
) -> str:
    found = explaining.explain(cut, recipe, onset=onset, end=end)
    weighed = found.weighed
    weights = {one.name: float(w) for one, w in zip(hypotheses.BANK, weighed.weights, strict=True)}
    cost = next((each for each in found.costed if each.name == weighed.likeliest), None)
    said = "no impact"
    if cost is not None and cost.impacts:
        said = "; ".join(_lost(one) for one in cost.impacts) + f"; proposed {cost.proposed}"
    elif cost is not None and cost.refused is not None:
        said = cost.refused[0]
    return (
        f"{'right' if weighed.likeliest == true else 'other'} {weighed.likeliest} "
        f"{weights[weighed.likeliest]:.3f} true {weights[true]:.3f} "
        f"{'alone' if not weighed.undecided else f'group of {len(weighed.undecided)}'} "
        f"{'holds' if true in (weighed.undecided or (weighed.likeliest,)) else 'misses'} "
        f"verdict {weighed.verdict} ({KIND[true]}) impact {said}"
    )


def _lost(impact: counterfactual.Impact) -> str:
    low, middle, high = (100.0 * share for share in impact.lost_share)
    return f"{'goes on' if impact.goes_on else 'ends'} {middle:.1f} [{low:.1f}, {high:.1f}] %"


def main() -> None:
    part, folder = sys.argv[1], Path(sys.argv[2])
    model = artefacts.from_text(SHIPPED.read_text(encoding="utf-8"))[0]
    parts = {"usual": print_usual, "normal": print_normal, "deviating": print_deviating}
    print(f"a loss from {100 * counterfactual.MAJOR_FROM:g} % on is major")
    parts[part](model, folder)


if __name__ == "__main__":
    main()
