"""What the CHO fed-batch twin declares: intended use, inputs, outputs and where it holds."""

from twins.models.cho_fed_batch.equations import STATE_NAMES
from twins.models.cho_fed_batch.parameters import PARAMETERS
from twins.models.declarations import Declaration, Input, Output, Range, State, Uncertain

_UNITS = ("10*6/mL", "10*6/mL", "mmol/L", "mmol/L", "mmol/L", "mmol/L", "g/L", "L")

# Factors on constants of the source, one offset. Nominal means: the source, or nothing wrong.
UNCERTAIN: tuple[Uncertain, ...] = (
    Uncertain("mu_max_factor", 1.0, 0.05, 0.5, 1.5, 0.004, 0.004),
    Uncertain("k_d_factor", 1.0, 0.15, 0.2, 10.0, 0.03, 0.015),
    Uncertain("m_glc_factor", 1.0, 0.06, 0.5, 2.0, 0.006, 0.006),
    # The published yield is of a line that never takes lactate up again. Half of it is the mean of
    # a batch of the demonstration product; it is higher in early growth and lower afterwards.
    Uncertain("y_lac_glc_factor", 0.5, 0.15, 0.0, 2.0, 0.015, 0.012),
    Uncertain("q_mab_factor", 1.0, 0.08, 0.5, 1.5, 0.003, 0.003),
    # A pump can fail from one hour to the next; a forecast assumes that it stays as it is now.
    Uncertain("feed_pump_efficiency", 1.0, 0.02, 0.0, 1.2, 0.02, 0.0),
    Uncertain("glucose_probe_offset", 0.0, 0.3, -15.0, 15.0, 0.15, 0.0, "mmol/L"),
)

ONLINE: tuple[Output, ...] = (
    Output("viable_cells_1e6_per_ml", "10*6/mL", 0.05, 0.0, "online", 0.03, 0.0, 60.0),
    Output("glucose_mmol_l", "mmol/L", 0.5, 0.0, "online", 0.005, 0.0, 120.0),
    Output("lactate_mmol_l", "mmol/L", 0.6, 0.0, "online", 0.02, 0.0, 200.0),
    Output("volume_l", "L", 0.30, 0.0, "online", 0.0, 1.0, 2000.0),
)
LABORATORY: tuple[Output, ...] = (
    Output("lab_viable_cells_1e6_per_ml", "10*6/mL", 0.05, 4.0, "laboratory", 0.05, 0.0, 60.0),
    Output("lab_viability_pct", "%", 0.8, 4.0, "laboratory", 0.0, 0.0, 100.0),
    Output("lab_glucose_mmol_l", "mmol/L", 0.3, 4.0, "laboratory", 0.02, 0.0, 120.0),
    Output("lab_lactate_mmol_l", "mmol/L", 0.3, 4.0, "laboratory", 0.02, 0.0, 200.0),
    Output("lab_ammonium_mmol_l", "mmol/L", 0.1, 4.0, "laboratory", 0.04, 0.0, 40.0),
    Output("lab_mab_g_l", "g/L", 0.02, 4.0, "laboratory", 0.03, 0.0, 20.0),
)
# Held by control loops, not by these equations: a local level and trend stand for them.
LOOPS: tuple[Output, ...] = (
    Output("temperature_c", "Cel", 0.05, 0.0, "online", 0.0, 20.0, 45.0),
    Output("ph", "[pH]", 0.02, 0.0, "online", 0.0, 5.0, 9.0),
    Output("dissolved_oxygen_pct", "%", 2.0, 0.0, "online", 0.0, 0.0, 120.0),
)
FEED_RATE_TAG = "feed_rate_l_per_h"
# What is foretold.
UNITS: dict[str, str] = {
    "viable_cells_1e6_per_ml": "10*6/mL",
    "viability_pct": "%",
    "glucose_mmol_l": "mmol/L",
    "lactate_mmol_l": "mmol/L",
    "ammonium_mmol_l": "mmol/L",
    "mab_g_l": "g/L",
    "volume_l": "L",
    **{output.tag: output.unit for output in LOOPS},
}

# What the source, or the cultivations that it describes, can speak for.
LOOP_DOMAIN: dict[str, Range] = {
    "temperature_c": Range("temperature", 36.0, 38.0, "Cel"),
    "ph": Range("pH", 6.8, 7.4, "[pH]"),
    "dissolved_oxygen_pct": Range("dissolved oxygen", 20.0, 80.0, "%"),
}
INITIAL_DOMAIN: dict[str, Range] = {
    "viable_cells_1e6_per_ml": Range("inoculated viable cells", 0.1, 2.0, "10*6/mL"),
    "dead_cells_1e6_per_ml": Range("inoculated dead cells", 0.0, 0.3, "10*6/mL"),
    "glucose_mmol_l": Range("initial glucose", 10.0, 60.0, "mmol/L"),
    "glutamine_mmol_l": Range("initial glutamine", 1.0, 12.0, "mmol/L"),
    "lactate_mmol_l": Range("initial lactate", 0.0, 10.0, "mmol/L"),
    "ammonium_mmol_l": Range("initial ammonium", 0.0, 4.0, "mmol/L"),
    "mab_g_l": Range("initial antibody", 0.0, 0.5, "g/L"),
    "volume_l": Range("initial volume", 1.0, 2000.0, "L"),
}
FEED_GLUCOSE_DOMAIN = Range("glucose of the feed", 100.0, 2800.0, "mmol/L")
FEED_GLUTAMINE_DOMAIN = Range("glutamine of the feed", 0.0, 250.0, "mmol/L")
FEED_DAILY_DOMAIN = Range("feed a day, share of the initial volume", 0.0, 0.15, "1")
AS_OF_DOMAIN = Range("time since inoculation", 0.0, 336.0, "h")
HORIZON_DOMAIN = Range("horizon", 1.0, 96.0, "h")

DECLARATION = Declaration(
    name="cho-fed-batch",
    intended_use=(
        "Advice beside a running fed-batch of CHO cells that make a monoclonal antibody: the "
        "probability that a limit of the recipe is crossed within the horizon, when, and through "
        "which variables. A person decides. Not for release, not for closed-loop control, not "
        "for perfusion or for other hosts."
    ),
    states=tuple(State(name, unit) for name, unit in zip(STATE_NAMES, _UNITS, strict=True)),
    inputs=(
        Input("commanded feed rate", "L/h", FEED_RATE_TAG),
        Input("glucose of the feed", "mmol/L", "feed_glucose_mmol_l"),
        Input("glutamine of the feed", "mmol/L", "feed_glutamine_mmol_l"),
        Input("temperature", "Cel", "temperature_c"),
        Input("pH", "[pH]", "ph"),
        Input("dissolved oxygen", "%", "dissolved_oxygen_pct"),
    ),
    parameters=PARAMETERS,
    uncertain=UNCERTAIN,
    outputs=(*ONLINE, *LABORATORY, *LOOPS),
    domain=(
        *INITIAL_DOMAIN.values(),
        FEED_GLUCOSE_DOMAIN,
        FEED_GLUTAMINE_DOMAIN,
        FEED_DAILY_DOMAIN,
        *LOOP_DOMAIN.values(),
        AS_OF_DOMAIN,
        HORIZON_DOMAIN,
    ),
)
