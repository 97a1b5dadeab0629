"""The demonstration product's master recipe, as a person would draft it."""

from decimal import Decimal

from batches.recipes.drafts import (
    EquipmentDraft,
    LabelDraft,
    MaterialDraft,
    ParameterDraft,
    PhaseDraft,
    RecipeDraft,
    SamplingDraft,
    YieldDraft,
)
from batches.recipes.models import Criticality, MaterialKind, ParameterKind
from compliance.trail.tlog import canonical
from twins.models.declarations import Limit
from twins.plant import demo_recipe

TWIN = "cho-fed-batch"
PRODUCT_CODE, PRODUCT_NAME = "DEMOMAB", "Demomab, monoclonal antibody (simulated)"
_REACTOR = "Production bioreactor"
PHASES = tuple(
    PhaseDraft(_REACTOR, name, operation, instruction, equipment_kind="bioreactor")
    for name, operation, instruction in (
        ("Inoculation", "Culture", "Transfer the seed culture; 0.4e6 viable cells per mL."),
        ("Growth", "Culture", "Grow in batch mode at 36.8 Cel, pH 7.00, 40 % oxygen."),
        ("Fed-batch", "Culture", "Feed by the schedule; keep glucose above 11 mmol/L."),
        ("Harvest", "Harvest", "Cool, draw the harvest sample and transfer to the harvest tank."),
    )
)
_HARVEST = PHASES[-1].label
# The twin foretells process values; the laboratory's tests of them are posted under own tags.
_LABORATORY = {"viability_pct": "lab_viability_pct", "mab_g_l": "lab_mab_g_l"}
_NAMES = {
    "temperature_c": "Temperature",
    "ph": "pH",
    "dissolved_oxygen_pct": "Dissolved oxygen",
    "glucose_mmol_l": "Glucose, probe",
    "lactate_mmol_l": "Lactate, probe",
    "lab_viability_pct": "Viability",
    "lab_mab_g_l": "Antibody titre",
}
_TARGETS = {
    "temperature_c": demo_recipe.TEMPERATURE_SETPOINT_C,
    "ph": demo_recipe.PH_SETPOINT,
    "dissolved_oxygen_pct": demo_recipe.DISSOLVED_OXYGEN_SETPOINT_PCT,
}
_READINGS_WITHOUT_LIMIT = (
    ("viable_cells_1e6_per_ml", "Viable cells, probe", "10*6/mL"),
    ("volume_l", "Volume", "L"),
)
# In operation, and proven acceptable; no limit of the twin's.
_FEED_L_PER_H, _FEED_PROVEN_L_PER_H = (Decimal(0), Decimal("0.85")), (Decimal(0), Decimal("0.9"))
_RESULTS_WITHOUT_LIMIT = (
    ("lab_viable_cells_1e6_per_ml", "Viable cells, laboratory", "10*6/mL"),
    ("lab_glucose_mmol_l", "Glucose, laboratory", "mmol/L"),
    ("lab_lactate_mmol_l", "Lactate, laboratory", "mmol/L"),
    ("lab_ammonium_mmol_l", "Ammonium, laboratory", "mmol/L"),
)


def draft() -> RecipeDraft:
    """Return the recipe with its phases, its parameters and what its twin is told."""
    return RecipeDraft(
        title="Demomab, fed-batch of twelve days",
        phases=PHASES,
        parameters=[
            *(_limited(limit) for limit in demo_recipe.RECIPE_LIMITS),
            *(
                ParameterDraft(tag, name, ParameterKind.READING, unit, Criticality.OTHER)
                for tag, name, unit in _READINGS_WITHOUT_LIMIT
            ),
            *(
                ParameterDraft(tag, name, ParameterKind.RESULT, unit, Criticality.OTHER)
                for tag, name, unit in _RESULTS_WITHOUT_LIMIT
            ),
            ParameterDraft(
                "feed_rate_l_per_h", "Feed rate, commanded", ParameterKind.READING, "L/h",
                Criticality.CPP, *_FEED_L_PER_H, proven_low=_FEED_PROVEN_L_PER_H[0],
                proven_high=_FEED_PROVEN_L_PER_H[1],
            ),
        ],
        twin=TWIN,
        twin_settings={
            "initial": {name: repr(value) for name, value in demo_recipe.RECIPE_INITIAL.items()},
            "feed": [
                [repr(step.start_h), repr(step.rate_l_per_h)] for step in demo_recipe.RECIPE_FEED
            ],
            "feed_glucose_mmol_l": repr(demo_recipe.RECIPE_FEED_GLUCOSE_MMOL_L),
            "feed_glutamine_mmol_l": repr(demo_recipe.RECIPE_FEED_GLUTAMINE_MMOL_L),
            "advice": {
                "max_step_l_per_h": "0.15",
                "resolution_l_per_h": "0.01",
                "block_h": 6,
                "target": "0.1",
                "delay_h": 2,
            },
            "limit_windows": {_tag(limit): _window(limit) for limit in demo_recipe.RECIPE_LIMITS},
        },
        materials=_materials(),
        yields=[YieldDraft(_HARVEST, Decimal("0.5"), "kg", Decimal(80), Decimal(130))],
        sampling=[
            SamplingDraft(
                "Harvest", _HARVEST, "at the end of the culture", specification="SPEC-DEMOMAB",
                specification_version="1",
            )
        ],
        equipment=[EquipmentDraft("Bioreactor", "bioreactor", requirement="200 L")],
        labels=[LabelDraft("LBL-HARVEST", "1", _HARVEST, "Harvest tank")],
        dosage_unit="litre of drug substance with 5 g antibody",
        batch_size=Decimal(150),
        batch_size_unit="L",
        specification="SPEC-DEMOMAB",
        specification_version="1",
        storage="-70 Cel",
        precautions="Living cells of hamster: biological safety level 1.",
    )  # fmt: skip


def _materials() -> list[MaterialDraft]:
    seed, growth, feed = (phase.label for phase in PHASES[:3])
    return [
        MaterialDraft(
            1, seed, "MAT-SEED", MaterialKind.ACTIVE, Decimal(10), "L", Decimal(5), Decimal(5),
            amount_per_dosage_unit="5 g antibody",
        ),
        MaterialDraft(
            2, growth, "MAT-MEDIUM", MaterialKind.COMPONENT, Decimal(140), "L", Decimal(2),
            Decimal(2),
        ),
        MaterialDraft(
            3, feed, "MAT-FEED", MaterialKind.COMPONENT, Decimal(95), "L", Decimal(5), Decimal(5)
        ),
        MaterialDraft(4, _HARVEST, "MAT-BAG", MaterialKind.PACKAGING, Decimal(1), "{piece}"),
    ]  # fmt: skip


def _tag(limit: Limit) -> str:
    return _LABORATORY.get(limit.tag, limit.tag)


def _limited(limit: Limit) -> ParameterDraft:
    tag = _tag(limit)
    target = _TARGETS.get(limit.tag)
    return ParameterDraft(
        tag=tag,
        name=_NAMES[tag],
        kind=ParameterKind.RESULT if limit.tag in _LABORATORY else ParameterKind.READING,
        unit=limit.unit,
        criticality=Criticality(limit.criticality.lower()),
        low=_decimal(limit.low),
        high=_decimal(limit.high),
        target=_decimal(target),
        is_required=True,
    )


def _window(limit: Limit) -> list[canonical.Value]:
    until_h = None if limit.applies_until_h is None else repr(limit.applies_until_h)
    return [repr(limit.applies_from_h), until_h]


def _decimal(number: float | None) -> Decimal | None:
    return None if number is None else Decimal(repr(number))
