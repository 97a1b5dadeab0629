"""Where each state, input and parameter of the penicillin twin stands in its array."""

STATE_NAMES: tuple[str, ...] = (
    "substrate_g_l", "dissolved_oxygen_mg_l", "offgas_oxygen", "penicillin_g_l", "volume_l",
    "weight_kg", "ph", "temperature_k", "heat_kj", "viscosity_cp", "biomass_age_gh_l",
    "growing_g_l", "non_growing_g_l", "degenerated_g_l", "autolysed_g_l",
    "vacuoles_0", "vacuoles_1", "vacuoles_2", "vacuoles_3", "vacuoles_4", "vacuoles_5",
    "vacuoles_6", "vacuoles_7", "vacuoles_8", "vacuoles_9", "vacuoles_max", "vacuole_volume_0",
    "offgas_co2_pct", "dissolved_co2_g_l", "paa_mg_l", "nitrogen_mg_l",
    "penicillin_rate_sum", "growth_rate_sum",
)  # fmt: skip
S, DO, O2, P, V, W, PH, T, Q, VIS, AGE, A0, A1, A3, A4 = range(15)
N0, N9, NM, PHI0 = 15, 24, 25, 26
CO2_GAS, CO2, PAA, NH3, SUM_P, SUM_X = range(27, 33)
STATES = len(STATE_NAMES)

INPUT_NAMES: tuple[str, ...] = (
    "aeration_m3_min", "agitator_rpm", "paa_l_h", "sugar_l_h", "acid_l_h", "base_l_h",
    "cooling_l_h", "oil_l_h", "heating_l_h", "water_l_h", "head_pressure_bar", "discharge_kg_h",
    "ammonia_kg_h",
)  # fmt: skip
FG, RPM, FPAA, FS, FA, FB, FC, FOIL, FH, FW, PRESSURE, DISCHARGE, AMMONIA = range(13)
INPUTS = len(INPUT_NAMES)
