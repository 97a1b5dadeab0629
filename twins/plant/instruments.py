"""Sensors and laboratory of the simulated plant: noise, drift, rounding and delay."""

from collections.abc import Iterator

import numpy as np

from twins.plant import culture
from twins.plant.culture import (
    AMMONIUM,
    GLUCOSE,
    LACTATE,
    MAB,
    VIABLE,
    VOLUME,
    State,
)
from twins.plant.demo_recipe import (
    DISSOLVED_OXYGEN_SETPOINT_PCT,
    LABORATORY_TAKES_H,
    PH_SETPOINT,
    TEMPERATURE_SETPOINT_C,
)
from twins.plant.messages import LaboratoryResult, Reading

# Test, tag, row (None: viability), relative and absolute noise, scale, unit.
_TESTS: tuple[tuple[str, str, int | None, float, float, int, str], ...] = (
    ("viable-cells", "lab_viable_cells_1e6_per_ml", VIABLE, 0.04, 0.02, 2, "10*6/mL"),
    ("viability", "lab_viability_pct", None, 0.0, 0.7, 1, "%"),
    ("glucose", "lab_glucose_mmol_l", GLUCOSE, 0.015, 0.2, 1, "mmol/L"),
    ("lactate", "lab_lactate_mmol_l", LACTATE, 0.015, 0.2, 1, "mmol/L"),
    ("ammonium", "lab_ammonium_mmol_l", AMMONIUM, 0.03, 0.05, 2, "mmol/L"),
    ("mab-titre", "lab_mab_g_l", MAB, 0.02, 0.01, 2, "g/L"),
)


class Probes:
    """The sensors of one vessel, with the memory that their drift and the loops have."""

    def __init__(self, generator: np.random.Generator) -> None:
        self._generator = generator
        self._loops = {"temperature": 0.0, "ph": 0.0, "oxygen": 0.0}
        self._drift_mmol_l = 0.1 * self._normal()
        # A capacitance probe is adjusted once a batch, not perfectly.
        self._cell_factor = 1.0 + 0.015 * self._normal()

    def held_temperature_c(self, warming_c: float) -> float:
        """Return the temperature that the loop holds in this step."""
        return TEMPERATURE_SETPOINT_C + self._wandered("temperature", 0.03) + warming_c

    def read(
        self,
        at_h: float,
        state: State,
        *,
        temperature_c: float,
        commanded_l_per_h: float,
        glucose_offset: float,
    ) -> Iterator[Reading]:
        """Yield one reading of every tag."""
        self._drift_mmol_l += 0.012 * self._normal()
        viable = state[VIABLE] * self._cell_factor
        glucose = state[GLUCOSE] + self._drift_mmol_l + glucose_offset
        ph = PH_SETPOINT + self._wandered("ph", 0.012)
        oxygen = DISSOLVED_OXYGEN_SETPOINT_PCT + self._wandered("oxygen", 1.5)
        for tag, value, noise, unit in (
            ("temperature_c", temperature_c, 0.02, "Cel"),
            ("ph", ph, 0.008, "[pH]"),
            ("dissolved_oxygen_pct", oxygen, 1.0, "%"),
            ("viable_cells_1e6_per_ml", viable, 0.03 + 0.025 * viable, "10*6/mL"),
            ("glucose_mmol_l", glucose, 0.5, "mmol/L"),
            ("lactate_mmol_l", state[LACTATE], 0.4 + 0.01 * state[LACTATE], "mmol/L"),
            ("volume_l", state[VOLUME], 0.25, "L"),
            ("feed_rate_l_per_h", commanded_l_per_h, 0.01 * commanded_l_per_h, "L/h"),
        ):
            # A transmitter sends four decimals and no negative concentration.
            measured = round(max(value + noise * self._normal(), 0.0), 4)
            yield Reading(tag, at_h, measured, unit)

    def _wandered(self, loop: str, sd: float) -> float:
        # First order, about an hour of memory at one step every ten minutes.
        kept = 0.85
        self._loops[loop] = (
            kept * self._loops[loop] + sd * (1.0 - kept * kept) ** 0.5 * self._normal()
        )
        return self._loops[loop]

    def _normal(self) -> float:
        return min(max(float(self._generator.standard_normal()), -4.0), 4.0)


def analyse(
    generator: np.random.Generator, sample: str, sampled_h: float, state: State
) -> list[LaboratoryResult]:
    """Return all results of one sample, as they will be reported."""
    found = []
    for test, tag, row, relative, absolute, scale, unit in _TESTS:
        value = culture.viability_pct(state) if row is None else state[row]
        noise = (absolute + relative * value) * float(generator.standard_normal())
        measured = max(value + noise, 0.0)
        if row is None:
            measured = min(measured, 100.0)
        found.append(
            LaboratoryResult(
                sample=sample,
                test=test,
                tag=tag,
                sampled_h=sampled_h,
                reported_h=sampled_h + LABORATORY_TAKES_H,
                value=f"{measured:.{scale}f}",
                scale=scale,
                unit=unit,
            )
        )
    return found
