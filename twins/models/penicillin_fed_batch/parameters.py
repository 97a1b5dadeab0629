"""The 105 constants of the penicillin model in the order of its published list, with their source.

Goldrick S, Stefan A, Lovett D, Montague G, Lennox B. The development of an industrial-scale fed-batch
fermentation simulation. J. Biotechnol. 2015, 193:70-82; and Goldrick S et al. Modern day monitoring and
control challenges outlined on an industrial-scale benchmark fermentation process. Comput. Chem. Eng.
2019, 130:106471. Ranges are ours: how far a plant's own value may be from the published one.
"""

import numpy as np
from numpy.typing import NDArray

from twins.models.declarations import Parameter

_LIST = "Goldrick et al. 2015, J. Biotechnol. 193:70, list of parameters"
# Drawn anew for every batch of the source around the value here.
_BATCH = f"{_LIST}; differs from batch to batch"
# In the list, but the balances of the source's own batches do not contain it.
_IDLE = f"{_LIST}; without effect in the batches of the source"

PARAMETERS: tuple[Parameter, ...] = (
    Parameter("mu_p", 0.041, "g/g/h", _BATCH, 0.02, 0.08),
    Parameter("mu_x", 0.41, "/h", _BATCH, 0.2, 0.8),
    Parameter("branching_ratio", 0.4, "1", _LIST, 0.2, 0.8),
    Parameter("p_inhibition_sd", 0.0015, "g/L", _LIST, 0.0005, 0.005),
    Parameter("p_inhibition_mean", 0.002, "g/L", _LIST, 0.0005, 0.01),
    Parameter("mu_v", 0.000171, "g/g/h", _LIST, 5e-05, 0.0005),
    Parameter("mu_a", 0.0035, "/h", _LIST, 0.001, 0.01),
    Parameter("mu_diff", 0.00536, "g/L/h", _LIST, 0.001, 0.02),
    Parameter("beta_1", 0.006, "g/L/h", _LIST, 0.001, 0.02),
    Parameter("k_b", 0.05, "g/L", _LIST, 0.01, 0.2),
    Parameter("k_diff", 0.75, "g/L", _LIST, 0.2, 2.0),
    Parameter("k_diff_low", 0.09, "g/L", _LIST, 0.01, 0.3),
    Parameter("k_e", 0.009, "g/L", _LIST, 0.002, 0.05),
    Parameter("k_v", 0.05, "g/L", _LIST, 0.01, 0.2),
    Parameter("delta_r", 7.5e-05, "cm", _LIST, 5e-05, 0.0001),
    Parameter("vacuole_growth", 3.22e-05, "cm/h", _LIST, 1e-05, 0.0001),
    Parameter("vacuole_diffusion", 2.66e-11, "cm2/h", _LIST, 5e-12, 1e-10),
    Parameter("rho_a0", 0.35, "g/cm3", _LIST, 0.2, 0.5),
    Parameter("rho_d", 0.18, "g/cm3", _LIST, 0.1, 0.3),
    Parameter("mu_h", 0.003, "/h", _IDLE, 0.0, 0.01),
    Parameter("r_0", 0.00015, "cm", _LIST, 0.0001, 0.0003),
    Parameter("delta_0", 0.0001, "cm", _LIST, 5e-05, 0.0002),
    Parameter("y_sx", 1.85, "g/g", _LIST, 1.0, 3.0),
    Parameter("y_sp", 0.9, "g/g", _LIST, 0.4, 2.0),
    Parameter("m_s", 0.029, "g/g/h", _LIST, 0.01, 0.06),
    Parameter("c_oil", 1000.0, "g/L", _BATCH, 700.0, 1300.0),
    Parameter("c_s", 600.0, "g/L", _BATCH, 300.0, 900.0),
    Parameter("y_o2_x", 650.0, "mg/g", _LIST, 300.0, 1000.0),
    Parameter("y_o2_p", 160.0, "mg/g", _LIST, 50.0, 400.0),
    Parameter("m_o2_x", 17.5, "mg/g/h", _LIST, 5.0, 40.0),
    Parameter("alpha_kla", 85.0, "1", _BATCH, 30.0, 200.0),
    Parameter("kla_gas", 0.38, "1", _LIST, 0.1, 0.7),
    Parameter("kla_power", 0.34, "1", _LIST, 0.1, 0.7),
    Parameter("kla_viscosity", -0.38, "1", _LIST, -0.8, 0.0),
    Parameter("kla_oil", 0.25, "1", _LIST, 0.1, 0.5),
    Parameter("henry_o2", 0.0251, "bar.L/mg", _LIST, 0.02, 0.03),
    Parameter("impellers", 3.0, "1", _LIST, 1.0, 5.0),
    Parameter("vessel_radius", 2.1, "m", _LIST, 1.0, 4.0),
    Parameter("impeller_radius", 0.85, "m", _LIST, 0.3, 2.0),
    Parameter("power_number", 5.0, "1", _LIST, 1.0, 10.0),
    Parameter("gas_holdup", 0.1, "1", _LIST, 0.02, 0.3),
    Parameter("gravity", 9.81, "m/s2", _LIST, 9.81, 9.81),
    Parameter("gas_constant", 8.314, "J/mol/K", _LIST, 8.314, 8.314),
    Parameter("x_crit_do", 0.1, "1", _LIST, 0.0, 0.5),
    Parameter("p_crit_do", 0.3, "1", _LIST, 0.0, 0.8),
    Parameter("inhibition_slope", 1.0, "1", _LIST, 0.1, 10.0),
    Parameter("t_feed", 288.0, "K", _LIST, 278.0, 303.0),
    Parameter("t_water", 288.0, "K", _LIST, 278.0, 303.0),
    Parameter("t_coolant", 285.0, "K", _BATCH, 265.0, 305.0),
    Parameter("t_heating", 333.0, "K", _LIST, 313.0, 373.0),
    Parameter("t_air", 290.0, "K", _LIST, 270.0, 310.0),
    Parameter("cp_feed", 5.9, "kJ/kg/K", _LIST, 2.0, 8.0),
    Parameter("cp_water", 4.18, "kJ/kg/K", _LIST, 4.0, 4.3),
    Parameter("evaporation_heat", 2430.7, "kJ/kg", _LIST, 2200.0, 2600.0),
    Parameter("u_jacket", 36.0, "kJ/m2/h/K", _LIST, 5.0, 100.0),
    Parameter("a_jacket", 105.0, "m2", _LIST, 20.0, 300.0),
    Parameter("e_growth", 14880.0, "J/mol", _LIST, 10000.0, 20000.0),
    Parameter("e_death", 173250.0, "J/mol", _LIST, 150000.0, 200000.0),
    Parameter("k_growth", 450.0, "1", _LIST, 200.0, 900.0),
    Parameter("k_death", 2.5e29, "1", _LIST, 1e28, 1e30),
    Parameter("y_qx", 25.0, "kJ/g", _LIST, 5.0, 60.0),
    Parameter("c_acid_base", 0.033, "mol/L", _BATCH, -0.03, 0.1),
    Parameter("gamma_1", 3.25e-07, "mol/g", _LIST, 1e-07, 1e-06),
    Parameter("gamma_2", 2.5e-11, "mol/L2", _LIST, 0.0, 1e-10),
    Parameter("m_ph", 0.0025, "g/g/h", _LIST, 0.0, 0.01),
    Parameter("k_1", 1e-05, "mol/L", _LIST, 1e-06, 0.0001),
    Parameter("k_2", 2.5e-08, "mol/L", _LIST, 1e-09, 1e-07),
    Parameter("n_oil", 20000.0, "mg/L", _LIST, 5000.0, 50000.0),
    Parameter("n_paa", 150000.0, "mg/L", _BATCH, 100000.0, 200000.0),
    Parameter("n_shot", 400000.0, "mg/kg", _LIST, 200000.0, 600000.0),
    Parameter("y_nx", 10.0, "mg/g", _LIST, 2.0, 40.0),
    Parameter("y_np", 80.0, "mg/g", _LIST, 20.0, 200.0),
    Parameter("m_n", 0.03, "mg/g/h", _LIST, 0.0, 0.2),
    Parameter("x_crit_n", 150.0, "mg/L", _LIST, 50.0, 500.0),
    Parameter("c_paa", 530000.0, "mg/L", _BATCH, 300000.0, 750000.0),
    Parameter("y_paa_p", 187.5, "mg/g", _LIST, 100.0, 400.0),
    Parameter("y_paa_x", 45.0, "mg/g", _LIST, 10.0, 100.0),
    Parameter("m_paa", 1.05, "mg/g/h", _LIST, 0.0, 5.0),
    Parameter("x_crit_paa", 2400.0, "mg/L", _LIST, 1000.0, 5000.0),
    Parameter("p_crit_paa", 200.0, "mg/L", _LIST, 50.0, 500.0),
    Parameter("b_1", -64.29, "1", _LIST, -70.0, -60.0),
    Parameter("b_2", -1.825, "1", _LIST, -2.5, -1.0),
    Parameter("b_3", 0.3649, "/K", _LIST, 0.3, 0.45),
    Parameter("b_4", 0.128, "1", _LIST, 0.1, 0.16),
    Parameter("b_5", -0.00049496, "/K2", _LIST, -0.0006, -0.0004),
    Parameter("kla_co2", 0.89, "1", _LIST, 0.5, 1.0),
    Parameter("k_thinning", 0.005, "cP/L", _LIST, 0.0, 0.02),
    Parameter("k_vis_1", 0.001, "/h", _LIST, 0.0, 0.01),
    Parameter("k_vis_2", 0.0001, "/h", _LIST, 0.0, 0.01),
    Parameter("t_vis_1", 1.0, "h", _LIST, 0.0, 50.0),
    Parameter("t_vis_2", 250.0, "h", _LIST, 100.0, 400.0),
    Parameter("q_co2", 0.1353, "g/g/h", _LIST, 0.05, 0.3),
    Parameter("x_crit_co2", 7570.0, "mg/L", _LIST, 2000.0, 20000.0),
    Parameter("alpha_evaporation", 0.000524, "/h", _LIST, 0.0, 0.002),
    Parameter("beta_heat", 2.88, "1", _IDLE, 0.0, 4.0),
    Parameter("rho_sugar", 1540.0, "kg/m3", _LIST, 1400.0, 1600.0),
    Parameter("rho_oil", 900.0, "kg/m3", _LIST, 850.0, 950.0),
    Parameter("rho_water", 1000.0, "kg/m3", _LIST, 990.0, 1005.0),
    Parameter("rho_paa", 1000.0, "kg/m3", _IDLE, 950.0, 1100.0),
    Parameter("o2_in", 0.21, "1", _BATCH, 0.15, 0.45),
    Parameter("n2_in", 0.79, "1", _LIST, 0.55, 0.85),
    Parameter("co2_in", 0.033, "%", _LIST, 0.02, 0.1),
    Parameter("t_boiling", 373.0, "K", _LIST, 373.0, 373.0),
    Parameter("t_0", 273.0, "K", _LIST, 273.0, 273.0),
    Parameter("alpha_heat", 2451.8, "kJ/m3/K", _IDLE, 500.0, 5000.0),
)

# Places in an array of constants, for compiled code.
(
    MU_P, MU_X, BRANCHING_RATIO, P_INHIBITION_SD, P_INHIBITION_MEAN, MU_V, MU_A, MU_DIFF,
    BETA_1, K_B, K_DIFF, K_DIFF_LOW, K_E, K_V, DELTA_R, VACUOLE_GROWTH, VACUOLE_DIFFUSION,
    RHO_A0, RHO_D, MU_H, R_0, DELTA_0, Y_SX, Y_SP, M_S, C_OIL, C_S, Y_O2_X, Y_O2_P, M_O2_X,
    ALPHA_KLA, KLA_GAS, KLA_POWER, KLA_VISCOSITY, KLA_OIL, HENRY_O2, IMPELLERS, VESSEL_RADIUS,
    IMPELLER_RADIUS, POWER_NUMBER, GAS_HOLDUP, GRAVITY, GAS_CONSTANT, X_CRIT_DO, P_CRIT_DO,
    INHIBITION_SLOPE, T_FEED, T_WATER, T_COOLANT, T_HEATING, T_AIR, CP_FEED, CP_WATER,
    EVAPORATION_HEAT, U_JACKET, A_JACKET, E_GROWTH, E_DEATH, K_GROWTH, K_DEATH, Y_QX,
    C_ACID_BASE, GAMMA_1, GAMMA_2, M_PH, K_1, K_2, N_OIL, N_PAA, N_SHOT, Y_NX, Y_NP, M_N,
    X_CRIT_N, C_PAA, Y_PAA_P, Y_PAA_X, M_PAA, X_CRIT_PAA, P_CRIT_PAA, B_1, B_2, B_3, B_4, B_5,
    KLA_CO2, K_THINNING, K_VIS_1, K_VIS_2, T_VIS_1, T_VIS_2, Q_CO2, X_CRIT_CO2,
    ALPHA_EVAPORATION, BETA_HEAT, RHO_SUGAR, RHO_OIL, RHO_WATER, RHO_PAA, O2_IN, N2_IN, CO2_IN,
    T_BOILING, T_0, ALPHA_HEAT,
) = range(105)  # fmt: skip

INDEX: dict[str, int] = {one.name: place for place, one in enumerate(PARAMETERS)}


def nominal() -> NDArray[np.float64]:
    """Return the published values as a new array."""
    return np.array([one.value for one in PARAMETERS])
