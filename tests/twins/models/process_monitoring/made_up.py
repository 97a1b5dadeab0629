"""Made-up batches and runs of a process with three or six signals, and something wrong on demand."""

import numpy as np

from twins.models.process_monitoring.aligning import Run
from twins.models.process_monitoring.summing import Floats

SIGNALS = ("temperature", "pressure", "flow")


def batch(name: str, seed: int, *, samples: int | None = None, phased: bool = False) -> Run:
    """Return a batch of about 60 samples: a rise, a plateau, a fall, with a strength of its own."""
    generator = np.random.default_rng(seed)
    count = samples or int(generator.integers(54, 67))
    progress = (np.arange(count) + 0.5) / count
    strength = 1.0 + 0.05 * generator.standard_normal()
    shape = np.minimum(1.0, np.minimum(progress / 0.3, (1.0 - progress) / 0.2))
    values = np.column_stack(
        [
            20.0 + 60.0 * strength * shape,
            1.0 + 0.5 * strength * shape,
            100.0 - 40.0 * strength * shape,
        ]
    )
    values += np.array([0.3, 0.01, 0.5]) * generator.standard_normal(values.shape)
    phase = np.digitize(progress, [0.3, 0.8]).astype(np.float64) + 1.0
    return Run(name, values, phase if phased else None)


def batches(count: int, *, phased: bool = False) -> list[Run]:
    """Return normal batches."""
    return [batch(f"B-{one}", one, phased=phased) for one in range(count)]


def too_warm(run: Run, *, by: float = 6.0) -> Run:
    """Return the batch with its temperature raised from 40 to 60 % of it."""
    values = run.values.copy()
    progress = (np.arange(len(values)) + 0.5) / len(values)
    values[(progress >= 0.4) & (progress < 0.6), 0] += by
    return Run(run.name, values, run.phase)


def continuous(count: int, seed: int, *, shift_from: int | None = None) -> Floats:
    """Return six signals driven by two slow sources; from a sample on the third is off its relation."""
    generator = np.random.default_rng(seed)
    sources = np.zeros((count, 2))
    for place in range(1, count):
        sources[place] = 0.9 * sources[place - 1] + 0.4 * generator.standard_normal(2)
    mixing = np.array([[1.0, 0.5, 0.8, 0.0, 0.3, 1.0], [0.0, 1.0, -0.5, 1.0, 0.6, 0.2]])
    values = sources @ mixing + 0.2 * generator.standard_normal((count, 6))
    if shift_from is not None:
        values[shift_from:, 2] += 1.0
    return 50.0 + 3.0 * values
