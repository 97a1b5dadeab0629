"""Balances of the penicillin fed-batch, written from the published equations, compiled.

Growing tips (a0) extend into non-growing hyphae (a1), which branch into new tips; a1 is hollowed by
vacuoles whose number at ten radii is followed, degenerates (a3) and autolyses (a4). Penicillin is
made by the volume of a1 that no vacuole fills. Around it: sugar and oil, oxygen and carbon dioxide
in broth and gas, precursor, nitrogen, pH, heat, viscosity, volume and weight.

Where the publication leaves a choice, the source's own batches decided; the choices are listed in
`docs/penicillin.md`. Time is in hours.
"""

import math

import numpy as np
from numpy.typing import NDArray

from twins.models.compiled import compiled
from twins.models.penicillin_fed_batch import layout as at
from twins.models.penicillin_fed_batch import parameters as k

FloatArray = NDArray[np.float64]

# Units that the source's batches imply and its text does not say: the strength of acid and base counts
# a hundredth, and the gas balance takes the transfer of oxygen times 0.06 (mg/L/h and m3 to g/min).
_ACID_BASE_SHARE = 0.01
_TRANSFER_TO_GAS = 0.06
# Heat of the jacket in kJ for a litre and kelvin, linear in the flow.
JACKET_PER_LITRE = 3.6
_LITRES_A_MOL = 22.4
# What an error is measured against when a state is near zero, in the unit of the state.
SCALE: FloatArray = np.array(
    [0.05, 0.5, 0.02, 0.1, 1e3, 1e3, 0.5, 1.0, 1e4, 1.0, 10.0, 0.1, 0.5, 0.1, 0.05]
    + [1e10] * 11
    + [0.1, 0.1, 0.1, 20.0, 50.0, 1e-3, 1e-3]
)


@compiled
def switched(x: float) -> float:
    """Go from 0 to 1 around zero, as all inhibitions of the source do."""
    if x > 20.0:
        return 1.0
    if x < -20.0:
        return 0.0
    return 0.5 * (1.0 + math.tanh(x))


@compiled
def evaporation(x: FloatArray, p: FloatArray) -> float:
    """Return the litres an hour that evaporate."""
    warmth = (x[at.T] - p[k.T_0]) / (p[k.T_BOILING] - p[k.T_0])
    return float(x[at.V] * p[k.ALPHA_EVAPORATION] * (math.exp(2.5 * warmth) - 1.0))


@compiled
def broth_density(x: FloatArray) -> float:
    """Return kg/m3."""
    return float(1100.0 + x[at.P] + x[at.A0] + x[at.A1] + x[at.A3] + x[at.A4])


@compiled
def mean_pressure(x: FloatArray, p: FloatArray, u: FloatArray) -> float:
    """Return the logarithmic mean of head and bottom pressure in bar."""
    area = math.pi * p[k.VESSEL_RADIUS] * p[k.VESSEL_RADIUS]
    height = (1.0 - p[k.GAS_HOLDUP]) * x[at.V] / 1000.0 / area
    top = 1.0 + u[at.PRESSURE]
    head = broth_density(x) * height * p[k.GRAVITY] * 1e-5
    return float(head / math.log1p(head / top))


@compiled
def transfer(x: FloatArray, p: FloatArray, u: FloatArray) -> float:
    """Return kLa of oxygen, 1/h, from aeration, power, viscosity and oil."""
    volume = x[at.V] / 1000.0
    area = math.pi * p[k.VESSEL_RADIUS] * p[k.VESSEL_RADIUS]
    density = broth_density(x)
    height = (1.0 - p[k.GAS_HOLDUP]) * volume / area
    gas = u[at.FG] / 60.0
    turns, impeller = u[at.RPM] / 60.0, 2.0 * p[k.IMPELLER_RADIUS]
    ungassed = p[k.IMPELLERS] * p[k.POWER_NUMBER] * density * turns**3 * impeller**5
    gassed = 0.706 * (ungassed * ungassed * turns * impeller**3 / gas**0.56) ** 0.45 / 1000.0
    velocity = gas / area
    air = velocity * p[k.GAS_CONSTANT] * x[at.T] * volume / (_LITRES_A_MOL * height)
    air *= math.log1p(density * p[k.GRAVITY] * height / ((1.0 + u[at.PRESSURE]) * 1e5))
    viscosity = max(x[at.VIS], 4.0) / 100.0
    oil = max(u[at.FOIL], 0.0) / x[at.V]
    return float(
        p[k.ALPHA_KLA]
        * velocity ** p[k.KLA_GAS]
        * ((gassed + air) / volume) ** p[k.KLA_POWER]
        * viscosity ** p[k.KLA_VISCOSITY]
        * (1.0 - oil ** p[k.KLA_OIL])
    )


@compiled
def growth_limits(x: FloatArray, p: FloatArray, saturation: float) -> float:
    """Return the share of the maximal growth that the surroundings leave."""
    slope = p[k.INHIBITION_SLOPE]
    protons = 10.0 ** -x[at.PH]
    acidity = 1.0 / (1.0 + protons / p[k.K_1] + p[k.K_2] / protons)
    thermal = p[k.GAS_CONSTANT] * x[at.T]
    warmth = p[k.K_GROWTH] * math.exp(-p[k.E_GROWTH] / thermal)
    warmth -= p[k.K_DEATH] * math.exp(-p[k.E_DEATH] / thermal)
    nitrogen = switched(slope * (x[at.NH3] - p[k.X_CRIT_N]))
    oxygen = switched(slope * (x[at.DO] - p[k.X_CRIT_DO] * saturation))
    carbon = switched(slope * (p[k.X_CRIT_CO2] - 1000.0 * x[at.CO2]))
    precursor = switched(p[k.X_CRIT_PAA] - x[at.PAA])
    return float(acidity * warmth * nitrogen * oxygen * carbon * precursor)


@compiled
def derivative(  # noqa: PLR0915 -- one balance after the other, as published
    t: float, x: FloatArray, p: FloatArray, u: FloatArray, out: FloatArray
) -> None:
    """Write dx/dt into `out`; nothing is allocated."""
    s = max(x[at.S], 0.0)
    a0, a1, a3, a4 = x[at.A0], x[at.A1], x[at.A3], x[at.A4]
    biomass = a0 + a1 + a3 + a4
    v, temperature, penicillin = x[at.V], x[at.T], x[at.P]
    density = broth_density(x)
    evaporated = evaporation(x, p)
    liquid = u[at.FS] + u[at.FPAA] + u[at.FA] + u[at.FB] + u[at.FW]
    dilution = (liquid - evaporated) / v
    pressure = mean_pressure(x, p, u)
    kla = transfer(x, p, u)
    saturation = pressure * p[k.O2_IN] / p[k.HENRY_O2]
    limits = growth_limits(x, p, pressure * x[at.O2] / p[k.HENRY_O2])

    # Biomass
    extension = p[k.MU_X] * limits
    branching = p[k.BRANCHING_RATIO] * extension * a1 * s / (p[k.K_B] + s)
    extending = extension * a0 * s / (p[k.K_E] + s)
    growth = branching + extending
    k_diff = max(p[k.K_DIFF] - p[k.BETA_1] * x[at.AGE] / max(biomass, 1e-9), p[k.K_DIFF_LOW])
    ageing = p[k.MU_DIFF] * a0 / (k_diff + s)
    step = p[k.DELTA_R]
    radius = p[k.R_0] + 9.0 * step
    degenerating = p[k.RHO_D] * 4.0 / 3.0 * math.pi * radius**3 * p[k.VACUOLE_GROWTH] * x[at.N9]
    autolysing = p[k.MU_A] * a3
    out[at.A0] = branching - ageing - dilution * a0
    out[at.A1] = extending - branching + ageing - degenerating - dilution * a1
    out[at.A3] = degenerating - autolysing - dilution * a3
    out[at.A4] = autolysing - dilution * a4
    gained = out[at.A0] + out[at.A1] + out[at.A3] + out[at.A4]
    out[at.AGE] = biomass

    # Vacuoles: central differences along the radius
    filled = x[at.PHI0]
    for j in range(1, 10):
        filled += 4.0 / 3.0 * math.pi * (p[k.R_0] + (j - 1) * step) ** 3 * x[at.N0 + j] * step
    empty = 0.5 * (a1 / p[k.RHO_A0] - filled)
    first = math.pi / 6.0 * (p[k.R_0] + p[k.DELTA_0]) ** 3
    formed = p[k.MU_V] * empty / (p[k.K_V] + s)
    drift = p[k.VACUOLE_GROWTH] / (2.0 * step)
    spread = p[k.VACUOLE_DIFFUSION] / (step * step)
    out[at.N0] = formed / first - p[k.VACUOLE_GROWTH] * x[at.N0]
    for j in range(at.N0 + 1, at.NM):
        out[j] = drift * (x[j - 1] - x[j + 1]) + spread * (x[j - 1] - 2.0 * x[j] + x[j + 1])
    out[at.NM] = drift * out[at.N9] - p[k.MU_A] * x[at.NM]
    out[at.PHI0] = formed - first * p[k.VACUOLE_GROWTH] * x[at.N0]

    # Penicillin
    off = (s - p[k.P_INHIBITION_MEAN]) / p[k.P_INHIBITION_SD]
    repression = 2.5 / math.sqrt(2.0 * math.pi) * math.exp(-0.5 * off * off)
    slope = p[k.INHIBITION_SLOPE]
    oxygen = switched(slope * (x[at.DO] - p[k.P_CRIT_DO] * pressure * x[at.O2] / p[k.HENRY_O2]))
    precursor = switched(x[at.PAA] - p[k.P_CRIT_PAA])
    producing = p[k.MU_P] * p[k.RHO_A0] * empty * repression * oxygen * precursor
    acidity = x[at.PH]
    hydrolysis = math.exp(
        p[k.B_1]
        + p[k.B_2] * acidity
        + p[k.B_3] * temperature
        + p[k.B_4] * acidity * acidity
        + p[k.B_5] * temperature * temperature
    )
    out[at.P] = producing - hydrolysis * penicillin - dilution * penicillin

    # Sugar, precursor, nitrogen
    maintenance = p[k.M_S] * (a0 / (k_diff + s) + p[k.RHO_A0] * empty * s / (p[k.K_V] + s))
    fed = (u[at.FS] * p[k.C_S] + u[at.FOIL] * p[k.C_OIL]) / v
    out[at.S] = fed - p[k.Y_SX] * growth - maintenance - p[k.Y_SP] * producing - dilution * s
    if x[at.S] < 0.0 and out[at.S] < 0.0:
        out[at.S] = 0.0
    out[at.PAA] = (
        u[at.FPAA] * p[k.C_PAA] / v
        - p[k.Y_PAA_P] * out[at.P]
        - p[k.Y_PAA_X] * gained
        - p[k.M_PAA] * penicillin
        - dilution * x[at.PAA]
    )
    nitrogen = u[at.FOIL] * p[k.N_OIL] + u[at.FPAA] * p[k.N_PAA] + u[at.AMMONIA] * p[k.N_SHOT]
    out[at.NH3] = (
        nitrogen / v
        - p[k.Y_NX] * (growth + ageing)
        - p[k.Y_NP] * out[at.P]
        - p[k.M_N] * biomass
        - dilution * x[at.NH3]
    )

    # Oxygen and carbon dioxide
    taken = p[k.Y_O2_X] * gained + p[k.M_O2_X] * biomass + p[k.Y_O2_P] * out[at.P]
    given = kla * (saturation - x[at.DO])
    out[at.DO] = given - taken - dilution * x[at.DO]
    inert = p[k.N2_IN] / (1.0 - x[at.O2] - x[at.CO2_GAS] / 100.0)
    molar = 1000.0 / _LITRES_A_MOL
    stored = p[k.GAS_HOLDUP] * v / 1000.0 * 28.97 * molar
    aeration = u[at.FG] * molar
    out[at.O2] = (
        32.0 * aeration * (p[k.O2_IN] - inert * x[at.O2]) - _TRANSFER_TO_GAS * given * v / 1000.0
    ) / stored
    out[at.CO2_GAS] = (
        44.0 * aeration * (p[k.CO2_IN] - inert * x[at.CO2_GAS]) + p[k.Q_CO2] * v * (a0 + a1)
    ) / stored
    henry = math.exp(11.25 - 395.9 / (temperature - 175.9)) / 4400.0
    out[at.CO2] = (
        p[k.KLA_CO2] * kla * (pressure * x[at.CO2_GAS] / henry - x[at.CO2]) - dilution * x[at.CO2]
    )

    # pH, through the concentration of protons
    protons = 10.0**-acidity
    base = -protons
    base += _ACID_BASE_SHARE * p[k.C_ACID_BASE] * (u[at.FB] - u[at.FA]) / v
    turned = growth + ageing + autolysing + producing - hydrolysis * penicillin
    change = p[k.GAMMA_1] * (turned + p[k.M_PH] * biomass)
    change += p[k.GAMMA_2] * (liquid + u[at.DISCHARGE])
    change += 0.5 * (math.sqrt(base * base + 4e-14) - base) - protons
    out[at.PH] = -change / (protons * math.log(10.0))

    # Heat
    syrup = p[k.RHO_SUGAR] * p[k.C_S] / 1000.0 + p[k.RHO_WATER] * (1.0 - p[k.C_S] / 1000.0)
    reaction = max(p[k.Y_QX] * gained * v, 0.0)
    jacket = JACKET_PER_LITRE * p[k.U_JACKET]
    heat = (
        u[at.FS] * syrup / 1000.0 * p[k.CP_FEED] * (p[k.T_FEED] - temperature)
        + u[at.FW] * p[k.RHO_WATER] / 1000.0 * p[k.CP_WATER] * (p[k.T_WATER] - temperature)
        - evaporated * p[k.EVAPORATION_HEAT] * p[k.RHO_WATER] / 1000.0
        + reaction
        + jacket * u[at.FH] * (p[k.T_HEATING] - temperature)
        - jacket * u[at.FC] * (temperature - p[k.T_COOLANT])
        - p[k.U_JACKET] * p[k.A_JACKET] * (temperature - p[k.T_AIR])
    )
    out[at.Q] = heat
    out[at.T] = heat / (v / 1000.0 * density * p[k.CP_WATER])

    # Viscosity, volume, weight
    rise = 1.0 / (1.0 + math.exp(-p[k.K_VIS_1] * (t - p[k.T_VIS_1])))
    rise /= 1.0 + math.exp(-p[k.K_VIS_2] * (t - p[k.T_VIS_2]))
    out[at.VIS] = 3.0 * max(a0, 0.0) ** (1.0 / 3.0) * rise - p[k.K_THINNING] * u[at.FW]
    out[at.V] = liquid - evaporated + u[at.DISCHARGE] * 1000.0 / density
    out[at.W] = (
        u[at.FS] * syrup / 1000.0
        + u[at.FOIL] * p[k.RHO_OIL] / 1000.0
        + u[at.FPAA]
        + u[at.FA]
        + u[at.FB]
        + u[at.FW]
        + u[at.DISCHARGE]
        - evaporated
    )
    out[at.SUM_P] = p[k.MU_P]
    out[at.SUM_X] = extension
