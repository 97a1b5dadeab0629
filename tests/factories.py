"""Build records through the domain functions: people and devices of a plant, and its batches."""

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any

from batches.assets import (
    calibrations,
    cleanings,
    lots,
    making,
    materials,
    qualifications,
    suppliers,
)
from batches.assets import (
    equipment as equipment_register,
)
from batches.assets.calibrations import Measured
from batches.assets.cleanings import Method
from batches.assets.equipment import Particulars
from batches.assets.lots import Receipt
from batches.assets.making import Component
from batches.assets.materials import MaterialDraft as StockDraft
from batches.assets.models import (
    Calibration,
    Cleaning,
    Equipment,
    Material,
    MaterialLot,
    Qualification,
    Stage,
    Supplier,
)
from batches.assets.models import (
    MaterialKind as StockKind,
)
from batches.assets.qualifications import StageReport
from batches.disposition import certification, decisions, shipments
from batches.disposition import reviews as record_reviews
from batches.disposition.models import (
    BatchReview,
    Certificate,
    Decision,
    Market,
    Outcome,
    Shipment,
)
from batches.execution import batches, charges, events, material_accounts, readings
from batches.execution import in_process as in_process_results
from batches.execution.charges import Weighed
from batches.execution.events import Reported
from batches.execution.in_process import Entry
from batches.execution.material_accounts import Account
from batches.execution.models import (
    Batch,
    BatchEvent,
    BatchMaterial,
    BatchPhase,
    Charge,
    EventKind,
    InProcessResult,
    MaterialAccount,
    ReadingSegment,
)
from batches.execution.sample_bytes import Reading
from batches.laboratory import (
    injections,
    oos_phases,
    orphans,
    results,
    reviews,
    runs,
    samples,
    specifications,
)
from batches.laboratory.models import (
    CauseCategory,
    Injection,
    InjectionKind,
    InjectionOutcome,
    OosInvestigation,
    Reagent,
    Result,
    ResultReview,
    Run,
    Sample,
    Specification,
    SpecificationUse,
    SpecificationVersion,
    TestKind,
)
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
from compliance.access import alarms, devices, identity, people, procedures, training
from compliance.access.duties import Role
from compliance.access.models import (
    AlarmKind,
    Assessment,
    Device,
    DeviceKind,
    Procedure,
    ProcedureVersion,
    ProofMethod,
    SecurityAlarm,
    Training,
    TrainingMethod,
    User,
)
from compliance.quality import (
    capas,
    change_work,
    changes,
    classifications,
    deviations,
    recurrences,
    risks,
    scope,
    trail_reviews,
)
from compliance.quality.classifications import Answers
from compliance.quality.deviations import Findings
from compliance.quality.models import (
    Capa,
    CapaKind,
    CapaSource,
    Category,
    Change,
    ChangeClass,
    Deviation,
    Dimension,
    Effect,
    EntryOutcome,
    ImpactKind,
    Risk,
    RootCause,
    Scale,
    Severity,
    TrailReview,
)
from compliance.quality.rating_spread import Numbers
from compliance.signatures import accountability, signing, statements
from compliance.signatures.models import Signature, Statement
from compliance.signatures.signing import Confirmed
from compliance.trail import recording
from compliance.trail.recording import System
from compliance.trail.subjects import Wanted
from compliance.trail.verifier.contents import Kind

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


PASSWORD = "correct-horse-battery"


TEST = System("tests")


_numbers = itertools.count(1)


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


def person(
    *roles: Role, username: str = "", at: datetime = NOON, is_proven: bool = True,
    is_trained: bool = True, has_acknowledged: bool = True,
) -> User:  # fmt: skip
    """Return a person who holds these roles, with a password of their own (`PASSWORD`).

    The identity is proven, the person trained in every procedure that is effective, and the
    accountability statement acknowledged: whoever holds a role may sign.
    """
    number = next(_numbers)
    label = "-".join(roles) or "nobody"
    made = people.create(
        username=username or f"{label}-{number}",
        full_name=f"{label.replace('-', ' ').title()} {number}",
        password=PASSWORD,
        roles=frozenset(roles),
        actor=TEST,
        at=at,
        reason="a person for a test",
        must_change_password=False,
    )
    if is_proven:
        proven(made, at=at)
    if is_trained:
        for version in procedures.effective(at=at):
            trained(made, version, at=at)
    if roles and is_proven and has_acknowledged:
        acknowledged(made, at=at)
    return made


def proven(whom: User, *, at: datetime = NOON) -> User:
    """Establish a person's identity."""
    identity.prove(
        whom,
        method=ProofMethod.INSTALLATION,
        document="a passport that the tests invented",
        proven_at=at,
        actor=TEST,
        at=at,
    )
    return whom


def procedure(*, at: datetime = NOON, retrain_after_days: int | None = None) -> Procedure:
    """Return a procedure whose first version is effective."""
    made = procedures.create(
        code=f"SOP-{next(_numbers):04d}", title="How it is done", actor=TEST, at=at
    )
    procedure_version(made, at=at, retrain_after_days=retrain_after_days)
    return made


def procedure_version(
    of: Procedure, *, at: datetime = NOON, retrain_after_days: int | None = None
) -> ProcedureVersion:
    """Return the next version of a procedure, effective at once."""
    return procedures.add_version(
        of,
        summary="what is done, step by step",
        effective_from=at,
        retrain_after_days=retrain_after_days,
        actor=TEST,
        at=at,
    )


def trained(whom: User, what: Procedure | ProcedureVersion, *, at: datetime = NOON) -> Training:
    """Train a person in a version of a procedure, or in the effective one."""
    version = what
    if isinstance(what, Procedure):
        version = procedures.effective_version(what, at=at)
    return training.record(
        whom,
        version=version,
        method=TrainingMethod.READ,
        assessment=Assessment.PASSED,
        trained_at=at,
        actor=TEST,
        at=at,
    )


def acknowledged(signer: User, *, at: datetime = NOON) -> Signature:
    """Let a person acknowledge the accountability statement in force, as before a first signature."""
    return statements.acknowledge(statement(), confirmed=confirmed(signer, at=at))


def statement() -> Statement:
    """Return the accountability statement in force."""
    found = accountability.effective()
    assert found is not None
    return found


def device(kind: DeviceKind = DeviceKind.MES, *, at: datetime = NOON) -> Device:
    return device_and_token(kind, at=at)[0]


def device_and_token(
    kind: DeviceKind = DeviceKind.MES, *, at: datetime = NOON, is_qualified: bool = True
) -> tuple[Device, str]:
    """Return an enrolled, qualified device, and the token it shows as `Authorization: Bearer`."""
    number = next(_numbers)
    made, token = devices.enrol(
        name=f"{kind}-{number}",
        kind=kind,
        actor=TEST,
        at=at,
        reason="a device for a test",
        bound_to=f"EQ-{number:04d}",
    )
    if not is_qualified:
        return made, token
    return devices.qualify(made, actor=TEST, at=at, reason="qualified for a test"), token


def alarm(about: User | None = None, *, at: datetime = NOON) -> SecurityAlarm:
    """Return an alarm that waits, in the connection of the test."""
    return alarms.raise_(
        AlarmKind.LOCKED,
        "somebody tried five passwords",
        about=about or person(at=at),
        at=at,
        using="default",
    )


def confirmed(signer: User, *, at: datetime = NOON) -> Confirmed:
    """Return a signer as after the password was given again."""
    return Confirmed(signer=signer, at=at)


REGISTERED = Registered(
    strength="50 mg per vial", dosage_form="Solution", shelf_life_months=24, markets=("DE", "US")
)


def product(*, at: datetime = NOON) -> Product:
    author = person(Role.PROCESS_ENGINEER, at=at)
    return products.create(
        code=f"PRODUCT-{next(_numbers)}",
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
    seed = material(code=f"MAT-WCB-{next(_numbers)}", name="Working cell bank", unit="mL")
    bag = material(
        code=f"MAT-BAG-{next(_numbers)}", name="Bag", unit="{piece}", kind=StockKind.PACKAGING
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
        actor=author or person(Role.PROCESS_ENGINEER, at=at),
        at=at,
    )
    return specified(draft, at=at)


def made_effective(draft: MasterRecipe, *, at: datetime = NOON) -> MasterRecipe:
    """Lead a draft through its author's signature, the review and the approval."""
    specified(draft, at=at)
    versions.submit(draft, confirmed=confirmed(draft.author, at=at))
    reviewer = person(Role.PROCESS_ENGINEER, at=at)
    versions.review(draft, confirmed=confirmed(reviewer, at=at))
    checker = person(Role.QUALITY_ASSURANCE, at=at)
    return versions.approve(draft, confirmed=confirmed(checker, at=at))


def recipe(content: RecipeDraft = RECIPE, *, at: datetime = NOON) -> MasterRecipe:
    """Return an effective recipe of a new product; what the draft does not say is filled in."""
    return made_effective(recipe_draft(content, at=at), at=at)


def batch(of: MasterRecipe | None = None, *, at: datetime = NOON) -> Batch:
    """Return an issued batch."""
    return batches.issue(
        of or recipe(at=at),
        number=f"B-{next(_numbers):04d}",
        actor=person(Role.SUPERVISOR, at=at),
        at=at,
    )


def happened(
    to: Batch, kind: EventKind, *, by: Device | None = None, at: datetime = NOON,
    **said: object,
) -> BatchEvent:  # fmt: skip
    """Record an event that occurs at `at` and is recorded at once."""
    text = "foam" if kind == EventKind.OBSERVATION else ""
    reported = Reported(kind=kind, occurred_at=at, occurred_text=at.isoformat(), text=text)
    return events.record(
        to,
        reported=replace(reported, **said),
        message_id=f"message-{next(_numbers)}",
        actor=by or device(at=at),
        at=at,
    )


def running_batch(of: MasterRecipe | None = None, *, at: datetime = NOON) -> Batch:
    made = batch(of, at=at)
    happened(made, EventKind.BATCH_STARTED, at=at)
    made.refresh_from_db()
    return made


def stored(
    to: Batch, rows: Iterable[Reading], *, by: Device | None = None, at: datetime = NOON
) -> ReadingSegment:
    return readings.store(
        to,
        rows=list(rows),
        message_id=f"message-{next(_numbers)}",
        source=by or device(DeviceKind.HISTORIAN, at=at),
        content_digest="0" * 64,
        at=at,
    )


def temperatures(*values: str, since: datetime = NOON) -> Sequence[Reading]:
    """Return readings of the temperature, one a minute."""
    return [
        Reading("temperature_c", since + timedelta(minutes=number), Decimal(value), "Cel")
        for number, value in enumerate(values)
    ]


def sample(of: Batch, *, at: datetime = NOON) -> Sample:
    return samples.take(
        of, number=f"S-{next(_numbers)}", taken_at=at, actor=device(DeviceKind.LIMS, at=at), at=at
    )


def result(
    of: Sample, *, tag: str = "mab_g_l", value: str = "3.10", unit: str = "g/L",
    at: datetime = NOON, version: int = 1, reason: str = "", by: Device | None = None,
) -> Result:  # fmt: skip
    return results.report(
        of,
        tag=tag,
        value_text=value,
        unit=unit,
        reported_at=at,
        message_id=f"message-{next(_numbers)}",
        actor=by or device(DeviceKind.LIMS, at=at),
        at=at,
        version=version,
        reason=reason,
    )


def completed_batch(of: MasterRecipe | None = None, *, at: datetime = NOON) -> Batch:
    """Return a batch that was made as its recipe says: nothing stands against its release."""
    made = running_batch(of, at=at)
    source = device(at=at)
    for phase in made.phases.order_by("order"):
        happened(made, EventKind.PHASE_STARTED, by=source, at=at, phase=phase.name)
        happened(made, EventKind.PHASE_ENDED, by=source, at=at, phase=phase.name)
    stored(made, temperatures("36.8", since=at), at=at)
    result(sample(made, at=at), at=at)
    recorded_by_mes(made, by=source, at=at)
    happened(made, EventKind.BATCH_ENDED, by=source, at=at)
    made.refresh_from_db()
    review(made, at=at)
    return made


def review(of: Batch, *, by: User | None = None, at: datetime = NOON) -> BatchReview:
    """Return a signed review of a batch record as it is now; somebody else reviewed its trail."""
    signer = by or person(Role.QUALITY_ASSURANCE, at=at)
    if trail_reviews.current_of(Kind.BATCH, of.number) is None:
        batch_trail_review(of, at=at)
    return record_reviews.sign(
        of,
        seen=signing.digest(Batch.objects.get(pk=of.pk)),
        remarks="every exception was looked at",
        confirmed=confirmed(signer, at=at),
    )


def batch_trail_review(of: Batch, *, by: User | None = None, at: datetime = NOON) -> TrailReview:
    """Return a concluded review of the audit trail of a batch as it is now."""
    reviewer = by or person(Role.QUALITY_ASSURANCE, at=at)
    wanted = Wanted(kind=Kind.BATCH, name=of.number)
    made = trail_reviews.open_(wanted, seed="seed of a test", actor=reviewer, at=at)
    for sampled in made.sample.order_by("entry"):
        trail_reviews.assess(
            sampled, outcome=EntryOutcome.NO_CONCERN, text="", actor=reviewer, at=at
        )
    return trail_reviews.conclude(
        made, conclusion="the entries say what the record says",
        confirmed=confirmed(reviewer, at=at),
    )  # fmt: skip


def decision(
    about: Batch, outcome: Outcome = Outcome.RELEASED, *, by: User | None = None,
    at: datetime = NOON, **said: Any,
) -> Decision:  # fmt: skip
    """Decide about a batch as a person of quality."""
    signer = by or person(Role.QUALITY_ASSURANCE, at=at)
    return decisions.decide(
        about,
        outcome=outcome,
        confirmed=confirmed(signer, at=at),
        reason="the record was reviewed",
        **said,
    )


def released_batch(of: MasterRecipe | None = None, *, at: datetime = NOON) -> Batch:
    """Return a batch that was reviewed and released."""
    made = completed_batch(of, at=at)
    decision(made, at=at)
    made.refresh_from_db()
    return made


def certificate(of: Batch, *, at: datetime = NOON, **said: Any) -> Certificate:
    """Certify a released batch as a Qualified Person."""
    signer = person(Role.QUALIFIED_PERSON, at=at)
    return certification.certify(of, confirmed=confirmed(signer, at=at), **said)


def shipment(of: Batch, *, market: Market = Market.EU, at: datetime = NOON) -> Shipment:
    return shipments.record(
        of, market=market, consignee="A wholesaler", quantity=Decimal("120"), unit="{vial}",
        shipped_at=at, actor=person(Role.WAREHOUSE, at=at), at=at,
    )  # fmt: skip


def recorded_by_mes(to: Batch, *, by: Device, at: datetime = NOON, but: str = "") -> None:
    """Let the MES record whatever 21 CFR 211.188(b) asks of the batch, but one sub-clause."""
    for clause, kind, said in complete_record(to):
        if clause != but:
            happened(to, kind, by=by, at=at, **said)


def complete_record(of: Batch) -> Iterable[tuple[str, EventKind, dict[str, object]]]:
    """Yield the events of a complete record, each with the sub-clause that asks for it."""
    for need in of.equipment_needs.all():
        details = {"equipment_kind": need.kind, "equipment": "BR-01"}
        yield "(b)(2)", EventKind.OBSERVATION, {"details": details}
    for line in of.materials.all():
        details = {
            "material": line.material_code, "lot": "LOT-1", "unit": line.unit,
            "quantity": f"{line.quantity:f}",
        }  # fmt: skip
        yield "(b)(3)", EventKind.ADDITION, {"details": details}
        details = {
            "reconciled": line.material_code, "lot": "LOT-1", "unit": line.unit,
            "issued": f"{line.quantity:f}", "charged": f"{line.quantity:f}",
        }  # fmt: skip
        yield "reconciliation", EventKind.OBSERVATION, {"details": details}
    for expected in of.yields.select_related("phase"):
        details = {"yield_quantity": f"{expected.quantity:f}", "yield_unit": expected.unit}
        yield "(b)(7)", EventKind.OBSERVATION, {"details": details, "phase": expected.phase.name}
    for label in of.labels.all():
        details = {"label": label.code, "labels_issued": "1", "labels_used": "1"}
        yield "(b)(8)", EventKind.OBSERVATION, {"details": details}
    for point in of.sampling.all():
        for _ in range(point.count):
            yield "(b)(10)", EventKind.SAMPLING, {"details": {"point": point.name}}
    for kind in ("area-before", "area-after"):
        yield "(b)(6)", EventKind.OBSERVATION, {"details": {"examination": kind}}
    yield "(b)(13)", EventKind.OBSERVATION, {"details": {"examination": "packages"}}


def deviation(
    about: Batch | None = None, *, severity: Severity = Severity.MAJOR, at: datetime = NOON,
    title: str = "Temperature outside of its limits",
) -> Deviation:  # fmt: skip
    """Return an open deviation, linked to a batch when one is named."""
    said = {
        "title": title,
        "description": "The temperature of the bioreactor left its limits; seen in the trend.",
    }
    actor = person(Role.OPERATOR, at=at)
    if about is None:
        return deviations.open_(severity=severity, occurred_at=at, actor=actor, at=at, **said)
    return batches.open_deviation(
        about, severity=severity, occurred_at=at, actor=actor, at=at, **said
    )


FINDINGS = Findings(
    root_cause_category=RootCause.EQUIPMENT,
    root_cause="The jacket valve stuck half open.",
    impact="One batch; the antibody was within its limits.",
    conclusion="The product is not affected.",
)


def closed_deviation(about: Batch | None = None, *, at: datetime = NOON) -> Deviation:
    """Return a deviation that one person investigated and signed, and another one closed."""
    return closed(deviation(about, at=at), at=at)


def closed(opened: Deviation, *, at: datetime = NOON) -> Deviation:
    """Investigate, sign and close a deviation, by two people."""
    investigator = person(Role.PROCESS_ENGINEER, at=at)
    investigated = deviations.investigate(
        opened, findings=FINDINGS, actor=investigator, at=at, reason="first investigation"
    )
    considered(investigated, by=investigator, at=at)
    deviations.sign_investigation(investigated, confirmed=confirmed(investigator, at=at))
    return deviations.close(
        investigated,
        confirmed=confirmed(person(Role.QUALITY_ASSURANCE, at=at), at=at),
        reason="investigated to its conclusion",
    )


# --- The laboratory: specifications, runs, OOS


SPECIFIED = [
    specifications.TestDraft(
        tag="mab_g_l", name="Antibody", method_code="HPLC-12", method_version="3", unit="g/L",
        low=Decimal("2.50"), high=Decimal("3.50"), alert_low=Decimal("2.60"), decimals=2,
    ),
    specifications.TestDraft(
        tag="appearance", name="Appearance", method_code="VIS-01", method_version="1",
        kind=TestKind.TEXT, conforming_text="clear, colourless", is_mandatory=False,
    ),
]  # fmt: skip


UNJUDGED = [
    specifications.TestDraft(
        tag="identity", name="Identity", method_code="ID-01", method_version="1",
        kind=TestKind.TEXT, conforming_text="conforms", is_mandatory=False,
    )
]  # fmt: skip


def specification(
    of: Product, tests: Sequence[specifications.TestDraft] = SPECIFIED, *, at: datetime = NOON,
    use: SpecificationUse = SpecificationUse.RELEASE,
    plan: Sequence[specifications.PointDraft] = (), code: str = "",
) -> SpecificationVersion:  # fmt: skip
    """Return an effective version of a product's specification."""
    author = person(Role.QC_SUPERVISOR, at=at)
    made = Specification.objects.filter(product=of, use=use).first()
    if made is None:
        made = specifications.create(
            code=code or f"SPEC-{next(_numbers)}", title="Drug substance", use=use, product=of,
            actor=author, at=at,
        )  # fmt: skip
    draft = specifications.draft(
        made, tests=tests, plan=plan, actor=author, at=at, reason="the limits of this product"
    )
    return specifications.approve(
        draft, confirmed=confirmed(person(Role.QUALITY_ASSURANCE, at=at), at=at)
    )


def specified_batch(
    tests: Sequence[specifications.TestDraft] = SPECIFIED, *, at: datetime = NOON,
    plan: Sequence[specifications.PointDraft] = (),
) -> Batch:  # fmt: skip
    """Return a running batch of a product that has a specification."""
    made = recipe(at=at)
    specification(made.product, tests, at=at, plan=plan)
    return running_batch(made, at=at)


def oos_investigation(
    value: str = "2.10", *, about: Batch | None = None, at: datetime = NOON
) -> OosInvestigation:
    """Return an investigation that an analyst's result opened."""
    found = result(sample(about or specified_batch(at=at), at=at), value=value, at=at)
    return OosInvestigation.objects.get(result=found)


PHASE_ONE = oos_phases.PhaseOne(
    checklist=dict.fromkeys(oos_phases.CHECKLIST, ("yes", "")),
    is_preparation_retained=True,
    interview="The analyst saw nothing unusual.",
)


CAUSE = oos_phases.Cause(
    CauseCategory.PREPARATION,
    "The sample was diluted 1:20 in the place of 1:10.",
    "The pipette's log and the retained preparation show it.",
)


def investigated_oos(
    of: OosInvestigation, *, by: User, cause: oos_phases.Cause | None = None, at: datetime = NOON
) -> OosInvestigation:
    """Record and close Phase I, with a cause or into Phase II."""
    oos_phases.record_phase_one(
        of, found=PHASE_ONE, actor=by, at=at, reason="first look in the laboratory"
    )
    return oos_phases.close_phase_one(of, cause=cause, confirmed=confirmed(by, at=at))


def run(
    *, by: User | None = None, planned: int = 3, at: datetime = NOON, used: Sequence[Reagent] = ()
) -> Run:
    """Return a running run."""
    return runs.start(
        instrument="HPLC-01", method_code="HPLC-12", method_version="3", started_at=at,
        planned_injections=planned, actor=by or person(Role.QC_ANALYST, at=at), at=at, used=used,
    )  # fmt: skip


def injection(
    of: Run, number: int, kind: InjectionKind = InjectionKind.SUITABILITY, *,
    sample: Sample | None = None, at: datetime = NOON,
    outcome: InjectionOutcome = InjectionOutcome.COMPLETED,
) -> Injection:  # fmt: skip
    return injections.record(
        of, number=number, kind=kind, sample=sample, injected_at=at, actor=of.analyst, at=at,
        outcome=outcome, reason="" if outcome == "completed" else "pressure dropped to zero",
    )  # fmt: skip


def suitable_run(of: Run, *, at: datetime = NOON) -> Run:
    """Return a run whose system suitability was shown by its first injection."""
    injection(of, 1, at=at)
    return runs.judge_suitability(
        of, has_passed=True, text="RSD 0.4 % of at most 1.0 %", actor=of.analyst, at=at
    )


def reviewed_run(of: Run, *, at: datetime = NOON) -> Run:
    """Return a run that was completed and reviewed by a second person."""
    if of.state == "running":
        runs.complete(of, ended_at=at, actor=of.analyst, at=at)
    return runs.review(
        of,
        entries_seen=orphans.trail_entries(of),
        confirmed=confirmed(person(Role.QC_SUPERVISOR, at=at), at=at),
    )


def reviewed(of: Result, *, at: datetime = NOON, comment: str = "") -> ResultReview:
    return reviews.review(
        of, confirmed=confirmed(person(Role.QC_SUPERVISOR, at=at), at=at), comment=comment
    )


# --- Assets


def registered_equipment(*, at: datetime = NOON, **said: object) -> Equipment:
    """Return equipment as it is entered: in qualification, and of the kind that `said` says."""
    number = next(_numbers)
    values: dict[str, object] = {
        "code": f"EQ-{number:04d}", "name": "A piece of equipment", "kind": "bioreactor",
        "location": "Suite 1", "manufacturer": "Steelworks", "model": "BR-200",
        "serial_number": f"SN-{number}", "needed_stages": "iq,oq", **said,
    }  # fmt: skip
    return equipment_register.register(
        Particulars(**values), actor=person(Role.MAINTENANCE, at=at), at=at
    )


def qualification(
    of: Equipment, stage: Stage = Stage.IQ, *, valid_until: date | None = None,
    at: datetime = NOON,
) -> Qualification:  # fmt: skip
    """Return a stage that one person performed and QA approved."""
    report = StageReport(
        stage=stage, protocol="VP-101 v2", report=f"VR-{next(_numbers)}",
        summary="All criteria of the protocol are met.", performed_on=at.date(),
        valid_until=valid_until,
    )  # fmt: skip
    recorded = qualifications.record(
        of, report=report, actor=person(Role.MAINTENANCE, at=at), at=at
    )
    return qualifications.approve(
        recorded, confirmed=confirmed(person(Role.QUALITY_ASSURANCE, at=at), at=at)
    )


def qualified(of: Equipment, *, at: datetime = NOON) -> Equipment:
    """Return equipment that QA declared qualified, on all stages that it needs."""
    for stage in of.stages:
        qualification(of, Stage(stage), at=at)
    return qualifications.qualify(
        of, confirmed=confirmed(person(Role.QUALITY_ASSURANCE, at=at), at=at),
        reason="all stages are approved",
    )  # fmt: skip


def equipment(*, at: datetime = NOON, **said: object) -> Equipment:
    """Return qualified equipment; without calibration or cleaning where `said` asks for none."""
    return qualified(registered_equipment(at=at, **said), at=at)


def calibrated(
    of: Equipment, *, found_good: bool = True, left_good: bool = True, at: datetime = NOON
) -> Calibration:
    """Return a calibration that another person verified."""
    measured = Measured(
        performed_at=at, as_found="100.1 g of 100 g", as_found_in_tolerance=found_good,
        as_left="100.0 g of 100 g", as_left_in_tolerance=left_good,
        reference_standard="W-100 of class E2", certificate=f"C-{next(_numbers)}",
    )  # fmt: skip
    made = calibrations.record(of, measured=measured, actor=person(Role.MAINTENANCE, at=at), at=at)
    checker = person(Role.MAINTENANCE, at=at)
    return calibrations.verify(made, actor=checker, at=at, reason="certificate read and compared")


def instrument(*, days: int = 30, at: datetime = NOON, **said: object) -> Equipment:
    """Return a qualified balance with a calibration in force."""
    made = equipment(at=at, kind="balance", calibration_interval_days=days, **said)
    calibrated(made, at=at)
    made.refresh_from_db()
    return made


def finished_cleaning(of: Equipment, *, at: datetime = NOON, **said: str) -> Cleaning:
    """Return a cleaning that is done and waits for its verification."""
    method = Method(procedure=procedure(at=at), **said)
    cleaner = person(Role.OPERATOR, at=at)
    made = cleanings.start(of, method=method, actor=cleaner, at=at)
    return cleanings.finish(made, actor=cleaner, at=at)


def cleaned(of: Equipment, *, at: datetime = NOON, **said: str) -> Cleaning:
    """Return a cleaning that another person accepted."""
    made = finished_cleaning(of, at=at, **said)
    checker = person(Role.OPERATOR, at=at)
    return cleanings.verify(
        made, is_clean=True, actor=checker, at=at, reason="no residue seen in good light"
    )


def vessel(*, at: datetime = NOON, **said: object) -> Equipment:
    """Return a qualified, clean bioreactor with hold times of 24 and 72 hours."""
    values = {"is_cleaned": True, "dirty_hold_hours": 24, "clean_hold_hours": 72, **said}
    made = equipment(at=at, **values)
    cleaned(made, at=at)
    made.refresh_from_db()
    return made


def material(*, at: datetime = NOON, **said: object) -> Material:
    """Return a raw material counted in kilograms."""
    number = next(_numbers)
    values: dict[str, object] = {
        "code": f"RM-{number:04d}", "name": "Glucose", "unit": "kg", "kind": StockKind.RAW,
        **said,
    }  # fmt: skip
    author = person(Role.PROCESS_ENGINEER, at=at)
    return materials.create(StockDraft(**values), actor=author, at=at)


def supplier(of: Material | None = None, *, at: datetime = NOON) -> Supplier:
    """Return a supplier, approved for a material when one is named."""
    quality = person(Role.QUALITY_ASSURANCE, at=at)
    made = suppliers.register(
        code=f"SUP-{next(_numbers)}", name="Sugar works", address="", actor=quality, at=at
    )
    if of is not None:
        suppliers.approve(
            made, material=of, valid_from=at.date(), valid_until=None,
            basis="audited on site last year", actor=quality, at=at,
        )  # fmt: skip
    return made


def received_lot(
    of: Material | None = None, *, quantity: str = "25", at: datetime = NOON, **said: object
) -> MaterialLot:
    """Return a lot in quarantine, from an approved supplier."""
    made = of or material(at=at)
    values: dict[str, object] = {
        "quantity": Decimal(quantity), "unit": made.unit, "received_at": at,
        "location": "Warehouse A", "supplier": supplier(made, at=at),
        "supplier_lot": f"L{next(_numbers)}", **said,
    }  # fmt: skip
    return lots.receive(made, receipt=Receipt(**values), actor=person(Role.WAREHOUSE, at=at), at=at)


def released_lot(
    of: Material | None = None, *, quantity: str = "25", at: datetime = NOON, **said: object
) -> MaterialLot:
    """Return a lot that QA released."""
    received = received_lot(of, quantity=quantity, at=at, **said)
    quality = person(Role.QUALITY_ASSURANCE, at=at)
    return lots.release(
        received, confirmed=confirmed(quality, at=at), reason="tested and within specification"
    )


def made_lot(
    *of: MaterialLot, kind: StockKind = StockKind.INTERMEDIATE, unit: str = "kg",
    at: datetime = NOON,
) -> MaterialLot:  # fmt: skip
    """Return a lot that was made here, of two kilograms of each of these."""
    return making.make(
        material(kind=kind, unit=unit, at=at),
        receipt=Receipt(quantity=Decimal(10), unit=unit, received_at=at, location="Suite 1"),
        components=[Component(one, Decimal(2), "kg") for one in of],
        actor=person(Role.OPERATOR, at=at),
        at=at,
    )


# --- The batch record


def ready_phase(
    content: RecipeDraft = RECIPE, *, name: str = "", at: datetime = NOON
) -> BatchPhase:
    """Return the first phase of a running batch (or the one named), started by a person."""
    made = running_batch(recipe(content, at=at), at=at)
    source = device(at=at)
    for phase in made.phases.order_by("order"):
        happened(made, EventKind.PHASE_STARTED, by=source, at=at, phase=phase.name)
        if name in ("", phase.name):
            return BatchPhase.objects.select_related("batch__recipe__product").get(pk=phase.pk)
        happened(made, EventKind.PHASE_ENDED, by=source, at=at, phase=phase.name)
    raise AssertionError(f"there is no phase {name}")


def lot_for(
    requirement: BatchMaterial, *, quantity: str = "500", at: datetime = NOON
) -> MaterialLot:
    """Return a released lot of the material that a line of the bill of materials names."""
    known = Material.objects.filter(code=requirement.material_code).first()
    return released_lot(
        known or material(code=requirement.material_code, unit=requirement.unit, at=at),
        quantity=quantity,
        at=at,
    )


def charge(
    requirement: BatchMaterial, *, net: str, lot: MaterialLot | None = None, at: datetime = NOON,
    by: User | None = None, **said: object,
) -> Charge:  # fmt: skip
    """Return a charge that a second person verified."""
    values: dict[str, object] = {"net": Decimal(net), "unit": requirement.unit, **said}
    return charges.charge(
        requirement,
        lot=lot or lot_for(requirement, at=at),
        weighed=Weighed(**values),
        performed_at=at,
        actor=by or person(Role.OPERATOR, at=at),
        verifier=confirmed(person(Role.SUPERVISOR, at=at), at=at),
        at=at,
    )


def reconciled(
    of: Charge, *, issued: str = "", returned: str = "0", wasted: str = "0", at: datetime = NOON,
    by: User | None = None, **said: Any,
) -> MaterialAccount:  # fmt: skip
    """Account for what was issued of a charged lot: as much as was charged, where nothing is said."""
    account = Account(
        issued=Decimal(issued) if issued else of.net, unit=of.unit, returned=Decimal(returned),
        wasted=Decimal(wasted),
    )  # fmt: skip
    return material_accounts.reconcile(
        of.material, lot=of.lot, account=account, at=at,
        actor=by or person(Role.OPERATOR, at=at), **{"performed_at": at, **said},
    )  # fmt: skip


def in_process(
    phase: BatchPhase, *, value: str, tag: str = "ph", unit: str = "[pH]", at: datetime = NOON,
    by: User | None = None, **said: object,
) -> InProcessResult:  # fmt: skip
    """Return a value that a person entered."""
    values: dict[str, object] = {
        "tag": tag, "value": value, "unit": unit, "performed_at": at, **said,
    }  # fmt: skip
    return in_process_results.enter(
        phase.batch, phase=phase, entry=Entry(**values), at=at,
        actor=by or person(Role.OPERATOR, at=at),
    )  # fmt: skip


class TestAction(StrEnum):
    __test__ = False
    WRITTEN = "test.written"


def considered(of: Deviation, *, by: User, at: datetime = NOON) -> None:
    """Classify a deviation, and answer whatever its scope and its recurrences ask."""
    classifications.classify(
        of,
        answers=Answers(touches_cpp=True),
        rationale="a critical parameter left its range",
        actor=person(Role.QUALITY_ASSURANCE, at=at),
        at=at,
    )
    for neighbour in scope.extend(of, actor=by, at=at):
        scope.decide(
            neighbour,
            effect=Effect.NOT_AFFECTED,
            reason="made without the part that failed",
            actor=by,
            at=at,
        )
    if recurrences.unanswered(of):
        recurrences.answer(
            of, is_recurrence=False, text="another cause than before", actor=by, at=at
        )


def investigated_deviation(about: Batch | None = None, *, at: datetime = NOON) -> Deviation:
    """Return a deviation that lacks only the signatures."""
    opened = deviation(about, at=at)
    investigator = person(Role.PROCESS_ENGINEER, at=at)
    made = deviations.investigate(
        opened, findings=FINDINGS, actor=investigator, at=at, reason="first investigation"
    )
    considered(made, by=investigator, at=at)
    made.refresh_from_db()
    return made


def capa(*, owner: User | None = None, follows: Capa | None = None, at: datetime = NOON) -> Capa:
    """Return a drafted CAPA with one action of its owner."""
    author = person(Role.PROCESS_ENGINEER, at=at)
    owner = owner or person(Role.SUPERVISOR, at=at)
    plan = capas.Plan(
        title="Replace the jacket valve",
        problem="The jacket valve sticks half open when it is hot.",
        kind=CapaKind.CORRECTIVE,
        source=CapaSource.AUDIT,
        source_text="self inspection of the utilities",
        owner=owner,
        due_on=(at + timedelta(days=30)).date(),
        criterion="No deviation of the temperature in three months.",
        check_due_on=(at + timedelta(days=120)).date(),
        follows=follows,
    )
    made = capas.open_(plan=plan, actor=author, at=at)
    capas.add_action(
        made, text="fit the new valve", owner=owner, due_on=plan.due_on, actor=author, at=at
    )
    return made


def approved_capa(**given: Any) -> Capa:
    return capas.approve(capa(**given), confirmed=confirmed(person(Role.QUALITY_ASSURANCE)))


def implemented_capa(**given: Any) -> Capa:
    made = approved_capa(**given)
    for action in made.actions.select_related("owner"):
        capas.finish_action(
            action, evidence="work order 4711, photograph", actor=action.owner, at=NOON
        )
    return capas.implement(made, actor=made.owner, at=NOON, reason="the new valve is fitted")


def checked_capa(*, is_effective: bool, **given: Any) -> Capa:
    made = implemented_capa(**given)
    capas.check(
        made,
        is_effective=is_effective,
        observed="three months of the trend were read",
        actor=person(Role.QC_SUPERVISOR),
        at=NOON,
    )
    made.refresh_from_db()
    return made


def change(*, is_emergency: bool = False, at: datetime = NOON) -> Change:
    """Return a minor change that was asked for."""
    return changes.request(
        wish=changes.Wish(
            title="Another make of valve",
            description="The jacket valve is replaced by one of another make.",
            justification="The present make is no longer delivered.",
            classification=ChangeClass.MINOR,
            is_emergency=is_emergency,
        ),
        actor=person(Role.PROCESS_ENGINEER, at=at),
        at=at,
    )


def assessed_change(**given: Any) -> Change:
    made = change(**given)
    for kind in ImpactKind:
        changes.assess_impact(
            made, kind=kind, is_affected=False, assessment="looked at; nothing of it is touched",
            actor=made.requester, at=NOON,
        )  # fmt: skip
    changes.add_task(
        made, text="fit the valve", owner=made.requester, due_on=NOON.date(),
        actor=made.requester, at=NOON,
    )  # fmt: skip
    return changes.finish_assessment(
        made, actor=made.requester, at=NOON, reason="every kind was looked at"
    )


def approved_change(**given: Any) -> Change:
    return changes.approve(
        assessed_change(**given), function="quality",
        confirmed=confirmed(person(Role.QUALITY_ASSURANCE)),
    )  # fmt: skip


def implemented_change(**given: Any) -> Change:
    made = approved_change(**given)
    for task in made.tasks.select_related("owner"):
        change_work.finish_task(task, outcome="fitted and tested", actor=task.owner, at=NOON)
    return change_work.implement(
        made, effective_on=NOON.date(), actor=made.requester, at=NOON, reason="the valve is in"
    )


def scale(*, at: datetime = NOON) -> Scale:
    """Return scales from 1 to 5, severe from 4 on."""
    words = [f"a meaning of the number {number}" for number in range(1, 6)]
    return risks.define_scale(
        title="Scales of the demonstration plant", levels=dict.fromkeys(Dimension, words),
        severe_from=4, confirmed=confirmed(person(Role.QUALITY_ASSURANCE, at=at), at=at),
    )  # fmt: skip


def risk(*ratings: tuple[int, int, int], at: datetime = NOON) -> Risk:
    """Return a risk with one failure mode, rated by as many people as there are ratings."""
    if not Scale.objects.exists():
        scale(at=at)
    author = person(Role.PROCESS_ENGINEER, at=at)
    made = risks.open_(
        subject=risks.Subject(
            title="Heating of the bioreactor", scope="The jacket and its valve, without the pumps.",
            category=Category.EQUIPMENT,
        ),
        actor=author, at=at,
    )  # fmt: skip
    mode = risks.add_mode(
        made,
        mode=risks.Mode("The valve sticks", "The cells die", "Wear of the seat"),
        actor=author,
        at=at,
    )
    for numbers in ratings:
        risks.rate(
            mode, numbers=Numbers(*numbers), rationale="by the record of repairs",
            actor=person(Role.SUPERVISOR, at=at), at=at,
        )  # fmt: skip
    return made


def decided_risk(*, is_accepted: bool = True, at: datetime = NOON) -> Risk:
    return risks.decide(
        risk((2, 2, 2), (2, 3, 2), at=at), is_accepted=is_accepted,
        rationale="the effect is small and would be seen within minutes",
        review_due_on=(at + timedelta(days=365)).date(),
        confirmed=confirmed(person(Role.QUALITY_ASSURANCE, at=at), at=at),
    )  # fmt: skip


def trail_review(of: Deviation, *, reviewer: User | None = None) -> TrailReview:
    """Return an open review of the entries of one deviation."""
    wanted = Wanted(kind=Kind.RECORD, records=(("quality_deviation", str(of.pk)),))
    return trail_reviews.open_(
        wanted, seed="seed of a test", actor=reviewer or person(Role.QUALITY_ASSURANCE), at=NOON
    )


def concluded_trail_review(of: Deviation) -> TrailReview:
    made = trail_review(of)
    for sampled in made.sample.order_by("entry"):
        trail_reviews.assess(
            sampled, outcome=EntryOutcome.NO_CONCERN, text="", actor=made.reviewer, at=NOON
        )
    return trail_reviews.conclude(
        made, conclusion="nothing was found", confirmed=confirmed(made.reviewer)
    )


def acting(reason: str = "changed by a test") -> Any:
    """Return an act in which a test writes rows itself, as a raw statement would."""
    return recording.recording(TestAction.WRITTEN, actor=TEST, at=NOON, reason=reason)
