"""A batch that shows what the median of normal batches shows, with noise; faults are put into it."""

from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from twins.models import alarmed_batches
from twins.models.batch_monitoring import artefacts
from twins.models.batch_monitoring.design import INDEX
from twins.models.batch_monitoring.model import Model
from twins.models.batch_monitoring.signals import LABORATORY_NAMES, ONLINE_NAMES

FloatArray = NDArray[np.float64]

ONSET = 300
# The heat that goes with a kelvin of a kilogram of broth, in the unit of the heat signal.
HEAT = 4.18e-3
_NOISE = {
    "Fg": 0.004, "Fs": 0.01, "Fb": 0.02, "Fc": 0.02, "Fw": 0.005, "pressure": 0.01, "Fpaa": 0.01,
    "Foil": 0.01, "DO2": 0.008, "Wt": 0.0006, "pH": 0.0012, "T": 0.0001, "CO2outgas": 0.008,
    "O2": 0.002,
}  # fmt: skip


@cache
def model() -> Model:
    """Return the shipped detector, whose profile these medians are."""
    folder = Path(artefacts.__file__).parent / "trained"
    return artefacts.from_text((folder / "penicillin-batch@2.json").read_text(encoding="utf-8"))[0]


def recipe() -> dict[str, FloatArray]:
    """Return the usual inputs."""
    return alarmed_batches.recipe_of(model())


def batch(count: int = 400, *, seed: int = 1) -> dict[str, FloatArray]:
    """Return one array a tag; laboratory values every 12 h, reported 4 h later."""
    profile = model().detector.fitted.profile[:count]
    generator = np.random.Generator(np.random.PCG64(seed))
    found = {}
    for name in ONLINE_NAMES:
        values = profile[:, INDEX[name]].copy()
        if name in ("Fc", "Fh"):
            values = 10.0 * np.expm1(values)
        found[name] = values * (1.0 + _NOISE.get(name, 0.0) * generator.standard_normal(count))
    # The medians of heat and of temperature are of different batches: the balance joins them.
    warmed = np.diff(profile[:, INDEX["T"]], prepend=profile[0, INDEX["T"]])
    heat = 250.0 + np.add.accumulate(HEAT * profile[:, INDEX["Wt"]] * warmed)
    found["Q"] = heat + 3.0 * generator.standard_normal(count)
    for name in LABORATORY_NAMES:
        found[name] = np.full(count, np.nan)
        reported = np.arange(80, count, 60)
        found[name][reported] = profile[reported, INDEX[name]]
    return found


def less_sugar(batch: dict[str, FloatArray], share: float) -> dict[str, FloatArray]:
    """Return the batch with a sugar feed that delivers a share from the onset on."""
    sugar = batch["Fs"].copy()
    sugar[ONSET:] *= share
    return batch | {"Fs": sugar}


def drifting_probe(batch: dict[str, FloatArray], kelvin: float) -> dict[str, FloatArray]:
    """Return the batch with a temperature probe that reads ever more too much, while a loop holds it."""
    drift = kelvin * np.clip(np.arange(len(batch["T"])) - ONSET, 0, None) / 50.0
    return batch | {"Q": batch["Q"] - HEAT * batch["Wt"] * drift}
