"""A complete record lacks nothing; dropping any required item gives exactly that finding."""

from dataclasses import replace
from decimal import Decimal

import pytest

from batches.disposition import decisions
from batches.disposition.decisions import DispositionBlocked
from batches.execution import (
    calculating,
    completeness,
    equipment_use,
    events,
    examinations,
    exceptions,
    phases,
)
from batches.execution.examinations import Count
from batches.execution.files import Content
from batches.execution.models import (
    Batch,
    BatchPhase,
    DispositionState,
    EventKind,
    ExaminationKind,
)
from batches.execution.states import PhaseStep
from batches.quantities.units import Quantity
from batches.recipes.drafts import ParameterDraft, PhaseDraft
from batches.recipes.models import Criticality, ParameterKind
from compliance.access.duties import Role
from tests import factories
from tests.factories import NOON, RECIPE

pytestmark = pytest.mark.django_db

CHECKED = replace(
    RECIPE,
    phases=[PhaseDraft("Bioreactor", "Growth", needs_verification=True)],
    parameters=[
        ParameterDraft(
            tag="ph", name="pH", kind=ParameterKind.IN_PROCESS, unit="[pH]",
            criticality=Criticality.CPP, low=Decimal("6.8"), high=Decimal("7.2"),
            is_required=True,
        ),
    ],
)  # fmt: skip
CLAUSES = [f"(b)({number})" for number in range(1, 14)]


def _made_by_people(*, but: str = "") -> Batch:
    """Return a batch of which people entered everything but what one sub-clause asks for."""
    batch = factories.running_batch(factories.recipe(CHECKED))
    operator = factories.person(Role.OPERATOR)
    phase = BatchPhase.objects.select_related("batch__recipe__product").get(batch=batch)
    told = {"actor": operator, "at": NOON}
    phases.move(phase, PhaseStep.START, **told)
    doings = {
        "(b)(2)": lambda: equipment_use.assign(
            phase, equipment=factories.equipment(), performed_at=NOON,
            need=batch.equipment_needs.get(), **told,
        ),
        "(b)(5)": lambda: factories.in_process(phase, value="7.00"),
        "(b)(7)": lambda: calculating.record_yield(
            phase, actual=Quantity(Decimal("95"), "g"), **told
        ),
        "(b)(8)": lambda: examinations.account_labels(
            batch.labels.get(), phase=phase, count=Count(issued=2, used=2), performed_at=NOON,
            specimen=Content("label.txt", "text/plain", b"label"), **told,
        ),
        "(b)(12)": lambda: None,
        "(b)(13)": lambda: _examine(phase, ExaminationKind.PACKAGES, told),
        "(b)(6)": lambda: [
            _examine(phase, kind, told)
            for kind in (ExaminationKind.AREA_BEFORE, ExaminationKind.AREA_AFTER)
        ],
        "(b)(10)": lambda: factories.happened(
            batch, EventKind.SAMPLING, details={"point": "End of culture"}
        ),
    }  # fmt: skip
    for clause, do in doings.items():
        if clause != but:
            do()
    for line in batch.materials.select_related("phase__batch", "batch"):
        if but == "(b)(4)" and line.line == 1:
            # half of what the recipe wants
            factories.reconciled(factories.charge(line, net="5", by=operator), by=operator)
        elif but != "(b)(3)":
            made = factories.charge(line, net=f"{line.quantity:f}", by=operator)
            factories.reconciled(made, by=operator)
    if but == "(b)(12)":
        phases.move(phase, PhaseStep.HOLD, text="the feed pump stopped", **told)
        phases.move(phase, PhaseStep.RESUME, **told)
    if but != "(b)(1)":
        phases.move(phase, PhaseStep.END, **told)
        if but != "(b)(11)":
            phase.refresh_from_db()
            checker = factories.confirmed(factories.person(Role.SUPERVISOR))
            phases.verify(phase, confirmed=checker)
        factories.happened(batch, EventKind.BATCH_ENDED)
    batch.refresh_from_db()
    return batch


def _examine(phase: BatchPhase, kind: ExaminationKind, told: dict[str, object]) -> None:
    examinations.examine(
        phase, kind=kind, is_conforming=True, performed_at=NOON,
        finding="all of it was looked at, nothing was found", **told,
    )  # fmt: skip


@pytest.mark.requirement("211-188", "CH4-20")
def test_a_batch_of_which_people_recorded_everything_lacks_nothing() -> None:
    assert completeness.of(_made_by_people()) == []


# (b)(9) is a matter of the recipe: a master record without containers is never approved.
@pytest.mark.requirement("211-188", "CH4-20")
@pytest.mark.parametrize("clause", [one for one in CLAUSES if one != "(b)(9)"])
def test_dropping_a_required_item_gives_exactly_that_finding(clause: str) -> None:
    found = {one.clause for one in completeness.of(_made_by_people(but=clause))}

    # Without any charge there is no lot, and no weight either; too little is an exception, too.
    with_it = {"(b)(3)": {"(b)(4)", "(b)(12)"}, "(b)(4)": {"(b)(12)"}}
    assert found == {clause} | with_it.get(clause, set())


@pytest.mark.requirement("211-188")
def test_a_charged_lot_that_nobody_reconciled_is_lacking() -> None:
    batch = factories.running_batch(factories.recipe(CHECKED))
    phase = batch.phases.get()
    operator = factories.person(Role.OPERATOR)
    phases.move(phase, PhaseStep.START, actor=operator, at=NOON)
    line = batch.materials.select_related("phase__batch", "batch").get(line=1)
    made = factories.charge(line, net="10", by=operator)
    lacking = f"reconciliation of lot {made.lot.number} of {line.material_code} (line 1)"

    assert lacking in {one.text for one in completeness.of(batch) if one.clause == "(b)(4)"}
    factories.reconciled(made, by=operator)
    assert lacking not in {one.text for one in completeness.of(batch)}


@pytest.mark.requirement("211-188")
def test_what_a_system_charged_and_did_not_reconcile_is_lacking() -> None:
    batch = factories.running_batch()
    factories.recorded_by_mes(batch, by=factories.device(), but="reconciliation")

    found = [one.text for one in completeness.of(batch) if "reconciliation of lot" in one.text]

    assert found == [
        f"reconciliation of lot LOT-1 of {line.material_code} (line {line.line})"
        for line in batch.materials.order_by("line")
    ]


@pytest.mark.requirement("211-188")
def test_what_an_mes_recorded_counts_as_well() -> None:
    assert completeness.of(factories.completed_batch()) == []


@pytest.mark.parametrize("clause", ["(b)(2)", "(b)(6)", "(b)(7)", "(b)(8)", "(b)(10)", "(b)(13)"])
def test_what_an_mes_left_out_is_found(clause: str) -> None:
    batch = factories.running_batch()
    source = factories.device()
    for phase in batch.phases.order_by("order"):
        factories.happened(batch, EventKind.PHASE_STARTED, by=source, phase=phase.name)
        factories.happened(batch, EventKind.PHASE_ENDED, by=source, phase=phase.name)
    factories.stored(batch, factories.temperatures("36.8"))
    factories.recorded_by_mes(batch, by=source, but=clause)
    factories.happened(batch, EventKind.BATCH_ENDED, by=source)
    batch.refresh_from_db()

    assert {one.clause for one in completeness.of(batch)} == {clause}


def test_every_sub_clause_has_an_item() -> None:
    assert {clause for clause, _ in completeness._items.values()} == set(CLAUSES)


@pytest.mark.requirement("211-188", "211-22a")
def test_an_incomplete_record_blocks_the_release() -> None:
    batch = _made_by_people(but="(b)(11)")
    quality = factories.confirmed(factories.person(Role.QUALITY_ASSURANCE))

    with pytest.raises(DispositionBlocked) as refused:
        decisions.decide(
            batch, outcome=DispositionState.RELEASED, confirmed=quality,
            reason="the record was reviewed",
        )  # fmt: skip

    assert ("record-incomplete", "(b)(11): who checked Growth") in {
        (error["code"], error["detail"]) for error in refused.value.errors
    }


@pytest.mark.requirement("211-101/103/110/111")
def test_a_batch_with_each_rule_broken_once_has_exactly_these_exceptions() -> None:
    batch = factories.running_batch(factories.recipe(CHECKED))
    phase = BatchPhase.objects.select_related("batch__recipe__product").get(batch=batch)
    operator = factories.person(Role.OPERATOR)
    told = {"actor": operator, "at": NOON}
    phases.move(phase, PhaseStep.START, **told)
    factories.in_process(phase, value="7.3", by=operator)
    line = batch.materials.select_related("phase__batch", "batch").get(line=1)
    factories.charge(line, net="11", by=operator, override_reason="poured before it was read")
    calculating.record_yield(phase, actual=Quantity(Decimal("80"), "g"), **told)
    examinations.account_labels(
        batch.labels.get(), phase=phase, count=Count(issued=3, used=2), performed_at=NOON,
        specimen=Content("label.txt", "text/plain", b"label"), **told,
    )  # fmt: skip

    found = list(exceptions.open_of(batch).values_list("kind", flat=True))

    assert found == ["out-of-limits", "charge", "yield", "reconciliation"]
    assert events.phase_named(batch, "Growth") == phase
