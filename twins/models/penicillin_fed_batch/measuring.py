"""What the plant measures of the penicillin batch, how well, how late, and what it may correct.

With tens of members, chance correlations would let a pH probe correct biomass. So each output names
the rows that physics lets it speak about; this is the localisation of the filter.
"""

import numpy as np
from numpy.typing import NDArray

from twins.models.declarations import Output, Uncertain
from twins.models.penicillin_fed_batch import layout as at
from twins.models.penicillin_fed_batch import parameters as k

FloatArray = NDArray[np.float64]

# Estimated beside the states. The source lets them wander around their value with a correlation
# time of 40 h; the prior is how far a batch starts from it.
UNCERTAIN: tuple[Uncertain, ...] = (
    Uncertain("mu_p", 0.041, 0.003, 0.01, 0.09, 3.4e-4, 3.4e-4, "g/g/h"),
    Uncertain("mu_x", 0.41, 0.03, 0.1, 0.9, 2.8e-3, 2.8e-3, "/h"),
    Uncertain("alpha_kla", 85.0, 10.0, 30.0, 200.0, 2.0, 1.0),
    Uncertain("c_s", 600.0, 10.0, 200.0, 1000.0, 17.0, 17.0, "g/L"),
    Uncertain("c_acid_base", 0.033, 5e-4, -0.03, 0.1, 2.2e-3, 2.2e-3, "mol/L"),
    Uncertain("c_paa", 530000.0, 20000.0, 300000.0, 750000.0, 3400.0, 3400.0, "mg/L"),
    Uncertain("t_coolant", 285.0, 0.5, 260.0, 310.0, 1.1, 1.1, "K"),
    Uncertain("o2_in", 0.21, 2e-4, 0.19, 0.23, 2.2e-4, 2.2e-4),
    Uncertain("n_paa", 150000.0, 4000.0, 100000.0, 200000.0, 0.0, 0.0, "mg/L"),
)
MEMORY_H = 40.0
# Its spread is drawn anew around the mean in every sample: kept, a chance correlation with what else
# moves dissolved oxygen would last, and the filter would walk away with the wrong sign.
RENEWED = ("alpha_kla",)
_MU_P, _MU_X, _KLA, _C_S, _C_AB, _C_PAA, _T_C, _O2_IN, _N_PAA = range(at.STATES, at.STATES + 9)
ROWS = at.STATES + len(UNCERTAIN)
ROW_NAMES: tuple[str, ...] = (*at.STATE_NAMES, *(one.name for one in UNCERTAIN))
PLACES = np.array([k.INDEX[one.name] for one in UNCERTAIN])

ONLINE: tuple[Output, ...] = (
    Output("DO2", "mg/L", 0.02, 0.0, "online", 0.005, 0.0, 30.0),
    Output("Wt", "kg", 60.0, 0.0, "online", 0.0, 3e4, 1.3e5),
    Output("pH", "[pH]", 0.006, 0.0, "online", 0.0, 4.0, 9.0),
    Output("T", "K", 0.03, 0.0, "online", 0.0, 285.0, 315.0),
    Output("CO2outgas", "%", 0.001, 0.0, "online", 0.008, 0.0, 15.0),
    Output("O2", "1", 0.0, 0.0, "online", 0.002, 0.05, 0.25),
)
LABORATORY: tuple[Output, ...] = (
    Output("lab_PAA", "mg/L", 5.0, 4.0, "laboratory", 0.02, 0.0, 2e4),
    Output("lab_NH3", "mg/L", 5.0, 4.0, "laboratory", 0.03, 0.0, 2e4),
    Output("lab_P", "g/L", 0.02, 4.0, "laboratory", 0.03, 0.0, 60.0),
    Output("lab_X", "g/L", 0.05, 4.0, "laboratory", 0.04, 0.0, 60.0),
    Output("lab_Viscosity", "cP", 0.2, 4.0, "laboratory", 0.05, 0.0, 400.0),
)
OUTPUTS = (*ONLINE, *LABORATORY)
TAGS: tuple[str, ...] = tuple(one.tag for one in OUTPUTS)
NOISE: FloatArray = np.array([[one.noise_sd, one.noise_relative] for one in OUTPUTS])
# In the order of the inputs of the equations.
INPUT_TAGS: tuple[str, ...] = (
    "Fg", "RPM", "Fpaa", "Fs", "Fa", "Fb", "Fc", "Foil", "Fh", "Fw", "pressure", "Fremoved",
)  # fmt: skip

# Which states an output is the sum of.
SEES: FloatArray = np.zeros((len(OUTPUTS), at.STATES))
_SUMS: tuple[tuple[int, ...], ...] = (
    (at.DO,), (at.W,), (at.PH,), (at.T,), (at.CO2_GAS,), (at.O2,), (at.PAA,), (at.NH3,), (at.P,),
    (at.A0, at.A1, at.A3, at.A4), (at.VIS,),
)  # fmt: skip
for _place, _rows in enumerate(_SUMS):
    SEES[_place, list(_rows)] = 1.0

_GROWTH = (at.A0, at.A1, at.AGE, at.PHI0, at.N0, _MU_X, _C_S)
CORRECTS: NDArray[np.bool_] = np.zeros((len(OUTPUTS), ROWS), dtype=np.bool_)
for _place, _rows in enumerate(
    [
        (at.DO, _KLA),
        (at.W, at.V, _C_S),
        (at.PH, _C_AB),
        (at.T, at.Q, _T_C),
        (at.CO2_GAS, at.CO2, at.A0, at.A1, at.A3, at.AGE, at.PHI0, at.N0, _C_S, _MU_X),
        (at.O2, _O2_IN),
        (at.PAA, _C_PAA),
        (at.NH3, _N_PAA),
        (at.P, _MU_P),
        (*_GROWTH, at.A3, at.A4),
        (at.VIS, at.A0),
    ]
):
    CORRECTS[_place, list(_rows)] = True

# Noise of the equations a square root of an hour: a part that is constant, a part of the value.
PROCESS_NOISE: FloatArray = np.zeros((at.STATES, 2))
PROCESS_NOISE[[at.S, at.A0, at.A1, at.A3, at.A4, at.P, at.VIS], 1] = (
    0.02, 0.004, 0.002, 0.004, 0.004, 0.005, 0.003,
)  # fmt: skip
PROCESS_NOISE[[at.PAA, at.NH3, at.CO2_GAS, at.CO2], 1] = 0.003, 0.001, 0.005, 0.005
PROCESS_NOISE[[at.DO, at.O2, at.V, at.W, at.PH, at.T], 0] = 0.15, 6e-4, 4.0, 5.0, 0.004, 0.02

# Inoculation of the source, with its spread.
_START = {
    at.S: (1.0, 0.1), at.DO: (15.0, 0.5), at.O2: (0.20, 0.01), at.P: (0.001, 0.0),
    at.V: (58000.0, 500.0), at.W: (62000.0, 500.0), at.PH: (6.5, 0.1), at.T: (297.5, 0.5),
    at.Q: (0.0, 0.0), at.VIS: (4.0, 0.05), at.A0: (0.5 / 3.0, 0.017), at.A1: (1.0 / 3.0, 0.033),
    at.CO2_GAS: (0.06, 0.02), at.CO2: (0.2, 0.05), at.PAA: (1400.0, 50.0), at.NH3: (1700.0, 50.0),
}  # fmt: skip
INITIAL: FloatArray = np.array([_START.get(row, (0.0, 0.0)) for row in range(at.STATES)])
