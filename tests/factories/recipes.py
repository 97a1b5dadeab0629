"""Products and their master recipes."""

from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from batches.assets.models import MaterialKind as StockKind
from batches.laboratory.models import Specification, SpecificationUse, SpecificationVersion
from batches.recipes import master_recipes, products, versions
from batches.recipes.drafts import (
    EquipmentDraft,
    LabelDraft,
    MaterialDraft,
    ParameterDraft,
    RecipeDraft,
    SamplingDraft,
    YieldDraft,
)
from batches.recipes.models import Criticality, MasterRecipe, MaterialKind, ParameterKind, Product
from batches.recipes.products import Registered
from compliance.access.duties import Role
from compliance.access.models import User
from tests.factories import common
from tests.factories.assets import material
from tests.factories.common import NOON
from tests.factories.people import confirmed, somebody
from tests.factories.quality import approved_change
from tests.factories.specifications import UNJUDGED, specification

RECIPE = RecipeDraft(
    title="Fed-batch of a demonstration antibody",
    phases=[("Bioreactor", "Inoculation"), ("Bioreactor", "Growth"), ("Bioreactor", "Harvest")],
    parameters=[
        ParameterDraft(
            tag="temperature_c", name="Temperature", kind=ParameterKind.READING, unit="Cel",
            criticality=Criticality.CPP, low=Decimal("36.3"), high=Decimal("37.3"),
            is_required=True,
        ),
        ParameterDraft(
            tag="ph", name="pH", kind=ParameterKind.READING, unit="[pH]",
            criticality=Criticality.CPP, low=Decimal("6.85"), high=Decimal("7.15"),
        ),
        ParameterDraft(
            tag="mab_g_l", name="Antibody", kind=ParameterKind.RESULT, unit="g/L",
            criticality=Criticality.CQA, low=Decimal("2.5"), is_required=True,
        ),
        ParameterDraft(
            tag="lactate_mmol_l", name="Lactate", kind=ParameterKind.RESULT, unit="mmol/L",
            criticality=Criticality.CPP, high=Decimal("70"),
        ),
    ],
)  # fmt: skip


REGISTERED = Registered(
    strength="50 mg per vial", dosage_form="Solution", shelf_life_months=24, markets=("DE", "US")
)


def product(*, at: datetime = NOON) -> Product:
    author = somebody(Role.PROCESS_ENGINEER, at=at)
    return products.create(
        code=f"PRODUCT-{next(common.numbers)}",
        name="A demonstration antibody",
        registered=REGISTERED,
        actor=author,
        at=at,
    )


def complete(content: RecipeDraft, *, of: Product | None = None) -> RecipeDraft:
    """Return a draft with whatever a master record needs and the draft does not say.

    Of a product that has recipes, it names an approved change; a first version needs none.
    """
    is_later = of is not None and of.recipes.exists()
    code, version = _release_specification(of)
    phases = [
        replace(phase, instruction=phase.instruction or f"Do {phase.name} as it is described.")
        for phase in content.whole_phases
    ]
    first, last = phases[0].label, phases[-1].label
    materials = list(content.materials) or _materials(first, last)
    needed: dict[str, object] = {
        "materials": materials,
        "yields": [
            YieldDraft(last, Decimal("100"), "g", low_pct=Decimal(85), high_pct=Decimal(105))
        ],
        "sampling": [
            SamplingDraft(
                name="End of culture", phase=last, timing="before the harvest",
                specification=code, specification_version=version, tests=("mab_g_l",),
            )
        ],
        "equipment": [EquipmentDraft(name="Bioreactor", kind="bioreactor", phase=first)],
        "labels": [LabelDraft(code="LABEL-1", version="1", phase=last)],
        "dosage_unit": "vial of 50 mg in 5 mL",
        "batch_size": Decimal("100"),
        "batch_size_unit": "g",
        "specification": code,
        "specification_version": version,
        "storage": "2 to 8 Cel",
        "precautions": "Wear gloves.",
        "change_number": "" if content.change_number or not is_later else approved_change().number,
        "change_summary": "Written for a test of what follows.",
    }  # fmt: skip
    missing = {name: value for name, value in needed.items() if not getattr(content, name)}
    return replace(content, phases=phases, **missing)  # type: ignore[arg-type]


def _release_specification(of: Product | None) -> tuple[str, str]:
    """Return code and version of what a product is released by, or is to be."""
    if of is None:
        return "SPEC-1", "1"
    found = SpecificationVersion.objects.filter(
        specification__product=of, specification__use=SpecificationUse.RELEASE, state="effective"
    ).select_related("specification").first()  # fmt: skip
    if found is None:
        return f"SPEC-{of.code}", "1"
    return found.specification.code, str(found.version)


def specified(draft: MasterRecipe, *, at: datetime = NOON) -> MasterRecipe:
    """Return a recipe whose specification is effective: made here where nobody did.

    It holds one test that nobody must do, so that the limits of the recipe go on judging results.
    """
    is_known = Specification.objects.filter(code=draft.specification).exists()
    if draft.specification and not is_known:
        specification(draft.product, UNJUDGED, at=at, code=draft.specification)
    return draft


def _materials(first: str, last: str) -> list[MaterialDraft]:
    seed = material(code=f"MAT-WCB-{next(common.numbers)}", name="Working cell bank", unit="mL")
    bag = material(
        code=f"MAT-BAG-{next(common.numbers)}", name="Bag", unit="{piece}", kind=StockKind.PACKAGING
    )
    return [
        MaterialDraft(
            line=1, phase=first, material=seed.code, kind=MaterialKind.ACTIVE,
            quantity=Decimal("10"), unit="mL", tolerance_low_pct=Decimal(5),
            tolerance_high_pct=Decimal(5), amount_per_dosage_unit="50 mg antibody",
        ),
        MaterialDraft(
            line=2, phase=last, material=bag.code, kind=MaterialKind.PACKAGING,
            quantity=Decimal("1"), unit="{piece}",
        ),
    ]  # fmt: skip


def recipe_draft(
    content: RecipeDraft = RECIPE, *, of: Product | None = None, author: User | None = None,
    at: datetime = NOON,
) -> MasterRecipe:  # fmt: skip
    """Return a draft that is complete."""
    made = of or product(at=at)
    draft = master_recipes.draft(
        made,
        content=complete(content, of=made),
        actor=author or somebody(Role.PROCESS_ENGINEER, at=at),
        at=at,
    )
    return specified(draft, at=at)


def made_effective(draft: MasterRecipe, *, at: datetime = NOON) -> MasterRecipe:
    """Lead a draft through its author's signature, the review and the approval."""
    specified(draft, at=at)
    versions.submit(draft, confirmed=confirmed(draft.author, at=at))
    reviewer = somebody(Role.PROCESS_ENGINEER, "reviewer", at=at)
    versions.review(draft, confirmed=confirmed(reviewer, at=at))
    checker = somebody(Role.QUALITY_ASSURANCE, at=at)
    return versions.approve(draft, confirmed=confirmed(checker, at=at))


def recipe(content: RecipeDraft = RECIPE, *, at: datetime = NOON) -> MasterRecipe:
    """Return an effective recipe of a new product; what the draft does not say is filled in."""
    return made_effective(recipe_draft(content, at=at), at=at)
