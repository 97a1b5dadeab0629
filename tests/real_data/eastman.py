"""Tennessee Eastman: our watch beside plain PCA at one false-alarm rate, fault by fault.

Both are trained on the 500 normal samples of `train`, which the faults never touch, both need three
samples in a row, and both get the limit at which the same number of the 960 normal samples of
`test` is alarmed. Faults start at sample 160 of `test`, a sample is 3 minutes.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from tests.real_data import reading
from twins.models.process_monitoring import continuous, limits, planes, summing
from twins.models.process_monitoring.summing import Floats

ONSET = 160
MINUTES = 3
SAID_OVER = 20
RATES = (0.01, 0.05)
OWN_RATE = 0.01
# Russell, Chiang and Braatz (2000) keep eleven, by parallel analysis.
COMPONENTS = 11
MEANING = {
    1: "A/C feed ratio, step", 2: "B composition, step", 4: "reactor cooling water inlet, step",
    5: "condenser cooling water inlet, step", 6: "A feed lost", 7: "C header pressure, step",
    8: "feed composition, random", 10: "C feed temperature, random",
    11: "reactor cooling water inlet, random", 12: "condenser cooling water inlet, random",
    13: "reaction kinetics, drift", 14: "reactor cooling water valve, sticking",
}  # fmt: skip


def plain(normal: Floats, runs: dict[int, Floats]) -> dict[int, Floats]:
    """Return the scores of T2 and SPE of a PCA of single samples, limits set the same way."""

    def fitted(values: Floats) -> tuple[Floats, Floats, planes.Plane]:
        centre, size = values.mean(axis=0), values.std(axis=0, ddof=1)
        return centre, size, planes.principal((values - centre) / size, count=COMPONENTS)

    def statistics(values: Floats, model: tuple[Floats, Floats, planes.Plane]) -> Floats:
        z = (values - model[0]) / model[1]
        both = planes.t2_parts(z, model[2]), planes.spe_parts(z, model[2])
        return continuous.steady(np.column_stack([summing.total(one) for one in both]))

    left_out = np.concatenate(
        [
            statistics(normal[rows], fitted(np.delete(normal, rows, axis=0)))
            for rows in limits.blocks_of(len(normal), 5)
        ]
    )
    bounds = limits.together(("T2", "SPE"), left_out, rate=OWN_RATE)
    model = fitted(normal)
    return {
        fault: (statistics(one, model) / bounds.values).max(axis=1) for fault, one in runs.items()
    }


def limit_at(normal: Floats, rate: float) -> float:
    """Return the limit that this share of the normal samples exceeds."""
    return float(np.sort(normal)[len(normal) - 1 - int(rate * len(normal))])


def measured(shared: Path) -> Iterator[str]:
    """Yield the lines of the table."""
    signals, training = reading.eastman(shared, "train")
    _, runs = reading.eastman(shared, "test")
    monitor = continuous.train(signals, training[0], false_alarm_rate=OWN_RATE)
    said = {fault: continuous.watch(one, monitor) for fault, one in runs.items()}
    found = {
        "plain PCA": plain(training[0], runs),
        "twin": {fault: one.score for fault, one in said.items()},
    }
    own = {name: float((one[0] > 1.0).mean()) for name, one in found.items()}
    yield (
        f"Tennessee Eastman: at its own limits, set for {OWN_RATE:.3f}, of 960 normal test samples "
        + ", ".join(f"{name} alarms {share:.3f}" for name, share in own.items())
    )
    for rate in RATES:
        yield f"at {int(rate * 960)} of 960 normal test samples alarmed ({rate:g}), 3 in a row"
        bounds = {name: limit_at(one[0], rate) for name, one in found.items()}
        yield "  fault                                     share of samples alarmed    delay, minutes"
        yield "                                            plain PCA     twin        plain PCA  twin"
        shares: dict[str, list[float]] = {name: [] for name in found}
        for fault in sorted(one for one in runs if one):
            row, delay = [], []
            for name, one in found.items():
                alarm = one[fault][ONSET:] > bounds[name]
                shares[name].append(float(alarm.mean()))
                row.append(f"{alarm.mean():.3f}")
                at = np.flatnonzero(alarm)
                delay.append(str(int(at[0]) * MINUTES) if len(at) else "never")
            yield (
                f"  {fault:3} {MEANING[fault]:38} {row[0]:>8} {row[1]:>10}      "
                f"{delay[0]:>8} {delay[1]:>8}"
            )
        means = {name: float(np.mean(one)) for name, one in shares.items()}
        yield f"  mean {'':37} {means['plain PCA']:8.3f} {means['twin']:10.3f}"
    yield "what the twin says of the first hour of each alarm, at its own limits"
    for fault in sorted(one for one in runs if one):
        first = ONSET + int(np.flatnonzero(said[fault].alarm[ONSET:])[0])
        reasons = continuous.reasons_of(said[fault], monitor, first, first + SAID_OVER - 1)
        yield f"  {fault:3} {MEANING[fault]}"
        yield from (f"      {one}" for one in reasons)
