"""How often the drift watch gives a false alarm, against the rate it states, and what it notices.

`python -m tests.bench.drift [WINDOWS]` simulates windows of 20 batches against 80 training batches
with four correlated inputs and writes var/bench/drift.json. Each window is judged as the watch judges
it: half of alpha for the inputs, a quarter each for false alarms and misses.
"""

import json
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tests.bench.measuring import Row
from twins.models.qualification import drift, proportions

ALPHA = 0.05
WINDOW = 20  # that of twins.hub.drift_watch
INPUTS = 4
TRAINING = 80
CORRELATION = 0.5
FALSE_ALARMS, MISSES = 0.05, 0.35
EVENTS = WINDOW // 2
WINDOWS = 2000
# One training set for many windows, as in a plant: its own luck stays with it.
WINDOWS_A_PLANT = 20


@dataclass(frozen=True)
class Drift:
    """What is different in the windows: means, spread and outcome."""

    shift_sd: float = 0.0
    inputs: int = 0
    scale: float = 1.0
    false_alarms: float = FALSE_ALARMS
    misses: float = MISSES


def simulate(windows: int, changed: Drift, *, seed: int) -> list[tuple[bool, bool]]:
    """Return for each window whether inputs and outcome were alarmed."""
    generator = np.random.default_rng(seed)
    found = []
    for _ in range(-(-windows // WINDOWS_A_PLANT)):
        reference = _batches(generator, TRAINING, Drift())
        for _ in range(WINDOWS_A_PLANT):
            window = _batches(generator, WINDOW, changed)
            inputs = drift.of_inputs(reference, window, alpha=ALPHA / 2)
            outcome = _outcome(generator, changed)
            found.append((any(one.is_drift for one in inputs), outcome))
    return found[:windows]


def _batches(generator: np.random.Generator, count: int, changed: Drift) -> dict[str, list[float]]:
    common = generator.standard_normal((count, 1)) * np.sqrt(CORRELATION)
    own = generator.standard_normal((count, INPUTS)) * np.sqrt(1.0 - CORRELATION)
    values = (common + own) * changed.scale
    values[:, : changed.inputs] += changed.shift_sd
    return {f"input {at}": values[:, at].tolist() for at in range(INPUTS)}


def _outcome(generator: np.random.Generator, changed: Drift) -> bool:
    normal = WINDOW - EVENTS
    wrong = int(generator.binomial(normal, changed.false_alarms))
    missed = int(generator.binomial(EVENTS, changed.misses))
    judged = (
        drift.of_outcome("false alarms", count=wrong, of=normal, contract=FALSE_ALARMS, alpha=ALPHA / 4),
        drift.of_outcome("misses", count=missed, of=EVENTS, contract=MISSES, alpha=ALPHA / 4),
    )  # fmt: skip
    return any(one.is_drift for one in judged)


CASES = {
    "nothing has changed": Drift(),
    "one input shifted by 0.5 sd": Drift(shift_sd=0.5, inputs=1),
    "one input shifted by 1 sd": Drift(shift_sd=1.0, inputs=1),
    "one input shifted by 1.5 sd": Drift(shift_sd=1.5, inputs=1),
    "all inputs shifted by 1 sd": Drift(shift_sd=1.0, inputs=INPUTS),
    "spread of all inputs doubled": Drift(scale=2.0),
    "false alarms .20 instead of .05": Drift(false_alarms=0.20),
    "false alarms .40 instead of .05": Drift(false_alarms=0.40),
    "misses .70 instead of .35": Drift(misses=0.70),
}


def main() -> int:
    windows = int(sys.argv[1]) if len(sys.argv) > 1 else WINDOWS
    rows, started = [], time.process_time()
    for seed, (name, changed) in enumerate(CASES.items(), start=1):
        of = windows if changed == Drift() else windows // 10
        found = simulate(of, changed, seed=seed)
        for kind, count in (
            ("any", sum(a or b for a, b in found)),
            ("inputs", sum(a for a, _ in found)),
            ("outcome", sum(b for _, b in found)),
        ):
            low, high = _interval(count, of)
            rows.append(Row(f"{name}: {kind}", count / of, "share of windows", spread=(low, high)))
            print(f"{name:34} {kind:8} {count / of:.4f} [{low:.4f}, {high:.4f}] of {of}")
    print(
        f"stated: at most {ALPHA:g} any, {ALPHA / 2:g} each; {time.process_time() - started:.0f} s CPU"
    )
    out = Path("var/bench/drift.json")
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps([{"name": one.name, "value": one.value} for one in rows], indent=1))
    return 0


def _interval(count: int, of: int) -> tuple[float, float]:
    found = proportions.clopper_pearson(count, of)
    return found.low, found.high


if __name__ == "__main__":
    sys.exit(main())
