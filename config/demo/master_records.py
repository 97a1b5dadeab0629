"""The demonstration's products and their complete master recipes, as people would write them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from batches.assets.models import MaterialKind as StockKind
from batches.exchange.formats.series_parquet import PENICILLIN, SeriesMapping
from batches.laboratory.models import TestKind
from batches.laboratory.specifications import TestDraft
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
from batches.recipes.products import Registered
from twins.plant import recipe_draft

VIALS = "VIAL-50"
# Code, name, unit and kind of what the recipes below are made of.
MATERIALS = (
    ("MAT-SEED", "Seed culture of hamster cells", "L", StockKind.RAW),
    ("MAT-MEDIUM", "Culture medium", "L", StockKind.RAW),
    ("MAT-FEED", "Feed solution", "L", StockKind.RAW),
    ("MAT-BAG", "Harvest bag", "{piece}", StockKind.PACKAGING),
    ("MAT-DEMOMAB", "Demomab, drug substance", "kg", StockKind.PRODUCT),
    ("MAT-POWDER", "Active powder", "kg", StockKind.INTERMEDIATE),
    ("MAT-VIAL", "Glass vial", "{piece}", StockKind.PACKAGING),
    ("MAT-STOPPER", "Stopper", "{piece}", StockKind.PACKAGING),
    ("MAT-BROTH", "Seed broth of the mould", "L", StockKind.INTERMEDIATE),
    ("MAT-DRUM", "Drum", "{piece}", StockKind.PACKAGING),
)
# What each product is released by. Nobody posts it here: the limits of the recipes judge what the
# plant, the vial line and the fermenter do post.
RELEASE_TESTS = (
    TestDraft(
        tag="identity", name="Identity", method_code="ID-01", method_version="1",
        kind=TestKind.TEXT, conforming_text="conforms", is_mandatory=False,
    ),
)  # fmt: skip


@dataclass(frozen=True)
class Made:
    """One product of the demonstration and how it is made."""

    code: str
    name: str
    registered: Registered
    recipe: RecipeDraft


def everything() -> Sequence[Made]:
    return (
        Made(
            recipe_draft.PRODUCT_CODE,
            recipe_draft.PRODUCT_NAME,
            Registered("Drug substance, 5 g/L", "Frozen solution", 36, ("DE", "US")),
            cho_recipe(),
        ),
        Made(
            VIALS,
            "Vials, 50 mg fill",
            Registered("50 mg per vial", "Powder for solution", 24, ("DE", "US")),
            vial_recipe(),
        ),
        Made(
            PENICILLIN.product,
            "Penicillin, simulated plant",
            Registered("Drug substance, 95 %", "Powder", 24, ("GB",)),
            series_recipe(PENICILLIN),
        ),
    )


def cho_recipe() -> RecipeDraft:
    """Return the fed-batch recipe; its twin runs every 12 hours, as often as the laboratory samples."""
    drafted = recipe_draft.draft()
    return replace(drafted, twin_settings={**drafted.twin_settings, "every_h": 12})


def vial_recipe() -> RecipeDraft:
    """Return the vial line's recipe: fill target 50 mg, limits 49.5 to 50.5 mg."""
    phases = [
        PhaseDraft("Vial line", name, "Filling", instruction, equipment_kind="vial-line")
        for name, instruction in (
            ("Check_Tare", "Weigh the empty vial; reject it beyond its tare limits."),
            ("Fill_Vial", "Fill 50 mg; keep within 49.5 and 50.5 mg."),
            ("Weight_Final", "Weigh the filled vial and record the fill weight."),
            ("Capping", "Stopper and cap at once."),
            ("Labeling", "Label with the effective label; reconcile what was issued."),
        )
    ]
    return RecipeDraft(
        title="Vial filling, 50 mg",
        phases=phases,
        parameters=[
            ParameterDraft(
                tag="fill_weight_mg", name="Fill weight", kind=ParameterKind.READING, unit="mg",
                criticality=Criticality.CQA, low=Decimal("49.5"), high=Decimal("50.5"),
                target=Decimal(50), phase=phases[2].label,
            )
        ],
        materials=[
            MaterialDraft(
                1, phases[1].label, "MAT-POWDER", MaterialKind.ACTIVE, Decimal("5.05"), "kg",
                Decimal(1), Decimal(1), excess_pct=Decimal(1), is_potency_adjusted=True,
                amount_per_dosage_unit="50 mg",
            ),
            MaterialDraft(
                2, phases[0].label, "MAT-VIAL", MaterialKind.PACKAGING, Decimal(100_000), "{piece}"
            ),
            MaterialDraft(
                3, phases[3].label, "MAT-STOPPER", MaterialKind.PACKAGING, Decimal(100_000),
                "{piece}",
            ),
        ],
        yields=[
            YieldDraft(phases[-1].label, Decimal(100_000), "{piece}", Decimal(95), Decimal(101))
        ],
        sampling=[
            SamplingDraft(
                "Finished vials", phases[-1].label, "at start, middle and end", count=3,
                specification="SPEC-VIAL-50", specification_version="1",
            )
        ],
        equipment=[EquipmentDraft("Vial line", "vial-line", requirement="50 mg heads")],
        labels=[LabelDraft("LBL-VIAL-50", "1", phases[-1].label, "Vial label, 50 mg")],
        dosage_unit="vial of 50 mg powder",
        batch_size=Decimal(5), batch_size_unit="kg",
        specification="SPEC-VIAL-50", specification_version="1",
        storage="Below 25 Cel, dry", precautions="Potent powder: work under extraction.",
    )  # fmt: skip


def series_recipe(mapping: SeriesMapping) -> RecipeDraft:
    """Return a recipe for series whose source states no limits: measured, not judged."""
    phase = PhaseDraft(
        "Fermenter", "Fermentation", "Fermentation",
        "Ferment as the control system's schedule says, until the harvest.",
        equipment_kind="fermenter",
    )  # fmt: skip
    return RecipeDraft(
        title=mapping.title,
        phases=[phase],
        parameters=[
            ParameterDraft(
                tag=tag, name=column, kind=ParameterKind.READING, unit=unit,
                criticality=Criticality.OTHER,
            )
            for tag, (column, unit) in mapping.tags.items()
        ],
        materials=[
            MaterialDraft(
                1, phase.label, "MAT-BROTH", MaterialKind.ACTIVE, Decimal(5000), "L",
                Decimal(5), Decimal(5), amount_per_dosage_unit="not dosed: drug substance",
            ),
            MaterialDraft(2, phase.label, "MAT-DRUM", MaterialKind.PACKAGING, Decimal(1), "{piece}"),
        ],
        yields=[YieldDraft(phase.label, Decimal(3000), "kg", Decimal(60), Decimal(120))],
        sampling=[
            SamplingDraft(
                "Harvest broth", phase.label, "at the harvest",
                specification="SPEC-PENICILLIN", specification_version="1",
            )
        ],
        equipment=[EquipmentDraft("Fermenter", "fermenter", requirement="100 000 L")],
        labels=[LabelDraft("LBL-DRUM", "1", phase.label, "Drum label")],
        dosage_unit="drum of drug substance, weighed",
        batch_size=Decimal(100_000), batch_size_unit="L",
        specification="SPEC-PENICILLIN", specification_version="1",
        storage="2 to 8 Cel", precautions="Sensitising: separate from other products.",
    )  # fmt: skip
