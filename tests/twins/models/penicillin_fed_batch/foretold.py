"""Measure the live penicillin twin on a campaign with its truth: intervals, warnings, costs.

    python -m tests.twins.models.penicillin_fed_batch.foretold PART FOLDER
    python -m tests.twins.models.penicillin_fed_batch.foretold crossed PART FOLDER
    python -m tests.twins.models.penicillin_fed_batch.foretold time FOLDER

How often the 90 % intervals hold, how wide they are and their interval score; `crossed` is how often a
limit is crossed that was warned of. A PART of the campaign: `fit` are the odd normal batches, from which
every width is, `check` the even ones; `deviating-fit` and `deviating-check` the even and the odd batches
with a deviation, `deviating` both. `time` is what one update of a batch costs.
"""

import json
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from tests.twins.models.penicillin_fed_batch import made_batch
from twins.models import alarmed_batches, documents, foretelling
from twins.models.batch_monitoring import artefacts
from twins.models.declarations import Limit
from twins.models.penicillin_fed_batch import asking, deviation_forecast, estimating
from twins.models.penicillin_fed_batch.asking import PlanStep

SHIPPED = Path(artefacts.__file__).parent / "trained" / "penicillin-batch@2.json"
MOMENTS_H = (24.0, 40.0, 80.0, 120.0, 160.0)
LEADS_H = (6, 12, 24, 40)
HORIZON_H = 40.0
# Where a deviation may be the probe's, what it reads is looked at beside the truth.
PROBES = ("T", "pH")
TRUE = {"sugar_g_l": "true_S", "volume_l": "true_V"}
Columns = dict[str, np.ndarray]
# Number, kind, onset, measured columns and true ones.
Batch = tuple[int, str, float, Columns, Columns]


def plan() -> dict[str, tuple[PlanStep, ...]]:
    """Return the usual set-points of the campaign as a recipe would plan them."""
    text = SHIPPED.read_text(encoding="utf-8")
    usual = alarmed_batches.recipe_of(artefacts.from_text(text)[0])
    return {
        tag: tuple(PlanStep(0.2 * row, float(one)) for row, one in enumerate(usual[tag].tolist()))
        for tag in (*asking.PLANNED, *asking.USUAL)
    }


def tables(folder: Path, kind: str) -> Iterator[Batch]:
    """Yield number, kind, onset, measured columns and true ones of the batches asked for."""
    from pyarrow import parquet

    read = {
        name: parquet.read_table(folder / f"dev_{name}.parquet") for name in ("measured", "truth")
    }
    columns = {
        name: {one: table[one].to_numpy().astype(float) for one in table.column_names}
        for name, table in read.items()
    }
    for label in parquet.read_table(folder / "dev_labels.parquet").to_pylist():
        if label["kind"] is None:
            continue
        normal, odd = label["kind"] == "none", bool(label["batch"] % 2)
        number = label["batch"]
        asked_for = {
            "fit": normal and odd,
            "check": normal and not odd,
            "deviating": not normal,
            "deviating-fit": not normal and not odd,
            "deviating-check": not normal and odd,
        }
        if asked_for[kind]:
            measured, truth = (
                {one: column[of["batch"] == number] for one, column in of.items()}
                for of in (columns["measured"], columns["truth"])
            )
            yield number, label["kind"], label["onset_h"] or 0.0, measured, truth


def moments(one: Batch) -> Iterator[float]:
    """Yield when a batch is asked about: with a whole horizon ahead, and after an onset."""
    _, kind, onset_h, measured, _ = one
    for moment_h in MOMENTS_H:
        whole = round((moment_h + HORIZON_H) * 5) <= len(measured["Fs"])
        if whole and (kind == "none" or onset_h < moment_h):
            yield moment_h


def judged(one: Batch) -> list[tuple[Any, ...]]:
    """Return the intervals of a batch beside what came: status, tag, hours ahead, and the numbers."""
    _, _, _, measured, truth = one
    planned, found = plan(), []
    for moment_h in moments(one):
        said = foretelling.run(
            deviation_forecast,
            made_batch.asked(measured, planned, as_of_h=moment_h, horizon_h=HORIZON_H),
        )
        if said.status != "forecast":
            found.append((said.status, said.reasons))
        for path in said.trajectories:
            came = {path.tag: truth[TRUE.get(path.tag, f"true_{path.tag}")]}
            if path.tag in PROBES:
                came[f"{path.tag} read"] = measured[path.tag]
            for (tag, column), ahead in product(came.items(), LEADS_H):
                value = float(column[round((moment_h + ahead) * 5) - 1])
                band = path.q05[ahead], path.q50[ahead], path.q95[ahead]
                found.append(("forecast", tag, ahead, value, *band))
    return found


def score(came: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Return the interval score of 90 % intervals: the width, and twenty times what lies outside."""
    found: np.ndarray = high - low
    return found + 20.0 * (np.maximum(low - came, 0.0) + np.maximum(came - high, 0.0))


def intervals(kind: str, folder: str) -> None:
    """Print, for every value and lead, how many intervals held, their width and their score."""
    rows: list[tuple[Any, ...]] = []
    with ProcessPoolExecutor(2) as pool:
        for found in pool.map(judged, tables(Path(folder), kind)):
            rows += found
    silent = Counter(row[:2] for row in rows if row[0] != "forecast")
    per_tag: dict[tuple[str, int], list[tuple[float, ...]]] = defaultdict(list)
    for row in rows:
        if row[0] == "forecast":
            per_tag[row[1], row[2]].append(row[3:])
    for (tag, ahead), values in sorted(per_tag.items()):
        came, low, middle, high = np.array(values).T
        held = (low <= came) & (came <= high)
        print(
            f"{tag:10} {ahead:3} h  {held.mean():.3f} of {len(held)}  "
            f"rmse {np.sqrt(np.mean((middle - came) ** 2)):.4g}  "
            f"width {np.mean(high - low):.4g}  score {np.mean(score(came, low, high)):.4g}"
        )
    for (status, reasons), count in silent.most_common():
        print(f"{count} {status}: {'; '.join(reasons)}")


def timed(folder: str) -> None:
    """Print the milliseconds of a batch's update at 160 h: afresh, going on, and with contributions."""
    _, _, _, measured, _ = next(tables(Path(folder), "check"))
    planned = plan()
    limits = (Limit("P", 60.0, None, "g/L", "CQA"),)

    def ask(as_of_h: float, wanted: tuple[Limit, ...] = ()) -> float:
        asked = made_batch.asked(measured, planned, as_of_h=as_of_h, horizon_h=48.0, limits=wanted)
        written = json.dumps(documents.of(asked)).encode()
        began = time.process_time()
        said = foretelling.run(deviation_forecast, asking.read(json.loads(written)))
        taken = 1000.0 * (time.process_time() - began)
        print(
            f"{as_of_h:g} h: {said.status}, {taken:.0f} ms, request of {len(written) / 1e3:.0f} kB"
        )
        return taken

    ask(24.0)  # compiles
    for _ in range(3):
        estimating.forget()
        ask(158.0)
        ask(160.0)
        ask(160.0, limits)


if __name__ == "__main__":
    if sys.argv[1] == "time":
        timed(sys.argv[2])
    elif sys.argv[1] == "crossed":
        from tests.twins.models.penicillin_fed_batch import crossed

        crossed.main(*sys.argv[2:])
    else:
        intervals(*sys.argv[1:])
