"""The recipe of the demonstration product: start, feed and limits of a fed-batch of twelve days."""

from twins.models.declarations import Limit
from twins.models.requests import FeedStep

PRODUCT = "Demomab"
HARVEST_H = 288.0
FEED_START_H = 72.0
SAMPLE_EVERY_H = 12.0
LABORATORY_TAKES_H = 4.0
READING_EVERY_MIN = 10

TEMPERATURE_SETPOINT_C = 36.8
PH_SETPOINT = 7.00
DISSOLVED_OXYGEN_SETPOINT_PCT = 40.0

RECIPE_INITIAL: dict[str, float] = {
    "viable_cells_1e6_per_ml": 0.40,
    "dead_cells_1e6_per_ml": 0.01,
    "glucose_mmol_l": 36.0,
    "glutamine_mmol_l": 6.0,
    "lactate_mmol_l": 0.5,
    "ammonium_mmol_l": 0.5,
    "mab_g_l": 0.0,
    "volume_l": 150.0,
}
RECIPE_FEED_GLUCOSE_MMOL_L = 600.0
RECIPE_FEED_GLUTAMINE_MMOL_L = 60.0
RECIPE_FEED: tuple[FeedStep, ...] = (
    FeedStep(0.0, 0.0),
    FeedStep(72.0, 0.16),
    FeedStep(96.0, 0.21),
    FeedStep(120.0, 0.28),
    FeedStep(144.0, 0.32),
    FeedStep(168.0, 0.38),
    FeedStep(192.0, 0.46),
    FeedStep(216.0, 0.53),
    FeedStep(240.0, 0.63),
    FeedStep(264.0, 0.78),
)

RECIPE_LIMITS: tuple[Limit, ...] = (
    Limit("temperature_c", 36.3, 37.3, "Cel", "CPP", applies_until_h=HARVEST_H),
    Limit("ph", 6.85, 7.15, "[pH]", "CPP", applies_until_h=HARVEST_H),
    Limit("dissolved_oxygen_pct", 25.0, 60.0, "%", "CPP", applies_until_h=HARVEST_H),
    Limit("glucose_mmol_l", 11.0, 45.0, "mmol/L", "CPP", applies_until_h=HARVEST_H),
    Limit("lactate_mmol_l", None, 70.0, "mmol/L", "CPP", applies_until_h=HARVEST_H),
    Limit("viability_pct", 80.0, None, "%", "CQA", applies_until_h=HARVEST_H),
    Limit("mab_g_l", 2.5, None, "g/L", "CQA", applies_from_h=284.0, applies_until_h=HARVEST_H),
)
