"""Small made-up batches: slow courses of every signal, with noise and something wrong on demand."""

import functools
from collections.abc import Callable

import numpy as np

from twins.models.batch_monitoring import artefacts, forecast, model, samples
from twins.models.batch_monitoring.model import Batch, Options
from twins.models.batch_monitoring.samples import Floats
from twins.models.batch_monitoring.signals import LABORATORY_NAMES, ONLINE_NAMES

STEPS = 360
_LEVEL = {
    "Fg": 60.0, "RPM": 100.0, "Fs": 80.0, "Fa": 0.0, "Fb": 50.0, "Fc": 100.0, "Fh": 0.0, "Fw": 100.0,
    "pressure": 1.0, "Fremoved": 0.0, "Fpaa": 10.0, "Foil": 23.0, "DO2": 13.0, "Wt": 80000.0,
    "pH": 6.5, "T": 298.0, "Q": 300.0, "CO2outgas": 1.5, "O2": 0.19, "OUR": 1.3, "CER": 1.3,
    "lab_PAA": 1500.0, "lab_NH3": 1800.0, "lab_P": 15.0, "lab_X": 20.0, "lab_Viscosity": 50.0,
}  # fmt: skip
_NOISE = {"pH": 0.001, "T": 0.0002, "Wt": 0.0008, "O2": 0.002, "RPM": 0.0}

Columns = dict[str, Floats]
Wrong = Callable[[Columns, Floats], None]


def columns(seed: int, wrong: Wrong | None = None, steps: int = STEPS) -> tuple[Floats, Columns]:
    """Return the time and the columns of one batch."""
    generator = np.random.default_rng(seed)
    time_h = 0.2 * np.arange(1, steps + 1)
    strength = 1.0 + 0.05 * generator.standard_normal()
    found = {}
    for name in (*ONLINE_NAMES, *LABORATORY_NAMES):
        level = _LEVEL[name]
        if name in ("OUR", "CER", "CO2outgas", "Q", "lab_X"):
            level = level * strength * (0.7 + 0.3 * time_h / time_h[-1])
        if name == "lab_P":
            level = level * strength * time_h / time_h[-1]
        noise = _NOISE.get(name, 0.01) * generator.standard_normal(steps)
        found[name] = level * (1.0 + noise)
    for name in LABORATORY_NAMES:
        reported = np.isin(np.arange(steps) % 60, [20])
        found[name] = np.where(reported, found[name], np.nan)
    if wrong is not None:
        wrong(found, time_h)
    return time_h, found


def grid(seed: int, wrong: Wrong | None = None, steps: int = STEPS) -> samples.Grid:
    """Return one batch on the grid."""
    time_h, found = columns(seed, wrong, steps)
    return on_grid(time_h, found)


def on_grid(time_h: Floats, found: Columns) -> samples.Grid:
    """Put columns on the grid."""
    return samples.on_grid(
        time_h,
        {name: found[name] for name in ONLINE_NAMES},
        {name: found[name] for name in LABORATORY_NAMES},
    )


def feed_halved(found: Columns, time_h: Floats) -> None:
    """Halve the sugar feed from 40 to 60 hours."""
    found["Fs"][(time_h >= 40.0) & (time_h <= 60.0)] *= 0.5


def batches() -> list[Batch]:
    """Return 32 normal batches and 5 whose feed was halved."""
    found = []
    for number in range(37):
        deviates = number >= 32
        one = grid(number, feed_halved if deviates else None)
        times = (40.0, 60.0, 50.0) if deviates else (None, None, None)
        kind = "sugar_feed" if deviates else None
        found.append(Batch(number, one, kind, *times, forecast.laboratory_targets(one)))
    return found


@functools.cache
def trained_text() -> str:
    """Return the artefact of a twin trained on these batches."""
    return artefacts.to_text(model.train(batches(), Options(folds=2)), {"label": "a@1"})
