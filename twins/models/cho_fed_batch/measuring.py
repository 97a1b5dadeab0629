"""What each instrument of the CHO fed-batch sees, and which unknowns it may correct.

With tens of members, chance correlations would let a volume correct a growth rate. So each output
names the rows that physics lets it speak about; this is the localisation of the filter.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from twins.models.cho_fed_batch import equations
from twins.models.cho_fed_batch.declared import LABORATORY, ONLINE, UNCERTAIN
from twins.models.cho_fed_batch.equations import (
    AMMONIUM,
    DEAD,
    GLUCOSE,
    GLUTAMINE,
    LACTATE,
    MAB,
    STATE_NAMES,
    VIABLE,
    VOLUME,
)
from twins.models.declarations import Output

FloatArray = NDArray[np.float64]

ROW_NAMES: tuple[str, ...] = (*STATE_NAMES, *(one.name for one in UNCERTAIN))
MU_MAX, K_D, M_GLC, Y_LAC, Q_MAB, PUMP, PROBE = range(len(STATE_NAMES), len(ROW_NAMES))

ASSIMILATED: dict[str, Output] = {one.tag: one for one in (*ONLINE, *LABORATORY)}

SEES: dict[str, Callable[[FloatArray], FloatArray]] = {
    "viable_cells_1e6_per_ml": lambda rows: rows[VIABLE],
    "glucose_mmol_l": lambda rows: rows[GLUCOSE] + rows[PROBE],
    "lactate_mmol_l": lambda rows: rows[LACTATE],
    "volume_l": lambda rows: rows[VOLUME],
    "lab_viable_cells_1e6_per_ml": lambda rows: rows[VIABLE],
    "lab_viability_pct": equations.viability_pct,
    "lab_glucose_mmol_l": lambda rows: rows[GLUCOSE],
    "lab_lactate_mmol_l": lambda rows: rows[LACTATE],
    "lab_ammonium_mmol_l": lambda rows: rows[AMMONIUM],
    "lab_mab_g_l": lambda rows: rows[MAB],
}

_CELLS = (VIABLE, GLUTAMINE, MU_MAX)
_LACTATE = (LACTATE, Y_LAC)
CORRECTS: dict[str, tuple[int, ...]] = {
    "viable_cells_1e6_per_ml": _CELLS,
    "glucose_mmol_l": (GLUCOSE, M_GLC, PUMP, PROBE),
    "lactate_mmol_l": _LACTATE,
    "volume_l": (VOLUME, GLUCOSE, PUMP),
    "lab_viable_cells_1e6_per_ml": _CELLS,
    "lab_viability_pct": (DEAD, K_D),
    "lab_glucose_mmol_l": (GLUCOSE, M_GLC, PUMP, PROBE),
    "lab_lactate_mmol_l": _LACTATE,
    "lab_ammonium_mmol_l": (AMMONIUM,),
    "lab_mab_g_l": (MAB, Q_MAB),
}

# The values of a process on which limits can lie, from the states.
PROCESS_VALUES: dict[str, Callable[[FloatArray], FloatArray]] = {
    "viable_cells_1e6_per_ml": lambda rows: rows[VIABLE],
    "viability_pct": equations.viability_pct,
    "glucose_mmol_l": lambda rows: rows[GLUCOSE],
    "lactate_mmol_l": lambda rows: rows[LACTATE],
    "ammonium_mmol_l": lambda rows: rows[AMMONIUM],
    "mab_g_l": lambda rows: rows[MAB],
    "volume_l": lambda rows: rows[VOLUME],
}

# Relative noise of the equations a square root of an hour, by state.
PROCESS_NOISE: FloatArray = np.array(
    [[0.004], [0.03], [0.004], [0.01], [0.006], [0.01], [0.002], [0.0002]]
)
# Relative doubt about the values at inoculation, by state.
INITIAL_DOUBT: FloatArray = np.array(
    [[0.06], [0.20], [0.02], [0.05], [0.10], [0.10], [0.0], [0.003]]
)
